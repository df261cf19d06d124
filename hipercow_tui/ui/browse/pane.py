"""The interface of a pane of the main screen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from textual.screen import Screen
from textual.widget import Widget

from hipercow_tui.analysis.bundle_rows import BundleKey
from hipercow_tui.analysis.disk_usage import Sizes
from hipercow_tui.analysis.error_groups import ErrorGroup
from hipercow_tui.analysis.task_sorting import SIZE_KEYS, USAGE_KEYS, SortKey
from hipercow_tui.domain.narrowing import Narrowing
from hipercow_tui.domain.records import RecordTarget
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.browse.session import Session
from hipercow_tui.ui.browse.state import Row
from hipercow_tui.ui.widgets.markable_table import MarkableTable
from hipercow_tui.ui.widgets.task_table import TaskTable

if TYPE_CHECKING:
    from hipercow_tui.ui.dialogs.copy_menu import CopySource
    from hipercow_tui.ui.dialogs.sort_menu import SortChoice
    from hipercow_tui.ui.workers.view_model import ViewModel

ALL_SIZE_KEYS = (*SIZE_KEYS, BundleKey.SIZE, BundleKey.DISK, BundleKey.FILES)
OTHER_KIND = {  # the keys of sizes by the definition that is not shown
    SizeKind.APPARENT: (SortKey.DISK, BundleKey.DISK),
    SizeKind.ON_DISK: (SortKey.SIZE, BundleKey.SIZE),
}
LANGUAGE_KEYS = (SortKey.LANG, BundleKey.LANG)


class Pane(ABC):
    """A tab of the main screen: a table, its details, and what keys do with the current row.

    To add a pane, write a subclass, list it in ``BrowseScreen``, and give it a key in the keymap.
    ``key`` is that key, for the title; the first pane has none.
    """

    name: ClassVar[str]
    key: ClassVar[str] = ""
    nothing_to_leave: ClassVar[str] = ""
    """What the footer says if esc has no effect, with keys as ``with_keys`` takes them."""
    table: MarkableTable
    details: Widget | None = None

    def __init__(self, session: Session, screen: Screen[Any]) -> None:
        self.session = session
        self.screen = screen
        self.chosen_sort: object = None  # the order that was chosen and is not shown yet

    @property
    def tasks(self) -> TaskTable:
        """The table of tasks."""
        return self.screen.query_one(TaskTable)

    # Contents

    @property
    @abstractmethod
    def count(self) -> int:
        """The number in the title of the tab."""

    @property
    def figure(self) -> str:
        """What the title of the tab shows beside its name."""
        return f"{self.count:,}"

    def shown(self) -> None:
        """Start what the pane needs while it is shown."""
        return

    def hidden(self) -> None:
        """End what the pane needs only while it is shown."""
        return

    @abstractmethod
    def apply(self, view_model: ViewModel, before: ViewModel | None) -> None:
        """Show a view model, in place of ``before``."""

    @abstractmethod
    def show_details(self) -> None:
        """Show the details of the current row, if the pane has any."""

    def cursor_moved(self) -> None:
        """Handle a move of the cursor to another row."""
        self.show_details()

    @property
    def notes(self) -> Sequence[str]:
        """Texts for the bottom of the frame: the order, if no title of a column shows it."""
        sort, shown = self.table.sort, self.table.shown_columns
        if sort is None or not shown or sort.key in shown:
            return ()
        return (f"sorted by {sort.key} {'↓' if sort.reverse else '↑'}",)

    @property
    @abstractmethod
    def unread(self) -> int:
        """How many files are still to be read before a search is complete."""

    def show_sizes(self, sizes: Sizes, kind: SizeKind) -> None:
        """Show columns for the sizes of tasks by one definition, if the pane has them."""
        return

    def go_up(self) -> bool:
        """Leave a part of the pane that was entered; return whether there was one."""
        return False

    @property
    def steps(self) -> Sequence[str]:
        """The labels of the parts of the pane that were entered."""
        return ()

    # Sorting

    @property
    @abstractmethod
    def sort_key(self) -> StrEnum:
        """The column by which the table is sorted."""

    @property
    def sort_keys(self) -> Sequence[StrEnum]:
        """The columns by which it can be sorted: by size if sizes are shown, by language if the
        root has two."""
        hidden: set[StrEnum] = set()
        state = self.session.state
        hidden.update(OTHER_KIND[state.size_kind] if state.show_sizes else ALL_SIZE_KEYS)
        if not self.session.snapshot.by_language:
            hidden.update(LANGUAGE_KEYS)
        shown = self.table.shown_columns
        hidden.update(key for key in USAGE_KEYS if key not in shown)
        return [key for key in type(self.sort_key) if key not in hidden]

    @property
    def sort_choices(self) -> Sequence[SortChoice]:
        """The columns of the sort menu: all of them, also those that are not shown."""
        from hipercow_tui.ui.dialogs.sort_menu import SortChoice

        hidden = () if self.session.snapshot.by_language else LANGUAGE_KEYS
        return [
            SortChoice(key, key, self._arrow(key), self._sort_note(key))
            for key in type(self.sort_key)
            if key not in hidden
        ]

    def _arrow(self, key: str) -> str:
        sort = self.table.sort
        return "" if sort is None or key != sort.key else "↓" if sort.reverse else "↑"

    def _sort_note(self, key: str) -> str:
        if key in ALL_SIZE_KEYS and not self.session.state.show_sizes:
            return "measures the tasks"
        return "" if key in self.table.shown_columns else "not shown"

    @abstractmethod
    def sort_by(self, column: str) -> None:
        """Sort by a column; if it is the current one, in the opposite direction. Ignore a
        column that has no order."""

    def show_top_of(self, sort: object, *, changing: bool = False) -> None:
        """If the user has just chosen this order, go to the first row, so that ``size ↓`` shows
        the largest. With ``changing``, its values are still read."""
        if sort == self.chosen_sort:
            self.chosen_sort = None
            self.table.go_to_top(stay=changing)

    def sort_by_next(self, step: int) -> None:
        """Sort by the next column, or with -1 by the previous one; the present one may be hidden
        by now."""
        keys = self.sort_keys
        at = keys.index(self.sort_key) if self.sort_key in keys else 0
        self.sort_by(keys[(at + step) % len(keys)])

    # The current row

    @property
    def narrowing(self) -> Narrowing | None:
        """What Enter narrows the list of tasks to; None if Enter shows the details in full."""
        return None

    def go_to(self, row: Row) -> None:
        """Move to a row, and show it on its line."""
        number = self.table.row_of(row.key) if row.key is not None else None
        if number is not None:
            self.table.move_to(number)
            self.table.scroll_to(y=number - row.line, animate=False, force=True)

    @property
    def task(self) -> Task | None:
        """The current row, in the pane of tasks."""
        return None

    @property
    def error(self) -> ErrorGroup | None:
        """The error of the current row."""
        return None

    @property
    def inputs(self) -> tuple[str, Sequence[str]] | None:
        """The title and the ids of the tasks whose inputs are shown as columns."""
        return None

    @property
    def copy_source(self) -> CopySource | None:
        """The tasks of the copy menu: the marked tasks that pass the filters, else the current
        task."""
        from hipercow_tui.ui.dialogs.copy_menu import CopySource, task_label

        session, view, task = self.session, self.tasks.view, self.tasks.current
        snapshot, summaries, marks = session.snapshot, session.summaries, session.marks.ids
        passing = view.markable_among(marks or ())
        if marks and passing:
            tasks = tuple(snapshot.existing([i for i in view.order if i in passing]))
            title = pluralize(len(tasks), "marked task")
            if len(tasks) < len(marks):
                title += f" that pass the filters, of {len(marks):,}"
            return CopySource(title, tasks, snapshot, summaries)
        return None if task is None else CopySource(task_label(task), (task,), snapshot, summaries)

    @property
    def pin_targets(self) -> Sequence[RecordTarget]:
        """The marked chains or bundles, else the current one; nothing if rows are neither."""
        return ()

    @property
    def tasks_to_measure(self) -> Iterable[Task]:
        """The tasks that ``z`` measures: the marked tasks, else the matched ones, else all."""
        wanted = self.session.marks.ids or self.tasks.view.markable
        return self.session.snapshot.existing([i for i in self.tasks.view.order if i in wanted])
