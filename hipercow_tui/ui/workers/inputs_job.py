"""Reads the inputs of tasks and writes them to a file, or as a text for the clipboard."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from hipercow_tui.analysis.failure_reason import read_inputs_with_reason
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.root import Root
from hipercow_tui.output.inputs_export.table import InputsTable, make_row
from hipercow_tui.output.inputs_export.writers import Format, lines_of, read_call
from hipercow_tui.output.text_file import write_lines
from hipercow_tui.ui.clipboard import LARGEST

PROGRESS_INTERVAL = 0.1  # seconds

_T = TypeVar("_T")


class _StoppedError(Exception):
    """The user stopped the export."""


@dataclass(frozen=True, slots=True)
class InputsTarget:
    """The format of an export and its file; without a file it is a text. ``replace`` says whether
    an existing file is replaced."""

    form: Format
    path: Path | None = None
    replace: bool = False


@dataclass(frozen=True, slots=True)
class InputsResult:
    """An export that is complete.

    ``size`` is in bytes. ``text`` is empty if a file was written, or if the text is too large for
    the clipboard. ``remarks`` are sentences on
    values that are missing. ``call`` reads the file in R; it is empty without a file and for JSON.
    """

    target: InputsTarget
    rows: int
    columns: int
    size: int
    text: str
    remarks: Sequence[str]
    call: str


def export_inputs(
    root: Root,
    tasks: Sequence[Task],
    target: InputsTarget,
    show_progress: Callable[[int], object],
    stop: threading.Event,
) -> InputsResult | None:
    """Export the inputs of tasks; return None if ``stop`` was set: then no file was written.

    ``show_progress`` is called with the number of tasks that were read. Raises ExportError if the
    file can't be written, and OSError if a temporary file can't.
    """
    try:
        return _export(root, _unless_stopped(tasks, stop), target, show_progress, stop)
    except _StoppedError:
        return None


def _export(
    root: Root,
    tasks: Iterable[Task],
    target: InputsTarget,
    show_progress: Callable[[int], object],
    stop: threading.Event,
) -> InputsResult:
    shown_at = time.monotonic()
    with InputsTable() as table:
        for task in tasks:
            table.add(make_row(task, read_inputs_with_reason(root, task)))
            if time.monotonic() >= shown_at + PROGRESS_INTERVAL:
                shown_at = time.monotonic()
                show_progress(len(table))
        lines = _unless_stopped(lines_of(table, target.form), stop)
        text = ""
        if target.path is None:
            text, size = _join(lines, LARGEST)
        else:
            size = write_lines(target.path, lines, root.hipercow, replace=target.replace)
        call = read_call(table, target.form, str(target.path)) if target.path else ""
        return InputsResult(target, len(table), len(table.columns), size, text, table.remarks, call)


def _join(lines: Iterable[str], limit: int) -> tuple[str, int]:
    """Return the text of lines, and its size in bytes; of a text over the limit only its size."""
    kept: list[str] = []
    size = 0
    for line in lines:
        size += len(line.encode("utf-8", "backslashreplace")) + 1
        if size <= limit:
            kept.append(f"{line}\n")
        else:
            kept.clear()
    return "".join(kept), size


def _unless_stopped(items: Iterable[_T], stop: threading.Event) -> Iterator[_T]:
    for item in items:
        if stop.is_set():
            raise _StoppedError
        yield item
