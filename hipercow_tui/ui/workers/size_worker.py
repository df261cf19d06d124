"""Measures tasks, and what else the root holds, until it is stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import dataclass

from hipercow_tui.analysis.disk_usage import MeasuredSize, ids_to_measure
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.folder_size import FolderUsage
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.root_usage import RootPart, measure_rest
from hipercow_tui.scanning.usage_reader import MeasuringProgress, UsageCache, UsageReader
from hipercow_tui.support.garbage_collection import GarbageExemption
from hipercow_tui.ui.workers.base import BackgroundWorker

NOTIFY_INTERVAL = 0.1  # seconds
# The pause between two measurements of the whole root, as between two scans: on a slow file server
# it is long. Only tasks that are not final are measured again.
MIN_PAUSE = 10.0  # seconds
PAUSE_FACTOR = 10  # times the duration of the last measurement
LEAST_ELAPSED = 1.0  # seconds of measuring from which the time left is estimated


@dataclass(frozen=True, slots=True)
class SizeProgress:
    """How many of the requested tasks are measured, and the seconds until all are, if known."""

    done: int
    total: int
    seconds_left: float | None = None


class SizeWorker(BackgroundWorker):
    """Fills ``sizes`` and ``usages``, by task id, and ``parts``, what else the root holds.

    ``notify`` is called in the thread: at most ten times a second while tasks are measured, and at
    the end. ``measured_count`` changes with the sizes, so that a change can be
    noticed. ``clock`` gives the time in seconds since the epoch. ``cache`` is None if nothing is
    kept for the next start.
    """

    def __init__(
        self,
        root: Root,
        cache: UsageCache | None,
        notify: Callable[[], object],
        on_error: Callable[[Exception], object],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(on_error)
        self.sizes: dict[str, MeasuredSize] = {}
        self.usages: dict[str, FolderUsage] = {}
        self.parts: tuple[RootPart, ...] | None = None  # None before they were measured
        self.measured_count = 0
        self.progress: SizeProgress | None = None  # None if nothing is being measured
        self._root = root
        self._reader = UsageReader(root, cache)
        self._exemption = GarbageExemption()  # of sizes
        self._notify = notify
        self._clock = clock
        self._snapshot = Snapshot(root.path)
        self._lock = threading.Lock()
        self._interrupted = threading.Event()  # the request is cancelled, or there is another one
        self._waiting: Collection[str] = ()  # the ids of the request
        self._on_screen: Sequence[str] = ()  # those of them on the screen
        self._whole_root = False
        self._following = False
        self._cancelled = False  # by the user
        self._next_at = 0.0  # on the monotonic clock: when the whole root is measured again

    def update(self, snapshot: Snapshot, removed: Iterable[str] = ()) -> None:
        """Use a new snapshot; the sizes of the tasks ``removed`` are dropped."""
        self._snapshot = snapshot
        for task_id in removed:
            self.sizes.pop(task_id, None)
            if self.usages.pop(task_id, None) is not None:
                self.measured_count += 1

    def request(self, ids: Collection[str]) -> None:
        """Measure these tasks, without those of known size, instead of the previous request. A
        measurement of the whole root goes on, because it includes them."""
        if self._whole_root and self.progress is not None:
            return
        tasks = self._snapshot.existing(ids)
        self._begin([task.id for task in ids_to_measure(tasks, self.sizes)], whole_root=False)

    def request_all(self) -> None:
        """Measure all tasks and what else the root holds; repeat it until ``unfollow``.

        Tasks that are final and known are not measured again.
        """
        self._following, self._cancelled = True, False
        if self.progress is None:
            self._begin(self._snapshot.tasks.keys(), whole_root=True)

    def follow(self) -> None:
        """Do as ``request_all``, unless the user cancelled it; but if the root was measured a
        moment ago, begin after the usual pause."""
        if self._following or self._cancelled:
            return
        if self.parts is None:
            self.request_all()
        else:
            self._following = True
            self._wake()

    def repeat(self) -> None:
        """If the whole root is measured repeatedly, measure it now."""
        if self._following:
            self._next_at = 0.0
            self._wake()

    def unfollow(self) -> None:
        """Do not repeat the measurement of the whole root; the present one goes on."""
        self._following = False

    def _begin(self, ids: Collection[str], *, whole_root: bool) -> None:
        with self._lock:
            self._waiting, self._on_screen, self._whole_root = ids, (), whole_root
            wanted = bool(ids) or whole_root
            self.progress = SizeProgress(0, len(ids)) if wanted else None
            self._interrupted.set()
        self._wake()

    def prioritize(self, ids: Sequence[str]) -> None:
        """Measure those of the requested tasks next."""
        self._on_screen = ids

    def cancel(self) -> bool:
        """Cancel the request; return whether there was one. If it was the whole root, ``follow``
        does not begin again."""
        with self._lock:
            if self.progress is None:
                return False
            self.progress = None
            if self._whole_root:
                self._following, self._cancelled = False, True
            self._waiting, self._whole_root = (), False
            self._interrupted.set()
        return True

    def stop(self) -> None:
        """Measure no more."""
        super().stop()
        self._interrupted.set()

    def add(self, sizes: Mapping[str, MeasuredSize]) -> None:
        """Take over the sizes of tasks that were measured for a plan."""
        self.sizes.update(sizes)
        self.measured_count += len(sizes)

    def _step(self) -> float | None:
        began = time.monotonic()
        with self._lock:
            self._interrupted.clear()
            ids, whole_root, snapshot = self._waiting, self._whole_root, self._snapshot
            if self._following and self.progress is None:
                if self._next_at > began:
                    return self._next_at - began
                whole_root = True
        if self._stopped:
            return None
        if ids or whole_root:
            self._measure(snapshot, None if whole_root else ids)
        with self._lock:
            if self._interrupted.is_set():
                return None if self.progress is None and not self._following else 0
            self._waiting, self._whole_root, self.progress = (), False, None
        self._notify()
        if whole_root:
            now = time.monotonic()
            self._next_at = now + max(MIN_PAUSE, PAUSE_FACTOR * (now - began))
        return 0 if self._following else None  # then it computes the rest of the pause

    def _measure(self, snapshot: Snapshot, ids: Collection[str] | None) -> None:
        """Measure these tasks; None stands for all of them and what else the root holds."""
        measured: set[str] = set()

        def add(task_id: str, usage: FolderUsage) -> None:
            measured.add(task_id)
            self._keep(snapshot.tasks[task_id], usage)

        steps = self._reader.read(snapshot, add, now=self._clock(), stop=self._interrupted, ids=ids)
        began, known = time.monotonic(), None
        with closing(steps):
            for progress in steps:
                if known is None:
                    known, began = progress.done, time.monotonic()
                self._exemption.update(self.measured_count)
                self._report(progress, known, time.monotonic() - began)
                if first := self._take_visible(measured):
                    for _ in self._reader.read(snapshot, add, now=self._clock(), ids=first):
                        pass
                if self._interrupted.is_set():
                    break
        if ids is not None:
            self._reader.save(snapshot)
        elif not self._interrupted.is_set():
            self._measure_rest(snapshot)

    def _report(self, progress: MeasuringProgress, known: int, elapsed: float) -> None:
        with self._lock:
            if self.progress is None or self._interrupted.is_set():
                return
            left = estimate_time_left(progress, known, elapsed)
            self.progress = SizeProgress(progress.done, progress.total, left)
        if self._is_due(NOTIFY_INTERVAL):
            self._notify()

    def _keep(self, task: Task, usage: FolderUsage) -> None:
        """Keep the usage of a task, unless it is the same as before."""
        known = self.sizes.get(task.id)
        if (
            known is None
            or known.files_mask != task.files_mask
            or self.usages.get(task.id) != usage
        ):
            self.usages[task.id] = usage
            self.sizes[task.id] = MeasuredSize(usage.size, task.files_mask)
            self.measured_count += 1

    def _take_visible(self, measured: Set[str]) -> list[str]:
        """Return the requested tasks on the screen that are not measured yet, once."""
        ids, self._on_screen = self._on_screen, ()
        return [i for i in ids if i in self._waiting and i not in measured]

    def _measure_rest(self, snapshot: Snapshot) -> None:
        parts = []
        for part in measure_rest(self._root, snapshot.tasks.keys()):
            parts.append(part)
            if self._interrupted.is_set():
                return
        if self.parts != tuple(parts):
            self.parts = tuple(parts)
            self.measured_count += 1


def estimate_time_left(progress: MeasuringProgress, known: int, elapsed: float) -> float | None:
    """Return the seconds until all tasks are measured; None if it is too early to say.

    ``known`` tasks were measured before, the others of the progress within ``elapsed`` seconds.
    """
    measured = progress.done - known
    if not measured or elapsed < LEAST_ELAPSED:
        return None
    return (progress.total - progress.done) * elapsed / measured
