"""Looks when the logs of running tasks were last written to, in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status
from hipercow_tui.formats.log_file import last_written
from hipercow_tui.formats.root import Root
from hipercow_tui.ui.workers.base import start_thread

EVERY = 60.0  # seconds between two looks, each of one stat a running task


class LogActivityWorker:
    """``log_times`` is when, in seconds since the epoch, by task: another mapping whenever a look
    found anything else than before. Then ``tell`` is called, in the thread that looks."""

    def __init__(
        self,
        root: Root,
        tell: Callable[[], object],
        broke: Callable[[Exception], object],
        *,
        every: float = EVERY,
    ) -> None:
        self.written: Mapping[str, float] = {}
        self._root = root
        self._tell = tell
        self._every = every
        self._snapshot: Snapshot | None = None
        self._begun = threading.Event()
        self._stopped = threading.Event()
        start_thread(self._run, broke)

    def watch(self, snapshot: Snapshot) -> None:
        """Look at what runs in this one from now on."""
        self._snapshot = snapshot
        self._begun.set()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self._begun.set()

    def _run(self) -> None:
        self._begun.wait()
        while not self._stopped.is_set():
            written = self._look()
            if written != self.written and not self._stopped.is_set():
                self.written = written
                self._tell()
            self._stopped.wait(self._every)

    def _look(self) -> dict[str, float]:
        found: dict[str, float] = {}
        if self._snapshot is None:
            return found
        tasks = self._snapshot.tasks
        for task_id in self._snapshot.with_status(Status.RUNNING):
            if self._stopped.is_set():
                break
            at = last_written(self._root.part(tasks[task_id].lang).tasks, task_id)
            if at is not None:
                found[task_id] = at
        return found
