"""The source expression of R bytecode, which is the first constant of the bytecode.

Source: ``ReadBC`` and ``ReadBCLang`` in R's serialize.c. A call within the constants is written
cell by cell: the type of the cell, its tag, its head, then its tail. A cell that is used twice is
defined with a number, and later referred to by that number.
"""

from __future__ import annotations

from typing import TypeAlias

from hipercow_tui.formats.rlang.rds.protocol import ItemReader
from hipercow_tui.formats.rlang.rds.type_codes import (
    ATTRIBUTE_LANGUAGE,
    ATTRIBUTE_PAIRLIST,
    BYTECODE,
    BYTECODE_CELLS,
    LANGUAGE,
    SHARED_DEFINITION,
    SHARED_REFERENCE,
)
from hipercow_tui.formats.rlang.values import Attributes, RLanguage, RNull, RPairlist, RValue

# Whether the cell begins a call, its attributes, its tag and its head.
_Cell: TypeAlias = tuple[bool, Attributes, str | None, RValue]
_SharedCells: TypeAlias = dict[int, list[_Cell]]


def read_source(reader: ItemReader) -> RValue:
    """Read bytecode to its end and return the expression that it was compiled from.

    The flags of the bytecode item were read before. Raises RdsError.
    """
    reader.integer()  # the number of shared cells
    return _first_constant(reader, {})


def _first_constant(reader: ItemReader, shared: _SharedCells) -> RValue:
    reader.skip_instructions()
    number = reader.length()
    if not number:
        raise reader.error("bytecode has no source")
    reader.descend()
    kind = reader.integer()
    value = _first_constant(reader, shared) if kind == BYTECODE else _constant(reader, kind, shared)
    reader.ascend()
    reader.skip_constants(number - 1)
    return value


def _constant(reader: ItemReader, kind: int, shared: _SharedCells) -> RValue:
    """Read a constant of type ``kind``: a chain of cells or an ordinary item."""
    reader.descend()
    cells: list[_Cell] = []
    numbers: dict[int, int] = {}  # of each shared cell: its position in the chain
    while kind == SHARED_DEFINITION or kind in BYTECODE_CELLS:
        if kind == SHARED_DEFINITION:
            numbers[reader.integer()] = len(cells)
            kind = reader.integer()
        cells.append(_cell(reader, kind, shared))
        kind = reader.integer()
    if kind == SHARED_REFERENCE:
        number = reader.integer()
        if number not in shared:
            raise reader.error(f"bytecode refers to cell {number}, which is not defined")
        if not reader.reserve(len(shared[number])):
            raise reader.error("shared cells of bytecode are too long")
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
    return _value_of(cells)


def _cell(reader: ItemReader, kind: int, shared: _SharedCells) -> _Cell:
    if kind not in BYTECODE_CELLS or not reader.reserve(1):
        raise reader.error("the source of bytecode is damaged or too long")
    has_attributes = kind in (ATTRIBUTE_LANGUAGE, ATTRIBUTE_PAIRLIST)
    attributes = reader.attributes() if has_attributes else ()
    tag = reader.tag()
    head = _constant(reader, reader.integer(), shared)
    return kind in (LANGUAGE, ATTRIBUTE_LANGUAGE), attributes, tag, head


def _value_of(cells: list[_Cell]) -> RValue:
    is_call, attributes, _, head = cells[0]
    if is_call:
        return RLanguage(head, tuple([cell[2:] for cell in cells[1:]]), attributes)
    return RPairlist(tuple([cell[2:] for cell in cells]), attributes)
