"""Messages that vanish: how many are shown, where, and when they go."""

from __future__ import annotations

import pytest
from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Label, Static
from textual.widgets._toast import Toast
from ui_driving import screen_text, until

from hipercow_tui.ui.terminal_app import TerminalApp
from hipercow_tui.ui.widgets.footer import KeyFooter


class Dialog(ModalScreen[None]):
    DEFAULT_CSS = "Dialog { align: center middle; } Dialog Label { width: 66; height: 18; }"

    def compose(self) -> ComposeResult:
        yield Label("\n".join(f"choice {number}" for number in range(18)))


class ToastApp(TerminalApp):
    CSS_PATH = "../../hipercow_tui/ui/app.tcss"

    def __init__(self) -> None:
        super().__init__(None)

    def compose(self) -> ComposeResult:
        yield Static("text")
        yield KeyFooter()

    def toasts(self) -> list[str]:
        return [str(toast.render()) for toast in self.screen.query(Toast)]


async def test_a_hint_replaces_the_last_one_and_vanishes_with_the_next_key() -> None:
    app = ToastApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.notify("first")
        await until(pilot, lambda: app.toasts() == ["first"])
        app.notify("second")
        await until(pilot, lambda: app.toasts() == ["second"])
        app.notify("a warning", severity="warning")
        await until(pilot, lambda: app.toasts() == ["second", "a warning"])
        await pilot.press("j")
        await until(pilot, lambda: app.toasts() == ["a warning"])
        app.notify("another", severity="warning", title="Title")
        await until(pilot, lambda: app.toasts() == ["Title\nanother"])
        await pilot.press("k")
        await pilot.pause(0.1)
        assert app.toasts() == ["Title\nanother"]


@pytest.mark.parametrize("theme", ["textual-dark", "ansi-light"])
async def test_a_toast_covers_no_choice_of_a_dialog(theme: str) -> None:
    app = ToastApp()
    app.first_theme = theme
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await app.push_screen(Dialog())
        long = "A purge of two minutes ago was interrupted: T to finish or restore it, as you like"
        app.notify(long, severity="warning", timeout=30)
        await until(pilot, lambda: "A purge of two minutes" in screen_text(app))
        shown = screen_text(app)
        assert all(f"choice {number} " in shown for number in range(18))


@pytest.mark.parametrize("theme", ["textual-dark", "ansi-light"])
async def test_a_toast_is_shown_whole_and_above_the_footer(theme: str) -> None:
    app = ToastApp()
    app.first_theme = theme
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.notify("one two three four five six seven eight nine ten eleven twelve thirteen")
        await until(pilot, lambda: "one two" in screen_text(app))
        lines = screen_text(app).splitlines()
        assert any("thirteen" in line for line in lines[:-1])
        assert theme != "ansi-light" or any("╰" in line for line in lines[:-1])
