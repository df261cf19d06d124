"""The tree of a plan: its retry chains in groups, in an order, as lines.

Made from a plan and from the calls, errors and sizes of tasks that were read so far.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

from hipercow_tui.analysis.error_groups import Failure
from hipercow_tui.analysis.failure_grouping import group_failures
from hipercow_tui.analysis.plan_arrangement import Arrangement, ChainKey, Grouping
from hipercow_tui.analysis.task_sorting import natural_key
from hipercow_tui.analysis.task_summary import NO_SUMMARY, Summaries
from hipercow_tui.domain.blocked import Blocked
from hipercow_tui.domain.pins import Pin
from hipercow_tui.domain.plan import (
    PinnedTask,
    PlannedBundle,
    PlannedTask,
    PurgePlan,
    Reason,
)
from hipercow_tui.domain.plan_chains import PlannedChain
from hipercow_tui.domain.task import BundleId, Status, Task
from hipercow_tui.formats.folder_size import Size, SizeKind, freed_size

_DAY = 86400.0
# Groups by age: up to how many seconds, and the title.
_AGES = (
    (_DAY, "less than 1 day old"),
    (7 * _DAY, "1 to 7 days old"),
    (30 * _DAY, "1 to 4 weeks old"),
    (90 * _DAY, "1 to 3 months old"),
    (365 * _DAY, "3 to 12 months old"),
)
_OLDEST = "more than 1 year old"
_NO_TIME = "of unknown age"
_NO_BUNDLE = "in no bundle"
_NO_ERROR = "without an error"
_UNREAD_ERROR = "error not read yet"
_REASON_WIDTH = 70  # characters of a line of the reason why a task is blocked


class KnownFacts(NamedTuple):
    """The facts on tasks that were read so far, by task id. Other threads add to the mappings.

    ``size_kind`` is the definition of size that is shown.
    """

    summaries: Summaries
    failures: Mapping[str, Failure]
    sizes: Mapping[str, Size]
    size_kind: SizeKind = SizeKind.APPARENT

    def size_of(self, task_id: str) -> int | None:
        """Return the bytes of a task; None if it was not measured."""
        size = self.sizes.get(task_id)
        return None if size is None else size.of(self.size_kind)


@dataclass(frozen=True, slots=True)
class BlockedChain:
    """A blocked task; ``others`` are the tasks of its chain that would go if it did not block.

    ``key`` identifies its chain. If several tasks of a chain are blocked, the first has ``others``.
    """

    key: str
    blocked: Blocked
    others: tuple[PlannedTask, ...] = ()

    @property
    def task(self) -> Task:
        """The blocked task."""
        return self.blocked.task


Chain: TypeAlias = PlannedChain | BlockedChain
Item: TypeAlias = PlannedChain | BlockedChain | PlannedBundle | PinnedTask | str


@dataclass(frozen=True, slots=True, eq=False)
class PlanGroup:
    """Lines under a title.

    ``key`` identifies the group as long as the grouping is the same. ``rule`` explains the group,
    with keys as ``<plan.skip=x>``: their id and their default.
    ``bundle`` is the bundle that it is about, if any.
    """

    key: str
    title: str
    items: Sequence[Item]
    rule: str = ""
    alarming: bool = False
    bundle: PlannedBundle | None = None

    @property
    def chains(self) -> Iterator[Chain]:
        """The chains of the group."""
        return (item for item in self.items if isinstance(item, (PlannedChain, BlockedChain)))


@dataclass(frozen=True, eq=False)
class PlanTree:
    """The chains of a plan in groups.

    ``plan`` is the plan with all chains that the user may keep.
    """

    plan: PurgePlan
    chains: tuple[PlannedChain, ...] = ()
    groups: tuple[PlanGroup, ...] = ()

    @cached_property
    def chains_of_bundle(self) -> Mapping[BundleId, tuple[Chain, ...]]:
        """The chains that take each bundle."""
        found: dict[BundleId, list[Chain]] = {}
        for chain in self.chains:
            for bundle in chain.bundles:
                found.setdefault(bundle, []).append(chain)
        return {bundle: tuple(chains) for bundle, chains in found.items()}


_MATCHED = "These tasks pass all filters."
_DRAWN_IN = "A retry chain goes as a whole. Below each matched task is what it draws in."
_BUNDLES = "A bundle goes with any of its tasks. Tasks that stay lose only their bundle."
_BLOCKED = "Every task below blocks the whole purge. <plan.skip=x>: leave out their chains."
_PINNED = "Pins hold these retry chains. <plan.pin=P>: unpin the chain or the bundle."
_LEFT_OUT_BY_GOAL = "These tasks stay with their whole retry chains: a goal takes what can go."
_LEFT_OUT = "These tasks stay with their whole retry chains. <plan.skip=x>: include them again."


def make_tree(
    plan: PurgePlan,
    chains: Sequence[PlannedChain],
    arrangement: Arrangement,
    known: KnownFacts,
) -> PlanTree:
    """Group and sort the chains of a plan. Every task of the plan is in one group, once."""
    blocked = _blocked_chains(plan, chains)
    blocked_keys = {chain.key for chain in blocked} if plan.refused else set()
    others = [chain for chain in chains if chain.key not in blocked_keys]
    ordered = sort_chains(others, arrangement, known)
    groups = []
    if plan.refused:
        rows = tuple(_under_reasons(blocked))
        groups.append(PlanGroup("blocked", "blocked", rows, _BLOCKED, alarming=True))
    groups += _GROUPINGS[arrangement.grouping](plan, ordered, known)
    if plan.bundles and arrangement.grouping is not Grouping.BUNDLE:
        groups.append(PlanGroup("bundles", "bundles", plan.bundles, _BUNDLES))
    if plan.blocked and not plan.refused:
        rows = tuple(_under_reasons(blocked))
        rule = _LEFT_OUT_BY_GOAL if plan.goal else _LEFT_OUT
        groups.append(PlanGroup("left out", "left out", rows, rule))
    if plan.pinned:
        rows = tuple(_by_pin(plan.pinned))
        groups.append(PlanGroup("pinned", "held back by pins", rows, _PINNED))
    return PlanTree(plan, tuple(chains), tuple(groups))


def _blocked_chains(plan: PurgePlan, chains: Sequence[PlannedChain]) -> list[BlockedChain]:
    """Return the blocked tasks, the first of each chain with the others that would go."""
    if not plan.blocked:
        return []
    blocked_ids = {one.task.id for one in plan.blocked}
    chain_of = {planned.task.id: chain for chain in chains for planned in chain.tasks}
    found: list[BlockedChain] = []
    done: set[str] = set()
    for one in plan.blocked:
        chain = next((chain_of[i] for i in (one.task.id, *one.chain) if i in chain_of), None)
        key = one.chain[0] if one.chain else one.task.id
        others: tuple[PlannedTask, ...] = ()
        if chain is not None and key not in done:
            others = tuple(each for each in chain.tasks if each.task.id not in blocked_ids)
        done.add(key)
        found.append(BlockedChain(key, one, others))
    return found


def _under_reasons(blocked: Iterable[BlockedChain]) -> Iterator[Item]:
    """Yield each reason, and after it the tasks that it blocks."""
    by_reason: dict[str, list[BlockedChain]] = {}
    for chain in blocked:
        by_reason.setdefault(chain.blocked.reason, []).append(chain)
    for reason, found in by_reason.items():
        yield from textwrap.wrap(reason, _REASON_WIDTH)
        yield from found


def _by_pin(pinned: Iterable[PinnedTask]) -> Iterator[Item]:
    """Yield the tasks of each pin together."""
    by_pin: dict[Pin, list[PinnedTask]] = {}
    for one in pinned:
        by_pin.setdefault(one.pin, []).append(one)
    for tasks in by_pin.values():
        yield from tasks


# Order


def sort_chains(
    chains: Sequence[PlannedChain], arrangement: Arrangement, known: KnownFacts
) -> list[PlannedChain]:
    """Return the chains in order; equal chains are in the order of the plan."""
    value = _sort_value(arrangement.key, known)
    values = list(map(value, chains))
    places = sorted(range(len(chains)), key=values.__getitem__, reverse=arrangement.reverse)
    return list(map(chains.__getitem__, places))


def _sort_value(key: ChainKey, known: KnownFacts) -> Callable[[PlannedChain], Any]:
    """Return a function of a chain. Its first task counts, for sizes all of its tasks."""
    match key:
        case ChainKey.SIZE:
            return lambda chain: chain_size(chain, known.sizes).of(known.size_kind)
        case ChainKey.WHAT:
            return lambda chain: _what(chain.tasks[0].task.id, known.summaries)
        case ChainKey.ID:
            return lambda chain: chain.tasks[0].task.id
    return lambda chain: _time(chain.tasks[0].task) or 0.0


def chain_size(chain: PlannedChain, sizes: Mapping[str, Size]) -> Size:
    """Return the size of a chain, as far as its tasks were measured."""
    found = (sizes.get(planned.task.id) for planned in chain.tasks)
    return freed_size(size for size in found if size is not None)


def _what(task_id: str, summaries: Summaries) -> tuple[str, Any]:
    summary = summaries.get(task_id, NO_SUMMARY)
    return summary.code_text.casefold(), natural_key(summary.inputs_text)


def _time(task: Task) -> float | None:
    """Return when a task finished, or was created if it has not."""
    return task.created if task.finished is None else task.finished


# Groups


def _by_reason(
    plan: PurgePlan, chains: Sequence[PlannedChain], known: KnownFacts
) -> Iterator[PlanGroup]:
    alone: list[PlannedChain] = []
    drawing_in: list[PlannedChain] = []
    for chain in chains:
        (alone if chain.tasks[-1].reason is Reason.MATCHED else drawing_in).append(chain)
    if alone:
        yield PlanGroup("matched", "matched", alone, _MATCHED)
    if drawing_in:
        yield PlanGroup("chains", "with their retry chain", drawing_in, _DRAWN_IN)


def _by_bundle(
    plan: PurgePlan, chains: Sequence[PlannedChain], known: KnownFacts
) -> Iterator[PlanGroup]:
    """Yield a group for each bundle; a chain with several bundles is in the group of the first."""
    groups: dict[BundleId | None, list[PlannedChain]] = {
        (one.bundle.lang, one.bundle.name): [] for one in plan.bundles
    }
    for chain in chains:
        groups.setdefault(next(iter(chain.bundles), None), []).append(chain)
    for planned in plan.bundles:
        name = (planned.bundle.lang, planned.bundle.name)
        title = plan.bundle_label(planned.bundle)
        yield PlanGroup(f"bundle {name}", title, groups.pop(name), _BUNDLES, bundle=planned)
    for rest in groups.values():
        yield PlanGroup("no bundle", _NO_BUNDLE, rest, "No bundle lists these tasks.")


def _by_error(
    plan: PurgePlan, chains: Sequence[PlannedChain], known: KnownFacts
) -> Iterator[PlanGroup]:
    """Yield the groups of errors, the largest first; a chain counts by its first known error."""
    failed = [
        planned.task
        for chain in chains
        for planned in chain.tasks
        if planned.task.status is Status.FAILURE
    ]
    failures = dict(known.failures)  # filled by another thread meanwhile
    error_of: dict[str, tuple[str, str]] = {}
    for error in group_failures(failed, failures):
        error_of.update(dict.fromkeys(error.ids, (error.key, error.line)))
    unread = {task.id for task in failed if task.id not in error_of}
    groups: dict[tuple[str, str], list[PlannedChain]] = {}
    for chain in chains:
        ids = [planned.task.id for planned in chain.tasks]
        name = next((error_of[i] for i in ids if i in error_of), None)
        if name is None:
            title = _NO_ERROR if unread.isdisjoint(ids) else _UNREAD_ERROR
            name = (title, title)
        groups.setdefault(name, []).append(chain)
    last = (_UNREAD_ERROR, _NO_ERROR)
    order = sorted(groups, key=lambda name: (name[0] in last, -len(groups[name]), name))
    for key, title in order:
        yield PlanGroup(key, title, groups[key, title], "These tasks failed with the same error.")


def _by_age(
    plan: PurgePlan, chains: Sequence[PlannedChain], known: KnownFacts
) -> Iterator[PlanGroup]:
    groups: dict[str, list[PlannedChain]] = {title: [] for _, title in _AGES}
    groups |= {_OLDEST: [], _NO_TIME: []}
    for chain in chains:
        groups[_age_title(chain.tasks[0].task, plan.made)].append(chain)
    for title, found in groups.items():
        if found:
            yield PlanGroup(title, title, found, "By when a task finished, or was created.")


def _age_title(task: Task, now: float) -> str:
    then = _time(task)
    if then is None:
        return _NO_TIME
    return next((title for limit, title in _AGES if now - then < limit), _OLDEST)


def _ungrouped(
    plan: PurgePlan, chains: Sequence[PlannedChain], known: KnownFacts
) -> Iterator[PlanGroup]:
    if chains:
        yield PlanGroup("all", "all", chains, "All that goes, in one group.")


_GROUPINGS: Mapping[
    Grouping, Callable[[PurgePlan, Sequence[PlannedChain], KnownFacts], Iterator[PlanGroup]]
] = {
    Grouping.REASON: _by_reason,
    Grouping.BUNDLE: _by_bundle,
    Grouping.ERROR: _by_error,
    Grouping.AGE: _by_age,
    Grouping.NOTHING: _ungrouped,
}
