"""The retry chains of a plan, and the bundles that each of them costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from hipercow_tui.domain.plan import PlannedTask, PurgePlan, Reason
from hipercow_tui.domain.task import BundleId, Lang


class PlannedChain(NamedTuple):
    """The planned tasks of a retry chain, or one task that was never retried.

    A tuple, because a plan can have a million.

    Attributes:
        tasks: The matched tasks, then those that are drawn in; each in the order of the attempts.
        kept: Whether the user keeps the chain.
        bundles: The bundles of the plan that list an id of the chain. Of a kept chain those that
            list its tasks, which stay unless another chain takes them.
    """

    tasks: tuple[PlannedTask, ...]
    kept: bool
    bundles: tuple[BundleId, ...]

    @property
    def key(self) -> str:
        """The id of the first attempt, which may be deleted: it identifies the chain."""
        task = self.tasks[0].task
        return task.chain[0] if task.chain else task.id


def planned_chains(plan: PurgePlan) -> tuple[PlannedChain, ...]:
    """Return the chains that go, then the kept ones, in the order of their first tasks."""
    going, chain_of = _by_chain(plan.tasks)
    costs: dict[int, list[BundleId]] = {}
    for planned in plan.bundles:
        bundle = planned.bundle
        for number in set(map(chain_of[bundle.lang].get, bundle.task_ids)):
            if number is not None:
                costs.setdefault(number, []).append((bundle.lang, bundle.name))
    kept = _by_chain(plan.kept)[0]
    return (
        *(PlannedChain(_in_order(c), False, tuple(costs.get(n, ()))) for n, c in enumerate(going)),
        *(PlannedChain(_in_order(chain), True, _listed_in(chain)) for chain in kept),
    )


def number_of_chains(tasks: Sequence[PlannedTask]) -> int:
    """Return how many chains the tasks belong to; a task that was never retried is a chain."""
    return len(_by_chain(tasks)[0])


def _by_chain(
    tasks: Iterable[PlannedTask],
) -> tuple[list[list[PlannedTask]], Mapping[Lang, Mapping[str, int]]]:
    """Return the tasks of each chain, and the number of the chain for each id in it, also for the
    ids of deleted tasks."""
    chains: list[list[PlannedTask]] = []
    chain_of: dict[Lang, dict[str, int]] = {lang: {} for lang in Lang}
    for one in tasks:
        task = one.task
        known = chain_of[task.lang]
        number = known.get(task.id)
        if number is not None:
            chains[number].append(one)
            continue
        if task.chain:
            known.update(dict.fromkeys(task.chain, len(chains)))
        else:
            known[task.id] = len(chains)
        chains.append([one])
    return chains, chain_of


def _in_order(chain: Sequence[PlannedTask]) -> tuple[PlannedTask, ...]:
    """Return the matched tasks of a chain, then the others, each in the order of the attempts."""
    if len(chain) == 1:
        return tuple(chain)
    attempts = {task_id: number for number, task_id in enumerate(chain[0].task.chain)}
    return tuple(
        sorted(chain, key=lambda one: (one.reason is not Reason.MATCHED, attempts[one.task.id]))
    )


def _listed_in(tasks: Iterable[PlannedTask]) -> tuple[BundleId, ...]:
    """Return the bundles that list one of the tasks."""
    return tuple({(one.task.lang, name): None for one in tasks for name in one.task.bundles})
