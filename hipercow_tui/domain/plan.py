"""What a purge would do and why: a pure function of a snapshot, the filters and the time.

Source: docs/spec.md, rules 7 to 9 and 14. A refusal is data here; what carries a plan out turns it
into an error. A dry run is a plan that is not carried out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from hipercow_tui.domain.blocked import Blocked
from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import (
    QUEUED,
    UNREADABLE,
    Bundle,
    BundleId,
    Lang,
    Status,
    Task,
)
from hipercow_tui.domain.task_columns import TaskMask, mask_and, mask_where
from hipercow_tui.domain.unread import unread_bundles
from hipercow_tui.support.text import pluralize, short_id

RECENT = 3600.0  # a task made within this many seconds is likely still wanted


class Reason(StrEnum):
    """Why a task goes."""

    MATCHED = "matched"
    RETRY_CHAIN = "retry chain"


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task that goes: it matched, or the chain of ``cause_id``, which did, draws it in.

    ``cautions`` are reasons to think twice: what the filters alone would have kept, what is an hour
    old, what has an estimated time.
    """

    task: Task
    reason: Reason
    cause_id: str | None = None
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedBundle:
    """A bundle that goes, how many of its ids go and how many tasks stay without it."""

    bundle: Bundle
    deleted: int
    surviving: int


@dataclass(frozen=True)
class PurgePlan:
    """What would go, in the order of the snapshot, and what stands in the way.

    ``made`` is the time the plan was made for, in seconds since the epoch. With ``skip_blocked``
    the blocked chains are left out of ``tasks``; else ``refused`` says that nothing may go.
    ``ignored_bundles`` are the unreadable bundles that do not block it, because the user said so:
    they stay.
    """

    root: Path
    made: float
    filters: FilterStack
    tasks: tuple[PlannedTask, ...] = ()
    bundles: tuple[PlannedBundle, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    skip_blocked: bool = False
    warnings: tuple[str, ...] = ()
    ignored_bundles: tuple[BundleId, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether nothing may be deleted because something blocks (rule 9)."""
        return bool(self.blocked) and not self.skip_blocked

    @property
    def empty(self) -> bool:
        """Whether nothing would go."""
        return not (self.tasks or self.bundles)

    def of_lang(self, lang: Lang) -> PurgePlan:
        """What of it is to be done in the root of that language."""
        return replace(
            self,
            tasks=tuple(one for one in self.tasks if one.task.lang is lang),
            bundles=tuple(one for one in self.bundles if one.bundle.lang is lang),
            blocked=tuple(one for one in self.blocked if one.task.lang is lang),
            ignored_bundles=tuple(one for one in self.ignored_bundles if one[0] is lang),
        )

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids of the tasks that go."""
        return tuple(planned.task.id for planned in self.tasks)

    @cached_property
    def langs(self) -> frozenset[Lang]:
        """In the roots of which languages something would go."""
        tasks = {one.task.lang for one in self.tasks}
        return frozenset(tasks | {one.bundle.lang for one in self.bundles})

    def bundle_label(self, bundle: Bundle) -> str:
        """A bundle's name, and whose it is where the plan is of both: they may have bundles of one
        name."""
        return f"{bundle.name} of {bundle.lang.shown}" if len(self.langs) > 1 else bundle.name

    @cached_property
    def matched(self) -> tuple[PlannedTask, ...]:
        """The tasks that go because the filters match them."""
        return tuple(one for one in self.tasks if one.reason is Reason.MATCHED)

    @cached_property
    def cascaded(self) -> tuple[PlannedTask, ...]:
        """The tasks that go because their retry chain does."""
        return tuple(one for one in self.tasks if one.reason is Reason.RETRY_CHAIN)

    @cached_property
    def beyond_filters(self) -> tuple[PlannedTask, ...]:
        """The tasks that go though the filters alone would have kept them."""
        return tuple(one for one in self.tasks if any(KEPT in why for why in one.cautions))

    @cached_property
    def surviving(self) -> int:
        """How many tasks stay and lose a bundle."""
        going = set(self.ids)
        return len({i for one in self.bundles for i in one.bundle.task_ids} - going)


KEPT = "your filters alone would have kept it"


def make_plan(
    snapshot: Snapshot,
    filters: FilterStack,
    *,
    now: float,
    skip_blocked: bool = False,
    ignore_unreadable_bundles: bool = False,
) -> PurgePlan:
    """The plan for what the filters match, with whole retry chains and the bundles that name them.

    ``now`` is in seconds since the epoch. Reads nothing but its arguments. Tasks of R and of Python
    are planned each by themselves: no cascade crosses. A bundle that can't be read blocks every
    task of its language, unless those are ignored: then it stays, and the plan names it.
    """
    parts = [
        _part(part, snapshot, filters, now, skip_blocked, ignore_unreadable_bundles)
        for part in snapshot.language_parts
    ]
    tasks = tuple(one for part in parts for one in part.tasks)
    return PurgePlan(
        root=snapshot.root,
        made=now,
        filters=filters,
        tasks=tasks,
        bundles=tuple(one for part in parts for one in part.bundles),
        blocked=tuple(one for part in parts for one in part.blocked),
        skip_blocked=skip_blocked,
        warnings=(
            *(warning for part in parts for warning in part.warnings),
            *_warnings(tasks, filters, now),
        ),
        ignored_bundles=tuple(one for part in parts for one in part.ignored_bundles),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """The plan for the tasks of one language."""

    tasks: tuple[PlannedTask, ...]
    bundles: tuple[PlannedBundle, ...]
    blocked: tuple[Blocked, ...]
    ignored_bundles: tuple[BundleId, ...]
    warnings: tuple[str, ...]


def _part(
    snapshot: Snapshot,
    whole: Snapshot,
    filters: FilterStack,
    now: float,
    skip_blocked: bool = False,
    ignore_unreadable_bundles: bool = False,
) -> _Part:
    matched = filters.matched(snapshot)
    drawn = _with_chains(snapshot, matched)
    unread = snapshot.unread.bundles if drawn and ignore_unreadable_bundles else {}
    ours = (i for i in drawn if i in snapshot.tasks or i not in whole.tasks)
    blocked = tuple(blocked_by(snapshot, ours, now, unread))
    held = {i for one in blocked for i in (one.task.id, *one.chain)} if skip_blocked else set()
    counted = drawn.keys() - held
    tasks = tuple(
        _planned(task, matched, drawn[task.id], filters, now)
        for task in _ordered(snapshot, counted)
        if _can_go(task, _named(filters))
    )
    going = {one.task.id for one in tasks}
    return _Part(
        tasks,
        tuple(_planned_bundles(snapshot, counted, going)),
        blocked,
        tuple((snapshot.lang, name) for name in unread),
        tuple(_ignored_warning(unread)),
    )


def _ignored_warning(unread: Mapping[str, str]) -> Iterator[str]:
    if unread:
        one = len(unread) == 1
        yield (
            f"{unread_bundles(unread, next(iter(unread.values())))} and"
            f" {'is' if one else 'are'} ignored: {'it stays' if one else 'they stay'}, and may name"
            " tasks that are gone afterwards"
        )


@dataclass(frozen=True, slots=True)
class PlanTotals:
    """How much a plan is: tasks that the filters match, tasks that come along with their chains,
    bundles, and tasks that stand in its way."""

    matched: int = 0
    cascaded: int = 0
    bundles: int = 0
    blocked: int = 0


def plan_totals(snapshot: Snapshot, filters: FilterStack, *, now: float) -> PlanTotals:
    """What ``make_plan`` would come to, in a tenth of its time: it names no task."""
    parts = [_part_totals(part, snapshot, filters, now) for part in snapshot.language_parts]
    return PlanTotals(*(sum(column) for column in zip(*parts, strict=True)))


def _part_totals(
    snapshot: Snapshot, whole: Snapshot, filters: FilterStack, now: float
) -> tuple[int, int, int, int]:
    if snapshot.unread:  # rare; then ids block of which there is no task
        part = _part(snapshot, whole, filters, now)
        matched = sum(1 for one in part.tasks if one.reason is Reason.MATCHED)
        return matched, len(part.tasks) - matched, len(part.bundles), len(part.blocked)
    columns, tasks, named = snapshot.columns, snapshot.tasks, _named(filters)
    passing, gone = filters.mask(snapshot), filters.missing_ids(snapshot)

    def those(flags: TaskMask) -> Iterator[str]:
        return columns.select(mask_and([passing, flags]))

    drawn = _cascaded(snapshot, gone.union(those(snapshot.chained)))
    along = [tasks[i] for i in drawn if i in tasks]
    no_tasks = [tasks[i] for i in those(columns.non_task_mask)]
    held = [tasks[i] for i in those(mask_where(columns.status_codes, _NOT_ENDED))]
    return (
        passing.count(1) - sum(1 for task in no_tasks if task.id not in named),
        sum(1 for task in along if _can_go(task, named)),
        len(_bundles_of(snapshot, passing, along, gone.union(i for i in drawn if i not in tasks))),
        sum(1 for task in (*held, *no_tasks, *along) if block_reason(task)),
    )


def _bundles_of(
    snapshot: Snapshot, matched: TaskMask, along: Iterable[Task], gone: Set[str]
) -> set[str]:
    """The names of the bundles that name any of these."""
    names = {
        name for relations in snapshot.columns.relations_of(matched) for name in relations.bundles
    }
    names.update(name for task in along for name in task.bundles)
    if gone:
        names |= {one.name for one in snapshot.bundles if not gone.isdisjoint(one.task_ids)}
    return names


# The others are never in the way.
_NOT_ENDED = (Status.CREATED, Status.SUBMITTED, Status.RUNNING, Status.BROKEN)


def _named(filters: FilterStack) -> Set[str]:
    return filters.task_ids.ids if filters.task_ids else frozenset()


def _can_go(task: Task, named: Set[str]) -> bool:
    """A folder without ``data`` may be a task in the making: it goes only if named by its id."""
    return task.exists or task.id in named


def _with_chains(snapshot: Snapshot, matched: frozenset[str]) -> dict[str, str | None]:
    """Every id that goes, gone ones included, and for those a chain drew in, which id did."""
    return {**dict.fromkeys(matched), **_cascaded(snapshot, matched)}


def _cascaded(snapshot: Snapshot, matched: Set[str]) -> dict[str, str]:
    """The ids that did not match and go with their chain, and which id of it draws them in."""
    drawn: dict[str, str] = {}
    done: set[int] = set()
    chains = snapshot.chains
    for task_id in filter(chains.has, matched):
        chain = chains.chain(task_id)
        if id(chain) in done:
            continue
        done.add(id(chain))
        drawer = next(member for member in chain if member in matched)
        drawn.update((member, drawer) for member in chain if member not in matched)
    return drawn


def _ordered(snapshot: Snapshot, ids: Set[str]) -> Iterable[Task]:
    if len(ids) * 8 < len(snapshot.tasks):
        return [snapshot.tasks[i] for i in sorted(ids) if i in snapshot.tasks]
    return [task for task_id, task in snapshot.tasks.items() if task_id in ids]


def blocked_by(
    snapshot: Snapshot, ids: Iterable[str], now: float, ignored_bundles: Collection[str] = ()
) -> Iterator[Blocked]:
    """What of these ids, of tasks of one language and of gone ones, can't go (rule 9).

    ``now`` is in seconds since the epoch. The bundles of those names may be unreadable.
    """
    unread = snapshot.unread
    blocks_all = unread.blocks_all(ignored_bundles)
    for task_id in sorted(ids):
        task = snapshot.tasks.get(task_id)
        reason = block_reason(task) if task is not None else None
        if unread:
            reason = reason or unread.blocks(task_id, now) or blocks_all
        if reason:
            chain = snapshot.chains.chain(task_id)
            unknown = Task(task_id, Status.BROKEN, UNREADABLE, chain=chain, lang=snapshot.lang)
            yield Blocked(task or unknown, reason, chain)


def block_reason(task: Task) -> str | None:
    """Why a task can't be purged, and what to do about it; None if it can (rule 9)."""
    if task.status is Status.BROKEN and task.exists:
        return f"it can't be read ({task.problem}): make its folder readable"
    if task.status in (Status.SUBMITTED, Status.RUNNING) and task.lang is Lang.PY:
        return (
            f"it is {task.status}: wait for it, or, if you have stopped it on the cluster or that"
            " has lost it, make an empty file 'status-cancelled' in its folder to free it"
        )
    if task.status in (Status.SUBMITTED, Status.RUNNING):
        return (
            f"it is {task.status}: cancel it with task_cancel(), or, if the cluster has lost it,"
            " call task_info() to free it"
        )
    if task.status in (Status.CREATED, Status.BROKEN) and task.files_mask & QUEUED:
        return "it may be queued already: the driver's files are there, its marker is not yet"
    return None


def _planned(
    task: Task, matched: Set[str], of: str | None, filters: FilterStack, now: float
) -> PlannedTask:
    reason = Reason.MATCHED if task.id in matched else Reason.RETRY_CHAIN
    regrets = tuple(_cautions(task, reason, filters, now))
    return PlannedTask(task, reason, of if reason is Reason.RETRY_CHAIN else None, regrets)


def _cautions(task: Task, reason: Reason, filters: FilterStack, now: float) -> Iterable[str]:
    wanted, age = filters.with_status, filters.finished_before
    if reason is Reason.RETRY_CHAIN:
        yield from (f"{why}: {KEPT}" for why in _kept_by(task, filters))
    elif wanted and task.status is Status.SUCCESS and task.status not in wanted.statuses:
        yield f"a success itself, but it counts as its last attempt ({task.latest_status})"
    if task.created is not None and now - task.created < RECENT:
        yield "created within the last hour"
    if age and task.finished_estimated:
        yield "its time of finishing is estimated"


def _kept_by(task: Task, filters: FilterStack) -> Iterable[str]:
    """For each filter that does not pass a task: why not (rules 2 to 6)."""
    wanted, age, bundles = filters.with_status, filters.finished_before, filters.in_bundle
    status = task.latest_status if wanted and wanted.follow else task.status
    if wanted and status not in wanted.statuses:
        yield f"{status or 'its last attempt is gone'}"
    if age and not (task.finished is not None and task.finished < age.cutoff):
        yield "it never finished" if task.finished is None else f"newer than {age.text}"
    if filters.task_ids and task.id not in filters.task_ids.ids:
        yield "not named itself"
    if bundles and not any(map(bundles.matches, task.bundles)):
        yield f"not {bundles} itself"


def _planned_bundles(
    snapshot: Snapshot, counted: Set[str], going: Set[str]
) -> Iterable[PlannedBundle]:
    for bundle in snapshot.bundles:
        ids = set(bundle.task_ids)
        if not ids.isdisjoint(counted):
            staying = ids - going
            surviving = sum(1 for _ in snapshot.existing(staying))
            surviving += sum(map(snapshot.may_exist, staying))
            yield PlannedBundle(bundle, len(ids & going), surviving)


def _warnings(tasks: Collection[PlannedTask], filters: FilterStack, now: float) -> Iterable[str]:
    """A sentence for an age in the future, and one for each kind of regret, with a count."""
    kinds: dict[str, list[Task]] = {}
    for planned in tasks:
        for why in planned.cautions:
            kinds.setdefault(why, []).append(planned.task)
    age = filters.finished_before
    if tasks and age and age.cutoff > now:
        yield f"{age.text} is in the future: every task that has finished is older"
    for why, affected in kinds.items():
        first = short_id(affected[0].id)
        yield f"{pluralize(len(affected), 'task')} ({first}{' …' if len(affected) > 1 else ''}): {why}"
