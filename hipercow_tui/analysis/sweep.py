"""Compare the tasks of a bundle or an error by their inputs: those that differ, as columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property

from hipercow_tui.analysis.comparison import Comparison, parse_comparison
from hipercow_tui.analysis.error_groups import Inputs, parse_number
from hipercow_tui.domain.task import Status, Task

SORT_BY_STATUS, SORT_BY_FINISHED = "status", "finished"


@dataclass(frozen=True)
class Sweep:
    """The inputs of some tasks, split into those that differ and those that do not.

    Attributes:
        names: The inputs with more than one value, or that not all tasks have.
        constant_inputs: The inputs that are equal in all tasks.
        values: For each task the values of ``names``, in order; None if it does not have the input.

    ``names`` changes while inputs are read: choose an input by its name and not by its place.
    """

    names: tuple[str, ...] = ()
    constant_inputs: Inputs = ()
    values: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)

    def matches(self, task_id: str, query: str) -> bool:
        """Return whether an input fulfils a query such as ``beta > 0.9``, or the id or an input as
        ``beta = "high"`` contains the query."""
        comparison = parse_comparison(query)
        if comparison is not None:
            return self.value_found(task_id, comparison) is not None
        needle = query.casefold()
        pairs = zip(self.names, self.values.get(task_id, ()), strict=False)
        return needle in task_id or any(needle in f"{n} = {v}".casefold() for n, v in pairs)

    def value_found(self, task_id: str, comparison: Comparison) -> str | None:
        """Return the value of a task that fulfils the comparison, None if there is none."""
        values = self.values.get(task_id, ())
        pairs = [(n, v) for n, v in zip(self.names, values, strict=False) if v is not None]
        return comparison.value_in((*pairs, *self.constant_inputs))

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place in ``names`` of each input, by its sort key."""
        return {input_key(name): place for place, name in enumerate(self.names)}

    @cached_property
    def ranks(self) -> tuple[Mapping[str | None, int], ...]:
        """For each input the rank of each value; equal numbers have the same rank."""
        return tuple(
            _rank_values({v[place] for v in self.values.values()})
            for place in range(len(self.names))
        )


def make_sweep(inputs: Mapping[str, Inputs]) -> Sweep:
    """Make the sweep of tasks from their inputs, by id."""
    found: dict[str, set[str | None]] = {}
    for pairs in inputs.values():
        for name, value in pairs:
            found.setdefault(name, set()).add(value)
    by_task = {task_id: dict(pairs) for task_id, pairs in inputs.items()}
    for name, values in found.items():
        if any(name not in pairs for pairs in by_task.values()):
            values.add(None)
    names = tuple(name for name, values in found.items() if len(values) > 1)
    constant = tuple((name, str(*values)) for name, values in found.items() if len(values) == 1)
    columns = {i: tuple(map(pairs.get, names)) for i, pairs in by_task.items()}
    return Sweep(names, constant, columns)


def input_key(name: str) -> str:
    """Return the sort key of an input, which no other column has: an input can be named status."""
    return f"input:{name}"


@dataclass(frozen=True, slots=True)
class SweepSort:
    """An order of the tasks.

    ``key`` is SORT_BY_STATUS, SORT_BY_FINISHED, or the ``input_key`` of an input. Until the user
    chooses a column it is empty: the tasks are in the order of all inputs.
    """

    key: str = ""
    reverse: bool = False

    def resolved(self, names: Sequence[str]) -> SweepSort:
        """Return the order with the key of the first of these inputs, if none was chosen."""
        return self if self.key or not names else replace(self, key=input_key(names[0]))

    def toggled(self, key: str) -> SweepSort:
        """Return the order by ``key``: reversed if it is the key already."""
        return SweepSort(key, not self.reverse if key == self.key else key == SORT_BY_FINISHED)


_RANK = {status: rank for rank, status in enumerate(Status)}


def sort_rows(sweep: Sweep, tasks: Iterable[Task], sort: SweepSort) -> tuple[str, ...]:
    """Return the ids of the tasks in this order; equal tasks in the order of all inputs.

    Numbers are compared as numbers; a missing value is last.
    """
    ranks = sweep.ranks
    found = sorted(tasks, key=lambda task: _row_rank(sweep.values.get(task.id, ()), ranks))
    if sort.key == SORT_BY_STATUS:
        found.sort(key=lambda task: _RANK[task.status], reverse=sort.reverse)
    elif sort.key == SORT_BY_FINISHED:
        found.sort(key=lambda task: task.finished or 0.0, reverse=sort.reverse)
    elif (place := sweep.places.get(sort.key)) is not None:
        column = slice(place, place + 1)
        found.sort(
            key=lambda task: _row_rank(sweep.values.get(task.id, ())[column], ranks[column]),
            reverse=sort.reverse,
        )
    return tuple(task.id for task in found)


def _rank_values(values: Set[str | None]) -> Mapping[str | None, int]:
    """Return the rank of each value and of None: numbers, texts, None."""
    present = [value for value in values if value is not None]
    numbers = {value: n for value in present if (n := parse_number(value)) is not None}
    rank_of = {number: rank for rank, number in enumerate(sorted(set(numbers.values())))}
    ranks: dict[str | None, int] = {value: rank_of[number] for value, number in numbers.items()}
    texts = sorted(value for value in present if value not in numbers)
    return ranks | {value: len(rank_of) + rank for rank, value in enumerate([*texts, None])}


def _row_rank(values: Iterable[str | None], ranks: Iterable[Mapping[str | None, int]]) -> int:
    """Return one number to sort by, the first input first.

    A sort compares numbers three times as fast as tuples, and no other thread runs meanwhile.
    """
    rank = 0
    for value, rank_of in zip(values, ranks, strict=False):
        rank = rank * (len(rank_of) + 1) + rank_of[value]
    return rank


def comparable_ids(tasks: Mapping[str, Task], ids: Collection[str]) -> tuple[str, ...]:
    """Return the successful tasks in the bundles of the given tasks."""
    bundles = {
        (task.lang, name)
        for i in ids
        if (task := tasks.get(i)) is not None
        for name in task.bundles
    }
    return tuple(
        task.id
        for task in tasks.values()
        if task.status is Status.SUCCESS
        and task.bundles
        and any((task.lang, name) in bundles for name in task.bundles)
    )
