"""Measures the sizes of tasks on request, until it is cancelled."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hipercow_tui.analysis.disk_usage import MeasuredSize, ids_to_measure
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.folder_size import measure
from hipercow_tui.formats.root import Root
from hipercow_tui.ui.workers.base import BackgroundWorker

NOTIFY_INTERVAL = 0.1  # seconds


@dataclass(frozen=True, slots=True)
class SizeProgress:
    """How many of the requested tasks are measured."""

    done: int
    total: int


class SizeWorker(BackgroundWorker):
    """Fills ``sizes``, by task id, with the tasks of the latest request.

    ``notify`` is called in the thread: at most ten times a second while tasks are measured, and at
    the end. ``measured_count`` grows with each task, so that a change can be noticed.
    """

    def __init__(
        self,
        root: Root,
        notify: Callable[[], object],
        on_error: Callable[[Exception], object],
    ) -> None:
        super().__init__(on_error)
        self.sizes: dict[str, MeasuredSize] = {}
        self.measured_count = 0
        self._root = root
        self._notify = notify
        self._lock = threading.Lock()
        self._waiting: dict[str, Task] = {}
        self._order: deque[str] = deque()
        self._total = 0

    @property
    def progress(self) -> SizeProgress | None:
        """The progress of the request; None if there is none."""
        with self._lock:
            if not self._total:
                return None
            return SizeProgress(self._total - len(self._waiting), self._total)

    def request(self, tasks: Sequence[Task]) -> int:
        """Measure tasks whose size is not known, instead of those of the previous request;
        return their number."""
        tasks = ids_to_measure(tasks, self.sizes)
        with self._lock:
            self._waiting = {task.id: task for task in tasks}
            self._order = deque(self._waiting)
            self._total = len(self._waiting)
        self._wake()
        return len(tasks)

    def prioritize(self, ids: Iterable[str]) -> None:
        """Measure those of the requested tasks next."""
        with self._lock:
            self._order.extendleft([i for i in ids if i in self._waiting][::-1])

    def cancel(self) -> bool:
        """Cancel the request; return whether there was one."""
        with self._lock:
            was_measuring, self._total = bool(self._total), 0
            self._waiting.clear()
            self._order.clear()
        return was_measuring

    def add(self, sizes: Mapping[str, MeasuredSize]) -> None:
        """Take over the sizes of tasks that were measured for a plan."""
        self.sizes.update(sizes)
        self.measured_count += len(sizes)

    def forget(self, ids: Iterable[str]) -> None:
        """Remove the sizes of tasks that are gone."""
        for task_id in ids:
            self.sizes.pop(task_id, None)

    def _step(self) -> None:
        while not self._stopped and (task := self._next()) is not None:
            size = measure(self._root.part(task.lang), task.id)
            if size is not None:
                self.sizes[task.id] = MeasuredSize(size, task.files_mask)
                self.measured_count += 1
            if self._is_due(NOTIFY_INTERVAL):
                self._notify()
        if not self._stopped:
            self._notify()

    def _next(self) -> Task | None:
        with self._lock:
            while self._order:
                task = self._waiting.pop(self._order.popleft(), None)
                if task is not None:
                    return task
            self._total = 0
            return None
