"""The failures of a root: each is read once, and kept in a cache file for the next start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hipercow_tui.analysis.error_groups import Failure, Interner
from hipercow_tui.analysis.failure_cache import FailureCache, folder_fingerprint
from hipercow_tui.analysis.failure_reader import BATCH_SIZE, FailureReader
from hipercow_tui.analysis.rule_matcher import RuleMatcher
from hipercow_tui.domain.error_rules import ErrorRule
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.root import Root
from hipercow_tui.scanning.outer_logs import FetchedLogs


class FailureStore:
    """Fills ``failures``, by task id. Use it from one thread at a time.

    If a failure is in ``cache``, only the fingerprint of its folder is compared. ``unsaved`` says
    whether there are failures that the cache does not have.
    """

    def __init__(self, root: Root, cache: FailureCache | None) -> None:
        self.failures: dict[str, Failure] = {}
        self.unsaved = False
        self._root = root
        self._cache = cache
        self._reader = FailureReader(root)
        self._fetched_logs = FetchedLogs.of(root)
        self._fetched: dict[str, int] = {}  # when outer logs were fetched, by task id
        self._matcher = RuleMatcher(())
        self._interner = Interner()
        self._cached: dict[str, Failure] = {}  # failures of the file that were not used yet

    @property
    def problems(self) -> Sequence[str]:
        """Sentences on rules that are not used any more."""
        return tuple(self._matcher.problems)

    def load(self, rules: Sequence[ErrorRule]) -> None:
        """Read the cache file, and set the rules by which failures are named."""
        self._matcher = RuleMatcher(rules)
        if self._cache is not None:
            self._cached = self._cache.load()
        self.find_fetched_logs()

    def find_fetched_logs(self) -> set[str]:
        """Return the ids of the tasks to read again, because their outer logs have been fetched
        since the last call."""
        before, logs = self._fetched, self._fetched_logs
        self._fetched = now = logs.times() if logs is not None else {}
        return {i for i in now.keys() & self.failures.keys() if now[i] != before.get(i)}

    def read(self, tasks: Sequence[Task], *, more: int) -> None:
        """Read the failures of some tasks, if no failure with the present fingerprint is known.

        ``more`` is the number of tasks that will follow.
        """
        known: list[tuple[str, Failure]] = []
        to_read: list[tuple[Task, bytes]] = []
        for task in tasks:
            tasks_dir, fetched = self._root.part(task.lang).tasks, self._fetched.get(task.id)
            folder = folder_fingerprint(tasks_dir, task.id, fetched)
            failure = self.failures.get(task.id) or self._cached.pop(task.id, None)
            if failure is None or failure.folder != folder or failure.problem is not None:
                to_read.append((task, folder))
            else:
                known.append((task.id, failure))
        # If all of a batch are new, most of the others are new too.
        more = more if len(to_read) == len(tasks) else 0
        read = self._reader.read([task for task, _ in to_read], more=more)
        for (task, folder), failure in zip(to_read, read, strict=True):
            known.append((task.id, self._interner.intern_failure(failure, folder)))
        self.unsaved = self.unsaved or bool(to_read)
        named = self._matcher.apply([failure for _, failure in known])
        self.failures.update(zip((task_id for task_id, _ in known), named, strict=True))

    def remove(self, ids: Iterable[str]) -> None:
        """Forget the failures of tasks."""
        for task_id in ids:
            del self.failures[task_id]
            self.unsaved = True

    def save(self, *, complete: bool) -> None:
        """Save the failures, if some are new. Unless they are those of all failed tasks, the file
        keeps the others that it had."""
        if self._cache is not None and self.unsaved:
            self._cache.save(self.failures if complete else self._cached | self.failures)
        self.unsaved = False
        if complete and not self._cached:
            self._cached = {}  # the old dict keeps the memory of its former entries

    def pause(self) -> None:
        """End the process that reads many failures, if there is one; rules may be needed soon."""
        self._reader.close()

    def close(self) -> None:
        """End the processes, if there are any."""
        self._reader.close()
        self._matcher.close()

    def read_all(self, tasks: Sequence[Task], on_progress: Callable[[int], object]) -> None:
        """Read the failures of some of the failed tasks, and save them.

        ``on_progress`` gets the number of tasks that were read so far.
        """
        try:
            for begin in range(0, len(tasks), BATCH_SIZE):
                batch = tasks[begin : begin + BATCH_SIZE]
                self.read(batch, more=len(tasks) - begin - len(batch))
                on_progress(begin + len(batch))
        finally:
            self.save(complete=False)
            self.close()
