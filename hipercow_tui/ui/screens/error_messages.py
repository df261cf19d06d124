"""The raw messages of one error: a row a task, and the message under the cursor in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from hipercow_tui.analysis.error_groups import ErrorGroup, Failure
from hipercow_tui.domain.task import Task
from hipercow_tui.support.text import escape_controls, format_age, pluralize, short_id
from hipercow_tui.ui.cells import Column, PlacedColumn, fit, plain_text
from hipercow_tui.ui.widgets.error_table import in_line
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.row_rendering import Cell, RenderedRow
from hipercow_tui.ui.widgets.scroll_text import ScrollText
from hipercow_tui.ui.widgets.task_table import LONG_AGES_FROM, bundle_cell, inputs_text, short_age
from hipercow_tui.ui.widgets.virtual_table import VirtualTable

_MESSAGE = Column("message", "message", 34, 110)
_INPUTS = Column("inputs", "inputs", 14, 36, rank=2)
_BUNDLE = Column("bundle", "bundle", 10, 22, rank=3)
_ID = Column("id", "id", 12, 12, rank=4)


class ErrorMessagesScreen(Screen[str | None]):
    """Shows what each task of a group said when it failed, as it was when the screen was opened;
    dismisses with the id of the task to go to, or None. ``now`` is in seconds since the epoch."""

    DEFAULT_CSS = """
    ErrorMessagesScreen #head {
        height: 1; padding: 0 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis;
    }
    ErrorMessagesScreen #in-full { height: auto; max-height: 40%; padding: 0 1; background: $panel; }
    ErrorMessagesScreen #in-full:focus {
        background: $boost; padding: 0 1 0 0; border-left: outer $accent;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy", tooltip="Copy the message", id="messages.copy"),
        Binding("escape,q,o", "back", "Back", key_display="esc", id="messages.back"),
    ]

    def __init__(
        self,
        group: ErrorGroup,
        tasks: Mapping[str, Task],
        failures: Mapping[str, Failure],
        now: float,
    ) -> None:
        super().__init__()
        self._group = group
        ids = [task_id for task_id in group.ids if task_id in tasks and task_id in failures]
        self._rows = {task_id: (tasks[task_id], failures[task_id]) for task_id in ids}
        self._now = now

    def compose(self) -> ComposeResult:
        """Head, a row a task, the message under the cursor, keys."""
        different = pluralize(
            len({message_text(failure) for _, failure in self._rows.values()}), "message"
        )
        head = f"{pluralize(len(self._rows), 'task')} · {different}   {plain_text(in_line(self._group))}"
        yield Static(
            Text(f"Messages  {head}", "bold", no_wrap=True, overflow="ellipsis"), id="head"
        )
        yield _MessageTable(self._rows, self._now, id="messages")
        with ScrollText(id="in-full"):
            yield Static(id="in-full-text")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Keys go to the table."""
        self.query_one(_MessageTable).focus()
        self._show()

    @on(VirtualTable.CursorMoved)
    def _show(self) -> None:
        key = self.query_one(_MessageTable).cursor_key
        text = Text()
        if key is not None:
            task, failure = self._rows[key]
            text.append(f"{short_id(task.id)}  {plain_text(failure.what)}\n", "dim")
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
        key = self.query_one(_MessageTable).cursor_key
        if key is not None:
            self.app.copy_to_clipboard(message_text(self._rows[key][1]))
            self.notify("Copied the message")

    def action_back(self) -> None:
        """To where one came from."""
        self.dismiss(None)


class _MessageTable(VirtualTable):
    """The messages, the last first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "To the task", key_display="Enter", id="messages.go"),
    ]

    def __init__(
        self, rows: Mapping[str, tuple[Task, Failure]], now: float, *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._rows = rows
        self._ids = tuple(rows)
        self._now = now

    @property
    def keys(self) -> Sequence[str]:
        """The ids of the tasks."""
        return self._ids

    def row_of(self, key: str) -> int | None:
        """Where a task stands."""
        return self._ids.index(key) if key in self._rows else None

    @property
    def empty_text(self) -> Sequence[str]:
        """Why there are no rows."""
        return ("These tasks are gone", "esc goes back")

    def columns(self, width: int) -> Sequence[Column]:
        """Ages are short where there is little room."""
        finished = 14 if width >= LONG_AGES_FROM else 5
        return (_MESSAGE, _INPUTS, _BUNDLE, Column("finished", "ended", finished, finished, 1), _ID)

    def row(self, index: int, layout: Sequence[PlacedColumn]) -> RenderedRow:
        """The cells of a task."""
        task, failure = self._rows[self._ids[index]]
        return RenderedRow([self._cell(task, failure, one) for one in layout])

    def _cell(self, task: Task, failure: Failure, one: PlacedColumn) -> Cell:
        match one.column.key:
            case "message":
                return ((plain_text(" ".join(message_text(failure).split())), "strong"),)
            case "inputs":
                varies = ", ".join(f"{name} = {value}" for name, value in failure.inputs)
                return ((inputs_text(plain_text(varies), one.width), ""),)
            case "bundle":
                return bundle_cell(task.bundles)
            case "finished":
                if task.finished is None:
                    return (("—", "quiet"),)
                told = format_age(task.finished, self._now)
                return ((told if one.width >= 14 else short_age(told), "quiet"),)
            case _:
                return ((fit(f"{task.id[:7]}…{task.id[-4:]}", one.width), "quiet"),)


def message_text(failure: Failure) -> str:
    """The message; where there is none, why."""
    return failure.problem or failure.message or "(nothing)"
