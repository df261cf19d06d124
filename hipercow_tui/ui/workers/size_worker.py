"""Measures what tasks hold, for who asked: first those on the screen, until told to stop."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hipercow_tui.analysis.disk_usage import MeasuredSize, ids_to_measure
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.folder_size import measure
from hipercow_tui.formats.root import Root
from hipercow_tui.ui.workers.base import start_thread

TELL_EVERY = 0.1  # seconds


@dataclass(frozen=True, slots=True)
class Measuring:
    """How far it is: ``done`` of ``of`` tasks that were to be measured."""

    done: int
    of: int


class SizeWorker:
    """Fills ``sizes`` in a thread of its own, with what is wanted by the newest wish.

    ``tell`` is called in that thread after every tenth of a second in which something was measured,
    and at the end. ``known`` counts what was measured, so that who has seen it can tell.
    """

    def __init__(
        self, root: Root, tell: Callable[[], object], broke: Callable[[Exception], object]
    ) -> None:
        self.sizes: dict[str, MeasuredSize] = {}
        self.known = 0
        self._root = root
        self._tell = tell
        self._lock = threading.Lock()
        self._waiting: dict[str, Task] = {}
        self._order: deque[str] = deque()
        self._of = 0
        self._wake = threading.Event()
        self._stopped = False
        start_thread(self._run, broke)

    @property
    def measuring(self) -> Measuring | None:
        """How far it is; None while nothing is wanted."""
        with self._lock:
            return Measuring(self._of - len(self._waiting), self._of) if self._of else None

    def want(self, tasks: Sequence[Task]) -> int:
        """Measure these, in place of those that were wanted before; how many are not known yet."""
        wanted = ids_to_measure(tasks, self.sizes)
        with self._lock:
            self._waiting = {task.id: task for task in wanted}
            self._order = deque(self._waiting)
            self._of = len(self._waiting)
        self._wake.set()
        return len(wanted)

    def first(self, ids: Iterable[str]) -> None:
        """Of those that are wanted, measure these next."""
        with self._lock:
            self._order.extendleft([i for i in ids if i in self._waiting][::-1])

    def rest(self) -> bool:
        """Want nothing more; whether anything was wanted."""
        with self._lock:
            had, self._of = bool(self._of), 0
            self._waiting.clear()
            self._order.clear()
        return had

    def forget(self, ids: Iterable[str]) -> None:
        """These are gone."""
        for task_id in ids:
            self.sizes.pop(task_id, None)

    def stop(self) -> None:
        """Measure no more."""
        self._stopped = True
        self._wake.set()

    def _run(self) -> None:
        while not self._stopped:
            self._wake.wait()
            self._wake.clear()
            told = time.monotonic()
            while not self._stopped and (task := self._next()) is not None:
                size = measure(self._root.part(task.lang), task.id)
                if size is not None:
                    self.sizes[task.id] = MeasuredSize(size, task.files_mask)
                    self.known += 1
                if time.monotonic() - told >= TELL_EVERY:
                    self._tell()
                    told = time.monotonic()
            if not self._stopped:
                self._tell()

    def _next(self) -> Task | None:
        with self._lock:
            while self._order:
                task = self._waiting.pop(self._order.popleft(), None)
                if task is not None:
                    return task
            self._of = 0
            return None
