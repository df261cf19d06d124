"""The CSV output of ``list`` (RFC 4180): a header, then a line for each task."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hipercow_tui.support.text import escape_controls

CSV_LINE_END = "\r\n"
_TIMES = ("created", "started", "finished")


def csv_lines(keys: Sequence[str], records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines, without their ends. A missing value is an empty cell.

    Times are in UTC, as ``2026-01-31T12:00:00Z``. The items of a list are joined by ``;``, and
    those of an object are written as ``name = value``. A control character, such as a newline in an
    error, is replaced as on the terminal: so each line of the file is one task.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="")
    yield _row(keys, writer, file)
    for record in records:
        yield _row([_cell(key, record.get(key)) for key in keys], writer, file)


def _row(cells: Sequence[str], writer: Any, file: io.StringIO) -> str:
    writer.writerow(cells)
    line = file.getvalue()
    file.seek(0)
    file.truncate()
    return line


def _cell(key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if key in _TIMES:
        return _time_text(value)
    if isinstance(value, dict):
        value = [f"{name} = {one}" for name, one in value.items()]
    text = ";".join(value) if isinstance(value, list) else str(value)
    return escape_controls(text)


def _time_text(seconds: float) -> str:
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    except (ValueError, OverflowError, OSError):  # a year that the platform can't show
        return str(seconds)
