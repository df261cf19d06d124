"""Tasks against their inputs: what differs between the tasks of a bundle, as columns.

Pure: made from tasks and from the inputs that were read of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TypeAlias

from hipercow_tui.analysis.error_groups import parse_number
from hipercow_tui.domain.task import Status, Task

# Names and deparsed values, in the order of the task's ``data``.
Inputs: TypeAlias = tuple[tuple[str, str], ...]
SORT_BY_STATUS, SORT_BY_FINISHED = "status", "finished"
_MAX_NUMBER = 1e300  # what is larger has no place on a scale


@dataclass(frozen=True, slots=True)
class Sweep:
    """What differs between some tasks: the ``names`` of inputs that have more than one value, or
    that not all tasks have, and for each task its ``values`` in the same order, None for an input
    it does not have. ``same`` are the inputs that are equal in all."""

    names: tuple[str, ...] = ()
    constant_inputs: Inputs = ()
    values: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)

    def matches(self, task_id: str, query: str) -> bool:
        """Whether the query stands in the task's id or in one of its inputs as ``beta = 0.95``."""
        needle = query.casefold()
        pairs = zip(self.names, self.values.get(task_id, ()), strict=False)
        return needle in task_id or any(needle in f"{n} = {v}".casefold() for n, v in pairs)


def make_sweep(inputs: Mapping[str, Inputs]) -> Sweep:
    """The sweep of these tasks, by id."""
    found: dict[str, set[str | None]] = {}
    for pairs in inputs.values():
        for name, value in pairs:
            found.setdefault(name, set()).add(value)
    of_each = {task_id: dict(pairs) for task_id, pairs in inputs.items()}
    for name, values in found.items():
        if any(name not in pairs for pairs in of_each.values()):
            values.add(None)
    names = tuple(name for name, values in found.items() if len(values) > 1)
    same = tuple((name, str(*values)) for name, values in found.items() if len(values) == 1)
    columns = {i: tuple(map(pairs.get, names)) for i, pairs in of_each.items()}
    return Sweep(names, same, columns)


@dataclass(frozen=True, slots=True)
class SweepSort:
    """An order of the tasks: by ``status``, by when they ``finished``, or by an input, named by its
    place among those that differ."""

    key: str = "0"
    reverse: bool = False

    def toggled(self, key: str) -> SweepSort:
        """By this key, or if it is by that already, the other way round."""
        return SweepSort(key, not self.reverse if key == self.key else key == SORT_BY_FINISHED)


_RANK = {status: rank for rank, status in enumerate(Status)}


def sort_rows(sweep: Sweep, tasks: Iterable[Task], sort: SweepSort) -> tuple[str, ...]:
    """The ids of the tasks in this order: numbers as numbers, what is missing last. What is equal
    stands in the order of the inputs."""
    found = sorted(tasks, key=lambda task: _row_key(sweep.values.get(task.id, ())))
    if sort.key == SORT_BY_STATUS:
        found.sort(key=lambda task: _RANK[task.status], reverse=sort.reverse)
    elif sort.key == SORT_BY_FINISHED:
        found.sort(key=lambda task: task.finished or 0.0, reverse=sort.reverse)
    else:
        place = int(sort.key)
        found.sort(
            key=lambda task: _row_key(sweep.values.get(task.id, ())[place : place + 1]),
            reverse=sort.reverse,
        )
    return tuple(task.id for task in found)


def _row_key(values: Sequence[str | None]) -> list[tuple[float, str]]:
    return [_value_key(value) for value in values]


def _value_key(value: str | None) -> tuple[float, str]:
    if value is None:
        return inf, "\U0010ffff"
    as_number = parse_number(value)
    return (inf, value) if as_number is None else (as_number, "")


@dataclass(frozen=True, slots=True)
class FailureRate:
    """Of the ``tasks`` whose input has one value, or lies in one part of its range, how many
    ``failed``; ``label`` is that value, or where the part begins, of the last where it ends."""

    label: str
    tasks: int
    failed: int


def failure_rates(
    sweep: Sweep, tasks: Iterable[Task], place: int, parts: int
) -> tuple[FailureRate, ...]:
    """How many failed along an input: its range in so many equal parts if it has many numbers, else
    a part for each value, the most frequent of them if there are more."""
    pairs = [
        (value, task.status is Status.FAILURE)
        for task in tasks
        if (value := sweep.values.get(task.id, (None,) * (place + 1))[place]) is not None
    ]
    numbers = {value: parse_number(value) for value, _ in pairs}
    given = [one for one in numbers.values() if one is not None and abs(one) < _MAX_NUMBER]
    if len(given) == len(numbers) and len(numbers) > parts:
        low, high = min(given), max(given)
        step = (high - low) / parts or 1.0  # the same number can be written in many ways

        def part(value: str) -> int:
            return min(parts - 1, int(((numbers[value] or 0.0) - low) / step))

        total = Counter(part(value) for value, _ in pairs)
        failed = Counter(part(value) for value, bad in pairs if bad)
        labels = [*(f"{low + step * at:.3g}" for at in range(parts - 1)), f"{high:.3g}"]
        return tuple(FailureRate(label, total[at], failed[at]) for at, label in enumerate(labels))
    of_value = Counter(value for value, _ in pairs)
    failed_of = Counter(value for value, bad in pairs if bad)
    most = sorted(of_value, key=lambda value: -of_value[value])[:parts]
    return tuple(FailureRate(v, of_value[v], failed_of[v]) for v in sorted(most, key=_value_key))
