"""Measures a whole root for ``analysis.space_usage``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from hipercow_tui.analysis.space_usage import SpaceUsage, summarize_space
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.formats.folder_size import FolderUsage
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
    with closing(UsageReader(root, cache).read(snapshot, usages, now=now)) as steps:
        for progress in steps:
            on_progress(progress)
    rest = measure_rest(root, snapshot.tasks.keys())
    return summarize_space(snapshot, usages, rest, now=now)
