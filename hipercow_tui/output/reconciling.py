"""The answers of R about tasks that may have ended, from the lines of ``r_programs.RECONCILE``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.domain.unfinished import UNFINISHED
from hipercow_tui.formats.details import read_details
from hipercow_tui.formats.root import Root
from hipercow_tui.output.r_calls import marker_path
from hipercow_tui.output.r_programs import RECONCILE_ANSWER
from hipercow_tui.support.text import escape_controls, pluralize

_LINE = re.compile(rf"{RECONCILE_ANSWER} ([0-9a-f]{{32}}) (\S+) (\S*) ?\Z")
_ENDED = (Status.SUCCESS, Status.FAILURE, Status.CANCELLED)
_SHOWN_IDS = 3  # of a group
_SHOWN_MESSAGES = 20  # of tasks that could not be asked about
# hipercow stops with this if the cluster says that a task succeeded: it can't record that.
_SUCCEEDED = "I don't know how to deal with this"


_BY_HAND = (
    "If the cluster has lost a task for good, make an empty file 'status-cancelled' in its folder"
)


class Outcome(StrEnum):
    """The result of asking about a task."""

    FREED = "freed"  # it has ended, and now has the marker of its end
    ALIVE = "alive"  # the cluster does not say that it ended
    UNRECORDED = "unrecorded"  # the cluster says that it succeeded, which R does not record
    FAILED = "failed"  # it could not be asked
    UNASKED = "unasked"  # R was stopped before, or has failed


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of R about one task.

    Attributes:
        task_id: The task.
        outcome: The result.
        status: Its status now, as far as R says; None if it could not be asked.
        message: The error of R, or empty.
    """

    task_id: str
    outcome: Outcome
    status: Status | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class AskTargets:
    """The tasks that R can be asked about, among some tasks.

    ``python`` counts unfinished tasks of Python: its package can't ask the cluster.
    """

    tasks: tuple[Task, ...]
    python: int = 0

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids to ask about."""
        return tuple(task.id for task in self.tasks)


def targets_among(tasks: Iterable[Task]) -> AskTargets:
    """Return the submitted and running tasks of R, and how many there are of Python."""
    unfinished = [task for task in tasks if task.status in UNFINISHED]
    of_r = tuple(filter(can_ask_about, unfinished))
    return AskTargets(of_r, len(unfinished) - len(of_r))


def can_ask_about(task: Task) -> bool:
    """Return whether R can be asked about a task."""
    return task.lang is Lang.R and task.status in UNFINISHED


def read_answer(line: bytes, ids: Collection[str]) -> Answer | None:
    """Return the answer in a line; None for other output, and for a task that is not asked about.

    R may have printed something without a newline before.
    """
    text = line.decode("utf-8", "replace").rstrip("\r\n")
    found = _LINE.search(text)
    if found is None or found[1] not in ids:
        return None
    task_id, status, message = found[1], unquote(found[2]), unquote(found[3])
    if status in _ENDED:
        return Answer(task_id, Outcome.FREED, Status(status))
    if status in UNFINISHED:
        return Answer(task_id, Outcome.ALIVE, Status(status))
    if message.startswith(_SUCCEEDED):
        return Answer(task_id, Outcome.UNRECORDED, message=message)
    return Answer(task_id, Outcome.FAILED, message=message or f"its status is {status}")


@dataclass(frozen=True, slots=True)
class AnswerReport:
    """The answers about some tasks, in the order in which R gave them."""

    tasks: Sequence[Task]
    answers: Mapping[str, Answer] = field(default_factory=dict)

    def answer(self, task_id: str) -> Answer:
        """Return the answer about a task."""
        return self.answers.get(task_id) or Answer(task_id, Outcome.UNASKED)

    def with_outcome(self, outcome: Outcome) -> list[Answer]:
        """Return the answers with an outcome, in the order of the tasks."""
        found = (self.answer(task.id) for task in self.tasks)
        return [one for one in found if one.outcome is outcome]

    @property
    def complete(self) -> bool:
        """Whether each task was asked about, and its end recorded if it has ended."""
        return all(
            self.answer(one.id).outcome in (Outcome.FREED, Outcome.ALIVE) for one in self.tasks
        )

    @property
    def unrecorded(self) -> list[Task]:
        """The tasks that have ended, and that R can't mark as such."""
        return [one for one in self.tasks if self.answer(one.id).outcome is Outcome.UNRECORDED]


def report_as_json(report: AnswerReport, root: Root, *, dry_run: bool) -> dict[str, Any]:
    """Return the object of ``reconcile --json``; in a dry run no task has an outcome."""
    markers = missing_markers(report, root)
    return {
        "root": str(root.path),
        "dry_run": dry_run,
        "tasks": [
            {
                "id": task.id,
                "status": task.status.value,
                "outcome": None if dry_run else answer.outcome.value,
                "new_status": answer.status.value if answer.status else None,
                "message": answer.message or None,
                "missing_marker": marker_path(task.id, markers[task.id])
                if task.id in markers
                else None,
            }
            for task in report.tasks
            for answer in (report.answer(task.id),)
        ],
    }


def missing_markers(report: AnswerReport, root: Root) -> Mapping[str, Status]:
    """Return the ends that R can't record, by task id: what ``info`` says, else a failure, because
    the result is lost."""
    return {task.id: _recorded_end(root, task.id) for task in report.unrecorded}


def _recorded_end(root: Root, task_id: str) -> Status:
    end = read_details(root.part(Lang.R).tasks, task_id, status=Status.RUNNING).end
    return Status(end.status) if end is not None and end.status in _ENDED else Status.FAILURE


def summary(report: AnswerReport) -> str:
    """Return ``4 freed · 7 alive``: how many tasks have each outcome so far."""
    counts = Counter(one.outcome for one in report.answers.values())
    names = {Outcome.UNRECORDED: "not recorded", Outcome.FAILED: "without answer"}
    return " · ".join(
        f"{counts[outcome]:,} {names.get(outcome, outcome)}"
        for outcome in Outcome
        if counts[outcome]
    )


def answer_lines(report: AnswerReport, id_text: Callable[[str], str] = str) -> Iterator[str]:
    """Yield the report for users, by outcome; lines about single tasks are indented.

    ``id_text`` returns the text that is shown for an id.
    """
    freed = report.with_outcome(Outcome.FREED)
    if freed:
        became = Counter(one.status for one in freed).most_common()
        states = ", ".join(f"{number:,} became {status}" for status, number in became)
        yield f"freed {len(freed):,}: {states}"
    if alive := report.with_outcome(Outcome.ALIVE):
        yield f"still alive {len(alive):,}: the cluster does not say that they ended"
        yield f"    {_some(alive, id_text)}"
    if unrecorded := report.with_outcome(Outcome.UNRECORDED):
        yield (
            f"ended, but not freed {len(unrecorded):,}: the cluster says success, which hipercow"
            " can't record. A call in R makes the missing markers"
        )
        yield f"    {_some(unrecorded, id_text)}"
    if failed := report.with_outcome(Outcome.FAILED):
        yield f"could not be asked {len(failed):,}"
        yield from _by_message(failed, id_text)
        yield f"    {_BY_HAND}"
    if unasked := report.with_outcome(Outcome.UNASKED):
        yield f"not asked {len(unasked):,}: R ended before"


def _by_message(failed: Iterable[Answer], id_text: Callable[[str], str]) -> Iterator[str]:
    groups: dict[str, list[Answer]] = {}
    for one in failed:
        groups.setdefault(_template(one), []).append(one)
    ordered = sorted(groups.values(), key=len, reverse=True)
    for group in ordered[:_SHOWN_MESSAGES]:
        first, *more = escape_lines(group[0].message)
        yield f"    {pluralize(len(group), 'task')}: {first}"
        yield from (f"      {line}" for line in more)
        yield f"      {_some(group, id_text)}"
    if others := ordered[_SHOWN_MESSAGES:]:
        tasks = pluralize(sum(map(len, others)), "task")
        yield f"    {tasks}: {pluralize(len(others), 'other message')}"


def _template(answer: Answer) -> str:
    """Return the message without the id of the task, which paths contain as ``ab/cdef…``."""
    task_id = answer.task_id
    return answer.message.replace(f"{task_id[:2]}/{task_id[2:]}", "ID").replace(task_id, "ID")


def escape_lines(text: str) -> list[str]:
    """Return the lines of a message of R without control characters."""
    return [escape_controls(line) for line in text.splitlines()] or [""]


def _some(answers: Sequence[Answer], id_text: Callable[[str], str]) -> str:
    shown = ", ".join(id_text(one.task_id) for one in answers[:_SHOWN_IDS])
    more = len(answers) - _SHOWN_IDS
    return f"{shown} and {more:,} more" if more > 0 else shown
