"""The steps in the life of a task, each with the files that hipercow writes, in its order.

Only ``create`` makes a folder. All other functions raise FileNotFoundError if the task was purged
in the meantime, so they never recreate a purged task. Times are in seconds since the epoch.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from hipercow_tui.demo import failures, task_logs
from hipercow_tui.demo.failures import Failure
from hipercow_tui.demo.job import Job, resources

_DRIVER = b"dide-windows\n"
# No link is followed, and Windows adds no carriage returns.
_WRITE = os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_NEW = _WRITE | os.O_CREAT | os.O_TRUNC
APPEND = _WRITE | os.O_APPEND


def put(folder: str, name: str, content: bytes, at: float, flags: int = _NEW) -> None:
    """Write a file with one call, and set its modification time to ``at``."""
    path = f"{folder}/{name}"
    handle = os.open(path, flags, 0o666)
    try:
        os.write(handle, content)
    finally:
        os.close(handle)
    nanoseconds = int(at * 1e9)
    os.utime(path, ns=(nanoseconds, nanoseconds))  # not the handle: Windows can't do that


def create(folder: str, job: Job) -> None:
    """Make the folder with ``data`` and ``Renviron``; its parent must exist."""
    os.mkdir(folder)
    put(folder, "data", job.data(), job.created)
    put(folder, "Renviron", job.renviron(), job.created)


def submit(folder: str, job: Job, number: int, at: float) -> None:
    """Write the files of the driver, then the marker (``task_submit``)."""
    put(folder, "run.bat", _batch_file(job.id), at)
    put(folder, "dide_id", b"%d\n" % number, at)
    put(folder, "status-submitted", _DRIVER, at)
    put(folder, "resources", resources(job.study.cores), at)


def start(folder: str, job: Job, at: float) -> None:
    """Write the marker, and on a cluster the beginning of the log."""
    put(folder, "status-running", b"", at)
    if job.driver:
        put(folder, "log", task_logs.opening(job, at).encode(), at)


def append_output(folder: str, lines: Iterable[str], at: float) -> None:
    """Append output of the task to its log."""
    put(folder, "log", "".join(f"{line}\n" for line in lines).encode(), at, APPEND)


def succeed(folder: str, job: Job, result: bytes, started: float, at: float) -> None:
    """Write ``info``, ``result``, the marker, and the end of the log."""
    put(folder, "info", job.info("success", started, at), at)
    put(folder, "result", result, at)
    put(folder, "status-success", b"", at)
    if job.driver:
        ending = task_logs.closing("success", None, job.study.warnings, started, at)
        put(folder, "log", ending.encode(), at, APPEND)


def fail(
    folder: str, job: Job, failure: Failure, texts: tuple[str, ...], started: float, at: float
) -> None:
    """Write the files of a failed task; its ``result`` is the error."""
    put(folder, "info", job.info("failure", started, at), at)
    put(folder, "result", failures.result(failure, job.study.type, texts), at)
    put(folder, "status-failure", b"", at)
    if job.driver:
        message = failure.log_message(texts)
        warnings = texts[-1:] if failure.warning else ()
        ending = task_logs.closing("failure", message, warnings, started, at)
        put(folder, "log", ending.encode(), at, APPEND)


def lose(folder: str, job: Job, started: float, at: float) -> None:
    """Write the files that ``task_info`` writes for a task that the cluster killed."""
    put(folder, "info", job.info("failure", started, at, evaluated=False), at)
    put(folder, "status-failure", b"", at)
    lost = failures.LOST_TASK
    put(folder, "result", failures.result(lost, job.study.type, (lost.message,)), at)


def cancel(folder: str, job: Job, started: float | None, at: float) -> None:
    """Write the marker, then ``info`` (``task_cancel``)."""
    put(folder, "status-cancelled", b"", at)
    put(folder, "info", job.info("cancelled", started, at, evaluated=False), at)


def _batch_file(task_id: str) -> bytes:
    command = f"Rscript -e \"hipercow::task_eval('{task_id}', verbose = TRUE)\""
    log = rf"hipercow\tasks\{task_id[:2]}\{task_id[2:]}\log"
    return f'@echo off\ncd \\sir-model\n{command} > "{log}" 2>&1\n'.encode()
