"""The ``log`` of a task, as hipercow's ``task_eval(id, verbose = TRUE)`` prints it."""

from __future__ import annotations

import time

from hipercow_tui.demo.job import Job

_WIDTH = 80  # characters of a rule
_PROJECT = "V:/sir-model"


def opening(job: Job, started: float) -> str:
    """Return the log from its title to the rule above the output of the task."""
    title = f"── hipercow 1.1.8 running at '{_PROJECT}' "
    lines = [
        "",
        title.ljust(_WIDTH, "─"),
        "ℹ library paths:",
        f"• {_PROJECT}/hipercow/lib/windows/4.2.2",
        "• C:/Program Files/R/R-4.2.2/library",
        f"ℹ id: {job.id}",
        f"ℹ starting at: {_format_time(started)}",
    ]
    if job.retry_of:
        lines.append(f"ℹ pointing at {job.retry_of[1]} ({job.study.type})")
    lines += [f"ℹ Task type: {job.study.type}", *_code_lines(job), "• Environment: default"]
    lines += [
        f"  {name}: {'********' if secret else value}" for name, value, secret in job.envvars()
    ]
    lines += [
        "ℹ Loading environment 'default'...",
        "• packages: dplyr and mcstate",
        "• sources: functions.R",
        "• globals: (none)",
        " task logs ↓ ──".rjust(_WIDTH, "─"),
    ]
    return "\n".join(lines) + "\n"


def closing(
    status: str, message: str | None, warnings: tuple[str, ...], started: float, finished: float
) -> str:
    """Return the log from the rule below the output of the task to the end.

    ``message`` is the error of a failed task, else None. hipercow prints the time of the start
    after "finishing at"; so does this.
    """
    lines = ["", " task logs ↑ ──".rjust(_WIDTH, "─")]
    lines.append(f"✔ status: {status}" if message is None else f"✖ status: {status}")
    if message is not None:
        lines.append(f"✖ Error: {message}")
    if warnings:
        lines.append(f"! {len(warnings)} warning{'s' * (len(warnings) > 1)} found:")
        lines += [f"• {warning}" for warning in warnings]
    lines.append(
        f"ℹ finishing at: {_format_time(started)} (elapsed: {_format_elapsed(finished - started)})"
    )
    return "\n".join(lines) + "\n"


def _code_lines(job: Job) -> list[str]:
    study = job.study
    match study.type:
        case "call":
            return [f"• Call: {study.runs}", f"• Args: {', '.join(map(str, job.values.values()))}"]
        case "script":
            return [f"• Script: {study.runs}", "• Options: chdir = FALSE, echo = TRUE"]
    return [f"• Expression: {study.runs}", f"• Locals: {' and '.join(job.values) or '(none)'}"]


def _format_time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))


def _format_elapsed(seconds: float) -> str:
    for size, unit in ((3600, "hours"), (60, "mins")):
        if seconds >= size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds:.4g} secs"
