"""The source that stands in R's bytecode: the first of its constants.

Source: ``ReadBC`` and ``ReadBCLang`` in R's serialize.c. Calls in constants are written cell by
cell, each kind followed by its tag, head and tail; a cell that occurs twice is numbered and
referred to by that number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from hipercow_tui.formats.rlang.rds.skip import (
    ATTRIBUTE_LANGUAGE,
    ATTRIBUTE_PAIRLIST,
    BYTECODE,
    BYTECODE_CELLS,
    LANGUAGE,
    SHARED,
    SHARING,
)
from hipercow_tui.formats.rlang.values import Attributes, RLanguage, RNull, RPairlist, RValue

if TYPE_CHECKING:
    from hipercow_tui.formats.rlang.rds.reader import Reader

# Whether a cell begins a call, its attributes, its tag and its head.
_Cell: TypeAlias = tuple[bool, Attributes, str | None, RValue]
_Shared: TypeAlias = dict[int, list[_Cell]]


def source(reader: Reader) -> RValue:
    """The expression that the bytecode was compiled from; raises RdsError."""
    reader.integer()  # how many of its pieces are shared
    return _first_constant(reader, {})


def _first_constant(reader: Reader, shared: _Shared) -> RValue:
    reader.code()
    number = reader.length()
    if not number:
        raise reader.error("bytecode without its source")
    reader.descend()
    kind = reader.integer()
    value = _first_constant(reader, shared) if kind == BYTECODE else _value(reader, kind, shared)
    reader.ascend()
    reader.skip_constants(number - 1)
    return value


def _value(reader: Reader, kind: int, shared: _Shared) -> RValue:
    """A constant of that kind: cells to their end, or an ordinary item."""
    reader.descend()
    cells: list[_Cell] = []
    numbers: dict[int, int] = {}
    while kind == SHARING or kind in BYTECODE_CELLS:
        if kind == SHARING:
            numbers[reader.integer()] = len(cells)
            kind = reader.integer()
        cells.append(_cell(reader, kind, shared))
        kind = reader.integer()
    if kind == SHARED:
        number = reader.integer()
        if number not in shared:
            raise reader.error(f"bytecode refers to its piece {number}, which did not come yet")
        if not reader.keeps(len(shared[number])):
            raise reader.error("bytecode whose shared pieces are too long")
        cells += shared[number]
    else:
        end = reader.item()
        if not cells:
            reader.ascend()
            return end
        if not isinstance(end, RNull):
            cells.append((False, (), None, end))
    for number, at in numbers.items():
        shared[number] = cells[at:]
    reader.ascend()
    return _joined(cells)


def _cell(reader: Reader, kind: int, shared: _Shared) -> _Cell:
    if kind not in BYTECODE_CELLS or not reader.keeps(1):
        raise reader.error("bytecode whose source is damaged or too long")
    attributed = kind in (ATTRIBUTE_LANGUAGE, ATTRIBUTE_PAIRLIST)
    attributes = reader.attributes() if attributed else ()
    tag = reader.tag()
    head = _value(reader, reader.integer(), shared)
    return kind in (LANGUAGE, ATTRIBUTE_LANGUAGE), attributes, tag, head


def _joined(cells: list[_Cell]) -> RValue:
    is_call, attributes, _, head = cells[0]
    if is_call:
        return RLanguage(head, tuple([cell[2:] for cell in cells[1:]]), attributes)
    return RPairlist(tuple([cell[2:] for cell in cells]), attributes)
