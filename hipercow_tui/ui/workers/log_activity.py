"""Checks in the background when the logs of running tasks were last written to."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status
from hipercow_tui.formats.log_file import last_written
from hipercow_tui.formats.root import Root
from hipercow_tui.ui.workers.base import BackgroundWorker

CHECK_EVERY = 60.0  # seconds; a check takes one stat for each running task


class LogActivityWorker(BackgroundWorker):
    """Keeps ``log_times``: when the log of each running task was last written to, in seconds since
    the epoch, by task id. ``notify`` is called in the thread after it was replaced by another one.
    """

    def __init__(
        self,
        root: Root,
        notify: Callable[[], object],
        on_error: Callable[[Exception], object],
        *,
        every: float = CHECK_EVERY,
    ) -> None:
        super().__init__(on_error)
        self.log_times: Mapping[str, float] = {}
        self._root = root
        self._notify = notify
        self._every = every
        self._snapshot: Snapshot | None = None

    def watch(self, snapshot: Snapshot) -> None:
        """Check the running tasks of this snapshot: the first one at once, then with each check."""
        first = self._snapshot is None
        self._snapshot = snapshot
        if first:
            self._wake()

    def _step(self) -> float:
        log_times = self._read_log_times()
        if log_times != self.log_times and not self._stopped:
            self.log_times = log_times
            self._notify()
        return self._every

    def _read_log_times(self) -> dict[str, float]:
        found: dict[str, float] = {}
        if self._snapshot is None:
            return found
        tasks = self._snapshot.tasks
        for task_id in self._snapshot.with_status(Status.RUNNING):
            if self._stopped:
                break
            at = last_written(self._root.part(tasks[task_id].lang).tasks, task_id)
            if at is not None:
                found[task_id] = at
        return found
