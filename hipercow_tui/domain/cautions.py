"""Cautions about the tasks of a plan, and the warnings that count them (docs/spec.md, rule 14).

A warning names the included tasks, and after a colon the reason or the consequence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from hipercow_tui.domain.filters import MARKED, FilterStack, TaskIds
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.support.text import escape_controls, pluralize

RECENTLY_CREATED = 3600.0  # seconds after its creation during which a task is likely still needed


class CautionKind(StrEnum):
    """The kinds of cautions."""

    RETRY_CHAIN = "retry chain"
    LAST_ATTEMPT = "last attempt"
    RECENT = "recent"
    ESTIMATED = "estimated"
    SAVED = "saved"


class Caution(NamedTuple):
    """A reason to look at a task of a plan again; a tuple, because a plan can have a million.

    ``detail`` depends on the kind:

    - ``RETRY_CHAIN``: why the filters alone would keep the task, such as "newer than 2 weeks".
    - ``LAST_ATTEMPT``: how the chain of this successful attempt ends, such as "failure".
    - ``RECENT``, ``ESTIMATED``: "".
    - ``SAVED``: the text that a saved plan has; its kind is not saved.
    """

    kind: CautionKind
    detail: str = ""

    @property
    def text(self) -> str:
        """The text beside the task."""
        match self.kind:
            case CautionKind.RETRY_CHAIN:
                return f"{self.detail}: included with its chain"
            case CautionKind.LAST_ATTEMPT:
                return f"successful attempt: its chain ends in {self.detail}"
            case CautionKind.RECENT:
                return "created within the last hour"
            case CautionKind.ESTIMATED:
                return "its time of finishing is estimated"
        return self.detail


_RECENT = Caution(CautionKind.RECENT)
_ESTIMATED = Caution(CautionKind.ESTIMATED)
_ENDINGS = {
    Status.FAILURE: "failure",
    Status.CANCELLED: "a cancelled task",
    Status.CREATED: "a task that was not submitted",
}


def cautions_about(
    task: Task, filters: FilterStack, now: float, *, matched: bool
) -> tuple[Caution, ...]:
    """Return the cautions about a task of a plan that is made at ``now``.

    ``now`` is in seconds since the epoch. A task that is not ``matched`` goes with its retry chain.
    """
    statuses, age = filters.with_status, filters.finished_before
    recent = task.created is not None and now - task.created < RECENTLY_CREATED
    estimated = task.finished_estimated and age is not None
    succeeded = task.status is Status.SUCCESS and statuses is not None
    if matched and not (recent or estimated or succeeded):  # as most tasks
        return ()
    cautions: list[Caution] = []
    if not matched:
        details = _failed_filters(task, filters)
        cautions += (Caution(CautionKind.RETRY_CHAIN, detail) for detail in details)
    elif statuses and task.status is Status.SUCCESS and task.status not in statuses.statuses:
        ending = _ENDINGS.get(task.latest_status or task.status, str(task.latest_status))
        cautions.append(Caution(CautionKind.LAST_ATTEMPT, ending))
    if recent:
        cautions.append(_RECENT)
    if estimated:
        cautions.append(_ESTIMATED)
    return tuple(cautions)


def _failed_filters(task: Task, filters: FilterStack) -> Iterator[str]:
    """Yield a phrase for each filter that a task does not pass (rules 2 to 6).

    It follows "1 task" or "12 tasks".
    """
    statuses, age, bundles = filters.with_status, filters.finished_before, filters.in_bundle
    if statuses:
        status = task.latest_status if statuses.follow else task.status
        if status is None:
            yield "with a missing last attempt"
        elif status not in statuses.statuses:
            yield f"with {'latest ' if status is not task.status else ''}status {status}"
    if age and not (task.finished is not None and task.finished < age.cutoff):
        yield "that never finished" if task.finished is None else f"newer than {age.text}"
    if filters.task_ids and task.id not in filters.task_ids.ids:
        yield _not_one_of(filters.task_ids)
    if bundles and not any(map(bundles.matches, task.bundles)):
        yield f"not {bundles}"


def warnings_of(
    cautions: Iterable[tuple[Caution, ...]], filters: FilterStack, now: float
) -> Iterator[str]:
    """Yield a warning for each caution with the number of its tasks, and one if the age is in the
    future.

    ``cautions`` has those of each task. ``now`` is in seconds since the epoch.
    """
    counts: Counter[Caution] = Counter()
    for about_one in filter(None, cautions):
        counts.update(about_one)
    if (age := filters.finished_before) and age.cutoff > now:
        yield f"tasks of every age included: {age.text} is in the future"
    for caution, number in counts.items():
        yield _warning(caution, number)


def _warning(caution: Caution, number: int) -> str:
    tasks = pluralize(number, "task")
    match caution.kind:
        case CautionKind.RETRY_CHAIN:
            return f"{tasks} {caution.detail} included: a retry chain goes as a whole"
        case CautionKind.LAST_ATTEMPT:
            attempts = pluralize(number, "successful attempt")
            chain = "its chain ends" if number == 1 else "their chain ends"
            return f"{attempts} included: {chain} in {caution.detail}"
        case CautionKind.RECENT:
            needed = "it" if number == 1 else "them"
            return f"{tasks} created within the last hour included: you may still need {needed}"
        case CautionKind.ESTIMATED:
            return f"{tasks} with an estimated time of finishing included: none was recorded"
    return f"{tasks} included: {caution.detail}"


def ignored_bundles_warning(ignored: Mapping[str, str]) -> Iterator[str]:
    """Yield a warning if unreadable bundles are ignored: ``ignored`` has the reason by name."""
    for name, why in list(ignored.items())[:1]:
        one = len(ignored) == 1
        yield (
            f"{pluralize(len(ignored), 'unreadable bundle')} ignored ({'' if one else 'first '}"
            f"'{escape_controls(name)}': {why}): {'it stays' if one else 'they stay'}, and may list"
            " tasks that are gone afterwards"
        )


def _not_one_of(selected: TaskIds) -> str:
    """Return how a task differs from the selected ones: marked tasks, those of an error, ids."""
    if not selected.names:
        return "not selected by id"
    last = selected.names[-1]
    return f"not {last}" if last == MARKED else f"outside of {last}"
