"""The failures of tasks, and groups of them. ``failure_grouping`` makes the groups."""

from __future__ import annotations

import marshal
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
Counts: TypeAlias = tuple[tuple[str, int], ...]  # names with a number each
_T = TypeVar("_T")


class _PackedFailure(NamedTuple):
    """The fields of a failure, as plain values to save memory.

    All but the last two are the same in many of thousands of tasks (see Interner). ``packed`` has
    the values that differ: those of the inputs, those in the message, and the message itself if
    the template does not give it. Packed they take a third of the memory.
    """

    template: str
    placeholders: tuple[str, ...]
    warnings: str
    code_text: str
    input_names: tuple[str, ...]
    problem: str | None
    frame: str
    rule: str
    packed: bytes
    folder: bytes


class Failure(_PackedFailure):
    """The failure of one task.

    It has the ``message`` and the ``warnings`` before it, the code and ``inputs`` of the task, and
    in ``problem`` why no message is known, or None. ``frame`` is the function in which it failed,
    ``rule`` the name of the user's rule that matched the message; both can be empty. ``folder`` is
    the fingerprint of the folder when it was read, or empty.
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
        frame: str = "",
    ) -> Failure:
        """Parse the message, which costs most, and pack the values."""
        parsed = parse_message(problem or message or NO_MESSAGE)
        template, placeholders, values = parsed
        packed = [value for _, value in inputs] + list(values)
        if parsed.shown(()) != message:
            packed.append(message)
        names = tuple([name for name, _ in inputs])
        shared = (template, placeholders, warnings, code_text, names, problem, frame, "")
        return cls._make((*shared, pack(packed), folder))

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
            frame=details.frame,
        )


def lacks_reason(task: Task, error: str | None) -> bool:
    """Return whether a task failed and its error does not say why; its outer log may say it."""
    return task.status is Status.FAILURE and error in (None, LOST)


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
    """Failed tasks with messages that are alike, or with the same frame or node.

    Attributes:
        by: What the tasks have in common.
        pattern: The message with placeholders for all values; or the frame, the node, or the name
            of the user's rule.
        text: The message with placeholders for the values that differ; otherwise as ``pattern``.
        ids: The tasks, the last to finish first.
        first_finished, last_finished: When they finished, in seconds since the epoch.
        bundles: Names of bundles with the number of the tasks in each, the most frequent first.
        code: The code that they run, the most frequent first.
        inputs: Their inputs.
        is_known: Whether the message, frame or node is known; otherwise ``text`` is why it is not.
        retried_successfully: How many of the tasks succeeded in a retry.
        by_rule: Whether ``text`` is the name of a rule.
        messages: The patterns of the messages with the number of the tasks, the most frequent
            first; empty if all have the message ``text``.
        frames: The known frames with the number of the tasks, the most frequent first.
    """

    by: ErrorGrouping
    pattern: str
    text: str
    ids: tuple[str, ...]
    first_finished: float | None
    last_finished: float | None
    bundles: Counts
    code: tuple[str, ...]
    inputs: tuple[ValueSummary, ...]
    is_known: bool
    retried_successfully: int
    by_rule: bool
    messages: Counts
    frames: Counts

    @property
    def key(self) -> str:
        """A text that identifies the group among all groups."""
        return f"{self.by} {self.is_known:d}{self.by_rule:d}{self.pattern}"

    @property
    def line(self) -> str:
        """``text`` on one line; if the message is not known, it says so."""
        text = " ".join(self.text.split())
        if self.is_known or self.by is not ErrorGrouping.MESSAGE:
            return text
        return f"no message: {text}"

    def named(self, line: str) -> str:
        """Return ``line``, which may be a shortened one, with what it is: ``frame 'fit()'``."""
        kind = "error" if self.by is ErrorGrouping.MESSAGE else self.by.value
        return f"{kind} '{line}'" if self.is_known else line

    @property
    def varying(self) -> tuple[ValueSummary, ...]:
        """The inputs that differ between the tasks."""
        return tuple(summary for summary in self.inputs if summary.differs)

    @property
    def lacks_reason(self) -> bool:
        """Whether no message says why the tasks failed, or their node is not known: their outer
        logs may say it."""
        unknown = not self.is_known and self.by is not ErrorGrouping.FRAME
        messages = [message for message, _ in self.messages] or [self.text]
        return unknown or messages == [LOST]

    def matches(self, needle: str) -> bool:
        """Return whether message, frames, inputs, code or bundles contain a case-folded text."""
        counted = (name for name, _ in (*self.bundles, *self.messages, *self.frames))
        texts = (" ".join(self.text.split()), *map(str, self.inputs), *self.code, *counted)
        return any(needle in text.casefold() for text in texts)


class ErrorGrouping(StrEnum):
    """What the tasks of a group have in common."""

    MESSAGE = "message"
    FRAME = "frame"
    NODE = "node"


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


def sort_groups(groups: Iterable[ErrorGroup], sort: ErrorSort) -> tuple[ErrorGroup, ...]:
    """Return the groups in this order; equal groups by size, then age, then message or other
    key."""
    ordered = sorted(groups, key=lambda group: group.key)
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


def parse_number(value: str) -> float | None:
    """Parse a number as R deparses it, such as ``0.91``, ``4L``, ``1e+05``.

    None for NaN and anything that is not a number.
    """
    try:
        found = float(value.removesuffix("L"))
    except ValueError:
        return None
    return found if found == found else None
