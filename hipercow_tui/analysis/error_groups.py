"""Group failed tasks by their error: tasks are in one group if their messages are alike.

Made from tasks and from their failures that were read so far.
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

# The error that R stores when the cluster says that an unfinished task has failed (fix_status()).
LOST = "task reported as lost"
NO_MESSAGE = "an error without a message"
SAMPLE_SIZE = 3  # values of an input that are shown
_MAX_MESSAGE = 4000  # characters kept of a message or of warnings
_INPUT_WIDTH = 60  # characters kept of an input

# Names and deparsed values.
Inputs: TypeAlias = tuple[tuple[str, str], ...]
_T = TypeVar("_T")


class _PackedFailure(NamedTuple):
    """The fields of a failure, as plain values to save memory.

    All but the last two are mostly the same in thousands of tasks (see Interner). ``packed`` has
    the values that differ: those of the inputs, those in the message, and the message itself if
    the template does not give it. Packed they take a third of the memory.
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
    """The failure of one task.

    It has the ``message`` and the ``warnings`` before it, the code and ``inputs`` of the task, and
    in ``problem`` why no message is known, or None. ``folder`` is the fingerprint of the folder
    when it was read, or empty.
    """

    __slots__ = ()

    def __new__(
        cls,
        message: str,
        warnings: str = "",
        code_text: str = "",
        inputs: Inputs = (),
        problem: str | None = None,
        folder: bytes = b"",
    ) -> Failure:
        """Parse the message, which costs most, and pack the values."""
        parsed = parse_message(problem or message or NO_MESSAGE)
        template, placeholders, values = parsed
        packed = [value for _, value in inputs] + list(values)
        if parsed.shown(()) != message:
            packed.append(message)
        names = tuple([name for name, _ in inputs])
        return cls._make(
            (template, placeholders, warnings, code_text, names, problem, pack(packed), folder)
        )

    @property
    def message(self) -> str:
        """The message; empty if it is not known."""
        values, inputs = unpack(self.packed), len(self.input_names)
        if len(values) > inputs + len(self.placeholders):
            return values[-1]
        return self.template % values[inputs:]

    @property
    def inputs(self) -> Inputs:
        """Names and values, in order."""
        return tuple(zip(self.input_names, unpack(self.packed), strict=False))

    @property
    def message_template(self) -> MessageTemplate:
        """The parsed message or problem."""
        return MessageTemplate(self.template, self.placeholders, self.split_values()[1])

    def split_values(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the values of the inputs, and the values in the message."""
        values = unpack(self.packed)
        inputs = len(self.input_names)
        return values[:inputs], values[inputs : inputs + len(self.placeholders)]

    def matches(self, needle: str) -> bool:
        """Return whether the message contains a case-folded text."""
        return needle in self.message.casefold()

    @classmethod
    def from_details(cls, details: TaskDetails) -> Failure:
        """Make the failure from the details of a failed task."""
        known = details.error is not None
        return cls(
            truncate_middle(details.error or "", _MAX_MESSAGE),
            truncate_middle(details.warnings, _MAX_MESSAGE),
            details.code_text,
            inputs_of(details),
            None if known else details.problem or "its 'result' has no error",
        )


def pack(values: Sequence[str]) -> bytes:
    """Encode texts; equal texts give equal bytes."""
    return marshal.dumps(tuple(values), 2)  # later versions encode object identity too


def unpack(packed: bytes) -> tuple[str, ...]:
    """Decode the result of ``pack``."""
    return cast(tuple[str, ...], marshal.loads(packed))


class Interner:
    """Shares equal values between failures: code, input names, warnings and templates.

    They take most of the memory of thousands of failures.
    """

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}

    def intern_failure(self, failure: Failure, folder: bytes) -> Failure:
        """Return an equal failure of shared values, with the fingerprint of its folder."""
        *shared, packed, _ = failure
        return Failure._make((*map(self.intern, shared), packed, folder))

    def intern(self, value: _T) -> _T:
        """Return the first object that was equal to the value."""
        return cast(_T, self._known.setdefault(value, value))


def inputs_of(details: TaskDetails) -> Inputs:
    """Return the inputs of a task; each value is one line of at most 60 characters."""
    return tuple(
        (name, truncate_middle(" ".join(value.split()), _INPUT_WIDTH))
        for name, value in details.inputs
    )


@dataclass(frozen=True, slots=True)
class ValueSummary:
    """The values of one input in the tasks of a group.

    Attributes:
        name: The name of the input.
        distinct: How many different values there are.
        sample: All values if they are few; else the smallest and the largest number, or the most
            frequent values if not all are numbers.
        numeric: Whether all values are numbers.
    """

    name: str
    distinct: int
    sample: tuple[str, ...]
    numeric: bool

    @property
    def differs(self) -> bool:
        """Whether there is more than one value."""
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
    """Failed tasks with messages that are alike.

    Attributes:
        pattern: The message with placeholders for all values.
        text: The message with placeholders for the values that differ.
        ids: The tasks, the last to finish first.
        first_finished, last_finished: When they finished, in seconds since the epoch.
        bundles: Names of bundles with the number of the tasks in each, the most frequent first.
        code: The code that they run, the most frequent first.
        inputs: Their inputs.
        has_message: Whether the messages are known; otherwise ``text`` is why they are not.
        retried_successfully: How many of the tasks succeeded in a retry.
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
        return tuple(summary for summary in self.inputs if summary.differs)

    @property
    def lacks_reason(self) -> bool:
        """Whether the messages don't say why the tasks failed; their outer logs may say it."""
        return not self.has_message or self.text == LOST

    def matches(self, needle: str) -> bool:
        """Return whether message, inputs, code or bundles contain a case-folded text."""
        bundles = (name for name, _ in self.bundles)
        texts = (" ".join(self.text.split()), *map(str, self.inputs), *self.code, *bundles)
        return any(needle in text.casefold() for text in texts)


class ErrorKey(StrEnum):
    """The keys by which groups can be sorted."""

    TASKS = "tasks"
    MESSAGE = "message"
    INPUTS = "inputs"
    BUNDLE = "bundle"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class ErrorSort:
    """An order of the groups; by default the largest first."""

    key: ErrorKey = ErrorKey.TASKS
    reverse: bool = True

    def toggled(self, key: ErrorKey) -> ErrorSort:
        """Return the order by ``key``: reversed if it is the key already."""
        if key is self.key:
            return ErrorSort(key, not self.reverse)
        return ErrorSort(key, key in (ErrorKey.TASKS, ErrorKey.LAST))


def group_failures(
    tasks: Iterable[Task], known: Mapping[str, Failure], sort: ErrorSort | None = None
) -> tuple[ErrorGroup, ...]:
    """Group the tasks with a known failure, and return the groups in this order."""
    by_template: dict[tuple[bool, str, tuple[str, ...]], list[_Pair]] = {}
    for task in tasks:
        failure = known.get(task.id)
        if failure is not None:
            key = (failure.problem is None, failure.template, failure.placeholders)
            by_template.setdefault(key, []).append((task, failure))
    # Messages that R broke into lines at other places are alike too.
    by_pattern: dict[tuple[bool, str], list[_Pair]] = {}
    for (has_message, template, placeholders), pairs in by_template.items():
        pattern = MessageTemplate(template, placeholders, placeholders).pattern
        by_pattern.setdefault((has_message, pattern), []).extend(pairs)
    groups = [
        _make_group(has_message, pattern, pairs)
        for (has_message, pattern), pairs in by_pattern.items()
    ]
    return sort_groups(groups, sort or ErrorSort())


def sort_groups(groups: Iterable[ErrorGroup], sort: ErrorSort) -> tuple[ErrorGroup, ...]:
    """Return the groups in this order; equal groups by size, then age, then message."""
    ordered = sorted(groups, key=lambda group: (group.pattern, group.has_message))
    ordered.sort(key=lambda group: (len(group.ids), group.last_finished or -inf), reverse=True)
    ordered.sort(key=_SORT_VALUES[sort.key], reverse=sort.reverse)
    return tuple(ordered)


_SORT_VALUES: Mapping[ErrorKey, Callable[[ErrorGroup], Any]] = {
    ErrorKey.TASKS: lambda group: len(group.ids),
    ErrorKey.MESSAGE: lambda group: group.text.casefold(),
    ErrorKey.INPUTS: lambda group: ", ".join(map(str, group.varying)).casefold(),
    ErrorKey.BUNDLE: lambda group: [name for name, _ in group.bundles],
    ErrorKey.LAST: lambda group: group.last_finished or -inf,
}


_Pair: TypeAlias = tuple[Task, Failure]
# The names of a task's inputs, and their values.
_InputValues: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]


def _make_group(has_message: bool, pattern: str, pairs: list[_Pair]) -> ErrorGroup:
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
    same_placeholders = len({failure.placeholders for failure in failures}) == 1
    return ErrorGroup(
        pattern=pattern,
        text=_text_with_common_values(by_values) if same_placeholders else pattern,
        ids=tuple(task.id for task in tasks),
        first_finished=min(times, default=None),
        last_finished=max(times, default=None),
        bundles=_by_frequency(bundles),
        code=tuple(text for text, _ in _by_frequency(code)),
        inputs=_summarize_inputs(input_counts),
        has_message=has_message,
        retried_successfully=sum(task.latest_status is Status.SUCCESS for task in tasks),
    )


def _text_with_common_values(by_values: Mapping[tuple[str, ...], Failure]) -> str:
    """Return the message with placeholders only for the values that differ."""
    columns = zip(*by_values, strict=True)
    differing = {place for place, column in enumerate(columns) if len(set(column)) > 1}
    return by_values[min(by_values)].message_template.shown(differing)


def _by_frequency(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
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


def parse_number(value: str) -> float | None:
    """Parse a number as R deparses it, such as ``0.91``, ``4L``, ``1e+05``.

    None for NaN and anything that is not a number.
    """
    try:
        found = float(value.removesuffix("L"))
    except ValueError:
        return None
    return found if found == found else None
