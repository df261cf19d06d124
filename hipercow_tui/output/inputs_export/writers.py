"""An export of inputs as CSV, as JSON lines, or as R code that makes a data frame."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum

from hipercow_tui.formats.rlang.deparse import literals
from hipercow_tui.output.inputs_export.cells import Kind, MaybeCell, shown_text
from hipercow_tui.output.inputs_export.table import FIXED, InputRow, InputsTable, column_name
from hipercow_tui.output.json_output import task_as_json
from hipercow_tui.support.text import escape_controls

_LINE_WIDTH = 80  # characters of R code
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_TO_ESCAPE = re.compile(r'[\\"`]|[^ -~]')


class Format(StrEnum):
    """The format of an export. The value is the extension of its files."""

    CSV = "csv"
    JSON = "jsonl"
    R = "R"

    @property
    def label(self) -> str:
        """The name of the format for users."""
        return {"csv": "CSV", "jsonl": "JSON lines", "R": "R data.frame()"}[self.value]


def lines_of(table: InputsTable, form: Format) -> Iterator[str]:
    """Yield the lines of an export, without their ends. They have no control character except
    tabs."""
    return _WRITERS[form](table)


def csv_lines(table: InputsTable) -> Iterator[str]:
    """Yield CSV as R's ``write.csv()`` writes it: texts in quotes, and NA without for a missing
    value. Times are in UTC. A newline in a text begins another line."""
    columns = table.columns
    yield from ",".join(map(_quoted, columns)).split("\n")
    quoted = [kind in (Kind.TEXT, Kind.DATE, Kind.TIME) for kind in columns.values()]
    for cells in _cells_by_row(table):
        texts = (_csv_text(cell, text) for cell, text in zip(cells, quoted, strict=True))
        yield from ",".join(texts).split("\n")


def _cells_by_row(table: InputsTable) -> Iterator[tuple[MaybeCell, ...]]:
    names = table.names
    for row in table.rows:
        yield (*row.fixed_cells, *map(row.inputs.get, names))


def _csv_text(cell: MaybeCell, quoted: bool) -> str:
    if cell is None:
        return "NA"
    return _quoted(shown_text(cell)) if quoted else cell.text


def _quoted(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        text = "\n".join("\t".join(map(escape_controls, p.split("\t"))) for p in text.split("\n"))
    return '"' + text.replace('"', '""') + '"'


def json_line(row: InputRow) -> str:
    """Return a line of ``list --inputs --json``: NaN and infinite numbers are texts, a missing
    value is null."""
    line = task_as_json(row.task)
    inputs = (f"{json.dumps(name)}: {_json_text(cell)}" for name, cell in row.inputs.items())
    if row.error is not None:
        line["error"] = row.error
    if row.problem is not None:
        line["problem"] = row.problem
    return f'{json.dumps(line)[:-1]}, "inputs": {{{", ".join(inputs)}}}}}'


def _json_text(cell: MaybeCell) -> str:
    if cell is None:
        return "null"
    if cell.kind is Kind.LOGICAL:
        return cell.text.lower()
    if cell.kind in (Kind.INTEGER, Kind.DOUBLE) and cell.text[-1].isdigit():
        return cell.text
    return json.dumps(shown_text(cell))


def r_lines(table: InputsTable) -> Iterator[str]:
    """Yield a call of ``data.frame()`` that has the types of the inputs; times are POSIXct."""
    yield "data.frame("
    fixed = tuple(zip(*(row.fixed_cells for row in table.rows), strict=True)) or ((),) * len(FIXED)
    columns = table.columns
    for name, cells in zip(FIXED, fixed, strict=True):
        yield from _r_column(name, columns[name], cells)
    for name in table.names:
        column = column_name(name)
        yield from _r_column(column, columns[column], table.column(name))
    yield "  check.names = FALSE, stringsAsFactors = FALSE"
    yield ")"


# The first missing value, the beginning and the end of a vector, and a vector without elements.
_R_VECTORS: Mapping[Kind, tuple[str, str, str, str]] = {
    Kind.LOGICAL: ("NA", "c(", ")", "logical(0)"),
    Kind.INTEGER: ("NA", "c(", ")", "integer(0)"),
    Kind.DOUBLE: ("NA", "c(", ")", "numeric(0)"),
    Kind.COMPLEX: ("NA", "c(", ")", "complex(0)"),
    Kind.DATE: ("NA", "as.Date(c(", "))", "as.Date(character(0))"),
    Kind.TIME: ("NA_real_", ".POSIXct(c(", '), tz = "UTC")', '.POSIXct(numeric(0), tz = "UTC")'),
    Kind.TEXT: ("NA_character_", "c(", ")", "character(0)"),
}


def _r_column(name: str, kind: Kind, cells: Iterable[MaybeCell]) -> Iterator[str]:
    missing, opening, closing, empty = _R_VECTORS[kind]
    lines = _wrapped(_r_texts(cells, kind, missing))
    first = next(lines, None)
    if first is None:
        yield f"  {_r_name(name)} = {empty},"
        return
    yield f"  {_r_name(name)} = {opening}"
    yield first
    yield from lines
    yield f"  {closing},"


def _r_texts(cells: Iterable[MaybeCell], kind: Kind, missing: str) -> Iterator[str]:
    for cell in cells:
        if cell is None:
            yield missing
            missing = "NA"
        elif kind is Kind.TEXT:
            yield _r_quoted(shown_text(cell))
        elif kind is Kind.DATE:
            yield f'"{cell.text}"'
        else:
            yield f"{cell.text}L" if kind is Kind.INTEGER else cell.text


def _wrapped(texts: Iterable[str]) -> Iterator[str]:
    """Yield lines of texts that are separated by commas. A terminal takes no long lines."""
    line = ""
    for text in texts:
        if not line:
            line = f"    {text}"
        elif len(line) + len(text) + 2 > _LINE_WIDTH:
            yield f"{line},"
            line = f"    {text}"
        else:
            line = f"{line}, {text}"
    if line:
        yield line


def _r_name(name: str) -> str:
    """Return the name of a column as R code."""
    return name if name.isascii() and literals.is_name(name) else _r_quoted(name, "`")


def _r_quoted(text: str, quote: str = '"') -> str:
    """Return a text in quotes as R code.

    R accepts no string with both ``\\x1b`` and ``\\u20ac``, so all escapes are of the second kind.
    """

    def escape(match: re.Match[str]) -> str:
        return f"\\{quote}" if match[0] == quote else _escaped(match[0])

    return f"{quote}{_TO_ESCAPE.sub(escape, text)}{quote}"


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    shown, code = escape_controls(character), ord(character)
    if shown == character or 0xD800 <= code < 0xE000:
        return shown
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_WRITERS: Mapping[Format, Callable[[InputsTable], Iterator[str]]] = {
    Format.CSV: csv_lines,
    Format.JSON: lambda table: map(json_line, table.rows),
    Format.R: r_lines,
}


def read_call(table: InputsTable, form: Format, file: str) -> str:
    """Return the call of R that reads an exported file with the types of the table; "" for JSON,
    which R reads only with a package."""
    if form is Format.R:
        return f'source({_r_quoted(file)}, encoding = "UTF-8")$value'
    if form is Format.JSON:
        return ""
    classes = ", ".join(f'{_r_name(name)} = "character"' for name in table.number_like)
    more = f", colClasses = c({classes})" if classes else ""
    return f"read.csv({_r_quoted(file)}, check.names = FALSE{more})"
