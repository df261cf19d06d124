"""The stages of a task's life, each as the files that the real hipercow writes, in its order.

Every stage opens files by their path and makes no folder but a new task's own: where a task was
purged meanwhile it raises FileNotFoundError, and nothing comes back to life.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache

from hipercow_tui.demo import failures, task_logs
from hipercow_tui.demo.failures import Failure
from hipercow_tui.demo.job import Job, resources

DRIVER = b"dide-windows\n"
NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
MORE = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


def put(folder: str, name: str, content: bytes, at: float, flags: int = NEW) -> None:
    """Write one file in one go, last modified ``at`` seconds since the epoch."""
    handle = os.open(f"{folder}/{name}", flags, 0o666)
    try:
        os.write(handle, content)
        moment = int(at * 1e9)
        os.utime(handle, ns=(moment, moment))
    finally:
        os.close(handle)


def create(folder: str, job: Job) -> None:
    """The folder, ``data`` and ``Renviron``; the folder above must exist."""
    os.mkdir(folder)
    put(folder, "data", job.data(), job.created)
    put(folder, "Renviron", job.renviron(), job.created)


def submit(folder: str, job: Job, number: int, at: float) -> None:
    """The driver's own files come first, then the marker with its name (``task_submit``)."""
    put(folder, "run.bat", _batch_file(job.id), at)
    put(folder, "dide_id", b"%d\n" % number, at)
    put(folder, "status-submitted", DRIVER, at)
    put(folder, "resources", resources(), at)


def start(folder: str, job: Job, at: float) -> None:
    """The marker, and on a node the beginning of the log."""
    put(folder, "status-running", b"", at)
    if job.driver:
        put(folder, "log", task_logs.opening(job, at).encode(), at)


def say(folder: str, lines: Iterable[str], at: float) -> None:
    """More of the task's own output, in its log."""
    put(folder, "log", "".join(f"{line}\n" for line in lines).encode(), at, MORE)


def succeed(folder: str, job: Job, result: bytes, started: float, at: float) -> None:
    """``info``, ``result``, then the marker, then the end of the log."""
    put(folder, "info", job.info("success", started, at), at)
    put(folder, "result", result, at)
    put(folder, "status-success", b"", at)
    if job.driver:
        ending = task_logs.closing("success", None, job.study.warns, started, at)
        put(folder, "log", ending.encode(), at, MORE)


def fail(
    folder: str, job: Job, failure: Failure, texts: tuple[str, ...], started: float, at: float
) -> None:
    """As success, with the condition as the result."""
    put(folder, "info", job.info("failure", started, at), at)
    put(folder, "result", failures.result(failure, job.study.type, texts), at)
    put(folder, "status-failure", b"", at)
    if job.driver:
        message = failure.condition_message(texts)
        warnings = texts[-1:] if failure.warning else ()
        ending = task_logs.closing("failure", message, warnings, started, at)
        put(folder, "log", ending.encode(), at, MORE)


def lose(folder: str, job: Job, started: float, at: float) -> None:
    """The cluster killed it and ``task_info`` found out: ``info``, marker, ``result``."""
    put(folder, "info", job.info("failure", started, at, evaluated=False), at)
    put(folder, "status-failure", b"", at)
    put(folder, "result", failures.result(failures.LOST_TASK, job.study.type,
                                          (failures.LOST,)), at)  # fmt: skip


def cancel(folder: str, job: Job, started: float | None, at: float) -> None:
    """The marker first, then ``info`` (``task_cancel``)."""
    put(folder, "status-cancelled", b"", at)
    put(folder, "info", job.info("cancelled", started, at, evaluated=False), at)


def _batch_file(task_id: str) -> bytes:
    path = rb"hipercow\tasks\%s\%s" % (task_id[:2].encode(), task_id[2:].encode())
    return _batch_format() % (task_id.encode(), path)


@cache
def _batch_format() -> bytes:
    return (
        b"@echo off\nREM automatically generated\nECHO running on: %%COMPUTERNAME%%\n"
        b"cd \\sir-model\nset R_LIBS_USER=hipercow\\lib\\windows\\4.2.2\n"
        b'Rscript -e "hipercow::task_eval(\'%s\', verbose = TRUE)" > "%s\\log" 2>&1\n'
    )
