"""The app: one root, its main screen, the theme."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.keys import format_key
from textual.screen import Screen
from textual.theme import Theme

from hipercow_tui.formats.root import Root
from hipercow_tui.settings.column_store import ColumnFile
from hipercow_tui.settings.rule_file import RuleFile
from hipercow_tui.settings.saved_filters import FilterFile, SavedFilter
from hipercow_tui.settings.theme_store import ThemeFile
from hipercow_tui.support.errors import HipercowTuiError
from hipercow_tui.support.text import escape_controls
from hipercow_tui.ui.browse.screen import BrowseScreen
from hipercow_tui.ui.key_hints import use_keys, with_keys
from hipercow_tui.ui.key_names import shown_keys
from hipercow_tui.ui.keymap import APP_KEYS, HELP_KEY, MOVE_KEYS, Keymap
from hipercow_tui.ui.messages import OuterLogsFetched, WorkerFailed
from hipercow_tui.ui.screens.page import Page
from hipercow_tui.ui.terminal_app import TerminalApp
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.workers.base import start_thread

if TYPE_CHECKING:
    from hipercow_tui.ui.workers.purge_job import JobRunner


class HipercowApp(TerminalApp):
    """Browse a root, plan a purge, purge; with ``read_only`` without purging.

    ``indexed`` says whether tasks are stored for the next start. ``filters``, ``columns``,
    ``rules`` and ``theme`` are the files of saved filters, chosen columns, rules for errors and the
    theme, None if they can't be used. ``first`` are the filters to begin with, ``keymap`` the keys
    that the user chose.
    ``clock`` gives the time in seconds since the epoch.
    """

    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*APP_KEYS]

    def __init__(
        self,
        root: Root,
        *,
        read_only: bool = False,
        indexed: bool = False,
        filters: FilterFile | None = None,
        columns: ColumnFile | None = None,
        rules: RuleFile | None = None,
        first: SavedFilter | None = None,
        theme: ThemeFile | None = None,
        keymap: Keymap | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(theme)
        self._theme_file = theme
        self.user_keys = keymap or Keymap()
        use_keys(self.user_keys.keys)
        self._last_theme = self.first_theme
        self.job_at_end: JobRunner | None = None  # that was stopped with the app
        self.browser = BrowseScreen(
            root,
            read_only=read_only,
            indexed=indexed,
            filters=filters,
            columns=columns,
            rules=rules,
            first=first or SavedFilter(),
            clock=clock,
        )

    def on_mount(self) -> None:
        """Use the keys that the user chose; store another theme when the user chooses one."""
        self.set_keymap(self.user_keys.keys)
        if problems := self.user_keys.problems:
            more = len(problems) - 1
            text = problems[0] + (f" (and {more:,} more: hipercow-tui keys)" if more else "")
            self.notify(text, title="Keys", severity="warning", timeout=15, markup=False)
        self.theme_changed_signal.subscribe(self, self._store_theme)

    def on_unmount(self) -> None:
        """Name the default keys again."""
        use_keys({})

    def _store_theme(self, theme: Theme) -> None:
        file, last = self._theme_file, self._last_theme
        self._last_theme = theme.name
        if file is None or theme.name == last:
            return

        def store() -> None:
            try:
                file.save(theme.name)
            except HipercowTuiError as error:
                warn = partial(self.notify, str(error), severity="warning", markup=False)
                self.call_later(warn)

        start_thread(store, lambda error: self.post_message(WorkerFailed(error)))

    async def on_event(self, event: events.Event) -> None:
        """Remove the note of the footer when a key is pressed."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            self._show_note("")
            self.browser.waits.key_pressed()
        await super().on_event(event)

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        """Say in the footer that a key does nothing, if no binding handles it."""
        handled = await super()._check_bindings(key, priority)
        if not (handled or priority or key == "escape"):
            keys = shown_keys(HELP_KEY, self.user_keys.keys)
            nothing = f"'{format_key(key)}' does nothing here · {keys} shows the keys"
            self._show_note(self._why_disabled(key) or nothing)
        return handled

    def _why_disabled(self, key: str) -> str:
        active = self.screen.active_bindings.get(key)
        if active is None or not isinstance(active.node, Page):
            return ""
        return active.node.why_disabled(active.binding.action)

    def _show_note(self, note: str) -> None:
        """Show a note in place of the keys of the footer; without one, the keys."""
        for footer in self.screen.children if self.screen_stack else ():
            if isinstance(footer, KeyFooter):
                footer.note = note

    def get_default_screen(self) -> Screen[None]:
        """Return the main screen."""
        return self.browser

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Yield a command for every key of the screen, for saved filters, and for the theme."""
        moves = {binding.id for binding in MOVE_KEYS}
        for node, binding, enabled, tooltip in screen.active_bindings.values():
            is_ours = binding.id and binding.id not in moves
            opens_this = binding.action == "command_palette"
            if enabled and is_ours and binding.description and not opens_this:
                call = partial(self.run_action, binding.action, node)
                yield SystemCommand(binding.description, tooltip, call)
        if screen is self.browser:
            yield from self.browser.filtering.commands()
        yield SystemCommand("Theme", "Choose the colours", self.action_change_theme)

    @on(OuterLogsFetched)
    def _read_errors_again(self, message: OuterLogsFetched) -> None:
        self.browser.outer_logs_fetched(message.ids)

    @on(WorkerFailed)
    def _report_error(self, message: WorkerFailed) -> None:
        def report() -> None:
            from hipercow_tui.support.crash_report import write_report

            self.call_later(self._show_report, write_report(message.error))

        start_thread(report, lambda error: None)

    def _show_report(self, report: Path | None) -> None:
        file = f" and attach '{escape_controls(str(report))}'" if report else ""
        self.notify(
            f"The display may be out of date. Leave with q. Please report this{file}.",
            title="An unexpected error in hipercow-tui",
            severity="error",
            timeout=600,
            markup=False,
        )

    def action_help(self) -> None:
        """Show the keys of the present screen, then all others, and the rules."""
        from hipercow_tui.ui.dialogs.help import HelpScreen
        from hipercow_tui.ui.key_catalog import help_sections

        self.push_screen(HelpScreen(help_sections(self.screen, self.user_keys.keys)))

    def action_help_quit(self) -> None:
        """Handle ctrl+c: stop a running job, as in a command."""
        if self.browser.purge.job is not None:
            self.browser.action_undo()
        else:
            self.notify(with_keys("Press <quit=q> to quit; ctrl+c stops a purge"))

    def leave(self, number: int) -> None:
        """Stop the running job, and exit with the status of the signal ``number``. May be called
        at any moment in the main thread."""
        self._stop_job()
        super().leave(number)

    def _stop_job(self) -> None:
        """Stop the running job. Its result is printed after the app has ended, also if the job ends
        before."""
        self.job_at_end = self.browser.purge.job
        if self.job_at_end is not None:
            self.job_at_end.stop()

    def _fatal_error(self) -> None:
        """Stop the running job before the crash report is written."""
        self._stop_job()
        super()._fatal_error()

    async def action_quit(self) -> None:
        """Quit, unless a job or R is running."""
        from hipercow_tui.ui.dialogs.r_screen import RScreen

        if self.browser.purge.busy:
            self.notify(self.browser.purge.busy)
        elif any(isinstance(one, RScreen) and one.working for one in self.screen_stack):
            self.notify(
                with_keys("R is still running: wait for its end, or stop it with <run_r.leave=esc>")
            )
        else:
            self.exit()
