"""Choose the chains of a plan that free a given amount of space, and no more than needed.

Chains are chosen whole and in order, until the goal is reached. Everything that a chain draws in
counts, and counts once. The result is an ordinary plan of only these chains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from hipercow_tui.domain.cautions import RECENTLY_CREATED
from hipercow_tui.domain.plan import PurgePlan, make_plan
from hipercow_tui.domain.plan_chains import PlannedChain, planned_chains
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status
from hipercow_tui.formats.folder_size import NO_SIZE, Size, SizeKind, freed_size
from hipercow_tui.support.text import pluralize

Sizes = Mapping[str, Size]


class GoalOrder(StrEnum):
    """Which chains are chosen first.

    ``OLDEST``: those of which the last task ended first. ``LARGEST``: those that free most.
    ``STATUS``: by the last attempt, failures before cancelled before successes before others; the
    oldest of each first.
    """

    OLDEST = "oldest"
    LARGEST = "largest"
    STATUS = "status"

    @property
    def shown(self) -> str:
        """Return what comes first, such as ``oldest first``."""
        return "failures first" if self is GoalOrder.STATUS else f"{self} first"


@dataclass(frozen=True, slots=True)
class Goal:
    """How much to free at least: ``bytes`` by the definition ``kind``, and ``files``.

    Chains with a task that was created within the last hour are chosen only if ``recent``. If the
    bytes are those missing until a part of the file system is free, ``percent`` is that part.
    """

    bytes: int = 0
    files: int = 0
    kind: SizeKind = SizeKind.APPARENT
    order: GoalOrder = GoalOrder.OLDEST
    recent: bool = False
    percent: float | None = None

    def is_met(self, freed: Size) -> bool:
        """Return whether this size is enough."""
        return freed.of(self.kind) >= self.bytes and freed.files >= self.files

    def __str__(self) -> str:
        files = pluralize(self.files, "file") if self.files else ""
        size = self.kind.text(self.bytes) if self.bytes else ""
        if self.percent is not None:
            size = f"{self.percent:g} % free{f' ({size})' if size else ''}"
        return " and ".join(filter(None, (size, files))) or "0"


@dataclass(frozen=True, slots=True)
class GoalChoice:
    """The chains that a goal chose.

    Attributes:
        goal: The goal.
        ids: The tasks of the chosen chains.
        freed: What these free.
        available: What all chains would free that could be chosen.
        recent: The number of chains left out because they are recent.
        unmeasured: The number of chains left out because a task of them could not be measured.
        blocked: The number of chains left out because they are blocked.
        pinned: The number of chains left out because they are pinned.
    """

    goal: Goal
    ids: frozenset[str]
    freed: Size
    available: Size
    recent: int = 0
    unmeasured: int = 0
    blocked: int = 0
    pinned: int = 0

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return self.goal.is_met(self.freed)

    def __str__(self) -> str:
        goal = f"the goal of {self.goal}"
        if self.met and not self.ids:
            return f"{goal} is met already, so nothing goes"
        freed, available = map(self._text, (self.freed, self.available))
        if self.met:
            return f"{goal}, {self.goal.order.shown}, stops at {freed} of {available} that match"
        return f"{goal} can't be reached: only {available} can go{self._obstacles}"

    def _text(self, size: Size) -> str:
        kind = self.goal.kind
        return size.text(kind) if self.goal.files else kind.text(size.of(kind))

    @property
    def _obstacles(self) -> str:
        left_out = (
            (self.blocked, "blocked"),
            (self.pinned, "pinned"),
            (self.recent, "created within the last hour"),
            (self.unmeasured, "not measured"),
        )
        parts = [f"{number:,} {why}" for number, why in left_out if number]
        chains = sum(number for number, _ in left_out)
        noun = "chain" if chains == 1 else "chains"
        return f"; {noun} left out: {', '.join(parts)}" if parts else ""


def choose_chains(plan: PurgePlan, sizes: Sizes, goal: Goal) -> GoalChoice:
    """Choose chains of a plan in the order of the goal, as few as it allows.

    The plan leaves out blocked chains. ``sizes`` are those of its tasks, by id.
    """
    chains, recent, unmeasured = [], 0, 0
    for chain in (one for one in planned_chains(plan) if not one.kept):
        if not goal.recent and _is_recent(chain, plan.made):
            recent += 1
        elif not all(one.task.id in sizes for one in chain.tasks):
            unmeasured += 1
        else:
            chains.append(chain)
    of_chain = {
        chain.key: freed_size(sizes[one.task.id] for one in chain.tasks) for chain in chains
    }
    chosen, freed = _fewest(sorted(chains, key=_sort_key(goal, of_chain)), of_chain, goal)
    return GoalChoice(
        goal,
        frozenset(one.task.id for chain in chosen for one in chain.tasks),
        freed,
        freed_size(of_chain.values()),
        recent,
        unmeasured,
        len({one.chain or one.task.id for one in plan.blocked}),
        len({one.task.chain or one.task.id for one in plan.pinned}),
    )


def plan_for_goal(
    plan: PurgePlan,
    snapshot: Snapshot,
    sizes: Sizes,
    goal: Goal,
    *,
    ignore_unreadable_bundles: bool = False,
) -> tuple[PurgePlan, GoalChoice]:
    """Return the part of a plan that a goal chooses, and the choice. It is empty if the goal can't
    be reached.

    ``plan`` was made from the snapshot, with ``skip_blocked``: a goal chooses among the chains that
    can go. ``sizes`` are those of its tasks, by id.
    """
    choice = choose_chains(plan, sizes, goal)
    part = make_plan(
        snapshot,
        plan.filters,
        now=plan.made,
        skip_blocked=True,
        ignore_unreadable_bundles=ignore_unreadable_bundles,
        only_ids=choice.ids if choice.met else frozenset(),
    )
    sentence = str(choice)
    limited = replace(
        plan,
        tasks=part.tasks,
        bundles=part.bundles,
        warnings=part.warnings,
        goal=sentence[0].upper() + sentence[1:],
    )
    return limited, choice


def _fewest(
    chains: Iterable[PlannedChain], of_chain: Mapping[str, Size], goal: Goal
) -> tuple[Sequence[PlannedChain], Size]:
    """Return the first chains that reach the goal together, and what they free."""
    chosen: list[PlannedChain] = []
    freed = NO_SIZE
    for chain in chains:
        if goal.is_met(freed):
            break
        chosen.append(chain)
        freed = freed_size((freed, of_chain[chain.key]))
    return chosen, freed


def _is_recent(chain: PlannedChain, now: float) -> bool:
    created = (one.task.created for one in chain.tasks)
    return any(time is not None and now - time < RECENTLY_CREATED for time in created)


_STATUS_ORDER = (Status.FAILURE, Status.CANCELLED, Status.SUCCESS)


def _sort_key(goal: Goal, of_chain: Mapping[str, Size]) -> Callable[[PlannedChain], Any]:
    """Return a function of a chain; equal chains are in the order of their ids."""
    match goal.order:
        case GoalOrder.LARGEST:
            return lambda chain: (-of_chain[chain.key].of(goal.kind), chain.key)
        case GoalOrder.STATUS:
            return lambda chain: (_status_rank(chain), _last_time(chain), chain.key)
    return lambda chain: (_last_time(chain), chain.key)


def _last_time(chain: PlannedChain) -> float:
    """Return when the last task of a chain ended, or was created if it has not ended."""
    tasks = [one.task for one in chain.tasks]
    return max(
        (task.finished if task.finished is not None else task.created or 0.0) for task in tasks
    )


def _status_rank(chain: PlannedChain) -> int:
    """Return the place of the status of the last attempt."""
    last = chain.tasks[0].task.latest_status or chain.tasks[-1].task.status
    return _STATUS_ORDER.index(last) if last in _STATUS_ORDER else len(_STATUS_ORDER)
