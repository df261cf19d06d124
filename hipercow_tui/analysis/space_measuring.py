"""Measures a whole root for ``analysis.space_usage``, and reads what its groups need."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing

from hipercow_tui.analysis.space_usage import (
    SpaceGroup,
    SpaceGrouping,
    SpaceUsage,
    group_space,
    summarize_space,
)
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.formats.details import TaskDetails
from hipercow_tui.formats.folder_size import FolderUsage, SizeKind
from hipercow_tui.formats.py_details import read_details_without_error
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.root_usage import measure_rest
from hipercow_tui.scanning.usage_reader import MeasuringProgress, UsageCache, UsageReader


def measure_space(
    root: Root,
    snapshot: Snapshot,
    cache: UsageCache | None,
    *,
    now: float,
    on_progress: Callable[[MeasuringProgress], object] = lambda progress: None,
) -> SpaceUsage:
    """Measure the tasks of a snapshot and what else the root holds.

    ``cache`` has the usages of final tasks; None if nothing is kept. ``now`` is in seconds since
    the epoch. ``on_progress`` is called after each batch of tasks.
    """
    usages: dict[str, FolderUsage] = {}
    with closing(UsageReader(root, cache).read(snapshot, usages.__setitem__, now=now)) as steps:
        for progress in steps:
            on_progress(progress)
    rest = measure_rest(root, snapshot.tasks.keys())
    return summarize_space(snapshot, usages, rest, now=now)


def read_calls(
    root: Root,
    snapshot: Snapshot,
    ids: Iterable[str],
    on_progress: Callable[[int], object],
) -> dict[str, str]:
    """Return what each task runs, on one line, which is read from its ``data``; empty if unknown.

    ``on_progress`` is called after each task, with the number of tasks read.
    """
    return _read_texts(root, snapshot, ids, lambda details: details.code_text, on_progress)


def _read_texts(
    root: Root,
    snapshot: Snapshot,
    ids: Iterable[str],
    text_of: Callable[[TaskDetails], str],
    on_progress: Callable[[int], object],
) -> dict[str, str]:
    texts: dict[str, str] = {}
    for task_id in ids:
        details = read_details_without_error(root, task_id, snapshot.tasks[task_id].lang)
        texts[task_id] = text_of(details)
        on_progress(len(texts))
    return texts


def read_and_group_space(
    root: Root,
    usage: SpaceUsage,
    by: SpaceGrouping,
    *,
    now: float,
    kind: SizeKind = SizeKind.APPARENT,
    files: bool = False,
    on_progress: Callable[[int], object] = lambda done: None,
) -> tuple[SpaceGroup, ...]:
    """Group the measured tasks as ``group_space`` does, after reading what that needs.

    What tasks run and their environments are in their ``data``. ``on_progress`` is called after
    each task that was read, with the number of tasks read.
    """
    texts: dict[str, str] = {}
    snapshot, ids = usage.snapshot, usage.amounts
    if by is SpaceGrouping.RUNS:
        texts = read_calls(root, snapshot, ids, on_progress)
    elif by is SpaceGrouping.ENVIRONMENT:
        texts = _read_texts(root, snapshot, ids, lambda one: one.environment or "", on_progress)
    return group_space(
        usage,
        by,
        now=now,
        kind=kind,
        files=files,
        runs=lambda task: texts[task.id],
        environment=lambda task: texts[task.id],
    )
