"""The rows of an export, and its columns, which are known only after the last row.

Rows are kept in a temporary file if they don't fit into 64 MB.
"""

from __future__ import annotations

import marshal
import re
import struct
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from hipercow_tui.domain.task import Task
from hipercow_tui.formats.input_values import InputValues
from hipercow_tui.output.inputs_export.cells import (
    Cell,
    Kind,
    MaybeCell,
    common_kind,
    input_cell,
    text_cell,
    time_cell,
)
from hipercow_tui.support.text import pluralize

_IN_MEMORY = 64 << 20  # bytes
_SIZE = struct.Struct("=Q")  # of a row in the temporary file
FIXED: Mapping[str, Kind] = {
    "id": Kind.TEXT,
    "bundle": Kind.TEXT,
    "status": Kind.TEXT,
    "created": Kind.TIME,
    "started": Kind.TIME,
    "finished": Kind.TIME,
    "error": Kind.TEXT,
}
# The names of arguments that data.frame() in R takes for itself.
_ARGUMENTS = ("...", "row.names", "check.rows", "check.names", "fix.empty.names")
_RESERVED = frozenset((*FIXED, *_ARGUMENTS, "stringsAsFactors"))
_PREFIX = "input."
_MAX_NAME = 1000  # characters; R has no symbols of more than 10,000 bytes
# What read.csv() takes for something else than text: more than it really does.
# Without backtracking (``*+``), which would take seconds for a long text of digits or blanks.
_NUMBER = (
    r"(?:0x[\da-f.]*+(?:p[-+]?\d*+)?|(?:\d++\.?\d*+|\.\d++)(?:[ed][-+]?\d*+)?|inf|infinity|nan)"
)
_UNLIKE_TEXT = re.compile(
    rf"\s*+(?:[-+]?{_NUMBER}(?:[-+]{_NUMBER})?i?|na|t|f|true|false|)\s*+\Z", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class InputRow:
    """A task with its inputs by name. ``error`` and ``problem`` are as in ``InputValues``."""

    task: Task
    inputs: Mapping[str, MaybeCell]
    error: str | None = None
    problem: str | None = None

    @property
    def fixed_cells(self) -> tuple[MaybeCell, ...]:
        """The cells of the columns in FIXED, in order."""
        task = self.task
        return (
            text_cell(task.id),
            text_cell(";".join(task.bundles) or None),
            text_cell(task.status.value),
            time_cell(task.created),
            time_cell(task.started),
            time_cell(task.finished),
            text_cell(self.error),
        )


def make_row(task: Task, values: InputValues) -> InputRow:
    """Make the row of a task.

    An input without a name has its position from 1 as its name. Dots are added to a name that an
    earlier input of the task has.
    """
    inputs: dict[str, MaybeCell] = {}
    for position, (name, value) in enumerate(values.inputs, 1):
        key = name if 0 < len(name) <= _MAX_NAME else str(position)
        while key in inputs:
            key += "."
        inputs[key] = input_cell(value)
    return InputRow(task, inputs, values.error, values.problem or task.problem)


def column_name(name: str) -> str:
    """Return the name of the column of an input.

    It is the name of the input, after ``input.`` if it is one of FIXED, an argument of
    ``data.frame()``, or begins with ``input.``: so two columns never have the same name.
    """
    return _PREFIX + name if name in _RESERVED or name.startswith(_PREFIX) else name


def _unpacked(packed: tuple[str, str] | None) -> MaybeCell:
    return Cell(Kind(packed[0]), packed[1]) if packed else None


@dataclass(slots=True)
class _ColumnFacts:
    """The types of the cells of a column, the number of values that are too large, and whether a
    text in it can only be a text."""

    kinds: set[Kind] = field(default_factory=set)
    too_large: int = 0
    has_text: bool = False

    def add(self, cell: Cell) -> None:
        self.kinds.add(cell.kind)
        self.too_large += cell.kind is Kind.TOO_LARGE
        self.has_text = self.has_text or not _UNLIKE_TEXT.match(cell.text)


class InputsTable:
    """The rows that were added; a context manager, which closes the temporary file.

    ``problems`` counts the rows with a problem.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed by __exit__
        self._tasks: list[Task] = []
        self._fixed = {name: _ColumnFacts() for name in FIXED}
        self._columns: dict[str, _ColumnFacts] = {}
        self.problems = 0

    def __enter__(self) -> InputsTable:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._tasks)

    def add(self, row: InputRow) -> None:
        """Add a row. Raises OSError if the temporary file can't be written."""
        self._tasks.append(row.task)
        self.problems += row.problem is not None
        for facts, cell in zip(self._fixed.values(), row.fixed_cells, strict=True):
            if cell is not None:
                facts.add(cell)
        packed = {}
        for name, cell in row.inputs.items():
            facts = self._columns.setdefault(name, _ColumnFacts())
            if cell is not None:
                facts.add(cell)
            packed[name] = None if cell is None else (cell.kind.value, cell.text)
        record = marshal.dumps((packed, row.error, row.problem))
        self._file.write(_SIZE.pack(len(record)))
        self._file.write(record)

    @property
    def names(self) -> Sequence[str]:
        """The names of all inputs, in order of their first appearance."""
        return tuple(self._columns)

    @property
    def columns(self) -> Mapping[str, Kind]:
        """The names and types of all columns: those in FIXED, then the inputs."""
        inputs = {column_name(n): common_kind(facts.kinds) for n, facts in self._columns.items()}
        return {**FIXED, **inputs}

    @property
    def rows(self) -> Iterator[InputRow]:
        """All rows in their order. Read one iterator at a time, of this or ``column``."""
        for task, (packed, error, problem) in self._records():
            inputs = {name: _unpacked(cell) for name, cell in packed.items()}
            yield InputRow(task, inputs, error, problem)

    def column(self, name: str) -> Iterator[MaybeCell]:
        """Yield the cells of an input in the order of the rows."""
        for _, (packed, _, _) in self._records():
            yield _unpacked(packed.get(name))

    def _records(self) -> Iterator[tuple[Task, Any]]:
        self._file.seek(0)
        read = self._file.read
        for task in self._tasks:
            (size,) = _SIZE.unpack(read(_SIZE.size))
            yield task, marshal.loads(read(size))

    @property
    def too_large(self) -> Mapping[str, int]:
        """How many values of an input are too large, by its name, without zeros."""
        return Counter(
            {n: facts.too_large for n, facts in self._columns.items() if facts.too_large}
        )

    @property
    def remarks(self) -> Sequence[str]:
        """Sentences on values and files that the table does not have."""
        found = []
        if self.too_large:
            names = ", ".join(f"{name} ({number:,})" for name, number in self.too_large.items())
            total = pluralize(sum(self.too_large.values()), "value")
            found.append(f"{total} too large, replaced by their type and size: {names}")
        if self.problems:
            found.append(f"{pluralize(self.problems, 'task')} could not be read completely")
        return found

    @property
    def number_like(self) -> Sequence[str]:
        """The columns of texts that ``read.csv()`` would read as numbers or logical values."""
        facts = {**self._fixed, **{column_name(n): f for n, f in self._columns.items()}}
        texts = (name for name, kind in self.columns.items() if kind is Kind.TEXT)
        return [name for name in texts if facts[name].kinds and not facts[name].has_text]
