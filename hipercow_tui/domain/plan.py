"""Plan a purge: which tasks and bundles it takes and why, from a snapshot, filters and the time.

Source: docs/spec.md, rules 7 to 9 and 14. A plan that is blocked is a value too; executing it
raises an error. A dry run is a plan that is not executed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from operator import not_
from pathlib import Path
from typing import NamedTuple

from hipercow_tui.domain.blocked import MAY_BLOCK, Blocked, block_reason, find_blocked
from hipercow_tui.domain.cautions import (
    Caution,
    cautions_about,
    ignored_bundles_warning,
    warnings_of,
)
from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.domain.pins import Pin
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import (
    Bundle,
    BundleId,
    Lang,
    Task,
)
from hipercow_tui.domain.task_columns import TaskMask, mask_and, mask_where


class Reason(StrEnum):
    """Why a purge takes a task."""

    MATCHED = "matched"
    RETRY_CHAIN = "retry chain"


class PlannedTask(NamedTuple):
    """A task that the purge takes. A tuple, because a plan can have a million.

    ``cause_id`` is the matched task of its retry chain if the task itself is not matched.
    ``cautions`` are reasons to look at it again (docs/spec.md, rule 14).
    """

    task: Task
    reason: Reason
    cause_id: str | None = None
    cautions: tuple[Caution, ...] = ()


class PinnedTask(NamedTuple):
    """A task that would go, but is held by a pin. A tuple, because a plan can have a million."""

    task: Task
    pin: Pin


@dataclass(frozen=True, slots=True)
class PlannedBundle:
    """A bundle that the purge takes.

    ``deleted`` is the number of its tasks that go, ``surviving`` the number of tasks that stay.
    """

    bundle: Bundle
    deleted: int
    surviving: int


@dataclass(frozen=True)
class PurgePlan:
    """The tasks and bundles that a purge takes, in the order of the snapshot, and what blocks it.

    Attributes:
        root: The project folder.
        made: The time for which the plan was made, in seconds since the epoch.
        filters: The filters of the purge.
        tasks: The tasks that go.
        bundles: The bundles that go.
        blocked: The tasks that can't go.
        skip_blocked: Whether blocked chains are left out of ``tasks``. Otherwise the plan is
            ``refused`` if anything is blocked.
        warnings: Sentences on included tasks that the user may not expect (docs/spec.md, rule 14).
        ignored_bundles: Unreadable bundles that stay, and do not block because the user ignores
            them.
        pinned: The matched tasks that stay because of pins, with the rest of their chains
            (docs/spec.md, rule 18). They block nothing.
        kept: The tasks that stay because the user keeps their chains, as they would be in ``tasks``
            otherwise. They block nothing.
        goal: A sentence on the amount of space that the plan stops at; empty if it has no goal.
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
    kept: tuple[PlannedTask, ...] = ()
    pinned: tuple[PinnedTask, ...] = ()
    goal: str = ""

    @property
    def refused(self) -> bool:
        """Whether nothing may be purged because something blocks (rule 9)."""
        return bool(self.blocked) and not self.skip_blocked

    @property
    def empty(self) -> bool:
        """Whether the plan has no tasks and no bundles."""
        return not (self.tasks or self.bundles)

    def of_lang(self, lang: Lang) -> PurgePlan:
        """Return the part of the plan for the root of one language."""
        return replace(
            self,
            tasks=tuple(one for one in self.tasks if one.task.lang is lang),
            bundles=tuple(one for one in self.bundles if one.bundle.lang is lang),
            blocked=tuple(one for one in self.blocked if one.task.lang is lang),
            ignored_bundles=tuple(one for one in self.ignored_bundles if one[0] is lang),
            kept=tuple(one for one in self.kept if one.task.lang is lang),
            pinned=tuple(one for one in self.pinned if one.task.lang is lang),
        )

    def part_for_purge(self, lang: Lang) -> PurgePlan:
        """Return the part that a purge of one language carries out and records.

        Kept chains of a language of which nothing goes are in the part of the first other one,
        because nothing else would record them.
        """
        langs = [one for one in Lang if one in self.langs]
        part = self.of_lang(lang)
        if lang not in langs[:1]:
            return part
        others = tuple(one for one in self.kept if one.task.lang not in langs)
        return replace(part, kept=(*part.kept, *others))

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids of the tasks that go."""
        return tuple(planned.task.id for planned in self.tasks)

    @cached_property
    def langs(self) -> frozenset[Lang]:
        """The languages of the tasks and bundles that go."""
        tasks = {one.task.lang for one in self.tasks}
        return frozenset(tasks | {one.bundle.lang for one in self.bundles})

    def bundle_label(self, bundle: Bundle) -> str:
        """Return the name of a bundle, with its language if the plan has both languages."""
        return f"{bundle.name} of {bundle.lang.shown}" if len(self.langs) > 1 else bundle.name

    @cached_property
    def matched(self) -> tuple[PlannedTask, ...]:
        """The tasks that pass the filters."""
        return tuple(one for one in self.tasks if one.reason is Reason.MATCHED)

    @cached_property
    def cascaded(self) -> tuple[PlannedTask, ...]:
        """The tasks that go with their retry chain; the filters alone would keep them."""
        return tuple(one for one in self.tasks if one.reason is Reason.RETRY_CHAIN)

    @cached_property
    def matched_by_last_attempt(self) -> tuple[PlannedTask, ...]:
        """The matched tasks that have the status of the filter only by their last attempt."""
        wanted = self.filters.with_status
        if wanted is None:
            return ()
        return tuple(one for one in self.matched if one.task.status not in wanted.statuses)

    @cached_property
    def surviving(self) -> int:
        """The number of tasks that stay and lose a bundle."""
        going = set(self.ids)
        return len({i for one in self.bundles for i in one.bundle.task_ids} - going)


def make_plan(
    snapshot: Snapshot,
    filters: FilterStack,
    *,
    now: float,
    skip_blocked: bool = False,
    ignore_unreadable_bundles: bool = False,
    kept_ids: frozenset[str] = frozenset(),
    only_ids: frozenset[str] | None = None,
) -> PurgePlan:
    """Plan the purge of the matched tasks, their retry chains and the bundles that list them.

    ``now`` is in seconds since the epoch. With ``skip_blocked`` blocked chains are left out. A
    bundle that can't be read blocks every task of its language, unless
    ``ignore_unreadable_bundles``: then it stays, and the plan names it. The whole chains of
    ``kept_ids`` stay, and the bundles that only they would have taken; an id needs no task. With
    ``only_ids``, only their whole chains are planned. R and Python are planned separately: nothing
    cascades from one to the other.
    """
    parts = [
        _plan_language(
            part,
            snapshot,
            filters,
            now,
            skip_blocked,
            ignore_unreadable_bundles,
            kept_ids,
            only_ids,
        )
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
            *(warnings_of((one.cautions for one in tasks), filters, now) if tasks else ()),
        ),
        ignored_bundles=tuple(one for part in parts for one in part.ignored_bundles),
        kept=tuple(one for part in parts for one in part.kept),
        pinned=tuple(one for part in parts for one in part.pinned),
    )


@dataclass(frozen=True, slots=True)
class _LanguagePlan:
    """The plan for the tasks of one language."""

    tasks: tuple[PlannedTask, ...]
    bundles: tuple[PlannedBundle, ...]
    blocked: tuple[Blocked, ...]
    ignored_bundles: tuple[BundleId, ...]
    warnings: tuple[str, ...]
    kept: tuple[PlannedTask, ...]
    pinned: tuple[PinnedTask, ...]


def _plan_language(
    snapshot: Snapshot,
    whole: Snapshot,
    filters: FilterStack,
    now: float,
    skip_blocked: bool = False,
    ignore_unreadable_bundles: bool = False,
    kept_ids: frozenset[str] = frozenset(),
    only_ids: frozenset[str] | None = None,
) -> _LanguagePlan:
    all_matched, held = filters.matched(snapshot), snapshot.held
    matched = all_matched.difference(held)
    if only_ids is not None:
        matched &= _whole_chains(snapshot, only_ids)
    causes = _going_ids(snapshot, matched)
    kept = _whole_chains(snapshot, kept_ids)
    wanted = causes.keys() - kept
    ignored = _ignorable_bundles(snapshot) if wanted and ignore_unreadable_bundles else {}
    others = set() if snapshot is whole else whole.tasks.keys() - snapshot.tasks.keys()
    blocked = tuple(find_blocked(snapshot, wanted - others, now, ignored))
    skipped = {i for one in blocked for i in (one.task.id, *one.chain)} if skip_blocked else set()
    requested = _requested_ids(filters)
    planned = tuple(
        [
            _plan_task(task, causes[task.id], filters, now)
            for task in _in_snapshot_order(snapshot, causes.keys())
            if task.id not in skipped and _is_purgeable(task, requested)
        ]
    )
    tasks = tuple([one for one in planned if one.task.id not in kept]) if kept else planned
    return _LanguagePlan(
        tasks=tasks,
        bundles=tuple(_plan_bundles(snapshot, wanted - skipped, {one.task.id for one in tasks})),
        blocked=blocked,
        ignored_bundles=tuple((snapshot.lang, name) for name in ignored),
        warnings=tuple(ignored_bundles_warning(ignored)),
        kept=tuple([one for one in planned if one.task.id in kept]) if kept else (),
        pinned=tuple(_pinned_tasks(snapshot, all_matched.intersection(held), filters)),
    )


def _whole_chains(snapshot: Snapshot, ids: frozenset[str]) -> frozenset[str]:
    """Return the ids with all others of their chains, also those of deleted tasks."""
    return ids.union(*map(snapshot.chains.chain, ids))


def _ignorable_bundles(snapshot: Snapshot) -> dict[str, str]:
    """Return the unreadable bundles that a user may ignore: not those that are pinned, because
    their tasks are unknown."""
    pinned = snapshot.pins.bundle_names
    return {name: why for name, why in snapshot.unread.bundles.items() if name not in pinned}


def _pinned_tasks(
    snapshot: Snapshot, matched: Set[str], filters: FilterStack
) -> Iterator[PinnedTask]:
    """Yield the tasks of the chains of these ids, which pins hold."""
    for task in _in_snapshot_order(snapshot, _going_ids(snapshot, matched).keys()):
        if _is_purgeable(task, _requested_ids(filters)):
            yield PinnedTask(task, snapshot.held[task.id])


@dataclass(frozen=True, slots=True)
class PlanTotals:
    """The numbers of a plan: matched tasks, cascaded tasks, bundles, blocked tasks, and tasks that
    pins hold back."""

    matched: int = 0
    cascaded: int = 0
    bundles: int = 0
    blocked: int = 0
    pinned: int = 0


def plan_totals(snapshot: Snapshot, filters: FilterStack, *, now: float) -> PlanTotals:
    """Return the numbers of the plan of ``make_plan``, in a tenth of its time.

    ``now`` is in seconds since the epoch.
    """
    parts = [_language_totals(part, snapshot, filters, now) for part in snapshot.language_parts]
    return PlanTotals(*(sum(column) for column in zip(*parts, strict=True)))


def planned_ids(snapshot: Snapshot, filters: FilterStack) -> set[str]:
    """Return the ids of the existing tasks in the plan of ``make_plan``, if none of them blocks."""
    return {
        task_id
        for part in snapshot.language_parts
        for task_id in _going_ids(part, filters.matched(part).difference(part.held))
        if task_id in part.tasks
    }


def _language_totals(
    snapshot: Snapshot, whole: Snapshot, filters: FilterStack, now: float
) -> tuple[int, int, int, int, int]:
    if snapshot.unread:  # rare; ids without a task can block
        part = _plan_language(snapshot, whole, filters, now)
        number = sum(1 for one in part.tasks if one.reason is Reason.MATCHED)
        return (
            number,
            len(part.tasks) - number,
            len(part.bundles),
            len(part.blocked),
            len(part.pinned),
        )
    columns, tasks, requested = snapshot.columns, snapshot.tasks, _requested_ids(filters)
    matched, missing = filters.mask(snapshot), filters.missing_ids(snapshot)
    pinned = 0
    if held := snapshot.held:
        held_mask = bytes(map(not_, snapshot.not_held))
        ids = missing.intersection(held).union(columns.select(mask_and([matched, held_mask])))
        pinned = sum(1 for _ in _pinned_tasks(snapshot, ids, filters))
        matched = mask_and([matched, snapshot.not_held])
        missing = missing.difference(held)

    def matched_in(mask: TaskMask) -> Iterator[str]:
        return columns.select(mask_and([matched, mask]))

    causes = _cascade(snapshot, missing.union(matched_in(snapshot.chained)))
    cascaded = [tasks[i] for i in causes if i in tasks]
    missing = missing.union(i for i in causes if i not in tasks)
    non_tasks = [tasks[i] for i in matched_in(columns.non_task_mask)]
    may_block = [tasks[i] for i in matched_in(mask_where(columns.status_codes, MAY_BLOCK))]
    return (
        matched.count(1) - sum(1 for task in non_tasks if task.id not in requested),
        sum(1 for task in cascaded if _is_purgeable(task, requested)),
        len(_affected_bundles(snapshot, matched, cascaded, missing)),
        sum(1 for task in (*may_block, *non_tasks, *cascaded) if block_reason(task)),
        pinned,
    )


def _affected_bundles(
    snapshot: Snapshot, matched: TaskMask, cascaded: Iterable[Task], missing: Set[str]
) -> set[str]:
    """Return the names of the bundles that list any of the tasks."""
    names = {
        name for relations in snapshot.columns.relations_of(matched) for name in relations.bundles
    }
    names.update(name for task in cascaded for name in task.bundles)
    if missing:
        names |= {one.name for one in snapshot.bundles if not missing.isdisjoint(one.task_ids)}
    return names


def _requested_ids(filters: FilterStack) -> Set[str]:
    return filters.task_ids.ids if filters.task_ids else frozenset()


def _is_purgeable(task: Task, requested: Set[str]) -> bool:
    """Return whether a task can go. A folder that is not a task goes only if its id is requested:
    hipercow may be creating a task in it."""
    return task.exists or task.id in requested


def _going_ids(snapshot: Snapshot, matched: Set[str]) -> dict[str, str | None]:
    """Return every id that goes, missing ones included; a cascaded id with the id of its cause."""
    causes: dict[str, str | None] = dict.fromkeys(matched)
    causes.update(_cascade(snapshot, matched))
    return causes


def _cascade(snapshot: Snapshot, matched: Set[str]) -> dict[str, str]:
    """Return the ids that go only with their chain, each with the first matched id of it."""
    causes: dict[str, str] = {}
    done: set[int] = set()
    chains = snapshot.chains
    for task_id in filter(chains.is_member, matched):
        chain = chains.chain(task_id)
        if id(chain) in done:
            continue
        done.add(id(chain))
        cause = next(member for member in chain if member in matched)
        causes.update((member, cause) for member in chain if member not in matched)
    return causes


def gone_keys(snapshot: Snapshot, filters: FilterStack, bundles: Iterable[Bundle]) -> Iterator[str]:
    """Yield the ids to keep, beside those of tasks, so that bundles stay.

    They are the ids in the bundles that take them although they have no task: of a retry chain the
    first id, which identifies the chain.
    """
    matched: dict[Lang, frozenset[str]] = {}
    for bundle in bundles:
        part = snapshot.of_lang(bundle.lang)
        existing = {task.id for task in part.existing(bundle.task_ids)}
        for task_id in bundle.task_ids:
            if task_id in existing:
                continue
            if bundle.lang not in matched:
                matched[bundle.lang] = filters.matched(part)
            chain = part.chains.chain(task_id) or (task_id,)
            if not matched[bundle.lang].isdisjoint(chain):
                yield chain[0]


def _in_snapshot_order(snapshot: Snapshot, ids: Set[str]) -> Iterable[Task]:
    if len(ids) * 8 < len(snapshot.tasks):
        return [snapshot.tasks[i] for i in sorted(ids) if i in snapshot.tasks]
    return [task for task_id, task in snapshot.tasks.items() if task_id in ids]


def _plan_task(task: Task, cause_id: str | None, filters: FilterStack, now: float) -> PlannedTask:
    matched = cause_id is None
    cautions = cautions_about(task, filters, now, matched=matched)
    reason = Reason.MATCHED if matched else Reason.RETRY_CHAIN
    # A third of the time of the constructor.
    return tuple.__new__(PlannedTask, (task, reason, cause_id, cautions))


def _plan_bundles(
    snapshot: Snapshot, going: Set[str], planned: Set[str]
) -> Iterable[PlannedBundle]:
    """Plan the bundles that list an id that goes; ``planned`` are those of the planned tasks."""
    for bundle in snapshot.bundles:
        ids = set(bundle.task_ids)
        if not ids.isdisjoint(going):
            staying = ids - planned
            surviving = sum(1 for _ in snapshot.existing(staying))
            surviving += sum(map(snapshot.may_exist, staying))
            yield PlannedBundle(bundle, len(ids) - len(staying), surviving)
