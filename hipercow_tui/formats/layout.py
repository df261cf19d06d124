"""The differences between the files of an R root and of a Python root."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from hipercow_tui.domain.task import Bundle, Lang
from hipercow_tui.formats import py_layout, r_layout
from hipercow_tui.formats.r_layout import Stamp
from hipercow_tui.formats.task_row import TaskRow
from hipercow_tui.support.filesystem import Entry

# The name of a bundle, the entry of its file, and the open folder to which the entry's path is
# relative, or None.
BundleFile: TypeAlias = tuple[str, Entry, int | None]


@dataclass(frozen=True, slots=True)
class Layout:
    """The functions that read the root of one language; see r_layout and py_layout."""

    read_tasks: Callable[[str, Iterable[str], Collection[str]], Iterator[TaskRow | None]]
    files_mask_of: Callable[[Iterable[str]], int]
    bundle_files: Callable[[str | int, dict[str, str]], Iterator[BundleFile]]
    parse_bundle: Callable[[bytes, str, float, Stamp], Bundle]


LAYOUTS: Mapping[Lang, Layout] = {
    Lang.R: Layout(
        r_layout.read_tasks, r_layout.files_mask_of, r_layout.bundle_files, r_layout.parse_bundle
    ),
    Lang.PY: Layout(
        py_layout.read_tasks,
        py_layout.files_mask_of,
        py_layout.bundle_files,
        py_layout.parse_bundle,
    ),
}
