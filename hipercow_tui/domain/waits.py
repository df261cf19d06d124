"""Which of the tasks that the user waits for have ended, by a snapshot.

A retried task counts by its latest attempt, as in ``hipercow_bundle_wait()`` in R.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status
from hipercow_tui.support.errors import WaitError
from hipercow_tui.support.text import pluralize

GONE = "gone"  # counted beside the statuses: a task that was purged or removed
_ENDED = (Status.SUCCESS, Status.FAILURE, Status.CANCELLED)


class Attempt(NamedTuple):
    """The attempt of a task by which it counts; ``status`` is None if the task is gone."""

    id: str
    status: Status | None

    @property
    def ended(self) -> bool:
        """Whether it has a final status, or is gone. A folder that can't be read has neither."""
        return self.status is None or self.status in _ENDED


def attempt_of(snapshot: Snapshot, task_id: str, *, follow: bool = True) -> Attempt:
    """Return the latest attempt of a task, or without ``follow`` the task itself.

    If the folder of a task can't be examined, the status is BROKEN, not None. It is BROKEN too if
    only the latest attempt is missing: on a network file system, a line of ``retry`` can appear
    before the folder of the retry.
    """
    own = snapshot.tasks.get(task_id)
    if own is not None and own.exists and not (follow and own.chain):
        return Attempt(task_id, own.status)
    parts, attempt = snapshot.language_parts, task_id
    if follow:
        retries = (part.chains.latest_attempt(task_id) for part in parts)
        attempt = next((one for one in retries if one and one != task_id), task_id)
    ids = {task_id, attempt}
    for task in snapshot.existing([attempt]):
        return Attempt(attempt, task.status)
    if any(snapshot.existing(ids)) or any(part.may_exist(i) for part in parts for i in ids):
        return Attempt(attempt, Status.BROKEN)
    return Attempt(attempt, None)


@dataclass(frozen=True, slots=True)
class WaitProgress:
    """The attempts of some tasks in one snapshot, by the id that is waited for."""

    attempts: Mapping[str, Attempt]

    @classmethod
    def of(cls, snapshot: Snapshot, ids: Iterable[str], *, follow: bool = True) -> WaitProgress:
        """Look up every task; about 2 µs a task."""
        return cls({task_id: attempt_of(snapshot, task_id, follow=follow) for task_id in ids})

    def part(self, ids: Iterable[str]) -> WaitProgress:
        """Return the progress of some of the tasks."""
        return WaitProgress({task_id: self.attempts[task_id] for task_id in ids})

    @property
    def unfinished(self) -> tuple[str, ...]:
        """The ids of tasks that have not ended."""
        return tuple(i for i, attempt in self.attempts.items() if not attempt.ended)

    @property
    def ended_count(self) -> int:
        """How many tasks have ended."""
        return len(self.attempts) - len(self.unfinished)

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of tasks by status, and of tasks that are gone; zeros are included."""
        found = Counter(attempt.status or GONE for attempt in self.attempts.values())
        return {str(name): found[name] for name in (*Status, GONE)}

    @property
    def statuses(self) -> Mapping[str, str]:
        """The status of each task, by the id that is waited for: one of Status, or "gone"."""
        return {task_id: one.status or GONE for task_id, one in self.attempts.items()}

    @property
    def all_succeeded(self) -> bool:
        """Whether no task has failed, was cancelled or is gone; unfinished ones do not count."""
        ended = (attempt.status for attempt in self.attempts.values() if attempt.ended)
        return all(status is Status.SUCCESS for status in ended)

    def __str__(self) -> str:
        """Return ``12 of 40 tasks ended: 10 success, 2 failure``."""
        counts, total = self.counts, pluralize(len(self.attempts), "task")
        some = f"{self.ended_count:,} of " if self.unfinished else ""
        ends = ", ".join(f"{counts[name]:,} {name}" for name in (*_ENDED, GONE) if counts[name])
        unread = counts[Status.BROKEN]
        return (
            f"{some}{total} ended"
            + (f": {ends}" if ends else "")
            + (f"; {unread:,} can't be read" if unread else "")
        )


class WaitTimeoutError(WaitError, TimeoutError):
    """Tasks did not end in time; ``progress`` has the status of each."""

    def __init__(self, progress: WaitProgress) -> None:
        super().__init__(f"Timeout: {progress}")
        self.progress = progress


@dataclass(frozen=True, slots=True)
class Wait:
    """Tasks that were unfinished when the user began to wait for them.

    ``label`` names them for the user, for example by their bundle. ``began`` is in seconds since
    the epoch.
    """

    label: str
    ids: tuple[str, ...]
    began: float


class EndedWait(NamedTuple):
    """A wait of which no task is unfinished, and how each ended."""

    wait: Wait
    progress: WaitProgress


@dataclass(frozen=True, slots=True)
class Waits:
    """Everything that the user waits for at present."""

    waits: tuple[Wait, ...] = ()

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all tasks that are waited for."""
        return frozenset().union(*(wait.ids for wait in self.waits))

    def with_wait(self, wait: Wait) -> Waits:
        """Return these and one more."""
        return Waits((*self.waits, wait))

    def without(self, ids: Collection[str], snapshot: Snapshot) -> Waits:
        """Stop waiting for some tasks. A wait of which nothing unfinished is left is dropped, and
        not reported as ended."""
        left = [
            replace(wait, ids=tuple(i for i in wait.ids if i not in ids)) for wait in self.waits
        ]
        return Waits(tuple(w for w in left if WaitProgress.of(snapshot, w.ids).unfinished))

    def split(self, progress: WaitProgress) -> tuple[Waits, Sequence[EndedWait]]:
        """Return the waits that go on, and those that have ended, by the progress of all tasks."""
        ended = [EndedWait(one, progress.part(one.ids)) for one in self.waits]
        ended = [one for one in ended if not one.progress.unfinished]
        over = {id(one.wait) for one in ended}
        return Waits(tuple(one for one in self.waits if id(one) not in over)), ended
