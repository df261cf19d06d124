"""Every text is readable on its background, in every theme and on every screen."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style
from small_root import DAY, NOW, task_id, write_bundle, write_retries, write_task
from textual._ansi_theme import ALABASTER
from textual.color import Color
from textual.pilot import Pilot
from ui_driving import all_rows_shown, heard, screen_text, until

from hipercow_tui.domain.filters import FilterStack, TaskIds
from hipercow_tui.domain.plan import make_plan
from hipercow_tui.formats.root import find_root
from hipercow_tui.purging import move_to_trash
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.ui import contrast
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.contrast import ReadableText, readable_colour, readable_style

STATUSES = ("failure", "cancelled", "success", "created", "submitted", "running")
Pair = tuple[tuple[int, int, int], tuple[int, int, int]]
colours = st.builds(Color, *[st.integers(0, 255)] * 3)


def ratio(pair: Pair) -> float:
    """Return the contrast of two colours as WCAG 2.2 defines it."""

    def luminance(rgb: tuple[int, int, int]) -> float:
        channels = [value / 255 for value in rgb]
        red, green, blue = (
            one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted(map(luminance, pair))
    return (high + 0.05) / (low + 0.05)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Tasks of each status, a broken one, a retry chain, two bundles, and a batch in the trash."""
    where = tmp_path / "project"
    for number, status in enumerate(STATUSES * 2):
        folder = write_task(where, task_id(number), status, finished=NOW - number * DAY)
        (folder / "log").write_text("Error in f(): no\nWarning: hm\n\x1b[31mred\x1b[90m grey\n")
    write_task(where, task_id(20), "success", retry_of=(task_id(0), task_id(0)))
    write_retries(where, [(task_id(20), task_id(0), task_id(0))])
    (where / "hipercow" / "tasks" / "ff" / ("f" * 30)).mkdir(parents=True)
    write_bundle(where, "sweep", [task_id(number) for number in range(6)])
    write_bundle(where, "fit", [task_id(7), task_id(20)])
    write_task(where, task_id(30), "success")
    filters = FilterStack(task_ids=TaskIds(frozenset({task_id(30)})))
    move_to_trash(make_plan(read_root(find_root(where)), filters, now=NOW), find_root(where))
    return where


DIMMED = "cursor on a dimmed row"
SCREENS: dict[str, tuple[tuple[str, ...], str]] = {
    "tasks": ((), "submitted"),
    DIMMED: (("1", "j"), "matched"),
    "a marked row, and a range": (("j", "space", "v", "j", "j"), "marked"),
    "a search": (("escape", "u", "slash", *"fail", "enter"), "fail"),
    "focus in the filters": (("escape", "tab", "tab"), "Finished before"),
    "sort menu": (("0", "escape", "escape", "S"), "attempts"),
    "columns": (("escape", "F"), "attempts"),
    "bundles": (("escape", "b"), "sweep"),
    "inputs": (("i",), "status"),
    "back from the inputs": (("escape",), "sweep"),
    "errors": (("e",), "message"),
    "log": (("b", "b", "g", "l"), "Error in f()"),
    "plan": (("escape", "1", "p"), "would go"),
    "a kept chain": (("j", "space"), "kept"),
    "confirmation": (("k", "space", "D"), "Cancel"),
    "history": (("escape", "escape", "H"), "to the trash"),
    "trash": (("escape", "T"), "complete"),
    "help": (("escape", "question_mark"), "Down one row"),
    "palette": (("escape", "ctrl+p", *"the"), "Theme"),
}


def shown_pairs(app: HipercowApp) -> set[tuple[Pair, str]]:
    """Return the colour and the background of each text on the screen, with the text."""
    found = set()
    for strip in app.screen._compositor.render_strips():
        for text, style, _ in strip:
            if style and style.color and any(letter.isalnum() for letter in text):
                assert style.color.triplet and style.bgcolor and style.bgcolor.triplet, text
                pair = tuple(style.color.triplet), tuple(style.bgcolor.triplet)
                found.add((pair, text.strip()))
    return found  # type: ignore[return-value]


async def shown(pilot: Pilot[Any], theme: str) -> None:
    pilot.app.theme = theme
    await pilot.pause()


async def test_every_text_is_readable_in_every_theme(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dim: set[Pair] = set()

    def recorded(style: Style, background: Color, terminal: Any) -> Style:
        result = readable_style(style, background, terminal)
        if style.dim and result.color and result.color.triplet:
            ground = result.bgcolor.triplet if result.bgcolor else background.rgb
            dim.add((tuple(result.color.triplet), tuple(ground or ())))  # type: ignore[arg-type]
        return result

    monkeypatch.setattr(contrast, "readable_style", recorded)
    monkeypatch.setenv("COLORTERM", "truecolor")
    app = HipercowApp(find_root(root), clock=lambda: NOW)
    bad: list[str] = []
    async with app.run_test(size=(118, 40)) as pilot:
        await until(pilot, lambda: all_rows_shown(app))
        themes = [name for name, theme in app.available_themes.items() if not theme.ansi]
        assert len(themes) >= 19
        dark, light = (
            cycle(name for name in themes if app.available_themes[name].dark is is_dark)
            for is_dark in (True, False)
        )
        for name, (keys, expected) in SCREENS.items():
            for key in keys:
                await pilot.press(key)
                await pilot.pause()
            if name == "confirmation":
                await heard(pilot)
            await until(pilot, lambda text=expected: text in screen_text(app))  # type: ignore[misc]
            # The table in each theme, other screens in a dark and a light one: all are slow.
            for theme in themes if name == DIMMED else (next(dark), next(light)):
                await shown(pilot, theme)
                for pair, text in shown_pairs(app):
                    least = 3.0 if pair in dim else 4.5
                    if ratio(pair) < least:
                        bad.append(f"{theme}, {name}: {text!r} {ratio(pair):.1f} {pair}")
                if name == DIMMED:
                    assert_dimmed_rows_are_less_prominent(app)
    assert dim and not bad, "\n".join(bad)


def assert_dimmed_rows_are_less_prominent(app: HipercowApp) -> None:
    """Check that rows outside the filters are readable, and less prominent than matched ones."""
    dimmed, strong = (app.browser.tasks._style(part) for part in ("dimmed", "strong"))
    ground = Color.from_rich_color(dimmed.bgcolor)
    readable = [readable_style(style, ground, app.ansi_theme) for style in (dimmed, strong)]
    ratios = [
        ratio((tuple(one.color.triplet), ground.rgb))  # type: ignore[union-attr, arg-type]
        for one in readable
    ]
    assert 3.0 <= ratios[0] < ratios[1] * 0.8, app.theme


async def test_details_get_the_background_of_a_new_theme(root: Path) -> None:
    app = HipercowApp(find_root(root), clock=lambda: NOW)
    async with app.run_test(size=(118, 40)) as pilot:
        await until(pilot, lambda: all_rows_shown(app))
        for keys, view in (("jj", "#details"), *((key, ".details.-shown") for key in "ebw")):
            await pilot.press(*keys)
            await pilot.pause(0.3)
            for theme in ("textual-light", "textual-dark"):
                await shown(pilot, theme)
                region = app.browser.query(view).last().content_region
                cells = [
                    strip.crop(region.x, region.right - 1)
                    for strip in app.screen._compositor.render_strips()[region.y : region.bottom]
                ]
                grounds = {style.bgcolor for strip in cells for _, style, _ in strip if style}
                assert len(grounds) == 1, (view, theme)


# The rule


@given(colours, colours, st.sampled_from([3.0, 4.5]))
def test_a_readable_colour_has_the_ratio_and_stays_if_it_had_it(
    colour: Color, ground: Color, least: float
) -> None:
    readable = readable_colour(colour, ground, least)
    assert ratio((readable.rgb, ground.rgb)) >= least
    if ratio((colour.rgb, ground.rgb)) >= least:
        assert readable == colour


@given(colours, colours)
def test_the_contrast_is_that_of_wcag(first: Color, second: Color) -> None:
    assert contrast.contrast(first, second) == pytest.approx(ratio((first.rgb, second.rgb)))


def test_frames_and_bars_keep_their_colours() -> None:
    faint = Style.parse("#333333 on #222222")
    line = [Segment("│▁█ ", faint), Segment("│ a", faint)]
    frame, text = ReadableText(ALABASTER).apply(line, Color.parse("#222222"))
    assert frame.style is faint and text.style != faint


def test_a_colour_of_the_terminal_is_made_readable_too() -> None:
    style = readable_style(Style.parse("bright_yellow"), Color(255, 255, 255), ALABASTER)
    assert style.color and style.color.triplet
    assert ratio((tuple(style.color.triplet), (255, 255, 255))) >= 4.5  # type: ignore[arg-type]
