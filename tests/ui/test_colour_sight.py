"""Statuses stay apart for the colour-blind: by glyph and word, and most of them by colour too."""

from __future__ import annotations

from itertools import combinations

import pytest
from textual.color import Color, rgb_to_lab
from textual.theme import BUILTIN_THEMES

from hipercow_tui.domain.task import FILTERABLE_STATUSES, Status, Task
from hipercow_tui.ui.colour_sight import DEFICIENCIES, Rgb, simulate, simulate_picture
from hipercow_tui.ui.status_style import COLOUR, GLYPH
from hipercow_tui.ui.widgets.task_table import status_cell

THEMES = [name for name, theme in BUILTIN_THEMES.items() if not theme.ansi]
NOTICED = 2.3  # a difference in CIELAB that is just noticed


def colours(theme: str) -> dict[Status, Rgb]:
    variables = BUILTIN_THEMES[theme].to_color_system().generate()
    ground = Color.parse(variables["background"])
    return {status: (ground + Color.parse(variables[name])).rgb for status, name in COLOUR.items()}


def apart(one: Rgb, other: Rgb) -> float:
    a, b = (rgb_to_lab(Color(*rgb)) for rgb in (one, other))
    return float(((a.L - b.L) ** 2 + (a.a - b.a) ** 2 + (a.b - b.b) ** 2) ** 0.5)


def test_what_is_grey_stays_so_and_red_and_green_come_together() -> None:
    red, green = (205, 49, 49), (13, 188, 121)
    for sight in DEFICIENCIES:
        assert all(abs(part - 128) <= 1 for part in simulate((128, 128, 128), sight))
    assert (
        apart(simulate(red, "deuteranopia"), simulate(green, "deuteranopia"))
        < apart(red, green) / 2
    )


def test_every_colour_of_a_picture_is_seen_so() -> None:
    svg = '<rect fill="#cd3131"/><text style="fill: rgb(13, 188, 121)">#1</text>'
    assert simulate_picture(svg, "protanopia") == '<rect fill="#{:02x}{:02x}{:02x}"/>'.format(
        *simulate((0xCD, 0x31, 0x31), "protanopia")
    ) + '<text style="fill: #{:02x}{:02x}{:02x}">#1</text>'.format(
        *simulate((13, 188, 121), "protanopia")
    )


@pytest.mark.parametrize("sight", DEFICIENCIES)
@pytest.mark.parametrize("theme", THEMES)
def test_failure_and_success_are_told_apart_by_colour_in_every_theme(
    theme: str, sight: str
) -> None:
    of = {status: simulate(colour, sight) for status, colour in colours(theme).items()}
    assert apart(of[Status.FAILURE], of[Status.SUCCESS]) > 3 * NOTICED


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
def test_in_our_own_themes_no_two_statuses_have_the_same_colour(theme: str) -> None:
    of = colours(theme)
    for one, other in combinations(FILTERABLE_STATUSES, 2):
        assert apart(of[one], of[other]) > 10 * NOTICED, (one, other)
        for sight in DEFICIENCIES:
            assert apart(simulate(of[one], sight), simulate(of[other], sight)) > NOTICED, (
                one,
                other,
            )


def test_each_status_has_a_glyph_and_a_word_of_its_own() -> None:
    cells = {
        "".join(text for text, _ in status_cell(Task("a" * 32, status=status), long=False))
        for status in FILTERABLE_STATUSES
    }
    assert len(cells) == len(FILTERABLE_STATUSES)
    assert len(set(GLYPH.values())) == len(GLYPH)
    assert all(str(status) in " ".join(cells) for status in FILTERABLE_STATUSES)
