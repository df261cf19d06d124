"""Reads how tasks failed. Many tasks are read in another process: each takes half a millisecond of
computing, and a thread that does it slows every key down."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import IO

from hipercow_tui.analysis.error_groups import Failure
from hipercow_tui.analysis.failure_reason import read_details_with_reason
from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.support.worker_process import WorkerProcess, read_value, write_value

BATCH_SIZE = 32  # tasks that are read at once: 20 ms
PROCESS_THRESHOLD = 4  # batches still to read that are worth a process, which starts in 0.1 s
_NICE = 10  # a lower priority than the app

NO_LOG = "its log is missing or empty, and a Python task writes its error there"


def read_failure(root: Root, task: Task) -> Failure:
    """The failure of a failed task of R or Python."""
    details = read_details_with_reason(root, task, with_resources=False)
    if task.lang is Lang.PY and details.error is None and details.problem is None:
        details = replace(details, problem=NO_LOG)
    return Failure.from_details(details)


class FailureReader:
    """Reads failures in batches. Use it from one thread at a time."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._process: WorkerProcess | None = None

    def read(self, tasks: Sequence[Task], *, more: int) -> list[Failure]:
        """Return the failure of each task. ``more`` is the number of tasks that will follow in
        other batches."""
        if self._process is None and more > BATCH_SIZE * PROCESS_THRESHOLD:
            with suppress(OSError):
                self._process = WorkerProcess(__name__, str(self._root.path), str(self._root.path))
        if self._process is not None:
            self._process.send([(task.id, task.lang.value) for task in tasks])
            if (answer := self._process.receive()) is not None:
                return [Failure._make(row) for row in answer]
            self.close()
        return [read_failure(self._root, task) for task in tasks]

    def close(self) -> None:
        """End the process, if there is one; it is started again if that is worth it."""
        if self._process is not None:
            self._process.close()
            self._process = None


def serve(requests: IO[bytes], answers: IO[bytes], path: str) -> None:
    """Run in the process: answer requests for failures of the root at ``path``."""
    if sys.platform != "win32":
        os.nice(_NICE)
    root = find_root(path)
    while (request := read_value(requests)) is not None:
        tasks = [Task(task_id, Status.FAILURE, lang=Lang(lang)) for task_id, lang in request]
        write_value(answers, [tuple(read_failure(root, task)) for task in tasks])
