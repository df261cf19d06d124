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
    costs: dict[int, tuple[BundleId, ...]] = {}
    for planned in plan.bundles:
        bundle = planned.bundle
        only = ((bundle.lang, bundle.name),)  # one object for all its chains
        for number in set(map(chain_of[bundle.lang].get, bundle.task_ids)):
            if number is not None:
                costs[number] = costs[number] + only if number in costs else only
    kept = _by_chain(plan.kept)[0]
    return (
        *(PlannedChain(_in_order(c), False, costs.get(n, ())) for n, c in enumerate(going)),
        *(PlannedChain(_in_order(chain), True, _listed_in(chain)) for chain in kept),
    )


def number_of_chains(tasks: Iterable[PlannedTask]) -> int:
    """Return how many chains the tasks belong to; a task that was never retried is a chain."""
    return len(_by_chain(tasks)[0])


def _by_chain(
    tasks: Iterable[PlannedTask],
) -> tuple[list[Sequence[PlannedTask]], Mapping[Lang, Mapping[str, int]]]:
    """Return the tasks of each chain, and the number of the chain for each id in it, also for the
    ids of deleted tasks."""
    chains: list[Sequence[PlannedTask]] = []
    chain_of: dict[Lang, dict[str, int]] = {lang: {} for lang in Lang}
    members: dict[int, list[PlannedTask]] = {}  # of the chains of retried tasks
    for one in tasks:
        task = one.task
        known = chain_of[task.lang]
        number = known.get(task.id)
        if number in members:
            members[number].append(one)
        elif task.chain:
            known.update(dict.fromkeys(task.chain, len(chains)))
            chains.append(members.setdefault(len(chains), [one]))
        else:
            known[task.id] = len(chains)
            chains.append((one,))
    return chains, chain_of


def _in_order(chain: Sequence[PlannedTask]) -> tuple[PlannedTask, ...]:
    """Return the matched tasks of a chain, then the others, each in the order of the attempts."""
    if len(chain) == 1:
        return tuple(chain)
    tasks = {one.task.id: one for one in chain}
    ordered = [tasks[task_id] for task_id in chain[0].task.chain if task_id in tasks]
    matched = [one for one in ordered if one.reason is Reason.MATCHED]
    if len(matched) == len(ordered):
        return tuple(ordered)
    return (*matched, *(one for one in ordered if one.reason is not Reason.MATCHED))


def _listed_in(tasks: Iterable[PlannedTask]) -> tuple[BundleId, ...]:
    """Return the bundles that list one of the tasks."""
    return tuple({(one.task.lang, name): None for one in tasks for name in one.task.bundles})
