"""The lines of the tree of a plan, the numbers of its groups, and a search in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from hipercow_tui.analysis.comparison import Comparison, parse_comparison
from hipercow_tui.analysis.plan_tree import (
    BlockedChain,
    Chain,
    KnownFacts,
    PlanGroup,
    PlanTree,
)
from hipercow_tui.analysis.task_summary import NO_SUMMARY
from hipercow_tui.domain.plan import PinnedTask, PlannedBundle, PlannedTask, PurgePlan, Reason
from hipercow_tui.domain.plan_chains import PlannedChain
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.folder_size import Size, freed_size


class Member(NamedTuple):
    """A line under the first line of a chain; ``last`` says whether it is the last of them."""

    chain: Chain
    planned: PlannedTask
    last: bool


# The row of a title is its group, the first row of a chain is the chain. A reason is a text.
Row: TypeAlias = PlanGroup | PlannedChain | BlockedChain | Member | PlannedBundle | PinnedTask | str


def tree_rows(groups: Iterable[PlanGroup], folded: Set[str] = frozenset()) -> list[Row]:
    """Return the lines of groups, top to bottom. ``folded`` are the keys of groups and chains of
    which only the first line is shown."""
    rows: list[Row] = []
    for group in groups:
        rows.append(group)
        if group.key in folded:
            continue
        for item in group.items:
            rows.append(item)
            # Most chains are single tasks, and there can be a million.
            single = type(item) is PlannedChain and len(item.tasks) == 1
            if not single and isinstance(item, Chain) and item.key not in folded:
                rows += members(item)
    return rows


def members(chain: Chain) -> list[Member]:
    """Return the lines under the first line of a chain."""
    below = chain.tasks[1:] if isinstance(chain, PlannedChain) else chain.others
    last = len(below) - 1
    return [Member(chain, planned, place == last) for place, planned in enumerate(below)]


class GroupFigures(NamedTuple):
    """The numbers of a group without the chains that the user keeps.

    ``tasks`` go, or block; ``held`` are others of the chains of blocked ones. Of those that go,
    ``drawn_in`` are not matched, ``by_last_attempt`` are matched although their own status is not,
    ``warned`` have a warning; ``size`` is their size if all are measured. ``kept`` tasks are kept
    by the user.
    """

    tasks: int = 0
    held: int = 0
    drawn_in: int = 0
    by_last_attempt: int = 0
    warned: int = 0
    kept: int = 0
    size: Size | None = None


def group_figures(
    group: PlanGroup,
    kept: Set[str],
    matched_statuses: Collection[Status],
    sizes: Mapping[str, Size] | None,
) -> GroupFigures:
    """Count a group. ``kept`` are the keys of chains that the user keeps. ``sizes`` has all tasks;
    with None no size is given. ``matched_statuses`` are those of the filter."""
    blocked = held = drawn_in = by_last_attempt = warned = kept_tasks = 0
    ids: list[str] = []  # of the tasks that go
    for chain in group.chains:
        if chain.key in kept:
            kept_tasks += len(chain_ids(chain))
        elif isinstance(chain, BlockedChain):
            blocked += 1
            held += len(chain.others)
        else:
            for task, reason, _, cautions in chain.tasks:
                ids.append(task.id)
                if reason is Reason.RETRY_CHAIN:
                    drawn_in += 1
                elif task.status not in matched_statuses:
                    by_last_attempt += 1
                if cautions:
                    warned += 1
    total = None if sizes is None else freed_size(filter(None, map(sizes.get, ids)))
    return GroupFigures(
        len(ids) + blocked, held, drawn_in, by_last_attempt, warned, kept_tasks, total
    )


def bundle_tasks(tree: PlanTree, row: Row, group: PlanGroup | None) -> tuple[str, tuple[str, ...]]:
    """Return a title and the ids of the tasks of the bundle of a line; of its group, with the
    bundles in it, if it has no bundle. ``group`` is the group of the line."""
    if (planned := _bundle_of(tree, row)) is not None:
        return f"Bundle {tree.plan.bundle_label(planned.bundle)}", planned.bundle.task_ids
    if group is None:
        return "Plan", tuple(i for chain in tree.chains for i in chain_ids(chain))
    ids = dict.fromkeys(i for chain in group.chains for i in chain_ids(chain))
    for item in group.items:
        if isinstance(item, PlannedBundle):
            ids.update(dict.fromkeys(item.bundle.task_ids))
    return f"Plan, {group.title}", tuple(ids)


def _bundle_of(tree: PlanTree, row: Row) -> PlannedBundle | None:
    match row:
        case PlannedBundle():
            return row
        case PlanGroup(bundle=bundle):
            return bundle
        case PlannedChain() | Member(chain=PlannedChain()):
            chain = row.chain if isinstance(row, Member) else row
            names = set(chain.bundles) if isinstance(chain, PlannedChain) else set()
            planned = tree.plan.bundles
            return next((x for x in planned if (x.bundle.lang, x.bundle.name) in names), None)
    return None


def chain_ids(chain: Chain) -> tuple[str, ...]:
    """Return the ids of the tasks of a chain, in the order of its lines."""
    if isinstance(chain, PlannedChain):
        return tuple(planned.task.id for planned in chain.tasks)
    return (chain.task.id, *(planned.task.id for planned in chain.others))


# Search


@dataclass(frozen=True, slots=True)
class Hits:
    """The tasks that a search found; ``unread`` is how many tasks are not read yet."""

    ids: frozenset[str] = frozenset()
    unread: int = 0


def searched_tasks(plan: PurgePlan) -> Collection[Task]:
    """Return the tasks that a search covers: those that go, blocked ones, and pinned ones."""
    tasks = {planned.task.id: planned.task for planned in plan.tasks}
    tasks.update((blocked.task.id, blocked.task) for blocked in plan.blocked)
    tasks.update((pinned.task.id, pinned.task) for pinned in plan.pinned)
    return tasks.values()


def find_hits(tree: PlanTree, query: str, known: KnownFacts, snapshot: Snapshot) -> Hits:
    """Search for a text in the ids, calls, inputs, bundles, errors and notes of the tasks of a
    plan, or compare an input as a number: ``beta > 0.9``.

    ``snapshot`` is the one that the plan is made from.
    """
    tasks = searched_tasks(tree.plan)
    comparison = parse_comparison(query)
    if comparison is None:
        needle = query.casefold()
        ids = _tasks_with_text(tasks, needle, known, snapshot.ids_noted_with(needle))
    else:
        ids = _tasks_that_meet(comparison, tasks, known)
    unread = sum(
        task.id not in known.summaries for task in tasks if task.status is not Status.BROKEN
    )
    return Hits(ids, unread)


def _tasks_with_text(
    tasks: Iterable[Task], needle: str, known: KnownFacts, noted: frozenset[str]
) -> frozenset[str]:
    summaries, failures = known.summaries, known.failures
    return frozenset(
        task.id
        for task in tasks
        if needle in task.id
        or task.id in noted
        or any(needle in name.casefold() for name in task.bundles)
        or ((summary := summaries.get(task.id)) and summary.matches(needle))
        or ((failure := failures.get(task.id)) and failure.matches(needle))
    )


def _tasks_that_meet(
    comparison: Comparison, tasks: Iterable[Task], known: KnownFacts
) -> frozenset[str]:
    summaries, failures = known.summaries, known.failures
    found = set()
    for task in tasks:
        if (failure := failures.get(task.id)) is not None:
            met = comparison.holds(failure.inputs, (failure.code_text,))
        else:
            met = summaries.get(task.id, NO_SUMMARY).meets(comparison)
        if met:
            found.add(task.id)
    return frozenset(found)
