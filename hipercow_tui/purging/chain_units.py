"""The units of a purge, which go or stay as a whole (docs/spec.md, rule 13)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.task import TASK_ID, Task, is_bundle_name
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import escape_controls


@dataclass(frozen=True, slots=True, eq=False)
class ChainUnit:
    """The planned tasks of a retry chain, first attempt first, or one task that was never retried.

    ``members`` are all ids of the chain, with those of deleted tasks.
    """

    members: frozenset[str]
    tasks: tuple[Task, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the planned tasks, first attempt first."""
        return tuple(task.id for task in self.tasks)


def chain_units(plan: PurgePlan) -> tuple[ChainUnit, ...]:
    """Group the tasks of a plan into units, in the order of the plan.

    Raises PurgeError for an id or name that could lead out of the root: no snapshot contains one.
    """
    for planned in plan.bundles:
        if not is_bundle_name(planned.bundle.name, planned.bundle.lang):
            raise _invalid_name("bundle", planned.bundle.name)
    chains: dict[tuple[str, ...], dict[str, Task]] = {}
    for task in (planned.task for planned in plan.tasks):
        if not TASK_ID.match(task.id):
            raise _invalid_name("task", task.id)
        chain = task.chain if task.id in task.chain else (task.id,)
        chains.setdefault(chain, {})[task.id] = task
    return tuple(
        ChainUnit(frozenset(chain), tuple(tasks[i] for i in chain if i in tasks))
        for chain, tasks in chains.items()
    )


def _invalid_name(kind: str, name: str) -> PurgeError:
    return PurgeError(
        f"Nothing was changed: the plan names a {kind} '{escape_controls(name)}', which is invalid"
    )


def by_member(units: Iterable[ChainUnit]) -> Mapping[str, ChainUnit]:
    """Map each id to the unit that has it as a member."""
    return {task_id: unit for unit in units for task_id in unit.members}
