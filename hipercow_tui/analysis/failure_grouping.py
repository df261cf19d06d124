"""Group failed tasks: by messages that are alike, by the frame in which they failed, or by node.

Made from tasks and from their failures that were read so far. Each of them is in one group, by
whatever they are grouped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import inf
from typing import NamedTuple, TypeAlias

from hipercow_tui.analysis.error_groups import (
    SAMPLE_SIZE,
    Counts,
    ErrorGroup,
    ErrorGrouping,
    ErrorSort,
    Failure,
    ValueSummary,
    parse_number,
    sort_groups,
)
from hipercow_tui.analysis.message_template import MessageTemplate
from hipercow_tui.domain.task import Status, Task

_UNKNOWN = {ErrorGrouping.FRAME: "no frame known", ErrorGrouping.NODE: "no node known"}
_Pair: TypeAlias = tuple[Task, Failure]


class _GroupKey(NamedTuple):
    """What the tasks of a group have in common; see ``ErrorGroup``."""

    pattern: str
    is_known: bool = True
    by_rule: bool = False


def group_failures(
    tasks: Iterable[Task],
    known: Mapping[str, Failure],
    sort: ErrorSort | None = None,
    by: ErrorGrouping = ErrorGrouping.MESSAGE,
    nodes: Mapping[str, str] | None = None,
) -> tuple[ErrorGroup, ...]:
    """Group the tasks with a known failure, and return the groups in this order.

    By message, a failure that a rule of the user matched is in the group of that rule. By node,
    only tasks in ``nodes`` are grouped: the name of the node by task id, "" if it is not known.
    """
    failures = ((task, known.get(task.id)) for task in tasks)
    pairs = [(task, failure) for task, failure in failures if failure is not None]
    groups: dict[_GroupKey, list[_Pair]]
    match by:
        case ErrorGrouping.MESSAGE:
            groups = _by_message(pairs)
        case ErrorGrouping.FRAME:
            groups = _by_name(by, ((pair[1].frame, pair) for pair in pairs))
        case ErrorGrouping.NODE:
            found = nodes or {}
            named = ((found.get(pair[0].id), pair) for pair in pairs)
            groups = _by_name(by, [(name, pair) for name, pair in named if name is not None])
    made = [_make_group(by, key, members) for key, members in groups.items()]
    return sort_groups(made, sort or ErrorSort())


def group_with(
    task_id: str, tasks: Mapping[str, Task], known: Mapping[str, Failure]
) -> ErrorGroup | None:
    """Return the group by message of a failed task; None if its failure is not known."""
    failures = dict(known)  # filled by another thread meanwhile
    failure = failures.get(task_id)
    if failure is None or task_id not in tasks:
        return None
    key = _message_key(failure)
    same = [tasks[i] for i, one in failures.items() if i in tasks and _message_key(one) == key]
    (group,) = group_failures(same, failures)
    return group


def _message_key(failure: Failure) -> _GroupKey:
    if failure.rule:
        return _GroupKey(failure.rule, by_rule=True)
    return _GroupKey(failure.message_template.pattern, failure.problem is None)


def _by_message(pairs: Iterable[_Pair]) -> dict[_GroupKey, list[_Pair]]:
    by_template: dict[tuple[str, bool, str, tuple[str, ...]], list[_Pair]] = {}
    for pair in pairs:
        failure = pair[1]
        key = failure.rule, failure.problem is None, failure.template, failure.placeholders
        by_template.setdefault(key, []).append(pair)
    # Messages that R broke into lines at other places are alike too.
    groups: dict[_GroupKey, list[_Pair]] = {}
    for (rule, has_message, template, placeholders), members in by_template.items():
        pattern = MessageTemplate(template, placeholders, placeholders).pattern
        group = _GroupKey(rule, by_rule=True) if rule else _GroupKey(pattern, has_message)
        groups.setdefault(group, []).extend(members)
    return groups


def _by_name(by: ErrorGrouping, named: Iterable[tuple[str, _Pair]]) -> dict[_GroupKey, list[_Pair]]:
    """Group pairs by a name; an empty one is not known."""
    groups: dict[_GroupKey, list[_Pair]] = {}
    for name, pair in named:
        key = _GroupKey(name) if name else _GroupKey(_UNKNOWN[by], is_known=False)
        groups.setdefault(key, []).append(pair)
    return groups


# The names of a task's inputs, and their values.
_InputValues: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]


def _make_group(by: ErrorGrouping, key: _GroupKey, pairs: list[_Pair]) -> ErrorGroup:
    pairs.sort(key=lambda pair: (-(pair[0].finished or -inf), pair[0].id))
    tasks = [task for task, _ in pairs]
    failures = [failure for _, failure in pairs]
    times = [task.finished for task in tasks if task.finished is not None]
    bundles = Counter(name for task in tasks for name in task.bundles)
    code = Counter(failure.code_text for failure in failures if failure.code_text)
    by_values: dict[tuple[str, ...], Failure] = {}  # the first failure with these values
    input_counts: Counter[_InputValues] = Counter()
    for failure in failures:
        inputs, values = failure.split_values()
        by_values.setdefault(values, failure)
        input_counts[failure.input_names, inputs] += 1
    of_one_message = by is ErrorGrouping.MESSAGE and not key.by_rule
    same_placeholders = len({failure.placeholders for failure in failures}) == 1
    with_values = of_one_message and same_placeholders
    return ErrorGroup(
        by=by,
        pattern=key.pattern,
        text=_text_with_common_values(by_values) if with_values else key.pattern,
        ids=tuple(task.id for task in tasks),
        first_finished=min(times, default=None),
        last_finished=max(times, default=None),
        bundles=_by_frequency(bundles),
        code=tuple(text for text, _ in _by_frequency(code)),
        inputs=_summarize_inputs(input_counts),
        is_known=key.is_known,
        by_rule=key.by_rule,
        messages=() if of_one_message else _count_messages(failures),
        frames=_by_frequency(Counter(failure.frame for failure in failures if failure.frame)),
        retried_successfully=sum(task.latest_status is Status.SUCCESS for task in tasks),
    )


def _text_with_common_values(by_values: Mapping[tuple[str, ...], Failure]) -> str:
    """Return the message with placeholders only for the values that differ."""
    columns = zip(*by_values, strict=True)
    differing = {place for place, column in enumerate(columns) if len(set(column)) > 1}
    return by_values[min(by_values)].message_template.shown(differing)


def _count_messages(failures: Iterable[Failure]) -> Counts:
    templates = Counter((failure.template, failure.placeholders) for failure in failures)
    patterns: Counter[str] = Counter()
    for (template, placeholders), tasks in templates.items():
        patterns[MessageTemplate(template, placeholders, placeholders).pattern] += tasks
    return _by_frequency(patterns)


def _by_frequency(counts: Counter[str]) -> Counts:
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _summarize_inputs(counts: Mapping[_InputValues, int]) -> tuple[ValueSummary, ...]:
    """Summarize every input of the tasks, those of most tasks first.

    ``counts`` is the number of tasks by the names and values of their inputs.
    """
    values: dict[str, Counter[str]] = {}
    places: dict[str, int] = {}
    for (names, task_values), tasks in counts.items():
        for place, (name, value) in enumerate(zip(names, task_values, strict=True)):
            values.setdefault(name, Counter())[value] += tasks
            places[name] = min(place, places.get(name, place))
    ordered = sorted(values, key=lambda name: (-values[name].total(), places[name], name))
    return tuple(_summarize_values(name, values[name]) for name in ordered)


def _summarize_values(name: str, counts: Counter[str]) -> ValueSummary:
    numbers = {value: parse_number(value) for value in counts}
    numeric = None not in numbers.values()
    if numeric:
        ordered = sorted(counts, key=lambda value: (numbers[value], value))
    else:
        ordered = [value for value, _ in _by_frequency(counts)]
    if len(ordered) <= SAMPLE_SIZE:
        sample = ordered
    else:
        sample = [ordered[0], ordered[-1]] if numeric else ordered[: SAMPLE_SIZE - 1]
    return ValueSummary(name, len(counts), tuple(sample), numeric)
