"""What a batch of the trash holds, or what an action of the history was about, task by task."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from rich.cells import cell_len
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static
from textual.worker import get_current_worker

from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.folder_size import Size, SizeKind, measure_folder
from hipercow_tui.formats.py_details import read_details_in
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.purging.batch_contents import BatchContents, HeldTask
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import format_age, format_size, short_id
from hipercow_tui.ui.cells import cut_end, fit, plain_text
from hipercow_tui.ui.screens.page import Page
from hipercow_tui.ui.status_style import COLOUR, GLYPH
from hipercow_tui.ui.styles import theme_style
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.virtual_list import VirtualList

_BUNDLE_FROM = 100  # cells from which on the bundle of a task is shown in its line


@dataclass(frozen=True, slots=True)
class Title:
    """The title of a group of lines."""

    text: str


@dataclass(frozen=True, slots=True)
class NamedItem:
    """A bundle, or a task or bundle that stayed, with the reason."""

    name: str
    note: str = ""


Row: TypeAlias = Title | HeldTask | NamedItem


@dataclass(frozen=True, slots=True)
class _Reading:
    """Facts from the folder of a task: its call and its size."""

    what: str
    size: Size | None


class ContentsScreen(Page[None]):
    """List tasks and bundles; ``load`` returns them, in a thread.

    Of tasks that are in a batch, or were restored, calls and sizes are read when they are shown.
    ``clock`` gives the time in seconds since the epoch.
    """

    DEFAULT_CSS = "ContentsScreen #rows { height: 1fr; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "Back", key_display="esc", id="contents.back"),
    ]

    def __init__(
        self,
        title: str,
        load: Callable[[], BatchContents],
        *,
        clock: Callable[[], float],
        size_kind: SizeKind = SizeKind.APPARENT,
    ) -> None:
        super().__init__()
        self._heading = title
        self._load = load
        self._clock = clock
        self._size_kind = size_kind
        self._known: dict[str, _Reading] = {}
        self._list = _ContentsList(self._line)

    def compose(self) -> ComposeResult:
        """Yield the head, the tasks and bundles, the one under the cursor in full, and the keys."""
        yield Static(self._head("reading …"), id="head", markup=False)
        yield self._list
        yield Static(id="in-full", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Read the contents in a thread."""
        self._list.focus()
        self._read()

    def _head(self, text: str) -> Text:
        return Text.assemble((f"{self._heading}  ", "bold"), text, no_wrap=True)

    @work(thread=True, exclusive=True, group="contents")
    def _read(self) -> None:
        problem = ""
        rows: tuple[Row, ...] = ()
        try:
            rows = tuple(_rows(self._load()))
        except PurgeError as error:
            problem = str(error)
        if not get_current_worker().is_cancelled:
            self.call_later(self._show, rows, problem)

    def _show(self, rows: Sequence[Row], problem: str) -> None:
        text = plain_text(problem) or ("" if rows else "nothing")
        if self._size_kind is SizeKind.ON_DISK and rows:
            text = "sizes on disk"
        self.query_one("#head", Static).update(self._head(text))
        self._list.show(rows)
        self.on_virtual_list_view_changed()

    def on_virtual_list_view_changed(self) -> None:
        """Read the visible tasks, and show the line under the cursor in full."""
        self._show_in_full()
        tasks = [row for row in self._list.visible_rows if isinstance(row, HeldTask)]
        unknown = [task for task in tasks if task.folder and task.id not in self._known]
        if unknown:
            self._read_tasks(unknown)

    @work(thread=True, exclusive=True, group="tasks")
    def _read_tasks(self, tasks: Sequence[HeldTask]) -> None:
        worker = get_current_worker()
        for task in tasks:
            if worker.is_cancelled:
                return
            self._known[task.id] = _read_task(task)
        self.call_later(self._show_read)

    def _show_read(self) -> None:
        self._list.redraw()
        self._show_in_full()

    def _show_in_full(self) -> None:
        self.query_one("#in-full", Static).update(self._in_full())

    # Lines

    def _line(self, row: Row, width: int) -> Text:
        match row:
            case Title():
                return Text(f" {row.text}", "bold")
            case NamedItem():
                note = f"  {plain_text(row.note)}" if row.note else ""
                return Text(cut_end(f"   {plain_text(row.name)}{note}", width))
            case HeldTask():
                return self._task_line(row, width)

    def _task_line(self, task: HeldTask, width: int) -> Text:
        known = self._known.get(task.id)
        text = Text("   ")
        if task.status is None:
            text.append(fit("—", 12))
        else:
            style = theme_style(self.app, COLOUR[task.status])
            text.append(fit(f"{GLYPH[task.status]} {task.status}", 12), style)
        text.append(f"{short_id(task.id)}  ")
        finished = "" if task.finished is None else format_age(task.finished, self._clock())
        size = known.size if known else None
        end = f"  {finished:<15}{format_size(size.of(self._size_kind)) if size else '':>9}"
        if width >= _BUNDLE_FROM:
            end = f"  {fit(plain_text(', '.join(task.bundles)), 22)}{end}"
        what = plain_text(task.note or (known.what if known else ""))
        free = max(0, width - text.cell_len - cell_len(end))
        # Commands differ at their end, calls in the first input.
        what = what if task.lang is Lang.PY else cut_end(what, free)
        return text.append(fit(what, free)).append(end)

    def _in_full(self) -> Text:
        row = self._list.current
        if isinstance(row, HeldTask):
            known = self._known.get(row.id)
            what = known.what if known else ""
            parts = [row.id, row.note, ", ".join(row.bundles)]
            return _two_lines(what, " · ".join(filter(None, parts)))
        if isinstance(row, NamedItem):
            return _two_lines(row.name, row.note)
        return Text()


class _ContentsList(VirtualList):
    """The lines of the contents; ``describe`` returns the line of a row for a width in cells."""

    def __init__(self, describe: Callable[[Row, int], Text]) -> None:
        super().__init__(id="rows")
        self._describe = describe
        self._rows: Sequence[Row] = ()

    def show(self, rows: Sequence[Row]) -> None:
        """Show these rows, with the cursor on the first that is no title."""
        self._rows = rows
        self.count = len(rows)
        self.cursor = min(1, len(rows))
        self.redraw()

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    @property
    def visible_rows(self) -> Sequence[Row]:
        """The rows on the screen."""
        lines = self.visible_lines
        return self._rows[lines.start : lines.stop]

    def line(self, y: int) -> Text:
        """Return the text of a row."""
        return self._describe(self._rows[y], self.scrollable_content_region.width)


def _two_lines(first: str, second: str) -> Text:
    return Text(f"{plain_text(first)}\n{plain_text(second)}", no_wrap=True, overflow="ellipsis")


def _rows(contents: BatchContents) -> Iterator[Row]:
    """Yield the groups of the contents, each with its title."""
    groups: Sequence[tuple[str, Sequence[Row]]] = (
        ("tasks", contents.tasks),
        ("bundles", [NamedItem(name) for name in contents.bundles]),
        ("put back, gone or failed", [NamedItem(*pair) for pair in contents.kept_back]),
        ("kept by you", contents.kept),
    )
    for title, rows in groups:
        if rows:
            yield Title(f"{title} {len(rows):,}")
            yield from rows


def _read_task(task: HeldTask) -> _Reading:
    """Read what a task in a batch or in its place runs, and measure it."""
    assert task.folder is not None
    in_batch = not task.in_place
    details = read_details_in(task.folder, task.id, task.lang or Lang.R, in_batch=in_batch)
    what = f"{details.code_text}  {details.inputs_text}".strip() or details.problem or ""
    folder, name = task.folder, task.id
    if task.in_place:
        folder, name = folder / name[:2], name[2:]
    try:
        parent = open_folder(folder)
    except OSError:
        return _Reading(what, None)
    try:
        return _Reading(what, measure_folder(name, parent))
    finally:
        os.close(parent)
