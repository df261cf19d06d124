"""Reads what tasks asked for and used, for the rows on the screen and for one bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from hipercow_tui.analysis.usage_summary import UsageSummary, summarize_usage
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.task_usage import TaskUsage, read_usage
from hipercow_tui.ui.workers.base import BackgroundWorker

MAX_USAGES = 250_000  # about 200 bytes each
NOTIFY_INTERVAL = 0.25  # seconds; a summary of 10,000 tasks takes 10 ms


@dataclass(frozen=True, slots=True)
class BundleUsage:
    """The summary of the tasks of a bundle, as far as they were read. ``key`` names the bundle."""

    key: object
    summary: UsageSummary


class UsageLoader(BackgroundWorker):
    """Fills ``usages``, by task id, in a thread: a task takes 0.1 ms, and up to six system calls.

    ``notify`` is called in the thread, at most four times a second, after tasks were read, and
    ``deliver`` with the summary of the requested bundle. A task that changed is read again when it
    is wanted again.
    """

    def __init__(
        self,
        root: Root,
        notify: Callable[[], object],
        deliver: Callable[[BundleUsage], object],
        on_error: Callable[[Exception], object],
    ) -> None:
        super().__init__(on_error)
        self.usages: dict[str, TaskUsage] = {}
        self._root = root
        self._notify = notify
        self._deliver = deliver
        self._snapshot = Snapshot(root.path)
        self._rows: Iterator[str] = iter(())
        self._others: Iterator[str] = iter(())
        self._bundle: _BundleRequest | None = None

    def update(self, snapshot: Snapshot, changed: Iterable[str]) -> None:
        """Use a new snapshot; ``changed`` are the ids of tasks that were changed or removed."""
        self._snapshot = snapshot
        for task_id in changed:
            self.usages.pop(task_id, None)

    def want(self, ids: Iterable[str]) -> None:
        """Read these rows first, instead of the rows of the previous call."""
        self._rows = iter(tuple(ids))
        self._wake()

    def want_all(self, ids: Iterable[str]) -> None:
        """Read these tasks last, instead of the tasks of the previous call."""
        self._others = iter(tuple(ids))
        self._wake()

    def want_bundle(self, key: object, tasks: Sequence[Task]) -> None:
        """Read and summarize the tasks of a bundle, instead of the previous one."""
        self._bundle = _BundleRequest(key, tasks)
        self._wake()

    def drop_bundle(self) -> None:
        """Do not summarize a bundle."""
        self._bundle = None

    def _step(self) -> None:
        pending = False
        while not self._stopped and (task := self._next_task()) is not None:
            usage = read_usage(self._root, task)
            if len(self.usages) >= MAX_USAGES:
                self.usages.pop(next(iter(self.usages)), None)
            self.usages[task.id] = usage
            if self._snapshot.tasks.get(task.id) is not task:  # changed while it was read
                self.usages.pop(task.id, None)
            pending = True
            if self._is_due(NOTIFY_INTERVAL):
                self._report()
                pending = False
        if pending or self._bundle is not None:
            self._report()

    def _next_task(self) -> Task | None:
        """Return the task to read next: rows, then those of the bundle, then others."""
        bundle = self._bundle
        ids = chain(self._rows, bundle.unread if bundle else (), self._others)
        for task_id in ids:
            task = self._snapshot.tasks.get(task_id)
            if task is not None and task_id not in self.usages:
                return task
        return None

    def _report(self) -> None:
        self._notify()
        bundle = self._bundle
        if bundle is not None:
            summary = summarize_usage(bundle.tasks, self.usages)
            if summary.complete and self._bundle is bundle:
                self._bundle = None
            self._deliver(BundleUsage(bundle.key, summary))


class _BundleRequest:
    """The tasks of a bundle, and those that are still to be looked at."""

    def __init__(self, key: object, tasks: Sequence[Task]) -> None:
        self.key = key
        self.tasks = tasks
        self.unread = iter([task.id for task in tasks if task.finished is not None])
