"""Choose the chains of a plan that free a given amount of space, and no more than needed.

Chains are chosen whole and in order, until the goal is reached. Everything that a chain draws in
counts, and counts once. The result is an ordinary plan of only these chains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hipercow_tui.domain.cautions import RECENTLY_CREATED
from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.plan_chains import PlannedChain, planned_chains
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


@dataclass(frozen=True, slots=True)
class Goal:
    """How much to free at least: ``bytes`` by the definition ``kind``, and ``files``.

    Chains with a task that was created within the last hour are chosen only if ``recent``.
    """

    bytes: int = 0
    files: int = 0
    kind: SizeKind = SizeKind.APPARENT
    order: GoalOrder = GoalOrder.OLDEST
    recent: bool = False

    def is_met(self, freed: Size) -> bool:
        """Return whether this size is enough."""
        return freed.of(self.kind) >= self.bytes and freed.files >= self.files

    def __str__(self) -> str:
        files = pluralize(self.files, "file") if self.files else ""
        size = self.kind.text(self.bytes) if self.bytes else ""
        return " and ".join(filter(None, (size, files))) or "nothing"


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
    """

    goal: Goal
    ids: frozenset[str]
    freed: Size
    available: Size
    recent: int = 0
    unmeasured: int = 0

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return self.goal.is_met(self.freed)

    def __str__(self) -> str:
        if self.met and not self.ids:
            return f"the goal of {self.goal} is met already: nothing is chosen"
        kind = self.goal.kind
        freed, available = (kind.text(size.of(kind)) for size in (self.freed, self.available))
        if self.met:
            return f"stops at {freed} of {available} that match"
        return f"the goal of {self.goal} can't be reached: only {available} match{self._obstacles}"

    @property
    def _obstacles(self) -> str:
        left_out = (
            (self.recent, "created within the last hour"),
            (self.unmeasured, "that could not be measured"),
        )
        parts = [f"{pluralize(number, 'chain')} {why}" for number, why in left_out if number]
        return f", without {' and '.join(parts)}" if parts else ""


def choose_chains(plan: PurgePlan, sizes: Sizes, goal: Goal) -> GoalChoice:
    """Choose chains of a plan in the order of the goal, as few as it allows.

    The plan has no blocked chains. ``sizes`` are those of its tasks, by id.
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
    )


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
