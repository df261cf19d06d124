"""Read from a root what a help report says of a task or an error."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hipercow_tui import __version__
from hipercow_tui.analysis.error_groups import ErrorGroup
from hipercow_tui.analysis.failure_reason import outer_log, read_details_with_reason
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.formats.details import EnvVar, open_task_folder, try_read
from hipercow_tui.formats.environments import read_environment
from hipercow_tui.formats.log_file import Log
from hipercow_tui.formats.log_patterns import COLOUR
from hipercow_tui.formats.outer_log import node_of
from hipercow_tui.formats.py_details import read_details_without_error
from hipercow_tui.formats.r_trace import read_trace
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.run_versions import read_script, versions_in
from hipercow_tui.output.help_report import (
    LOG_LINES,
    Attempt,
    LogEnd,
    Machine,
    TaskFacts,
    error_report,
    task_report,
)
from hipercow_tui.output.masking import Masker
from hipercow_tui.support.errors import LogError

_FIRST_LINES = 60  # of a log, where the versions are
_MAX_ATTEMPTS = 20  # the last ones of a chain: their errors are read
_SECRETS_OF = 100  # tasks of an error: their variables are read, to hide secret values


def read_task_report(root: Root, task: Task, snapshot: Snapshot, now: float) -> str:
    """Return the report on a task of a snapshot.

    ``now`` is in seconds since the epoch. What can't be read is a sentence in the report.
    """
    facts = _read_facts(root, task, snapshot)
    masker = Masker(_variables([facts]), _home())
    return task_report(facts, _machine(), masker, now)


def read_error_report(root: Root, group: ErrorGroup, snapshot: Snapshot, now: float) -> str:
    """Return the report on an error, with its latest and its earliest task as examples.

    The arguments are those of ``read_task_report``.
    """
    existing = list(snapshot.existing(group.ids))
    ends = {task.id: task for task in (*existing[:1], *existing[-1:])}
    examples = [_read_facts(root, task, snapshot) for task in ends.values()]
    others = [
        read_details_without_error(root, task.id, task.lang) for task in existing[:_SECRETS_OF]
    ]
    variables = [*_variables(examples), *(one for details in others for one in details.envvars)]
    return error_report(group, examples, _machine(), Masker(variables, _home()), now)


def _machine() -> Machine:
    return Machine(__version__, platform.python_version(), platform.platform())


def _home() -> str:
    """Return the home folder; empty if it is unknown, or the top folder."""
    home = os.path.expanduser("~")
    return home if os.path.dirname(home) not in ("", home) else ""


def _variables(facts: Iterable[TaskFacts]) -> list[EnvVar]:
    return [variable for one in facts for variable in one.details.envvars]


def _read_facts(root: Root, task: Task, snapshot: Snapshot) -> TaskFacts:
    part = root.part(task.lang)
    details = read_details_with_reason(root, task)
    script, trace = _read_folder(part, task)
    log, outer = _logs(root, task)
    outer_end, outer_lines = _log_end(outer), _first_lines(outer)
    return TaskFacts(
        task,
        details,
        versions_in([*_first_lines(log), *outer_lines, *script]),
        node_of(outer_lines) or "",
        read_environment(part, details.environment) if details.environment else None,
        trace,
        (_log_end(log),) if outer_end.problem else (_log_end(log), outer_end),
        _attempts(root, task, snapshot.tasks),
        snapshot.notes_of.get(task.id, ()),
    )


def _read_folder(root: Root, task: Task) -> tuple[Sequence[str], tuple[str, ...]]:
    """Return the lines of the script of the driver, and the trace of the error."""
    unread: list[str] = []  # what can't be read is a problem of the details, or is left out
    with open_task_folder(root.tasks, task.id, unread) as folder:
        script = try_read("script", read_script, folder, unread) or []
        has_trace = task.lang is Lang.R and task.status is Status.FAILURE
        trace = try_read("result", read_trace, folder, unread) if has_trace else None
    return script, trace or ()


def _logs(root: Root, task: Task) -> tuple[Log, Log]:
    """Return the log of a task and its outer log, which may be one that was fetched."""
    return Log(root.part(task.lang), task.id, task=lambda: task), outer_log(root, task)


def _first_lines(log: Log) -> list[str]:
    """Return the first lines of a log without colours; empty if it can't be read."""
    try:
        return [COLOUR.sub("", line.text) for line in log.lines_after(0, _FIRST_LINES)]
    except LogError:
        return []


def _log_end(log: Log) -> LogEnd:
    try:
        state = log.state()
        lines = log.lines_before(state.size, LOG_LINES)
    except LogError as error:
        return LogEnd(log.name, problem=str(error))
    texts = tuple(COLOUR.sub("", line.text) for line in lines)
    return LogEnd(log.name, texts, state.size, state.fetched)


def _attempts(root: Root, task: Task, tasks: Mapping[str, Task]) -> tuple[Attempt, ...]:
    """Return the attempts of the chain; the errors of the last ones are read."""
    attempts = [Attempt(task_id, tasks.get(task_id)) for task_id in task.chain]
    return tuple(
        replace(one, error=_error_of(root, one.task))
        if number > len(attempts) - _MAX_ATTEMPTS
        else one
        for number, one in enumerate(attempts, 1)
    )


def _error_of(root: Root, task: Task | None) -> str:
    if task is None or task.status is not Status.FAILURE:
        return ""
    return read_details_with_reason(root, task).error or ""
