"""A task's ``log``, as ``task_eval(id, verbose = TRUE)`` prints it on a cluster's node."""

from __future__ import annotations

import time

from hipercow_tui.demo.job import Job
from hipercow_tui.demo.studies import as_text

WIDTH = 80
PROJECT = "V:/sir-model"


def opening(job: Job, started: float) -> str:
    """From the title to the rule above the task's own output."""
    title = f"── hipercow 1.1.8 running at '{PROJECT}' "
    lines = [
        "",
        title.ljust(WIDTH, "─"),
        "ℹ library paths:",
        f"• {PROJECT}/hipercow/lib/windows/4.2.2",
        "• C:/Program Files/R/R-4.2.2/library",
        f"ℹ id: {job.id}",
        f"ℹ starting at: {_clock(started)}",
    ]
    if job.retries:
        lines.append(f"ℹ pointing at {job.retries[1]} ({job.study.type})")
    lines += [f"ℹ Task type: {job.study.type}", *_what(job), "• Environment: default"]
    lines += [
        f"  {name}: {'********' if secret else value}" for name, value, secret in job.envvars()
    ]
    lines += [
        "ℹ Loading environment 'default'...",
        "• packages: dplyr and mcstate",
        "• sources: functions.R",
        "• globals: (none)",
        " task logs ↓ ──".rjust(WIDTH, "─"),
    ]
    return "\n".join(lines) + "\n"


def closing(
    status: str, message: str | None, warnings: tuple[str, ...], started: float, finished: float
) -> str:
    """From the rule under the task's output to the end; real ones give the start there too."""
    lines = ["", " task logs ↑ ──".rjust(WIDTH, "─")]
    lines.append(f"✔ status: {status}" if message is None else f"✖ status: {status}")
    if message is not None:
        lines.append(f"✖ Error: {message}")
    if warnings:
        lines.append(f"! {len(warnings)} warning{'s' * (len(warnings) > 1)} found:")
        lines += [f"• {warning}" for warning in warnings]
    lines.append(f"ℹ finishing at: {_clock(started)} (elapsed: {_elapsed(finished - started)})")
    return "\n".join(lines) + "\n"


def _what(job: Job) -> list[str]:
    study = job.study
    match study.type:
        case "call":
            return [f"• Call: {study.runs}", f"• Args: {as_text(job.values)}"]
        case "script":
            return [f"• Script: {study.runs}", "• Options: chdir = FALSE, echo = TRUE"]
    return [f"• Expression: {study.runs}", f"• Locals: {' and '.join(study.inputs) or '(none)'}"]


def _clock(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment))


def _elapsed(seconds: float) -> str:
    for size, unit in ((3600, "hours"), (60, "mins")):
        if seconds >= size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds:.4g} secs"
