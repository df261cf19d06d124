"""The report on a task or an error in Markdown, which a user sends to others to ask for help.

It is made from values alone. Text from disk is masked, then cut, and is always in a code span or in
a fence that it can't end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hipercow_tui.analysis.error_groups import Counts, ErrorGroup, ErrorGrouping
from hipercow_tui.domain.durations import queue_time, run_time
from hipercow_tui.domain.notes import Note
from hipercow_tui.domain.task import Lang, Task
from hipercow_tui.formats.details import TaskDetails
from hipercow_tui.formats.environments import Environment
from hipercow_tui.output.masking import Masker
from hipercow_tui.support.text import (
    escape_controls,
    first_of,
    format_age,
    format_duration,
    format_size,
    pluralize,
)

MAX_LISTED = 40  # inputs, variables, packages or calls
MAX_COUNTED = 8  # bundles, messages or frames of an error, the most frequent first
LOG_LINES = 40  # of each log
_SPAN = 300  # characters of a value on one line
_CALL = 100  # characters of a call in a trace
_CODE = 4000  # characters
_ERROR = 6000
_LOG = 8000
_LINE = 500  # characters of a line of a log
_MASKED_LINE = 8000  # characters of it in which secrets are searched
_IN_COMMON = {
    ErrorGrouping.MESSAGE: "error",
    ErrorGrouping.FRAME: "frame",
    ErrorGrouping.NODE: "node",
}
_RUNS_WITH = {Lang.R: "r", Lang.PY: "sh"}


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the report is made: the versions of hipercow-tui and Python, and the platform."""

    version: str
    python: str
    platform: str


@dataclass(frozen=True, slots=True)
class LogEnd:
    """The last lines of a log of ``size`` bytes; ``problem`` says why there are none.

    ``fetched`` is when it was fetched from the cluster, in seconds since the epoch; None if it is
    in the folder of the task.
    """

    name: str
    lines: tuple[str, ...] = ()
    size: int = 0
    fetched: float | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a retry chain; ``task`` is None if it is gone. ``error`` is its message."""

    task_id: str
    task: Task | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What a report says of a task.

    ``versions`` are those that the task ran with, by name, and ``node`` is the machine on which it
    ran, or empty. ``environment`` is None if the task
    names none. ``trace`` has the calls of the error, the outermost first. ``chain`` is empty if the
    task was never retried.
    """

    task: Task
    details: TaskDetails
    versions: Mapping[str, str] = field(default_factory=dict)
    node: str = ""
    environment: Environment | None = None
    trace: tuple[str, ...] = ()
    logs: tuple[LogEnd, ...] = ()
    chain: tuple[Attempt, ...] = ()
    notes: tuple[Note, ...] = ()


def task_report(facts: TaskFacts, machine: Machine, masker: Masker, now: float) -> str:
    """Return the report on a task. ``now`` is in seconds since the epoch."""
    writer = _Writer(masker, now)
    return _text([f"# Task {facts.task.id}", "", *writer.head(machine), *writer.task(facts, 2)])


def error_report(
    group: ErrorGroup,
    examples: Sequence[TaskFacts],
    machine: Machine,
    masker: Masker,
    now: float,
) -> str:
    """Return the report on an error, with some of its tasks as examples.

    ``now`` is in seconds since the epoch. The masker knows the secrets of the tasks.
    """
    writer = _Writer(masker, now)
    lines = [
        f"# {pluralize(len(group.ids), 'failed task')} with the same {_IN_COMMON[group.by]}",
        "",
        *writer.head(machine),
        *writer.group(group),
    ]
    for facts in examples:
        lines += [f"## Example: task {facts.task.id}", "", *writer.task(facts, 3)]
    return _text(lines)


def _text(lines: Iterable[str]) -> str:
    """Join the lines; sections end with an empty line, of which the last is left out."""
    return "\n".join(lines).rstrip("\n") + "\n"


class _Writer:
    """Yields the lines of sections; each section ends with an empty line."""

    def __init__(self, masker: Masker, now: float) -> None:
        self._masker = masker
        self._now = now

    # Sections

    def head(self, machine: Machine) -> Iterator[str]:
        yield (
            f"Made by hipercow-tui {machine.version} (Python {machine.python}, {machine.platform})"
            f" on {_time(self._now)}. Values that look secret are hidden; please read the text"
            " before you send it."
        )
        yield ""

    def group(self, group: ErrorGroup) -> Iterator[str]:
        yield from self._block(group.text, _ERROR)
        yield f"- tasks: {len(group.ids):,}"
        if group.retried_successfully:
            yield f"- succeeded after a retry: {group.retried_successfully:,}"
        if group.first_finished is not None and group.last_finished is not None:
            yield f"- first: {self._moment(group.first_finished)}"
            yield f"- last: {self._moment(group.last_finished)}"
        yield from self._counted("bundles", group.bundles)
        yield from self._counted("messages", group.messages)
        if group.by is not ErrorGrouping.FRAME:
            yield from self._counted("failed in", group.frames)
        yield from _listed("runs", map(self._span, group.code), MAX_COUNTED)
        yield ""
        same = [one for one in group.inputs if not one.differs]
        for title, inputs in (("differ", group.varying), ("are the same", same)):
            values = [
                (one.name, str(one).removeprefix(f"{one.name} "), pluralize(one.distinct, "value"))
                for one in inputs
            ]
            yield from self._values(2, f"Inputs that {title}", values)

    def task(self, facts: TaskFacts, level: int) -> Iterator[str]:
        details = facts.details
        yield from self._status(facts)
        if details.error:
            yield from self._section(level, "Error", details.error, _ERROR)
        if details.warnings:
            yield from self._section(level, "Warnings", details.warnings, _ERROR)
        if facts.trace:
            yield from self._trace(facts.trace, level)
        yield from self._code(facts, level)
        for title, values in (
            ("Inputs", details.inputs),
            ("Resources", details.resources),
            ("Environment variables", [(one.name, one.masked) for one in details.envvars]),
        ):
            yield from self._values(level, title, [(name, value, "") for name, value in values])
        yield from self._chain(facts, level)
        for log in facts.logs:
            yield from self._log(log, level)

    def _status(self, facts: TaskFacts) -> Iterator[str]:
        task, details = facts.task, facts.details
        yield f"- status: {task.status}"
        for problem in dict.fromkeys(filter(None, (task.problem, details.problem))):
            yield f"- problem: {self._span(problem)}"
        yield f"- language: {task.lang.shown}"
        if details.driver:
            yield f"- driver: {self._span(details.driver)}"
        known = [f"{name} {self._span(version)}" for name, version in facts.versions.items()]
        unknown = [] if "hipercow" in facts.versions else ["hipercow not known"]
        if task.lang is Lang.R and "R" not in facts.versions:
            unknown.append("R not known")
        yield f"- versions: {', '.join([*known, *unknown])}"
        if facts.node:
            yield f"- node: {self._span(facts.node)}"
        yield from self._times(task)
        yield from _listed("bundles", map(self._span, task.bundles))
        for note in facts.notes:
            yield f"- note: {self._span(note.text_for_task(self._now))}"
        yield ""

    def _times(self, task: Task) -> Iterator[str]:
        for verb, then in (("created", task.created), ("started", task.started)):
            if then is not None:
                yield f"- {verb}: {self._moment(then)}"
        if task.finished is not None:
            about = ", estimated" if task.finished_estimated else ""
            yield f"- finished: {self._moment(task.finished)}{about}"
        for verb, seconds in (
            ("time in the queue", queue_time(task, self._now)),
            ("run time", run_time(task, self._now)),
        ):
            if seconds is not None:
                yield f"- {verb}: {format_duration(seconds)}"

    def _code(self, facts: TaskFacts, level: int) -> Iterator[str]:
        details = facts.details
        if details.runs is None:
            return
        language = _RUNS_WITH[facts.task.lang]
        yield from self._section(level, "What ran", details.runs, _CODE, language)
        yield f"- type: {self._span(details.type or 'unknown')}"
        if details.path:
            yield f"- folder: {self._span(details.path)}"
        if details.environment:
            yield f"- environment: {self._span(details.environment)}"
        if (environment := facts.environment) is not None:
            yield from _listed("packages", map(self._span, environment.packages))
            yield from _listed("sources", map(self._span, environment.sources))
            if environment.engine:
                yield f"- engine: {self._span(environment.engine)}"
            if environment.problem:
                yield f"- the environment can't be read: {self._span(environment.problem)}"
        yield ""

    def _trace(self, trace: Sequence[str], level: int) -> Iterator[str]:
        first = max(0, len(trace) - MAX_LISTED)
        lines = [f"… {pluralize(first, 'call')} before"] if first else []
        for number, call in enumerate(trace[first:], first + 1):
            lines.append(f"{number}. {self._masker.mask_part(call, _CALL)}")
        yield from self._section(level, "Trace", "\n".join(lines), _LOG)

    def _chain(self, facts: TaskFacts, level: int) -> Iterator[str]:
        if not facts.chain:
            return
        yield from _heading(level, "Retry chain")
        for number, attempt in enumerate(facts.chain, 1):
            this = ", this task" if attempt.task_id == facts.task.id else ""
            task = attempt.task
            if task is None:
                yield f"{number}. gone: `{attempt.task_id}`"
                continue
            finished = "" if task.finished is None else f", finished {self._moment(task.finished)}"
            message = attempt.error.partition("\n")[0]
            error = f": {self._span(message)}" if message else ""
            yield f"{number}. {task.status}: `{attempt.task_id}`{this}{finished}{error}"
        yield ""

    def _log(self, log: LogEnd, level: int) -> Iterator[str]:
        if log.problem:
            yield from _heading(level, f"End of {self._span(log.name)}")
            yield self._span(log.problem)
            yield ""
            return
        lines = pluralize(len(log.lines), "line")
        fetched = "" if log.fetched is None else f", fetched {self._moment(log.fetched)}"
        title = f"Last {lines} of {self._span(log.name)} ({format_size(log.size)}{fetched})"
        # Masked before its lines are cut: a private key has several lines.
        masked = self._masker.mask("\n".join(line[:_MASKED_LINE] for line in log.lines))
        cut = (f"{line[:_LINE]}…" if len(line) > _LINE else line for line in masked.split("\n"))
        text = "\n".join(cut)
        yield from self._section(level, title, text, _LOG, end=True)

    # Parts of sections

    def _counted(self, label: str, counts: Counts) -> Iterator[str]:
        texts = [f"{self._span(text)} ({number:,})" for text, number in counts]
        return _listed(label, texts, MAX_COUNTED)

    def _values(
        self, level: int, title: str, values: Sequence[tuple[str, str, str]]
    ) -> Iterator[str]:
        """Yield a section with a line for each name, value and remark."""
        if not values:
            return
        yield from _heading(level, title)
        for name, value, remark in values[:MAX_LISTED]:
            named = self._masker.mask_part(f"{name} = {value}", _SPAN + len(name))
            size = f" ({pluralize(len(value), 'character')})" if len(value) > _SPAN else ""
            more = f" ({remark})" if remark else size
            yield f"- {self._span(name)} = {self._span(named.removeprefix(f'{name} = '))}{more}"
        if len(values) > MAX_LISTED:
            yield f"- … and {len(values) - MAX_LISTED:,} more"
        yield ""

    def _section(
        self,
        level: int,
        title: str,
        text: str,
        limit: int,
        language: str = "",
        *,
        end: bool = False,
    ) -> Iterator[str]:
        """Yield a heading and a text in a fence."""
        yield from _heading(level, title)
        yield from self._block(text, limit, language, end=end)

    def _block(
        self, text: str, limit: int, language: str = "", *, end: bool = False
    ) -> Iterator[str]:
        """Yield a text in a fence, cut to ``limit`` characters, with ``end`` at its beginning."""
        lines = self._masker.mask_part(text, limit, end=end).splitlines()
        whole = "\n".join(escape_controls(line.expandtabs()) for line in lines)
        fence = "`" * max(3, 1 + _longest_run(whole))
        yield from (f"{fence}{language}", whole, fence, "")

    def _span(self, text: str) -> str:
        """Return a text as code on one line, cut to 300 characters."""
        shown = escape_controls(self._masker.mask_part(text, _SPAN))
        if not shown.strip():
            return "(empty)"
        ticks = "`" * (1 + _longest_run(shown))
        pad = " " if "`" in (shown[0], shown[-1]) else ""
        return f"{ticks}{pad}{shown}{pad}{ticks}"

    def _moment(self, then: float) -> str:
        return f"{_time(then)} ({format_age(then, self._now)})"


def _heading(level: int, title: str) -> Iterator[str]:
    yield f"{'#' * level} {title}"
    yield ""


def _listed(label: str, texts: Iterable[str], limit: int = MAX_LISTED) -> Iterator[str]:
    """Yield a line with the first texts; nothing without any."""
    if every := list(texts):
        yield f"- {label}: {first_of(every, limit)}"


def _longest_run(text: str) -> int:
    """Return the length of the longest run of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)


def _time(seconds: float) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):  # a damaged file
        return "an invalid time"
