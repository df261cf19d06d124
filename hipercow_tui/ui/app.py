"""The app: one root, its screens, its looks."""

from __future__ import annotations

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
from textual.screen import Screen

from hipercow_tui.index import Index
from hipercow_tui.roots import Root
from hipercow_tui.text import visible
from hipercow_tui.ui.backstage import Broke
from hipercow_tui.ui.keys import APP, MOVES, Group
from hipercow_tui.ui.purging import BUSY
from hipercow_tui.ui.screens.browse import BrowseScreen
from hipercow_tui.ui.screens.help import HelpScreen
from hipercow_tui.ui.screens.plan import PlanScreen

SIXTEEN_COLOURS = ("ansi-dark", "textual-ansi")  # the latter before Textual 8


class HipercowApp(App[None]):
    """Browse a root, see what a purge would take, purge; with ``read_only`` all but the last.

    ``index`` is what was known of the root the last time, if that is kept. ``clock`` gives the time
    in seconds since the epoch.
    """

    TITLE = "hipercow-tui"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*APP]

    def __init__(
        self,
        root: Root,
        *,
        read_only: bool = False,
        index: Index | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.browser = BrowseScreen(root, read_only=read_only, index=index, clock=clock)

    def on_mount(self) -> None:
        """Sixteen colours are the terminal's own; blends of a theme would all be the same grey."""
        if self.console.color_system == "standard":
            self.theme = next(name for name in SIXTEEN_COLOURS if name in self.available_themes)

    def get_default_screen(self) -> Screen[None]:
        """The browser."""
        return self.browser

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every key that works on this screen, as a command; and Textual's choice of themes."""
        moves = {binding.id for binding in MOVES}
        for node, binding, enabled, tooltip in screen.active_bindings.values():
            if enabled and binding.description and not binding.system and binding.id not in moves:
                call = partial(self.run_action, binding.action, node)
                yield SystemCommand(binding.description, tooltip, call)
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
        plan = [one for one in PlanScreen.BINDINGS if isinstance(one, Binding)]
        self.push_screen(HelpScreen([Group("In the plan", plan)]))

    async def action_quit(self) -> None:
        """Leave, but not in the middle of a purge."""
        if self.browser.purging:
            self.notify(BUSY)
        else:
            self.exit()
