"""Statuses differ by glyph, name and colour, also with a colour vision deficiency."""

from __future__ import annotations

from itertools import combinations

import pytest
from textual.color import Color, rgb_to_lab
from textual.theme import BUILTIN_THEMES
from tools.colour_sight import DEFICIENCIES, Rgb, simulate, simulate_picture

from hipercow_tui.domain.task import FILTERABLE_STATUSES, Status, Task
from hipercow_tui.ui.status_style import COLOUR, GLYPH
from hipercow_tui.ui.widgets.task_cells import status_cell

THEMES = [name for name, theme in BUILTIN_THEMES.items() if not theme.ansi]
NOTICED = 2.3  # a difference in CIELAB that is just noticed


def colours(theme: str) -> dict[Status, Rgb]:
    variables = BUILTIN_THEMES[theme].to_color_system().generate()
    ground = Color.parse(variables["background"])
    return {status: (ground + Color.parse(variables[name])).rgb for status, name in COLOUR.items()}


def distance(one: Rgb, other: Rgb) -> float:
    a, b = (rgb_to_lab(Color(*rgb)) for rgb in (one, other))
    return float(((a.L - b.L) ** 2 + (a.a - b.a) ** 2 + (a.b - b.b) ** 2) ** 0.5)


def test_simulate_keeps_grey_and_brings_red_and_green_closer() -> None:
    red, green = (205, 49, 49), (13, 188, 121)
    for deficiency in DEFICIENCIES:
        assert all(abs(part - 128) <= 1 for part in simulate((128, 128, 128), deficiency))
    assert (
        distance(simulate(red, "deuteranopia"), simulate(green, "deuteranopia"))
        < distance(red, green) / 2
    )


def test_simulate_picture_replaces_every_colour() -> None:
    svg = '<rect fill="#cd3131"/><text style="fill: rgb(13, 188, 121)">#1</text>'
    assert simulate_picture(svg, "protanopia") == '<rect fill="#{:02x}{:02x}{:02x}"/>'.format(
        *simulate((0xCD, 0x31, 0x31), "protanopia")
    ) + '<text style="fill: #{:02x}{:02x}{:02x}">#1</text>'.format(
        *simulate((13, 188, 121), "protanopia")
    )


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("theme", THEMES)
def test_failure_and_success_have_different_colours_in_every_theme(
    theme: str, deficiency: str
) -> None:
    of = {status: simulate(colour, deficiency) for status, colour in colours(theme).items()}
    assert distance(of[Status.FAILURE], of[Status.SUCCESS]) > 3 * NOTICED


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
def test_all_statuses_have_different_colours_in_the_default_themes(theme: str) -> None:
    of = colours(theme)
    for one, other in combinations(FILTERABLE_STATUSES, 2):
        assert distance(of[one], of[other]) > 10 * NOTICED, (one, other)
        for deficiency in DEFICIENCIES:
            assert (
                distance(simulate(of[one], deficiency), simulate(of[other], deficiency)) > NOTICED
            ), (
                one,
                other,
            )


def test_each_status_has_its_own_glyph_and_name() -> None:
    cells = {
        "".join(text for text, _ in status_cell(Task("a" * 32, status=status), long=False))
        for status in FILTERABLE_STATUSES
    }
    assert len(cells) == len(FILTERABLE_STATUSES)
    assert len(set(GLYPH.values())) == len(GLYPH)
    assert all(str(status) in " ".join(cells) for status in FILTERABLE_STATUSES)
