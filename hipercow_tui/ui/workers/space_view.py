"""Builds the list of the tab Space in a background thread."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hipercow_tui.analysis.space_rows import (
    SpaceKey,
    SpaceRow,
    SpaceSort,
    amounts_of_kind,
    file_rows,
    group_rows,
    largest_of,
    rest_rows,
    sort_rows,
    task_rows,
)
from hipercow_tui.analysis.space_usage import (
    Amount,
    SpaceGrouping,
    SpaceUsage,
    group_space,
    summarize_space,
)
from hipercow_tui.analysis.task_summary import Summaries
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.folder_size import FileKind, FolderUsage, SizeKind
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.task_files import list_task_files
from hipercow_tui.support.errors import os_error_text
from hipercow_tui.ui.workers.size_worker import SizeWorker

UNREAD = "not read yet"  # a label: the call of the tasks will be known later


@dataclass(frozen=True, slots=True)
class SpaceRequest:
    """What to show.

    Attributes:
        snapshot: The tasks.
        now: The time for ages, in seconds since the epoch.
        by: How tasks are grouped.
        kind: The definition of size.
        sort: The order of the rows.
        path: The keys of the rows that were entered: of a group and a task, or of a task.
        number: Rises with each request.
    """

    snapshot: Snapshot
    now: float
    by: SpaceGrouping = SpaceGrouping.BUNDLE
    kind: SizeKind = SizeKind.APPARENT
    sort: SpaceSort = field(default_factory=SpaceSort)
    path: tuple[str, ...] = ()
    number: int = 0


@dataclass(frozen=True, slots=True)
class SpaceView:
    """The list for a request.

    Attributes:
        request: The request; its path is shorter than asked for if a row of it is gone.
        usage: The space of the root, as far as it is measured.
        rows: The rows.
        whole: What 100 % is: the root, the entered group, or the entered task.
        largest: The bytes of the largest group, task or file.
        steps: The labels of the entered rows.
        problem: Why the files of a task can't be listed, else empty.
        seconds: How long the build took.
    """

    request: SpaceRequest
    usage: SpaceUsage
    rows: tuple[SpaceRow, ...]
    whole: Amount
    largest: int
    steps: tuple[str, ...] = ()
    problem: str = ""
    seconds: float = 0.0


class SpaceViewBuilder:
    """Builds one list after another; the space of the same measurement is summed up once."""

    def __init__(self, root: Root, sizes: SizeWorker, summaries: Summaries) -> None:
        self._root = root
        self._sizes = sizes
        self._summaries = summaries
        self._usage = summarize_space(Snapshot(root.path), {}, (), now=0.0)
        self._usages: Mapping[str, FolderUsage] = {}  # those that are summed up in ``_usage``
        self._measured_count = -1
        self._top_for: object = None  # the choices that the last top rows are for
        self._top: list[SpaceRow] = []

    def build(self, request: SpaceRequest) -> SpaceView:
        """Build the list for a request.

        A list of many tasks has many objects without cycles. With garbage collections it takes
        three times as long, and they block the UI for 0.1 s at a time.
        """
        began = time.monotonic()
        if not gc.isenabled():
            return self._build(request, began)
        gc.disable()
        try:
            return self._build(request, began)
        finally:
            gc.enable()

    def _build(self, request: SpaceRequest, began: float) -> SpaceView:
        self._sum_up(request)
        return replace(self._list(request), seconds=time.monotonic() - began)

    def _sum_up(self, request: SpaceRequest) -> None:
        snapshot, count = request.snapshot, self._sizes.measured_count
        if self._usage.snapshot is not snapshot or self._measured_count != count:
            usages = self._sizes.usages.copy()  # another thread changes them meanwhile
            self._usages = {i: one for i, one in usages.items() if i in snapshot.tasks}
            parts = self._sizes.parts or ()
            self._usage = usage = summarize_space(snapshot, self._usages, parts, now=request.now)
            _ = usage.total, usage.purgeable, usage.held_groups  # computed here, and not in the UI
            self._measured_count = count
            self._top_for = None

    def _list(self, request: SpaceRequest) -> SpaceView:
        """Enter the rows of the path as far as they exist."""
        usage, steps, problem = self._usage, [], ""
        rows, whole = self._top_rows(request), usage.total
        for key in request.path:
            row = next((one for one in rows if one.key == key), None)
            if row is None:
                break
            steps.append(row)
            whole = usage.amounts[row.key] if row.task else row.amount
            try:
                rows = self._enter(row, request)
            except OSError as error:
                rows, problem = [], os_error_text(error)
        largest = largest_of(rows, request.kind)
        if not steps:
            rows = rows + rest_rows(usage, request.sort, request.kind)
        path = tuple(row.key for row in steps)
        labels = tuple(row.label for row in steps)
        return SpaceView(
            replace(request, path=path), usage, tuple(rows), whole, largest, labels, problem
        )

    def _top_rows(self, request: SpaceRequest) -> list[SpaceRow]:
        """Return the rows of groups, or of tasks: the same as before unless something changed."""
        minute, read = request.now // 60, len(self._summaries)  # for ages, and for calls
        shown = request.by, request.sort, request.kind, minute, read
        if self._top_for != shown:
            self._top_for, self._top = shown, self._make_top_rows(request)
        return self._top

    def _make_top_rows(self, request: SpaceRequest) -> list[SpaceRow]:
        usage, by, sort, kind = self._usage, request.by, request.sort, request.kind
        if by is SpaceGrouping.TASK:
            return sort_rows(task_rows(usage, usage.amounts), sort, kind)
        groups = group_space(
            usage, by, now=request.now, runs=self._code_of, environment=self._environment_of
        )
        rows = group_rows(usage, groups, by)
        if by is SpaceGrouping.AGE and sort.key is SpaceKey.LABEL:  # a histogram
            return rows[::-1] if sort.reverse else rows
        return sort_rows(rows, sort, kind)

    def _enter(self, row: SpaceRow, request: SpaceRequest) -> list[SpaceRow]:
        """Return the rows of the tasks of a group, or of the files of a task."""
        usage, sort, kind = self._usage, request.sort, request.kind
        if row.task is not None:
            part = self._root.part(row.task.lang)
            return sort_rows(file_rows(list_task_files(part, row.task.id)), sort, kind)
        if request.by is SpaceGrouping.KIND:
            amounts = amounts_of_kind(self._usages, usage.amounts, FileKind(row.key))
        else:
            amounts = {task_id: usage.amounts[task_id] for task_id in row.ids}
        return sort_rows(task_rows(usage, amounts), sort, kind)

    def _code_of(self, task: Task) -> str:
        summary = self._summaries.get(task.id)
        return UNREAD if summary is None else summary.code_text

    def _environment_of(self, task: Task) -> str:
        summary = self._summaries.get(task.id)
        return UNREAD if summary is None else summary.environment
