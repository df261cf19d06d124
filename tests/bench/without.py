"""Run the app without one of its mechanisms for speed: ``without.py NAME ARGUMENT...``."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from math import inf
from types import ModuleType

from hipercow_tui.analysis import failure_reader
from hipercow_tui.domain import incremental
from hipercow_tui.formats.task_row import TaskRow
from hipercow_tui.scanning import batch_reader
from hipercow_tui.scanning.batch_reader import Job, ReadBatch, Rows
from hipercow_tui.ui.workers import loop_priority

INTERVAL = 0.0005  # seconds


def _patch(module: ModuleType, name: str, value: object) -> None:
    """Replace what the module has under that name. Raises AttributeError if it has no such name,
    because a measurement of nothing would look like a result."""
    getattr(module, name)
    setattr(module, name, value)


def without_priority() -> None:
    """Give the main thread no priority."""
    _patch(loop_priority, "new_loop", asyncio.new_event_loop)


def with_interval() -> None:
    """Give the main thread no priority, but let threads change places ten times as often."""
    without_priority()
    sys.setswitchinterval(INTERVAL)


def without_processes() -> None:
    """Read tasks and failures in a thread."""
    _patch(batch_reader, "POOL_THRESHOLD", inf)
    _patch(failure_reader, "PROCESS_THRESHOLD", inf)


def with_threads() -> None:
    """Read failures in a thread, and tasks in as many as the processes would have."""
    _patch(batch_reader, "_read_by_processes", _read_by_threads)
    _patch(failure_reader, "PROCESS_THRESHOLD", inf)


def _read_by_threads(
    tasks: str, batches: Iterable[ReadBatch], job: Job[TaskRow]
) -> Iterator[tuple[ReadBatch, Rows]]:
    def read(batch: ReadBatch) -> tuple[ReadBatch, Rows]:
        return batch, list(job.read(tasks, batch.ids, batch.retried))

    under_way: deque[Future[tuple[ReadBatch, Rows]]] = deque()
    with ThreadPoolExecutor(batch_reader.MAX_THREADS) as pool:
        for batch in batches:
            under_way.append(pool.submit(read, batch))
            if len(under_way) > batch_reader.MAX_THREADS:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def without_incremental() -> None:
    """Sort all tasks again for each snapshot."""
    _patch(incremental, "derive_incrementally", lambda before, now, moved: None)


def without_gc() -> None:
    """Collect garbage at any time, and among all objects."""
    gc.disable = gc.freeze = lambda: None


CHANGES = {
    "with all": lambda: None,
    "without priority": without_priority,
    "interval instead": with_interval,
    "without processes": without_processes,
    "threads instead": with_threads,
    "without incremental": without_incremental,
    "without gc control": without_gc,
}

if __name__ == "__main__":
    CHANGES[sys.argv.pop(1)]()
    from hipercow_tui.cli.main import main

    sys.exit(main())
