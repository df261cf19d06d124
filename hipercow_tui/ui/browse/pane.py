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
from hipercow_tui.analysis.task_sorting import SIZE_KEYS, SortKey
from hipercow_tui.domain.task import Task
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.browse.session import Session
from hipercow_tui.ui.widgets.task_table import TaskTable
from hipercow_tui.ui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from hipercow_tui.ui.dialogs.copy_menu import CopySource
    from hipercow_tui.ui.dialogs.sort_menu import SortChoice
    from hipercow_tui.ui.workers.view_model import ViewModel

ALL_SIZE_KEYS = (*SIZE_KEYS, BundleKey.SIZE, BundleKey.FILES)
LANGUAGE_KEYS = (SortKey.LANG, BundleKey.LANG)


class Pane(ABC):
    """A tab of the main screen: a table, its details, and what keys do with the current row.

    To add a pane, write a subclass, list it in ``BrowseScreen``, and give it a key in the keymap.
    ``key`` is that key, for the title; the first pane has none.
    """

    name: ClassVar[str]
    key: ClassVar[str] = ""
    table: VirtualTable
    details: Widget | None = None

    def __init__(self, session: Session, screen: Screen[Any]) -> None:
        self.session = session
        self.screen = screen
        self.chosen_sort: object = None  # the order that was chosen and is not shown yet

    @property
    def tasks(self) -> TaskTable:
        """The table of tasks, which has the marks for every pane."""
        return self.screen.query_one(TaskTable)

    # What is shown

    @property
    @abstractmethod
    def count(self) -> int:
        """The number in the title of the tab."""

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
        """Texts for the bottom of the frame."""
        return ()

    @property
    @abstractmethod
    def unread(self) -> int:
        """How many files are still to be read before a search is complete."""

    def show_sizes(self, sizes: Sizes) -> None:
        """Show columns for the sizes of tasks, if the pane has them."""
        return

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
        if not self.session.state.show_sizes:
            hidden.update(ALL_SIZE_KEYS)
        if not self.session.snapshot.by_language:
            hidden.update(LANGUAGE_KEYS)
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
        """Sort by the next column, or with -1 by the previous one."""
        keys = self.sort_keys
        self.sort_by(keys[(keys.index(self.sort_key) + step) % len(keys)])

    # The current row

    @abstractmethod
    def open(self, key: str) -> str | None:
        """Do what Enter does on a row; return the pane to show, None to show details in full."""

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
    def text_to_copy(self) -> str:
        """A text that is copied without a menu."""
        return ""

    @property
    def copy_source(self) -> CopySource | None:
        """The tasks of the copy menu: the marked tasks, else the current one."""
        from hipercow_tui.ui.dialogs.copy_menu import CopySource, task_label

        snapshot, summaries = self.session.snapshot, self.session.summaries
        marks, task = self.tasks.marks, self.tasks.current
        if marks:
            tasks = tuple(snapshot.tasks[i] for i in self.tasks.keys if i in marks)
            return CopySource(pluralize(len(tasks), "marked task"), tasks, snapshot, summaries)
        return None if task is None else CopySource(task_label(task), (task,), snapshot, summaries)

    @property
    def tasks_to_measure(self) -> Iterable[Task]:
        """The tasks that ``z`` measures: the marked tasks, else the matched ones, else all."""
        tasks, view, marks = self.session.snapshot.tasks, self.tasks.view, self.tasks.marks
        for row, task_id in enumerate(view.ids):
            wanted = task_id in marks if marks else not view.is_dimmed(row)
            if wanted and task_id in tasks:
                yield tasks[task_id]
