"""What goes or stays together: a retry chain, or a task that was never retried (rule 13)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.task import TASK_ID, Task, is_bundle_name
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import escape_controls


@dataclass(frozen=True, slots=True, eq=False)
class ChainUnit:
    """The planned tasks of one chain, first attempt first. ``members`` are all ids of the chain,
    those that are gone included."""

    members: frozenset[str]
    tasks: tuple[Task, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the planned tasks, first attempt first."""
        return tuple(task.id for task in self.tasks)


def chain_units(plan: PurgePlan) -> tuple[ChainUnit, ...]:
    """The plan's tasks as units, in the order of the plan.

    Raises PurgeError for a plan with an id or name that could lead out of the root: such a plan
    was not made from one.
    """
    for planned in plan.bundles:
        name = planned.bundle.name
        if not is_bundle_name(name, planned.bundle.lang):
            raise PurgeError(
                f"The plan names a bundle '{escape_controls(name)}': nothing was changed"
            )
    chains: dict[tuple[str, ...], dict[str, Task]] = {}
    for task in (planned.task for planned in plan.tasks):
        if not TASK_ID.match(task.id):
            raise PurgeError(
                f"The plan names a task '{escape_controls(task.id)}': nothing was changed"
            )
        chain = task.chain if task.id in task.chain else (task.id,)
        chains.setdefault(chain, {})[task.id] = task
    return tuple(
        ChainUnit(frozenset(chain), tuple(tasks[i] for i in chain if i in tasks))
        for chain, tasks in chains.items()
    )


def by_member(units: Iterable[ChainUnit]) -> Mapping[str, ChainUnit]:
    """Which unit an id belongs to."""
    return {task_id: unit for unit in units for task_id in unit.members}
