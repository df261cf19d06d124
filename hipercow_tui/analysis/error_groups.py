"""Failed tasks in groups: what broke, how often, for which inputs.

Tasks are of one group if their messages are alike. Pure: made from tasks and from what was read of
their errors; knows neither disk nor screen.
"""

from __future__ import annotations

import marshal
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, cast

from hipercow_tui.analysis.message_template import MessageTemplate, parse_message
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.support.text import truncate_middle

if TYPE_CHECKING:
    from hipercow_tui.formats.details import TaskDetails

NO_MESSAGE = "an error without a message"
SAMPLE_SIZE = 3  # values that are told one by one
_MAX_MESSAGE = 4000  # characters that are kept of a message or of warnings
_INPUT_WIDTH = 60  # characters that are kept of an input
Inputs: TypeAlias = tuple[tuple[str, str], ...]
_T = TypeVar("_T")


class _PackedFailure(NamedTuple):
    """What is held of a failure, all of it plain values.

    All but the last two are much the same in thousands of tasks: see Sharing. ``packed`` is what is
    its own: the values of its inputs, those of its wording, and its message where that is not what
    its wording shows, in a third of the room that these take as objects.
    """

    template: str
    placeholders: tuple[str, ...]
    warnings: str
    code_text: str
    input_names: tuple[str, ...]
    problem: str | None
    packed: bytes
    folder: bytes


class Failure(_PackedFailure):
    """How one task failed: its ``message`` and the ``warnings`` before it, what it ran and with
    which ``inputs`` (names and deparsed values); or the ``problem``: why no message is known.
    ``folder`` is the state of its folder in which it was read, or empty."""

    __slots__ = ()

    def __new__(
        cls,
        message: str,
        warnings: str = "",
        what: str = "",
        inputs: Inputs = (),
        problem: str | None = None,
        folder: bytes = b"",
    ) -> Failure:
        """Takes the message apart, which costs most."""
        template, signs, values = taken = parse_message(problem or message or NO_MESSAGE)
        own = [value for _, value in inputs] + list(values)
        if taken.shown(()) != message:
            own.append(message)
        names = tuple([name for name, _ in inputs])
        return cls._make((template, signs, warnings, what, names, problem, pack(own), folder))

    @property
    def message(self) -> str:
        """What it said; empty where that is not known."""
        template, signs, _, _, names, _, packed, _ = self
        own, inputs = unpack(packed), len(names)
        return own[-1] if len(own) > inputs + len(signs) else template % own[inputs:]

    @property
    def inputs(self) -> Inputs:
        """Names and values, in order."""
        return tuple(zip(self.input_names, unpack(self.packed), strict=False))

    @property
    def message_template(self) -> MessageTemplate:
        """Its message taken apart, or its problem."""
        return MessageTemplate(self.template, self.placeholders, self.split_values()[1])

    def split_values(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The values of its inputs, and those in its message."""
        own = unpack(self.packed)
        inputs = len(self.input_names)
        return own[:inputs], own[inputs : inputs + len(self.placeholders)]

    def matches(self, needle: str) -> bool:
        """Whether the needle, which is case-folded, stands in its message."""
        return needle in self.message.casefold()

    @classmethod
    def from_details(cls, details: TaskDetails) -> Failure:
        """What the details of a failed task say."""
        known = details.error is not None
        return cls(
            truncate_middle(details.error or "", _MAX_MESSAGE),
            truncate_middle(details.warnings, _MAX_MESSAGE),
            details.code_text,
            inputs_of(details),
            None if known else details.problem or "its 'result' holds no error",
        )


def pack(values: Sequence[str]) -> bytes:
    """Texts as bytes: the same ones for the same texts."""
    return marshal.dumps(tuple(values), 2)  # later formats tell objects apart that are equal


def unpack(packed: bytes) -> tuple[str, ...]:
    """The texts again."""
    return cast(tuple[str, ...], marshal.loads(packed))


class Interner:
    """Makes failures that share what is the same in all of a cause: code, names, warnings and the
    words around what differs. That is most of what thousands of them hold."""

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}

    def intern_failure(self, failure: Failure, folder: bytes) -> Failure:
        """The same failure, made of what is known already, as read in that state of its folder."""
        *alike, packed, _ = failure
        return Failure._make((*map(self.intern, alike), packed, folder))

    def intern(self, value: _T) -> _T:
        """The value, as the object that is known already."""
        return cast(_T, self._known.setdefault(value, value))


def inputs_of(details: TaskDetails) -> Inputs:
    """The inputs of a task with their values on one line, of at most 60 characters."""
    return tuple(
        (name, truncate_middle(" ".join(value.split()), _INPUT_WIDTH))
        for name, value in details.inputs
    )


@dataclass(frozen=True, slots=True)
class ValueSummary:
    """An input over the tasks of a group: how many ``distinct`` values it has, and of these a
    ``sample``: all where they are few; else the smallest and the largest if they are numbers, and if
    not those that are most frequent."""

    name: str
    distinct: int
    sample: tuple[str, ...]
    numeric: bool

    @property
    def differs(self) -> bool:
        """Whether it has more than one value."""
        return self.distinct > 1

    def __str__(self) -> str:
        """``beta 0.2 … 1`` or ``region "London", "Wales" +9``."""
        if self.distinct == len(self.sample):
            return f"{self.name} {', '.join(self.sample)}"
        if self.numeric:
            return f"{self.name} {' … '.join(self.sample)}"
        return f"{self.name} {', '.join(self.sample)} +{self.distinct - len(self.sample)}"


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Failed tasks whose messages are alike.

    ``pattern`` is what all have in common, and ``text`` the same with the values that are equal in
    all. ``ids`` are the tasks, the last to finish first; ``first`` and ``last`` when they finished,
    in seconds since the epoch. ``bundles`` are names with how many of the tasks are in each, those
    with most first; ``code`` what they run, ``inputs`` with what, in order. ``has_message`` says that
    there are messages: without, ``text`` says why they are not known. ``saved`` is how many of the
    tasks succeeded when they were retried.
    """

    pattern: str
    text: str
    ids: tuple[str, ...]
    first_finished: float | None
    last_finished: float | None
    bundles: tuple[tuple[str, int], ...]
    code: tuple[str, ...]
    inputs: tuple[ValueSummary, ...]
    has_message: bool
    retried_successfully: int

    @property
    def varying(self) -> tuple[ValueSummary, ...]:
        """The inputs that differ between the tasks."""
        return tuple(spread for spread in self.inputs if spread.differs)

    def matches(self, needle: str) -> bool:
        """Whether the needle, which is case-folded, stands in what is told of it: its message, its
        inputs, its code, its bundles."""
        bundles = (name for name, _ in self.bundles)
        told = (" ".join(self.text.split()), *map(str, self.inputs), *self.code, *bundles)
        return any(needle in text.casefold() for text in told)


class ErrorKey(StrEnum):
    """What groups can be sorted by."""

    TASKS = "tasks"
    MESSAGE = "message"
    INPUTS = "inputs"
    BUNDLE = "bundle"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class ErrorSort:
    """An order of the groups; the largest first unless asked otherwise."""

    key: ErrorKey = ErrorKey.TASKS
    reverse: bool = True

    def toggled(self, key: ErrorKey) -> ErrorSort:
        """By this key, or if it is by that already, the other way round."""
        if key is self.key:
            return ErrorSort(key, not self.reverse)
        return ErrorSort(key, key in (ErrorKey.TASKS, ErrorKey.LAST))


def group_failures(
    tasks: Iterable[Task], known: Mapping[str, Failure], sort: ErrorSort | None = None
) -> tuple[ErrorGroup, ...]:
    """Those of the tasks of which it is known how they failed, in groups, in this order."""
    alike: dict[tuple[bool, str, tuple[str, ...]], list[_Pair]] = {}
    for task in tasks:
        failure = known.get(task.id)
        if failure is not None:
            key = (failure.problem is None, failure.template, failure.placeholders)
            alike.setdefault(key, []).append((task, failure))
    # Messages that R broke into lines elsewhere are of one group too.
    held: dict[tuple[bool, str], list[_Pair]] = {}
    for (told, template, signs), pairs in alike.items():
        pattern = MessageTemplate(template, signs, signs).pattern
        held.setdefault((told, pattern), []).extend(pairs)
    groups = [_make_group(told, pattern, pairs) for (told, pattern), pairs in held.items()]
    return sort_groups(groups, sort or ErrorSort())


def sort_groups(groups: Iterable[ErrorGroup], sort: ErrorSort) -> tuple[ErrorGroup, ...]:
    """The groups in this order; what is equal by size, then by age, then by message."""
    found = sorted(groups, key=lambda group: (group.pattern, group.has_message))
    found.sort(key=lambda group: (len(group.ids), group.last_finished or -inf), reverse=True)
    found.sort(key=_SORT_VALUES[sort.key], reverse=sort.reverse)
    return tuple(found)


_SORT_VALUES: Mapping[ErrorKey, Callable[[ErrorGroup], Any]] = {
    ErrorKey.TASKS: lambda group: len(group.ids),
    ErrorKey.MESSAGE: lambda group: group.text.casefold(),
    ErrorKey.INPUTS: lambda group: ", ".join(map(str, group.varying)).casefold(),
    ErrorKey.BUNDLE: lambda group: [name for name, _ in group.bundles],
    ErrorKey.LAST: lambda group: group.last_finished or -inf,
}


_Pair: TypeAlias = tuple[Task, Failure]


def _make_group(told: bool, pattern: str, pairs: list[_Pair]) -> ErrorGroup:
    pairs.sort(key=lambda pair: (-(pair[0].finished or -inf), pair[0].id))
    tasks = [task for task, _ in pairs]
    failures = [failure for _, failure in pairs]
    times = [task.finished for task in tasks if task.finished is not None]
    bundles = Counter(name for task in tasks for name in task.bundles)
    code = Counter(failure.code_text for failure in failures if failure.code_text)
    said: dict[tuple[str, ...], Failure] = {}  # one for each
    given: Counter[tuple[tuple[str, ...], tuple[str, ...]]] = Counter()
    for failure in failures:
        inputs, values = failure.split_values()
        said.setdefault(values, failure)
        given[failure.input_names, inputs] += 1
    signs = {failure.placeholders for failure in failures}
    return ErrorGroup(
        pattern=pattern,
        text=_text_with_common_values(said) if len(signs) == 1 else pattern,
        ids=tuple(task.id for task in tasks),
        first_finished=min(times, default=None),
        last_finished=max(times, default=None),
        bundles=_by_frequency(bundles),
        code=tuple(what for what, _ in _by_frequency(code)),
        inputs=_summarize_inputs(given),
        has_message=told,
        retried_successfully=sum(task.latest_status is Status.SUCCESS for task in tasks),
    )


def _text_with_common_values(said: Mapping[tuple[str, ...], Failure]) -> str:
    """The message with the values that are the same in all of them."""
    columns = zip(*said, strict=True)
    differing = {place for place, column in enumerate(columns) if len(set(column)) > 1}
    return said[min(said)].message_template.shown(differing)


def _by_frequency(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _summarize_inputs(
    given: Mapping[tuple[tuple[str, ...], tuple[str, ...]], int],
) -> tuple[ValueSummary, ...]:
    """Of every input a task of the group has, from how many were given which names and values;
    those of most tasks first."""
    values: dict[str, Counter[str]] = {}
    places: dict[str, int] = {}
    for (names, own), tasks in given.items():
        for place, (name, value) in enumerate(zip(names, own, strict=True)):
            values.setdefault(name, Counter())[value] += tasks
            places[name] = min(place, places.get(name, place))
    in_order = sorted(values, key=lambda name: (-values[name].total(), places[name], name))
    return tuple(_summarize_values(name, values[name]) for name in in_order)


def _summarize_values(name: str, counts: Counter[str]) -> ValueSummary:
    numbers = {value: parse_number(value) for value in counts}
    numeric = None not in numbers.values()
    if numeric:
        in_order = sorted(counts, key=lambda value: (numbers[value], value))
    else:
        in_order = [value for value, _ in _by_frequency(counts)]
    if len(in_order) <= SAMPLE_SIZE:
        few = in_order
    else:
        few = [in_order[0], in_order[-1]] if numeric else in_order[: SAMPLE_SIZE - 1]
    return ValueSummary(name, len(counts), tuple(few), numeric)


def parse_number(value: str) -> float | None:
    """The number that R's deparser wrote so: ``0.91``, ``4L``, ``1e+05``; None for anything else,
    and for what has no place among numbers."""
    try:
        found = float(value.removesuffix("L"))
    except ValueError:
        return None
    return found if found == found else None
