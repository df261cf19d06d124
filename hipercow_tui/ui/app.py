"""The app: one root, its screens, its looks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.theme import Theme

from hipercow_tui.formats.root import Root
from hipercow_tui.settings.saved_filters import FilterFile, SavedFilter
from hipercow_tui.settings.theme_store import ThemeFile
from hipercow_tui.support.errors import HipercowTuiError
from hipercow_tui.support.text import escape_controls
from hipercow_tui.ui.browse.screen import BrowseScreen
from hipercow_tui.ui.keymap import APP, MOVES, Group
from hipercow_tui.ui.messages import WorkerFailed
from hipercow_tui.ui.terminal_app import TerminalApp
from hipercow_tui.ui.workers.base import start_thread


class HipercowApp(TerminalApp):
    """Browse a root, see what a purge would take, purge; with ``read_only`` all but the last.

    ``indexed`` says whether what was read is kept for the next start. ``filters`` is the file
    of those that were saved, if that may be used, and ``first`` those to begin with. ``theme`` is
    the file that remembers the theme, if that may be used. ``clock`` gives the time in seconds
    since the epoch.
    """

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
        super().__init__(theme)
        self._theme_file = theme
        self._last_theme = self.first_theme
        self.browser = BrowseScreen(
            root,
            read_only=read_only,
            indexed=indexed,
            filters=filters,
            first=first or SavedFilter(),
            clock=clock,
        )

    def on_mount(self) -> None:
        """From now on, another theme that is chosen is remembered."""
        self.theme_changed_signal.subscribe(self, self._remember_theme)

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

        start_thread(remember, lambda error: self.post_message(WorkerFailed(error)))

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
            yield from self.browser.filtering.commands()
        yield SystemCommand("Theme", "Choose other colours", self.action_change_theme)

    @on(WorkerFailed)
    def _broke(self, message: WorkerFailed) -> None:
        def report() -> None:
            from hipercow_tui.support.crash_report import write_report

            self.call_later(self._name_report, write_report(message.error))

        start_thread(report, lambda error: None)

    def _name_report(self, report: Path | None) -> None:
        file = f" and attach '{escape_controls(str(report))}'" if report else ""
        self.notify(
            f"The display may be out of date. Leave with q. Please report this{file}.",
            title="An unexpected error in hipercow-tui",
            severity="error",
            timeout=600,
            markup=False,
        )

    def action_help(self) -> None:
        """Show every key and the rules."""
        from hipercow_tui.ui.dialogs.help import HelpScreen
        from hipercow_tui.ui.screens.plan import PlanScreen

        plan = [one for one in PlanScreen.BINDINGS if isinstance(one, Binding)]
        self.push_screen(HelpScreen([Group("In the plan", plan)]))

    def action_help_quit(self) -> None:
        """ctrl+c stops a job under way, as it would without an app."""
        if self.browser.purge.job is not None:
            self.browser.action_undo()
        else:
            self.notify("q leaves; ctrl+c stops a purge that is under way")

    def leave(self, number: int) -> None:
        """Stop the job under way on the disk, and end with the status of the signal of that number.
        May be called at any moment in the main thread."""
        if self.browser.purge.job is not None:
            self.browser.purge.job.stop()
        super().leave(number)

    async def action_quit(self) -> None:
        """Leave, but not in the middle of a purge, nor while R is at work."""
        from hipercow_tui.ui.dialogs.run_r import RunRScreen

        if self.browser.purge.busy:
            self.notify(self.browser.purge.busy)
        elif any(isinstance(one, RunRScreen) and one.working for one in self.screen_stack):
            self.notify("R is still at work: wait for its end, or stop it with esc")
        else:
            self.exit()
