"""Themes, terminals with few or no colours, and the focus."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from small_root import task_id, write_bundle, write_task
from textual.command import CommandList
from textual.pilot import Pilot
from textual.strip import Strip
from ui_driving import PATIENCE, screen_text, until

from hipercow_tui.formats.root import find_root
from hipercow_tui.settings.theme_store import ThemeFile
from hipercow_tui.support.errors import HipercowTuiError
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.terminal_app import FULL_COLOURS, SIXTEEN_COLOURS, is_light_terminal


@pytest.fixture
def root(tmp_path: Path) -> Path:
    where = tmp_path / "project"
    where.mkdir()
    for number, status in enumerate(["failure", "failure", "success", "success", "created"]):
        write_task(where, task_id(number), status)
    write_bundle(where, "sweep", [task_id(0), task_id(2)])
    return where


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "COLORFGBG", "TEXTUAL_ANIMATIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")


@asynccontextmanager
async def shown(root: Path, theme: ThemeFile | None = None) -> AsyncIterator[Pilot[None]]:
    app = HipercowApp(find_root(root), theme=theme)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, lambda: "✗ failure" in screen_text(app) and "live" in screen_text(app))
        yield pilot


def wait(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


# Themes


async def test_a_theme_that_is_selected_in_the_palette_is_saved(root: Path, tmp_path: Path) -> None:
    file = ThemeFile(tmp_path / "config" / "theme.toml")
    async with shown(root, file) as pilot:
        assert pilot.app.theme == FULL_COLOURS[0]
        await pilot.pause(0.1)
        assert not file.path.exists(), "no theme was selected"
        await pilot.press("ctrl+p", *"theme")
        await until(pilot, lambda: pilot.app.screen.query_one(CommandList).option_count)
        await pilot.pause(0.3)
        await pilot.press("enter")
        await pilot.pause(0.3)
        await pilot.press(*"nord")
        await pilot.pause(0.3)
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.theme == "nord")
        await until(pilot, lambda: file.read() == "nord")
    async with shown(root, file) as pilot:
        assert pilot.app.theme == "nord"


@pytest.mark.parametrize(
    "text",
    [
        "theme = ",
        "theme = 3\n",
        '["theme"]\nx = 1\n',
        'theme = "gone-by-now"',
        "\x00\xff",
        "a = [" * 9999,
    ],
)
def test_a_damaged_theme_file_is_ignored(root: Path, tmp_path: Path, text: str) -> None:
    file = ThemeFile(tmp_path / "theme.toml")
    file.path.write_bytes(text.encode("latin-1"))
    app = HipercowApp(find_root(root), theme=file)
    assert app.first_theme == FULL_COLOURS[0]


async def test_a_damaged_theme_file_is_replaced(root: Path, tmp_path: Path) -> None:
    file = ThemeFile(tmp_path / "theme.toml")
    file.path.write_text("theme = ")
    async with shown(root, file) as pilot:
        assert pilot.app.theme == FULL_COLOURS[0]
        pilot.app.theme = "dracula"
        await until(pilot, lambda: file.read() == "dracula")


async def test_a_theme_that_can_not_be_saved_is_reported(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    file = ThemeFile(tmp_path / "file" / "theme.toml")
    with pytest.raises(HipercowTuiError, match=r"not remembered.*can't be written"):
        file.save("nord")
    async with shown(root, file) as pilot:
        pilot.app.theme = "nord"
        await until(pilot, lambda: "The theme is set" in screen_text(pilot.app))


async def test_a_terminal_with_sixteen_colours_uses_only_these(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ThemeFile(tmp_path / "theme.toml")
    file.save("nord")
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "standard")
    async with shown(root, file) as pilot:
        assert pilot.app.theme == SIXTEEN_COLOURS[0]
        assert {kind for strip in strips(pilot) for kind in kinds(strip)} <= {"default", "standard"}
    file.save(SIXTEEN_COLOURS[1])
    async with shown(root, file) as pilot:
        assert pilot.app.theme == SIXTEEN_COLOURS[1]


@pytest.mark.parametrize(
    ("colours", "light"), [("0;15", True), ("0;default;15", True), ("15;0", False), ("", False)]
)
def test_a_light_terminal_that_says_so_gets_a_light_theme(
    root: Path, monkeypatch: pytest.MonkeyPatch, colours: str, *, light: bool
) -> None:
    assert is_light_terminal(colours) is light
    monkeypatch.setenv("COLORFGBG", colours)
    assert HipercowApp(find_root(root)).first_theme == FULL_COLOURS[light]


async def test_animations_are_off_unless_they_are_enabled(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textual.constants.TEXTUAL_ANIMATIONS", "full")
    assert HipercowApp(find_root(root)).animation_level == "none"
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "full")
    assert HipercowApp(find_root(root)).animation_level == "full"


# Without colours


def strips(pilot: Pilot[None]) -> list[Strip]:
    """Return the screen as it is sent to the terminal."""
    app = pilot.app
    made = []
    for strip in app.screen._compositor.render_strips():
        segments = list(strip)
        for line_filter in app.get_line_filters():
            segments = line_filter.apply(segments, app.screen.background_colors[1])
        made.append(Strip(segments))
    return made


def kinds(strip: Strip) -> set[str]:
    """Return the kinds of colours in a strip."""
    return {
        colour.type.name.lower()
        for segment in strip
        if segment.style
        for colour in (segment.style.color, segment.style.bgcolor)
        if colour is not None
    }


def attributes(pilot: Pilot[None], word: str) -> list[set[str]]:
    """Return the text attributes of a word on each line that contains it."""
    found = []
    for strip in strips(pilot):
        for segment in strip:
            if word in segment.text:
                style = segment.style
                names = ("bold", "dim", "reverse", "underline", "italic")
                found.append({name for name in names if style and getattr(style, name)})
    return found


async def test_all_information_is_visible_without_colours(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with shown(root) as pilot:
        app = pilot.app
        browser = app.browser  # type: ignore[attr-defined]
        assert {kind for strip in strips(pilot) for kind in kinds(strip)} <= {"default"}

        await pilot.press("1")
        await until(pilot, lambda: "matched 2" in screen_text(app))
        assert "[x] ✗ failure" in screen_text(app)
        browser.tasks.move_to(browser.tasks.row_of(task_id(0)))
        await pilot.pause()
        assert {"bold", "reverse"} in attributes(pilot, "✗ failure"), "the cursor"
        assert all("dim" in one for one in attributes(pilot, "✓ success ")), "outside the filters"

        heavy = [line for line in screen_text(app).splitlines() if "┏" in line]
        assert len(heavy) == 1 and "Tasks" in heavy[0].partition("┏")[2]
        await pilot.press("tab")
        await pilot.pause()
        assert browser.query_one("#details").has_focus
        heavy = [line for line in screen_text(app).splitlines() if "┏" in line]
        assert len(heavy) == 1 and "Tasks" not in heavy[0].partition("┏")[2]

        await pilot.press("ctrl+p")
        await until(pilot, lambda: app.screen.query_one(CommandList).option_count)
        await pilot.press("down")
        await until(pilot, lambda: any("underline" in one for one in attributes(pilot, "")))
