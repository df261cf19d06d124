"""Filters that the user saved under a name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from textual.app import SystemCommand
from textual.markup import escape
from textual.screen import Screen

from hipercow_tui.settings.saved_filters import FilterFile, SavedFilter, SavedFilters
from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.text import escape_controls
from hipercow_tui.ui import messages
from hipercow_tui.ui.browse.controller import Controller
from hipercow_tui.ui.browse.panes import Panes
from hipercow_tui.ui.browse.session import Session
from hipercow_tui.ui.key_hints import filter_keys, with_keys
from hipercow_tui.ui.widgets.filters.panel import FilterPanel
from hipercow_tui.ui.workers.base import start_thread


class Filtering(Controller):
    """Reads and changes the file of saved filters, in threads, and offers them as commands.

    ``file`` is None if filters can't be saved.
    """

    def __init__(
        self, session: Session, screen: Screen[Any], panes: Panes, *, file: FilterFile | None
    ) -> None:
        super().__init__(session, screen, panes)
        self._file = file
        self.saved = SavedFilters()

    @property
    def _panel(self) -> FilterPanel:
        return self._screen.query_one(FilterPanel)

    def commands(self) -> Iterable[SystemCommand]:
        """Yield a command for each saved filter, and one to remove it."""
        for name, saved in self.saved.filters.items():
            title, help_text = escape(name), escape(str(saved))
            yield SystemCommand(
                f"Filter: {title}", help_text, partial(self._panel.apply_saved, saved)
            )
        for name in (*self.saved.filters, *self.saved.problems):
            problem = escape(self.saved.problems.get(name, ""))
            yield SystemCommand(
                f"Forget filters {escape(escape_controls(name))}",
                problem or "Remove it from the saved filters",
                partial(self._forget, name),
            )

    def save(self) -> None:
        """Ask for a name, and save the filters under it."""
        saved = SavedFilter.of(self._session.filters)
        if self._file is None:
            self._warn("Filters can't be saved: there is no folder for them")
        elif not saved.given:
            has_ids = self._session.purge_filters.task_ids is not None
            prefix = "Marks and errors are not saved: set" if has_ids else "Set"
            self._screen.notify(f"{prefix} a filter first ({filter_keys()})", title="No filter")
        else:
            from hipercow_tui.ui.dialogs.save_filter import SaveFilterScreen

            self._screen.app.push_screen(
                SaveFilterScreen(saved, self.saved), partial(self._save, saved)
            )

    def _save(self, saved: SavedFilter, name: str | None) -> None:
        if name is not None and self._file is not None:
            save = partial(self._file.save, name, saved)
            self._change(save, f"Saved as '{name}': " + with_keys("<palette=ctrl+p> lists it"))

    def _forget(self, name: str) -> None:
        if self._file is not None:
            forget = partial(self._file.forget, name)
            self._change(forget, f"Removed the saved filters '{escape_controls(name)}'")

    def _change(self, change: Callable[[], None], done: str) -> None:
        def work() -> None:
            try:
                change()
            except FilterError as error:
                self._screen.call_later(self._warn, str(error))
            else:
                self._screen.call_later(partial(self._screen.notify, done, markup=False))
            self._read()

        start_thread(work, self._failed)

    def read(self) -> None:
        """Read the file in a thread."""
        start_thread(self._read, self._failed)

    def _read(self) -> None:
        if self._file is not None:
            self._screen.call_later(self._take, self._file.read())

    def _take(self, saved: SavedFilters) -> None:
        """Take over what was read; warn about each problem once."""
        before, self.saved = self.saved, saved
        if saved.file_error not in ("", before.file_error):
            self._warn(saved.file_error)
        for name, problem in saved.problems.items():
            if before.problems.get(name) != problem:
                self._warn(problem)

    def _failed(self, error: Exception) -> None:
        self._screen.post_message(messages.WorkerFailed(error))

    def _warn(self, text: str) -> None:
        self._screen.notify(
            text, title="Saved filters", severity="warning", timeout=15, markup=False
        )
