"""The main screen as far as it filters: by keys, by the panel, by what was saved under a name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from textual import events, on
from textual.app import SystemCommand
from textual.markup import escape

from hipercow_tui.domain.task import FILTERABLE_STATUSES
from hipercow_tui.formats.root import Root
from hipercow_tui.settings.saved_filters import FilterFile, SavedFilter, SavedFilters
from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.text import escape_controls
from hipercow_tui.ui.browse.errors_pane import TriageScreen
from hipercow_tui.ui.widgets.error_details import ErrorDetailsView
from hipercow_tui.ui.widgets.filters.panel import FilterPanel
from hipercow_tui.ui.widgets.task_details import TaskDetailsView
from hipercow_tui.ui.workers.base import start_thread

NARROW = 68  # cells; with fewer, filters and tables do not stand side by side
LOW = 18  # rows; with fewer, details are shown on demand alone


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
        self._narrow = False
        self._folded = False

    def on_mount(self) -> None:
        """Begin with the filters that were asked for; learn which are saved."""
        self.filters.call_up(self._first)
        self.read_saved()

    @on(FilterPanel.Changed)
    def _filtered(self) -> None:
        self.renew()

    @on(FilterPanel.Left)
    def _left_filters(self) -> None:
        if self._narrow:
            self._fold(True)
        self.table.focus()

    # Room for them

    def on_resize(self, event: events.Resize) -> None:
        """Where there is little room, filters and details come on demand."""
        narrow = event.size.width < NARROW
        if narrow is not self._narrow:
            self._narrow = narrow
            # Who is at the filters stays there.
            self._folded = narrow and not self.filters.has_focus_within
        self.set_class(event.size.height < LOW, "-low")
        self._fold(self._folded)

    def action_fold(self) -> None:
        """Hide the filters, or bring them back."""
        self.remove_class("-details")
        self._fold(not self._folded)

    def _fold(self, folded: bool) -> None:
        self._folded = folded
        self.set_class(folded, "-folded")
        self.set_class(self._narrow and not folded, "-filters-alone")
        self.call_after_refresh(self._keep_focus)
        self._tell_counts()

    def _keep_focus(self) -> None:
        """Keys go to something that is seen."""
        among_filters = self.filters.has_focus_within
        if self.has_class("-filters-alone"):
            if not among_filters:
                self.filters.focus_first()
            return
        on_details = isinstance(self.focused, TaskDetailsView | ErrorDetailsView)
        lost = on_details and self.has_class("-low") and not self.has_class("-details")
        if lost or (among_filters and self._folded):
            self.table.focus()

    def _loose_tasks(self) -> list[str]:
        """Filters that are not seen are told."""
        told = super()._loose_tasks()
        if self._folded:
            told.append(f"h {escape(str(self.filters.stack)) or 'filters'}")
        return told

    def action_status(self, number: int) -> None:
        """Filter by a status, or no longer."""
        self.filters.toggle_status(FILTERABLE_STATUSES[number - 1])

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
                f"Forget filters {escape(escape_controls(name))}", what, partial(self._forget, name)
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
            from hipercow_tui.ui.dialogs.save_filter import SaveFilterScreen

            self.app.push_screen(SaveFilterScreen(saved, self.saved), partial(self._save, saved))

    def _save(self, saved: SavedFilter, name: str | None) -> None:
        if name is not None and self._file is not None:
            self._change(
                partial(self._file.save, name, saved), f"Saved as '{name}': ctrl+p calls it up"
            )

    def _forget(self, name: str) -> None:
        if self._file is not None:
            self._change(
                partial(self._file.forget, name), f"'{escape_controls(name)}' is forgotten"
            )

    def _change(self, change: Callable[[], None], done: str) -> None:
        def work() -> None:
            try:
                change()
            except FilterError as error:
                self.call_later(self._refuse, str(error))
            else:
                self.call_later(partial(self.notify, done, markup=False))
            self._read()

        start_thread(work, self._broke)

    def read_saved(self) -> None:
        """Learn which filters are saved, in the background."""
        start_thread(self._read, self._broke)

    def _read(self) -> None:
        if self._file is not None:
            self.call_later(self._know, self._file.read())

    def _know(self, saved: SavedFilters) -> None:
        """What is wrong with the file is told once."""
        told = self.saved
        self.saved = saved
        if saved.file_error not in ("", told.file_error):
            self._refuse(saved.file_error)
        for name, problem in saved.problems.items():
            if told.problems.get(name) != problem:
                self._refuse(problem)

    def _refuse(self, why: str) -> None:
        self.notify(why, title="Saved filters", severity="warning", timeout=15, markup=False)
