"""Reading how tasks failed: many of them in a process of its own, for each is half a millisecond of
pure work, and a thread that does it is felt at every key."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import IO

from hipercow_tui.analysis.error_groups import Failure
from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.formats.py_details import read_task_details
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.support.worker_process import WorkerProcess, read_value, write_value

BATCH_SIZE = 32  # tasks to read at once: 20 ms
POOL_THRESHOLD = (
    4  # parts still to be read from which on a process, which takes 0.1 s to start, is worth it
)
_NICE = 10  # nobody waits for it

NO_LOG = "nothing stands in the log, where a Python task tells why it failed"


def read_failure(root: Root, task: Task) -> Failure:
    """How a failed task of either language failed."""
    details = read_task_details(root, task)
    if task.lang is Lang.PY and details.error is None and details.problem is None:
        details = replace(details, problem=NO_LOG)
    return Failure.from_details(details)


class FailureReader:
    """Reads failures, a part at a time; for one thread."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._process: WorkerProcess | None = None

    def read(self, tasks: Sequence[Task], *, more: int) -> list[Failure]:
        """How these tasks failed, where so many ``more`` are to be read after them."""
        if self._process is None and more > BATCH_SIZE * POOL_THRESHOLD:
            with suppress(OSError):
                self._process = WorkerProcess(__name__, str(self._root.path), str(self._root.path))
        if self._process is not None:
            self._process.send([(task.id, task.lang.value) for task in tasks])
            if (answer := self._process.receive()) is not None:
                return [Failure._make(row) for row in answer]
            self.close()
        return [read_failure(self._root, task) for task in tasks]

    def close(self) -> None:
        """Leave no process behind."""
        if self._process is not None:
            self._process.close()
            self._process = None


def serve(requests: IO[bytes], answers: IO[bytes], path: str) -> None:
    """What the process does: answer requests for failures of the root at ``path``."""
    os.nice(_NICE)
    root = find_root(path)
    while (request := read_value(requests)) is not None:
        tasks = [Task(task_id, Status.FAILURE, lang=Lang(lang)) for task_id, lang in request]
        write_value(answers, [tuple(read_failure(root, task)) for task in tasks])
