"""The main screen as far as it filters: by keys, by the panel, by what was saved under a name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from textual import on
from textual.app import SystemCommand
from textual.markup import escape

from hipercow_tui.errors import FilterError
from hipercow_tui.model import SIX_STATUSES
from hipercow_tui.roots import Root
from hipercow_tui.saved_filters import FilterFile, SavedFilter, SavedFilters
from hipercow_tui.text import visible
from hipercow_tui.ui.background import in_background
from hipercow_tui.ui.screens.triage import TriageScreen
from hipercow_tui.ui.widgets.filter_panel import FilterPanel


class FilteringScreen(TriageScreen):
    """Sets filters, and keeps them in ``filters``, the file of the user, if that may be used;
    ``first`` are those to begin with."""

    def __init__(
        self,
        root: Root,
        *,
        read_only: bool,
        indexed: bool,
        filters: FilterFile | None,
        first: SavedFilter,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(root, read_only=read_only, indexed=indexed, clock=clock)
        self.saved = SavedFilters()
        self._file = filters
        self._first = first

    def on_mount(self) -> None:
        """Begin with the filters that were asked for; learn which are saved."""
        self.filters.call_up(self._first)
        self.read_saved()

    @on(FilterPanel.Changed)
    def _filtered(self) -> None:
        self.renew()

    @on(FilterPanel.Left)
    def _left_filters(self) -> None:
        self.table.focus()

    def action_status(self, number: int) -> None:
        """Filter by a status, or no longer."""
        self.filters.toggle_status(SIX_STATUSES[number - 1])

    def action_clear_filters(self) -> None:
        """Take all filters and marks away."""
        self.filters.call_up(SavedFilter())
        self.tasks.action_unmark()

    def action_only_matched(self) -> None:
        """Show the matched tasks alone, or the others dimmed."""
        self._only_matched = not self._only_matched
        self.renew()

    # Filters under names

    def filter_commands(self) -> Iterable[SystemCommand]:
        """A command for each filter that is saved, and one to forget it."""
        for name, saved in self.saved.filters.items():
            title, told = escape(name), escape(str(saved))
            yield SystemCommand(f"Filter: {title}", told, partial(self.filters.call_up, saved))
        for name in (*self.saved.filters, *self.saved.problems):
            what = escape(self.saved.problems.get(name, "")) or "Take it out of the saved filters"
            yield SystemCommand(
                f"Forget filters {escape(visible(name))}", what, partial(self._forget, name)
            )

    def action_save_filters(self) -> None:
        """Ask for a name, and save the filters under it."""
        saved = SavedFilter.of(self.filters.stack)
        if self._file is None:
            self._refuse("Filters are not saved here: there is no folder for them")
        elif not saved.given:
            marks = "Marks are not saved: s" if self.filters.marks else "S"
            self.notify(f"{marks}et a filter first (1 to 6, tab)", title="No filter")
        else:
            from hipercow_tui.ui.screens.name_filters import NameFiltersScreen

            self.app.push_screen(NameFiltersScreen(saved, self.saved), partial(self._save, saved))

    def _save(self, saved: SavedFilter, name: str | None) -> None:
        if name is not None and self._file is not None:
            self._change(
                partial(self._file.save, name, saved), f"Saved as '{name}': ctrl+p calls it up"
            )

    def _forget(self, name: str) -> None:
        if self._file is not None:
            self._change(partial(self._file.forget, name), f"'{visible(name)}' is forgotten")

    def _change(self, change: Callable[[], None], done: str) -> None:
        def work() -> None:
            try:
                change()
            except FilterError as error:
                self.call_later(self._refuse, str(error))
            else:
                self.call_later(partial(self.notify, done, markup=False))
            self._read()

        in_background(work, self._broke)

    def read_saved(self) -> None:
        """Learn which filters are saved, in the background."""
        in_background(self._read, self._broke)

    def _read(self) -> None:
        if self._file is not None:
            self.call_later(self._know, self._file.read())

    def _know(self, saved: SavedFilters) -> None:
        """What is wrong with the file is told once."""
        told = self.saved
        self.saved = saved
        if saved.trouble not in ("", told.trouble):
            self._refuse(saved.trouble)
        for name, problem in saved.problems.items():
            if told.problems.get(name) != problem:
                self._refuse(problem)

    def _refuse(self, why: str) -> None:
        self.notify(why, title="Saved filters", severity="warning", timeout=15, markup=False)
