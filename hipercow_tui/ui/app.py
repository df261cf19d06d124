"""The app: one root, its screens, its looks."""

from __future__ import annotations

import asyncio
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.screen import Screen
from textual.theme import Theme

from hipercow_tui.config import ThemeFile
from hipercow_tui.errors import HipercowTuiError
from hipercow_tui.roots import Root
from hipercow_tui.saved_filters import FilterFile, SavedFilter
from hipercow_tui.signals import leave
from hipercow_tui.text import visible
from hipercow_tui.ui.background import in_background
from hipercow_tui.ui.keys import APP, MOVES, Group
from hipercow_tui.ui.messages import Broke, PurgeEnded
from hipercow_tui.ui.screens.browse import BUSY, BrowseScreen

# On dark and on light terminals. The first two use nothing but the sixteen colours of the terminal,
# and so look as it does.
SIXTEEN_COLOURS = ("ansi-dark", "ansi-light")
MANY_COLOURS = ("textual-dark", "textual-light")


class HipercowApp(App[None]):
    """Browse a root, see what a purge would take, purge; with ``read_only`` all but the last.

    ``indexed`` says whether what was read is kept for the next start. ``filters`` is the file
    of those that were saved, if that may be used, and ``first`` those to begin with. ``theme`` is
    the file that remembers the theme, if that may be used. ``clock`` gives the time in seconds
    since the epoch.
    """

    TITLE = "hipercow-tui"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*APP]

    def __init__(
        self,
        root: Root,
        *,
        read_only: bool = False,
        indexed: bool = False,
        filters: FilterFile | None = None,
        first: SavedFilter | None = None,
        theme: ThemeFile | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # Without colours Textual would still paint in shades of grey, on a ground of its own.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        if "TEXTUAL_ANIMATIONS" not in os.environ:
            self.animation_level = "none"  # nothing here is clearer for moving
        self._theme_file = theme
        self._last_theme = self._first_theme()
        self.browser = BrowseScreen(
            root,
            read_only=read_only,
            indexed=indexed,
            filters=filters,
            first=first or SavedFilter(),
            clock=clock,
        )

    def on_mount(self) -> None:
        """Take the theme; from now on, another that is chosen is remembered."""
        self.theme = self._last_theme
        self.theme_changed_signal.subscribe(self, self._remember_theme)

    def _first_theme(self) -> str:
        """The one that was chosen the last time, else one for this terminal. Where there are but
        sixteen colours, or none, only a theme of these: blends would all be the same grey."""
        chosen = self._theme_file.read() if self._theme_file else ""
        few = self.console.color_system == "standard" or self.no_color
        if chosen in self.available_themes and (self.available_themes[chosen].ansi or not few):
            return chosen
        light = light_terminal(os.environ.get("COLORFGBG", ""))
        return (SIXTEEN_COLOURS if few else MANY_COLOURS)[light]

    def _remember_theme(self, theme: Theme) -> None:
        file, last = self._theme_file, self._last_theme
        self._last_theme = theme.name
        if file is None or theme.name == last:
            return

        def remember() -> None:
            try:
                file.save(theme.name)
            except HipercowTuiError as error:
                told = partial(self.notify, str(error), severity="warning", markup=False)
                self.call_later(told)

        in_background(remember, lambda error: self.post_message(Broke(error)))

    def get_driver_class(self) -> type[Driver]:
        """The driver of this platform, one that survives its terminal where there is such."""
        driver = super().get_driver_class()
        if driver.__name__ != "LinuxDriver":
            return driver
        from hipercow_tui.ui.lasting import LastingDriver

        return LastingDriver

    def get_default_screen(self) -> Screen[None]:
        """The browser."""
        return self.browser

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every key that works on this screen, as a command; saved filters; and Textual's choice
        of themes."""
        moves = {binding.id for binding in MOVES}
        for node, binding, enabled, tooltip in screen.active_bindings.values():
            of_ours = binding.id and binding.id not in moves
            if enabled and of_ours and binding.description and not binding.system:
                call = partial(self.run_action, binding.action, node)
                yield SystemCommand(binding.description, tooltip, call)
        if screen is self.browser:
            yield from self.browser.filter_commands()
        yield SystemCommand("Theme", "Choose other colours", self.action_change_theme)

    def _fatal_error(self) -> None:
        """Textual would print a traceback with everything in it that was read from disk."""
        error = sys.exception()
        where = traceback.extract_tb(error.__traceback__)[-1] if error else None
        place = f" in {Path(where.filename).name}, line {where.lineno}" if where else ""
        self.panic(
            Text(
                "hipercow-tui stopped by an error of its own; what was purged stays purged, and"
                f" nothing else was changed. Please report: {type(error).__name__}{place}:"
                f" {visible(str(error))}"
            )
        )

    @on(Broke)
    def _broke(self, message: Broke) -> None:
        error = visible(f"{type(message.error).__name__}: {message.error}")
        self.notify(
            f"What is shown may be out of date. Leave with q, and please report this: {error}",
            title="An error of hipercow-tui itself",
            severity="error",
            timeout=600,
            markup=False,
        )

    def action_help(self) -> None:
        """Show every key and the rules."""
        from hipercow_tui.ui.screens.help import HelpScreen
        from hipercow_tui.ui.screens.plan import PlanScreen

        plan = [one for one in PlanScreen.BINDINGS if isinstance(one, Binding)]
        self.push_screen(HelpScreen([Group("In the plan", plan)]))

    def action_help_quit(self) -> None:
        """ctrl+c stops what is under way, as it would without an app."""
        if self.browser.purging:
            self.browser.action_undo()
        else:
            self.notify("q leaves; ctrl+c stops a purge that is under way")

    def leave(self, number: int) -> None:
        """A signal asks the process to end: stop what is under way on the disk, and leave with the
        status of that signal. May be called at any moment in the main thread."""
        if self.browser.under_way is not None:
            self.browser.under_way.stop()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            leave(number)
        loop.call_soon_threadsafe(partial(self.exit, return_code=128 + number))

    def settle(self) -> PurgeEnded | None:
        """Stop what is still under way on the disk, wait, and tell what became of it; None if
        nothing was. For when the app has ended, however it did."""
        return self.browser.under_way.settle() if self.browser.under_way else None

    async def action_quit(self) -> None:
        """Leave, but not in the middle of a purge, nor while R is at work."""
        from hipercow_tui.ui.screens.let_r import LetRScreen

        if self.browser.purging:
            self.notify(BUSY)
        elif any(isinstance(one, LetRScreen) and one.working for one in self.screen_stack):
            self.notify("R is still at work: wait for its end, or stop it with esc")
        else:
            self.exit()


def light_terminal(colours: str) -> bool:
    """Whether ``COLORFGBG``, which terminals such as Konsole and rxvt set, tells of a light ground:
    ``0;15``, or ``0;default;15``."""
    return colours.rpartition(";")[2] in ("7", "15")
