"""The pane of space: where the space of the root went."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from hipercow_tui.analysis.bundle_rows import format_time_left
from hipercow_tui.analysis.space_rows import SpaceKey, SpaceSort
from hipercow_tui.analysis.space_usage import SpaceGrouping
from hipercow_tui.domain.record_requests import chain_targets
from hipercow_tui.domain.records import RecordTarget, TargetKind
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.browse.pane import Pane
from hipercow_tui.ui.browse.session import Session
from hipercow_tui.ui.browse.state import SPACE, Row
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.widgets.space_details import SpaceDetailsView
from hipercow_tui.ui.widgets.space_table import LEGEND, SpaceTable

if TYPE_CHECKING:
    from hipercow_tui.ui.dialogs.copy_menu import CopySource
    from hipercow_tui.ui.dialogs.sort_menu import SortChoice
    from hipercow_tui.ui.workers.space_view import SpaceView
    from hipercow_tui.ui.workers.view_model import ViewModel

# The pause after a list while tasks are measured or read, in multiples of its build time, and at
# least.
PAUSE_FACTOR = 8
LEAST_PAUSE = 0.3  # seconds
SECONDS_UNTIL = 90.0  # from there on, the time left is shown in minutes
TOP = Row(None, 0)
_KIND_NOTES = {SizeKind.APPARENT: "bytes in files", SizeKind.ON_DISK: "on disk, as du"}
_GROUPINGS = tuple(SpaceGrouping)


class SpacePane(Pane):
    """Groups of tasks by size, and what else the root holds; Enter lists tasks, then files.

    The root is measured from the first time the pane is shown.
    """

    name = SPACE
    key = "w"
    nothing_to_leave = "There is nothing to go back to · <space_tab=w> shows the tasks"

    def __init__(self, session: Session, screen: Screen[Any]) -> None:
        super().__init__(session, screen)
        self.table: SpaceTable = SpaceTable(session.summaries, session.marks, id=self.name)
        self.details: SpaceDetailsView = SpaceDetailsView(id="space-details")
        self.details.add_class("details")
        self._by = SpaceGrouping.BUNDLE
        self._sort = SpaceSort()
        self._sort_of_ages = SpaceSort(SpaceKey.LABEL, False)  # the histogram begins with the young
        self._path: tuple[str, ...] = ()  # the keys of the rows that were entered
        self._rows_above: tuple[Row, ...] = ()  # for each of them, where the cursor was in its list
        self._row_due: Row | None = None  # where the cursor goes in the next list
        self._enters_due = 0  # how many times Enter was pressed before the next list
        self._numbers = count()
        self._first_wanted = 0  # the number of the first request with the present choices
        self._next_at = 0.0  # on the monotonic clock
        self._requested: Snapshot | None = None
        self._offered = (False, False)  # whether the row has a log, and tasks to mark

    # Contents

    @property
    def _is_shown(self) -> bool:
        return self.session.state.pane == self.name and self.session.complete

    @property
    def _is_waiting(self) -> bool:
        """Whether the list that the user chose is not there yet."""
        view = self.table.shown
        return view is None or view.request.number < self._first_wanted

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self.table.keys)

    @property
    def figure(self) -> str:
        """The size of the root, once it was measured."""
        view = self.table.shown
        if view is None or self.session.services.sizes.parts is None:
            return ""
        kind = self.session.state.size_kind
        return SizeKind.APPARENT.text(view.usage.total.of(kind))

    @property
    def steps(self) -> Sequence[str]:
        """The labels of the rows that were entered."""
        view = self.table.shown
        return view.steps if view else ()

    @property
    def notes(self) -> Sequence[str]:
        """The progress, how tasks are grouped, with a legend of bars that are split, and the
        definition of size."""
        grouping = f"by {self._by}{f': {LEGEND}' if self._shows_ages else ''}"
        kind = _KIND_NOTES[self.session.state.size_kind]
        return (*self._progress(), grouping, *super().notes, kind)

    @property
    def _shows_ages(self) -> bool:
        return self._by is SpaceGrouping.AGE and not self._path

    @property
    def _order(self) -> SpaceSort:
        return self._sort_of_ages if self._shows_ages else self._sort

    def _progress(self) -> Iterable[str]:
        session = self.session
        if not self._is_shown:
            return
        progress = session.services.sizes.progress
        if progress is not None:
            left = progress.seconds_left
            time_left = "" if left is None else f", {short_time_left(left)} left"
            stops = with_keys("<sizes=z> stops" if self._path else "<back=esc> stops")
            yield f"measured {progress.done:,}/{progress.total:,}{time_left}, {stops}"
        elif session.services.sizes.parts is None:
            yield with_keys("not all measured, <sizes=z> measures")
        if self._needs_calls and (unread := self.unread) > 0:
            yield f"reading {pluralize(unread, 'call')}"

    @property
    def _needs_calls(self) -> bool:
        return self._by in (SpaceGrouping.RUNS, SpaceGrouping.ENVIRONMENT)

    @property
    def unread(self) -> int:
        """How many calls are still to be read, if the list needs them."""
        if not self._needs_calls:
            return 0
        return len(self.session.snapshot.tasks) - len(self.session.summaries)

    def shown(self) -> None:
        """Measure the root, unless the user stopped that, and show the list."""
        if self._is_shown:
            self.session.services.sizes.follow()
            self._request()

    def hidden(self) -> None:
        """Do not measure again and again what can't be seen."""
        if self.session.complete:
            self.session.services.sizes.unfollow()

    def apply(self, view_model: ViewModel, before: ViewModel | None) -> None:
        """Show which rows have matched tasks; request the list of a new snapshot."""
        self.table.set_view(view_model.view)
        if self._is_shown:
            kind, view = self.session.state.size_kind, self.table.shown
            if view is not None and view.request.kind is not kind:
                self._request(chosen=True)
            elif self._requested is not self.session.snapshot:
                self.shown()
        self.show_details()

    def show_list(self, view: SpaceView) -> None:
        """Show a list, unless the user has chosen another one."""
        self._next_at = time.monotonic() + max(LEAST_PAUSE, PAUSE_FACTOR * view.seconds)
        if view.request.number < self._first_wanted:
            return
        self._path = view.request.path
        self._rows_above = self._rows_above[: len(self._path)]
        before = self.table.shown
        self.table.show(view)
        if before is not None and before.request.kind is not view.request.kind:
            self._show_largest()
        self.show_top_of(view.request.sort, changing=True)
        if (row := self._row_due) is not None:
            self._row_due = None
            if row == TOP:
                self.table.go_to_top(stay=True)
            else:
                self.go_to(row)
        self._read_visible()
        self.show_details()
        self._offer_keys()
        due, self._enters_due = self._enters_due, 0
        for _ in range(due):
            self.enter()

    def _show_largest(self) -> None:
        """Scroll to the first rows, as far as the cursor stays on the screen."""
        table = self.table
        lines = len(table.visible_rows)
        self.go_to(Row(table.cursor_key, min(table.cursor, lines - 1)))

    def measured(self) -> None:
        """Show new sizes."""
        if self.session.services.sizes.progress is None:
            self._request_if_shown()
        else:
            self._request_if_due()

    def summaries_loaded(self) -> None:
        """Show the calls that were read."""
        self.table.redraw()
        if self._needs_calls:
            if self.unread > 0:
                self._request_if_due()
            else:
                self._request_if_shown()

    def _request_if_shown(self) -> None:
        if self._is_shown:
            self._request()

    def _request_if_due(self) -> None:
        if time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + LEAST_PAUSE
            self._request_if_shown()

    def _request(self, *, chosen: bool = False) -> None:
        """Request the list; with ``chosen``, lists that were requested before are not shown."""
        from hipercow_tui.ui.workers.space_view import SpaceRequest

        session, number = self.session, next(self._numbers)
        if not session.complete:
            return
        if chosen:
            self._first_wanted = number
        self._requested = session.snapshot
        if self._needs_calls:
            session.services.summaries.want_all(session.snapshot.tasks)
        session.services.build_space_view(
            SpaceRequest(
                session.snapshot,
                session.clock(),
                self._by,
                session.state.size_kind,
                self._order,
                self._path,
                number,
            )
        )

    def _read_visible(self) -> None:
        """Read the calls of the tasks on the screen."""
        rows = self.table.visible_rows
        ids = self.table.keys[rows.start : rows.stop]
        tasks = self.session.snapshot.tasks
        if self._is_shown and (wanted := [i for i in ids if i in tasks]):
            self.session.services.summaries.want(wanted)

    def cursor_moved(self) -> None:
        """Show the details, and read the calls of rows that may be new on the screen."""
        self._read_visible()
        self.show_details()
        self._offer_keys()

    def _offer_keys(self) -> None:
        """Show the keys of the current row: files and the rest of the root can't be marked, and
        only a task has a log."""
        row = self.table.current
        offered = (self.task is not None, bool(row and row.ids))
        if offered != self._offered:
            self._offered = offered
            self.screen.refresh_bindings()

    def show_details(self) -> None:
        """Show the row under the cursor."""
        if self.session.state.pane == self.name:
            self.details.show(self.table.current, self.table.shown)

    # Moving in the tree

    def group_by_next(self) -> None:
        """Group tasks in the next way."""
        place = _GROUPINGS.index(self._by)
        self._by = _GROUPINGS[(place + 1) % len(_GROUPINGS)]
        self._path, self._rows_above, self._row_due = (), (), TOP
        self._enters_due = 0
        self._request(chosen=True)

    def enter(self) -> None:
        """List the tasks of the current group, or the files of the current task: of the next list,
        if it was requested and is not there yet."""
        row, table = self.table.current, self.table
        if self._is_waiting:
            self._enters_due += 1
            return
        if row is None or not row.opens:
            return
        self._rows_above = (*self._rows_above, Row(row.key, table.cursor - table.scroll_offset.y))
        self._path = (*self._path, row.key)
        self._row_due = TOP
        self._request(chosen=True)

    def go_up(self) -> bool:
        """Go back to the list from which the present one was entered; return whether there is
        one."""
        if self._enters_due:
            self._enters_due -= 1
            return True
        if not self._path:
            return False
        self._row_due = self._rows_above[-1]
        self._path, self._rows_above = self._path[:-1], self._rows_above[:-1]
        self._request(chosen=True)
        return True

    # Keys

    @property
    def sort_key(self) -> SpaceKey:
        """The column by which the table is sorted."""
        return self._order.key

    @property
    def sort_keys(self) -> Sequence[SpaceKey]:
        """The columns by which it can be sorted: of files it is not known what can go."""
        rows = self.table.shown.rows if self.table.shown else ()
        if all(row.purgeable is None for row in rows):
            return (SpaceKey.SIZE, SpaceKey.LABEL, SpaceKey.FILES)
        return tuple(SpaceKey)

    @property
    def sort_choices(self) -> Sequence[SortChoice]:
        """The columns of the sort menu."""
        return [choice for choice in super().sort_choices if choice.key in self.sort_keys]

    def _sort_note(self, key: str) -> str:
        return "" if key in self.table.shown_columns else "not shown"

    def sort_by(self, column: str) -> None:
        """Sort by a column, or in the opposite direction; the bars have no order. Ages have an
        order apart, because by default they are a histogram."""
        if column in tuple(SpaceKey):
            self.chosen_sort = sort = self._order.toggled(SpaceKey(column))
            if self._shows_ages:
                self._sort_of_ages = sort
            else:
                self._sort = sort
            self._request(chosen=True)

    @property
    def _ids(self) -> Sequence[str]:
        row = self.table.current
        return row.ids if row else ()

    @property
    def task(self) -> Task | None:
        """The task under the cursor, or the one that was entered."""
        row = self.table.current
        if row is not None and row.task is not None:
            return row.task
        return self.session.snapshot.tasks.get(self._path[-1]) if self._path else None

    @property
    def inputs(self) -> tuple[str, Sequence[str]] | None:
        """The tasks of the current row."""
        row = self.table.current
        return (row.label, row.ids) if row and row.ids else None

    @property
    def copy_source(self) -> CopySource | None:
        """The tasks of the current row."""
        from hipercow_tui.ui.dialogs.copy_menu import CopySource

        row, session = self.table.current, self.session
        if row is None or not row.ids:
            return None
        tasks = tuple(session.snapshot.existing(row.ids))
        return CopySource(row.label, tasks, session.snapshot, session.summaries)

    @property
    def pin_targets(self) -> Sequence[RecordTarget]:
        """The bundles of which all tasks are marked, else the current one; in other lists the
        chains of the marked tasks that pass the filters, else of the current task."""
        session, row = self.session, self.table.current
        if self._by is SpaceGrouping.BUNDLE and not self._path:
            rows = self.table.marked or [one for one in (row,) if one]
            tasks = session.snapshot.existing([i for one in rows for i in one.ids])
            in_one = [task for task in tasks if len(task.bundles) == 1]
            targets = (RecordTarget(TargetKind.BUNDLE, one.lang, one.bundles[0]) for one in in_one)
            return tuple(dict.fromkeys(targets))
        marked = self.tasks.view.markable_among(session.marks.ids or ())
        ids = marked or (row.ids if row and row.task else ())
        return chain_targets(session.snapshot, ids)


def short_time_left(seconds: float) -> str:
    """Return an estimated duration such as ``25 s`` or ``3 min``."""
    if seconds < SECONDS_UNTIL:
        return f"{max(1, round(seconds))} s"
    return format_time_left(seconds).removeprefix("about ")
