"""Compare the tasks of a bundle by their inputs: the inputs that differ, as columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from hipercow_tui.analysis.comparison import Comparison, parse_comparison
from hipercow_tui.analysis.error_groups import Inputs, parse_number
from hipercow_tui.domain.task import Status, Task

SORT_BY_STATUS, SORT_BY_FINISHED = "status", "finished"
_MAX_NUMBER = 1e300  # a larger number is not put into a range


@dataclass(frozen=True, slots=True)
class Sweep:
    """The inputs of some tasks, split into those that differ and those that do not.

    Attributes:
        names: The inputs with more than one value, or that not all tasks have.
        constant_inputs: The inputs that are equal in all tasks.
        values: For each task the values of ``names``, in order; None if it does not have the input.
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


@dataclass(frozen=True, slots=True)
class SweepSort:
    """An order of the tasks.

    ``key`` is SORT_BY_STATUS, SORT_BY_FINISHED, or the place of an input in ``Sweep.names``.
    """

    key: str = "0"
    reverse: bool = False

    def toggled(self, key: str) -> SweepSort:
        """Return the order by ``key``: reversed if it is the key already."""
        return SweepSort(key, not self.reverse if key == self.key else key == SORT_BY_FINISHED)


_RANK = {status: rank for rank, status in enumerate(Status)}


def sort_rows(sweep: Sweep, tasks: Iterable[Task], sort: SweepSort) -> tuple[str, ...]:
    """Return the ids of the tasks in this order; equal tasks in the order of all inputs.

    Numbers are compared as numbers; a missing value is last.
    """
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
    """The failures among tasks with one value of an input, or with values in one part of its range.

    ``label`` is the value, or where the part begins; for the last part, where it ends.
    """

    label: str
    tasks: int
    failed: int


def failure_rates(
    sweep: Sweep, tasks: Iterable[Task], place: int, parts: int
) -> tuple[FailureRate, ...]:
    """Return the failures along the input at a place in ``Sweep.names``, in at most ``parts``.

    If the input has many numbers, its range is split into equal parts. Otherwise each value is a
    part; if there are too many, the most frequent values are used.
    """
    pairs = [
        (value, task.status is Status.FAILURE)
        for task in tasks
        if (value := sweep.values.get(task.id, (None,) * (place + 1))[place]) is not None
    ]
    numbers = {value: parse_number(value) for value, _ in pairs}
    finite = {v: n for v, n in numbers.items() if n is not None and abs(n) < _MAX_NUMBER}
    if len(finite) == len(numbers) and len(numbers) > parts:
        return _rates_by_range(pairs, finite, parts)
    return _rates_by_value(pairs, parts)


def _rates_by_range(
    pairs: Sequence[tuple[str, bool]], numbers: Mapping[str, float], parts: int
) -> tuple[FailureRate, ...]:
    low, high = min(numbers.values()), max(numbers.values())
    step = (high - low) / parts or 1.0  # all values can be the same number in different notations

    def part(value: str) -> int:
        return min(parts - 1, int((numbers[value] - low) / step))

    total = Counter(part(value) for value, _ in pairs)
    failed = Counter(part(value) for value, failure in pairs if failure)
    labels = [*(f"{low + step * at:.3g}" for at in range(parts - 1)), f"{high:.3g}"]
    return tuple(FailureRate(label, total[at], failed[at]) for at, label in enumerate(labels))


def _rates_by_value(pairs: Sequence[tuple[str, bool]], parts: int) -> tuple[FailureRate, ...]:
    total = Counter(value for value, _ in pairs)
    failed = Counter(value for value, failure in pairs if failure)
    frequent = sorted(total, key=lambda value: -total[value])[:parts]
    return tuple(FailureRate(v, total[v], failed[v]) for v in sorted(frequent, key=_value_key))
