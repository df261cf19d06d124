"""A simulated cluster: it starts, finishes, retries and submits tasks of a demo root.

It writes the files that hipercow writes, in its order. It forgets tasks that are purged while it
works, and never recreates them.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from hipercow_tui.demo import project, task_lifecycle
from hipercow_tui.demo.job import Job, new_id
from hipercow_tui.demo.outcomes import draw_failure, draw_result
from hipercow_tui.demo.root_writer import OpenJobs
from hipercow_tui.demo.studies import STUDIES, bundle_name

_MAX_RUNNING, _MIN_SUBMITTED = 3, 32
_MAX_FAILED = 200  # failed jobs that may be retried
_PAUSE = (0.4, 1.4)  # seconds between two steps, at least and at most
_RISK = 0.3  # probability that a job fails


@dataclass(slots=True)
class _Running:
    job: Job
    started: float
    lines: int = 1  # of output so far


class Cluster:
    """Works on the tasks of one demo root.

    Args:
        root: The root.
        jobs: The tasks of the root that are submitted, running, or may be retried.
        seed: The same seed and times give the same files.
        clock: Returns the time in seconds since the epoch, for ``run``.
    """

    def __init__(
        self, root: Path, jobs: OpenJobs, *, seed: int = 1, clock: Callable[[], float] = time.time
    ) -> None:
        self._hipercow = f"{root}/hipercow"
        self._rng = Random(f"cluster {seed}")
        self._clock = clock
        self._submitted = deque(jobs.submitted)
        self._running = [_Running(job, started) for job, started in jobs.running]
        self._failed = deque(jobs.failed, maxlen=_MAX_FAILED)
        self._number = 2_000_000  # of the last job in the cluster's queue

    def run(self, stop: threading.Event) -> None:
        """Take about one step a second, until ``stop`` is set."""
        while not stop.wait(self._rng.uniform(*_PAUSE)):
            self.step(self._clock())

    def step(self, now: float) -> None:
        """Change one task or bundle at the time ``now``, in seconds since the epoch."""
        with suppress(FileNotFoundError, NotADirectoryError):  # the task was purged
            if len(self._running) < _MAX_RUNNING and self._submitted:
                self._start(self._submitted.popleft(), now)
            elif len(self._submitted) < _MIN_SUBMITTED:
                self._submit_bundle(now)
            else:
                actions = (self._append_output, self._finish, self._retry, self._submit_one)
                self._rng.choices(actions, (3, 3, 1, 1))[0](now)

    def _start(self, job: Job, now: float) -> None:
        folder = job.folder(self._hipercow)
        if os.path.exists(f"{folder}/status-submitted") and not _is_cancelled(folder):
            task_lifecycle.start(folder, job, now)
            self._running.append(_Running(job, now))

    def _append_output(self, now: float) -> None:
        if not self._running:
            return
        running = self._rng.choice(self._running)
        output = running.job.study.output or ("working",)
        line = output[running.lines % len(output)]
        try:
            task_lifecycle.append_output(running.job.folder(self._hipercow), [line], now)
        except FileNotFoundError:
            self._running.remove(running)
        running.lines += 1

    def _finish(self, now: float) -> None:
        if not self._running:
            return
        running = self._running.pop(self._rng.randrange(len(self._running)))
        job = running.job
        folder = job.folder(self._hipercow)
        if _is_cancelled(folder):
            return
        failed = draw_failure(self._rng, job, _RISK)
        if failed is None:
            result = draw_result(self._rng, job.study)
            task_lifecycle.succeed(folder, job, result, running.started, now)
        else:
            task_lifecycle.fail(folder, job, *failed, running.started, now)
            self._failed.append(job)

    def _retry(self, now: float) -> None:
        """Retry the last failed job like ``task_retry``: folder, line in ``retry``, submission."""
        if not self._failed:
            return
        job = self._failed.pop()
        if not os.path.exists(f"{job.folder(self._hipercow)}/status-failure"):
            return
        retry = replace(job.retry(new_id(self._rng), now), driver=True)
        folder = self._create(retry)
        flags = task_lifecycle.APPEND | os.O_CREAT
        task_lifecycle.put(self._hipercow, "retry", retry.retry_line().encode(), now, flags)
        self._submit(folder, retry, now)

    def _submit_one(self, now: float) -> None:
        study = self._rng.choice(STUDIES)
        values = study.vary(self._rng, self._rng.randrange(20), 20)
        cipher = project.draw_cipher(self._rng) if study.secret else ""
        job = Job(new_id(self._rng), study, values, now, bulk=False, cipher=cipher)
        self._submit(self._create(job), job, now)

    def _submit_bundle(self, now: float) -> None:
        """Create a bundle: first all folders, then the submissions, then the bundle."""
        rng = self._rng
        study, size = rng.choice(STUDIES), rng.randrange(8, 16)
        cipher = project.draw_cipher(rng) if study.secret else ""
        jobs = [
            Job(new_id(rng), study, study.vary(rng, i, size), now + 0.01 * i, cipher=cipher)
            for i in range(size)
        ]
        folders = [self._create(job) for job in jobs]
        for folder, job in zip(folders, jobs, strict=True):
            self._submit(folder, job, now)
        week = time.strftime("%G-w%V", time.gmtime(now))
        name = self._unused_name(bundle_name(study, rng, rng.randrange(20, 100), week))
        ids = "".join(f"{job.id}\n" for job in jobs)
        task_lifecycle.put(f"{self._hipercow}/bundles", name, ids.encode(), now)

    def _create(self, job: Job) -> str:
        folder = job.folder(self._hipercow)
        with suppress(FileExistsError):
            os.mkdir(os.path.dirname(folder))
        task_lifecycle.create(folder, job)
        return folder

    def _submit(self, folder: str, job: Job, now: float) -> None:
        self._number += 1
        task_lifecycle.submit(folder, job, self._number, now)
        self._submitted.append(job)

    def _unused_name(self, name: str) -> str:
        used = set(os.listdir(f"{self._hipercow}/bundles"))
        candidates = (name, *(f"{name}_{number}" for number in range(2, len(used) + 3)))
        return next(candidate for candidate in candidates if candidate not in used)


def _is_cancelled(folder: str) -> bool:
    return os.path.exists(f"{folder}/status-cancelled")
