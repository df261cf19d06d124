"""The messages of one error: a row for each task, and the message under the cursor in full."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from hipercow_tui.analysis.error_groups import ErrorGroup, Failure
from hipercow_tui.domain.task import Task
from hipercow_tui.support.text import escape_controls, pluralize, short_id
from hipercow_tui.ui.cells import Column, PlacedColumn, plain_text
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.marks import Marks
from hipercow_tui.ui.screens.page import Page
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.keyed_table import KeyedTable
from hipercow_tui.ui.widgets.markable_table import MarkableTable
from hipercow_tui.ui.widgets.row_rendering import Cell, RenderedRow
from hipercow_tui.ui.widgets.scroll_text import ScrollText
from hipercow_tui.ui.widgets.task_cells import (
    LONG_AGE,
    bundle_cell,
    finished_column,
    finished_text,
    inputs_text,
    table_id,
)
from hipercow_tui.ui.widgets.virtual_table import VirtualTable

_MESSAGE = Column("message", "message", 34, 110)
_INPUTS = Column("inputs", "inputs", 14, 36, rank=2)
_BUNDLE = Column("bundle", "bundle", 10, 22, rank=3)
_ID = Column("id", "id", 12, 12, rank=4)


class _Row(NamedTuple):
    task: Task
    failure: Failure


class ErrorMessagesScreen(Page[str | None]):
    """Show the message of each task of a group, as they are when the screen opens.

    Dismiss with the id of the task to go to, or None. ``now`` is in seconds since the epoch.
    ``plan`` is called to plan a purge of the marked tasks, and ``show_log`` to open a log.
    ``first`` is the task under the cursor at the beginning.
    """

    DEFAULT_CSS = """
    ErrorMessagesScreen #in-full { height: auto; max-height: 40%; }
    ErrorMessagesScreen #in-full:focus {
        background: $boost; padding: 0 1 0 0; border-left: outer $accent;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy", tooltip="Copy the message", id="error_messages.copy"),
        Binding("l", "log", "Log", tooltip="Show the log of the task", id="error_messages.log"),
        Binding(
            "p",
            "plan",
            "Plan",
            tooltip="Show the plan of a purge of marked tasks",
            id="error_messages.plan",
        ),
        Binding("escape,q,o", "back", "Back", key_display="esc", id="error_messages.back"),
    ]

    def __init__(
        self,
        group: ErrorGroup,
        tasks: Mapping[str, Task],
        failures: Mapping[str, Failure],
        now: float,
        *,
        marks: Marks,
        plan: Callable[[], None],
        show_log: Callable[[str], None],
        first: str | None = None,
    ) -> None:
        super().__init__()
        self._first = first
        self._marks = marks
        self._plan = plan
        self._show_log = show_log
        self._group = group
        ids = [task_id for task_id in group.ids if task_id in tasks and task_id in failures]
        self._rows = {task_id: _Row(tasks[task_id], failures[task_id]) for task_id in ids}
        self._now = now

    def compose(self) -> ComposeResult:
        """Yield the head, the table, the message under the cursor in full, and the keys."""
        yield Static(id="head")
        yield MessageTable(self._rows, self._now, self._marks, id="messages")
        with ScrollText(id="in-full"):
            yield Static(id="in-full-text")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Focus the table."""
        table = self.query_one(MessageTable)
        table.focus()
        table.move_to(list(self._rows).index(self._first) if self._first in self._rows else 0)
        self._show_head()
        self._show()

    @on(MarkableTable.Marked)
    def _show_head(self) -> None:
        messages = {message_text(row.failure) for row in self._rows.values()}
        tasks, different = pluralize(len(self._rows), "task"), pluralize(len(messages), "message")
        facts = " · ".join(filter(None, [tasks, different, self._marks.count_text(self._rows)]))
        head = f"Messages  {facts}   {plain_text(self._group.line)}"
        self.query_one("#head", Static).update(Text(head, "bold"))

    @on(VirtualTable.CursorMoved)
    def _show(self) -> None:
        key = self.query_one(MessageTable).cursor_key
        text = Text()
        if key is not None:
            failure = self._rows[key].failure
            text.append(f"{short_id(key)}  {plain_text(failure.code_text)}\n", "dim")
            text.append("\n".join(map(escape_controls, message_text(failure).splitlines())))
            if failure.warnings:
                text.append(
                    "\n" + "\n".join(map(escape_controls, failure.warnings.splitlines())), "dim"
                )
        self.query_one("#in-full-text", Static).update(text)
        self.query_one("#in-full").scroll_home(animate=False)

    @on(VirtualTable.Opened)
    def _opened(self, message: VirtualTable.Opened) -> None:
        self.dismiss(message.key)

    def action_copy(self) -> None:
        """Copy the message under the cursor."""
        key = self.query_one(MessageTable).cursor_key
        if key is not None:
            self.app.copy_to_clipboard(message_text(self._rows[key].failure))
            self.notify("Copied the message")

    def action_plan(self) -> None:
        """Show what a purge of the marked tasks would take."""
        self._plan()

    def action_log(self) -> None:
        """Show the log of the task under the cursor."""
        key = self.query_one(MessageTable).cursor_key
        if key is not None:
            self._show_log(key)

    def action_back(self) -> None:
        """Cancel a range of marks, else close the screen."""
        if not self.query_one(MessageTable).drop_range():
            self.dismiss(None)


class MessageTable(MarkableTable, KeyedTable):
    """The messages, the latest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "To the task", key_display="Enter", id="error_messages.go"),
    ]

    def __init__(self, rows: Mapping[str, _Row], now: float, marks: Marks, *, id: str) -> None:
        super().__init__(marks, id=id)
        self._messages = rows
        self._now = now
        self.set_empty_text("These tasks are gone", with_keys("<error_messages.back=esc>: back"))

    def on_mount(self) -> None:
        """Show the rows."""
        self.set_keys(tuple(self._messages))

    def columns(self, width: int) -> Sequence[Column]:
        """Return the columns; ages are short on a narrow terminal."""
        return (_MESSAGE, _INPUTS, _BUNDLE, finished_column(width, 1), _ID)

    def row(self, index: int, layout: Sequence[PlacedColumn]) -> RenderedRow:
        """Return the cells of a task."""
        task, failure = self._messages[self.keys[index]]
        return RenderedRow(
            [self._cell(task, failure, column) for column in layout],
            mark=self.mark_of(task.id),
            in_range=self.in_range(index),
        )

    def _cell(self, task: Task, failure: Failure, placed: PlacedColumn) -> Cell:
        match placed.column.key:
            case "message":
                return ((plain_text(" ".join(message_text(failure).split())), "strong"),)
            case "inputs":
                inputs = ", ".join(f"{name} = {value}" for name, value in failure.inputs)
                return ((inputs_text(plain_text(inputs), placed.width), ""),)
            case "bundle":
                return bundle_cell(task.bundles)
            case "finished":
                return ((finished_text(task, self._now, long=placed.width >= LONG_AGE), "quiet"),)
            case _:
                return ((table_id(task.id), "quiet"),)


def message_text(failure: Failure) -> str:
    """Return the message, or the reason why there is none."""
    return failure.problem or failure.message or "(nothing)"
