"""A list with a line for each batch of the trash, or for each entry of the history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from rich.text import Text

from hipercow_tui.purging.process_identity import ProcessIdentity
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.widgets.virtual_list import VirtualList

Record = TypeVar("Record")


class RecordList(VirtualList, Generic[Record]):
    """A list of records; ``describe`` gives the line of one."""

    def __init__(self, describe: Callable[[Record], Text], *, id: str) -> None:
        super().__init__(id=id)
        self._describe = describe
        self._records: Sequence[Record] = ()

    def show(self, records: Sequence[Record], cursor: int | None = None) -> None:
        """Show these records, with the cursor on the given one, else where it is."""
        self._records = records
        self.count = len(records)
        if cursor is not None:
            self.cursor = cursor
        self.redraw()

    @property
    def current(self) -> Record | None:
        """The record under the cursor."""
        return self._records[self.cursor] if self.cursor < len(self._records) else None

    def line(self, y: int) -> Text:
        """Return the line of a record."""
        return self._describe(self._records[y])


def record_line(
    *first: str | tuple[str, str],
    tasks: int,
    bundles: int,
    size: str,
    process: ProcessIdentity | None,
) -> Text:
    """Return a line with the first columns, the numbers, and the user and host of a process."""
    return Text.assemble(
        " ",
        *first,
        f"{pluralize(tasks, 'task'):>13} ",
        f"{pluralize(bundles, 'bundle'):>11} ",
        f"{size:>9}  ",
        plain_text(f"{process.user} on {process.host}") if process else "",
    )
