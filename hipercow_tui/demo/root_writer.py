"""A writer of demo roots: two years of tasks of an epidemiology group, as hipercow leaves them.

Seed and time decide everything. Tasks are written call by call and then forgotten, so a root of a
million tasks takes little memory.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from hipercow_tui.demo import project, task_lifecycle
from hipercow_tui.demo.bundles import BundleWriter
from hipercow_tui.demo.job import Job, new_id
from hipercow_tui.demo.outcomes import draw_failure, draw_large_result, draw_result
from hipercow_tui.demo.studies import SINGLES, STUDIES, Study

_RUNNING, _SUBMITTED = 3, 41  # tasks at the end, of 200 or more
_DAY = 86_400.0  # seconds
_YOUNGEST, _OLDEST = 300.0, 730 * _DAY
_LARGEST_BUNDLE = 400
_LARGE_RESULTS = 32
_SLOTS = 40  # of the cluster: tasks of one bundle that run at the same time
_SMALL_ROOT = 20_000  # tasks; in larger roots most tasks don't go through the cluster


@dataclass(slots=True)
class OpenJobs:
    """The tasks of a root that a cluster can continue.

    Attributes:
        submitted: Tasks that wait in the queue.
        running: Running tasks, with their start in seconds since the epoch.
        failed: The last failed tasks without a retry.
    """

    submitted: list[Job] = field(default_factory=list)
    running: list[tuple[Job, float]] = field(default_factory=list)
    failed: deque[Job] = field(default_factory=lambda: deque(maxlen=200))


def write_root(folder: Path, *, tasks: int = 2000, seed: int = 1, now: float) -> OpenJobs:
    """Write an R root into a folder, which may exist.

    Args:
        folder: The folder that gets ``hipercow/``.
        tasks: The number of task folders.
        seed: The same arguments give the same bytes and modification times.
        now: The end of the group's work, in seconds since the epoch.

    Returns:
        The tasks that a cluster can continue.

    Raises:
        FileExistsError: The folder has a root already.
    """
    project.write_project(folder, now)
    writer = _RootWriter(folder, Random(seed), tasks, now)
    writer.write()
    return writer.open_jobs


@dataclass(frozen=True, slots=True)
class _Creation:
    """One call of ``task_create_*``, which creates ``size`` tasks of a study.

    ``created`` is in seconds since the epoch. ``driver`` is whether tasks go through the cluster.
    """

    study: Study
    created: float
    size: int
    driver: bool
    submitted: bool = True


class _RootWriter:
    def __init__(self, folder: Path, rng: Random, tasks: int, now: float) -> None:
        self.open_jobs = OpenJobs()
        self._hipercow = f"{folder}/hipercow"
        self._bundles = BundleWriter(f"{self._hipercow}/bundles", rng, now)
        self._rng = rng
        self._now = now
        self._left = tasks
        self._total = tasks
        self._number = 1_004_200  # of the last job in the cluster's queue
        self._retry_lines: list[tuple[float, str]] = []
        self._unsubmitted = self._cancelled = self._large_results = self._forks = 0
        # The statuses of retries that have not ended at the end.
        self._open_retries = ["running", "submitted"] if tasks >= 200 else []

    def write(self) -> None:
        for number in range(256):
            os.mkdir(f"{self._hipercow}/tasks/{number:02x}")
        if self._total >= 100:
            self._write_damaged()
        self._write_open_bundle()
        if self._left > _LARGEST_BUNDLE:
            created = self._now - self._rng.uniform(2, 30) * _DAY
            self._write_creation(_Creation(STUDIES[0], created, _LARGEST_BUNDLE, driver=True))
        while self._left > 0:
            self._write_creation(self._draw_creation())
        self._retry_lines.sort()
        if self._retry_lines:
            lines = "".join(line for _, line in self._retry_lines)
            task_lifecycle.put(self._hipercow, "retry", lines.encode(), self._retry_lines[-1][0])

    def _draw_creation(self) -> _Creation:
        rng = self._rng
        share = rng.random() ** 0.6
        created = self._now - _YOUNGEST * (_OLDEST / _YOUNGEST) ** share
        driver = rng.random() < (0.7 if self._total <= _SMALL_ROOT else 0.1)
        if self._unsubmitted < 0.025 * (self._total - self._left):
            size = rng.randrange(5, 40)
            return _Creation(rng.choice(STUDIES), created, size, driver=False, submitted=False)
        if rng.random() < 0.6:
            return _Creation(rng.choice(SINGLES), created, 1, driver)
        study = rng.choices(STUDIES, [study.share for study in STUDIES])[0]
        size = int(5 * (study.largest / 5) ** rng.random())
        return _Creation(study, created, size, driver)

    def _write_open_bundle(self) -> None:
        """Write a bundle of running and queued tasks. In a small root it is a tenth of all tasks.

        One running and one queued task fewer than at the end: two retries follow.
        """
        running = min(_RUNNING - 1, self._left // 20)
        submitted = min(_SUBMITTED - 1, self._left // 20)
        if not submitted:
            return
        study, created = STUDIES[1], self._now - 5400.0
        jobs = self._draw_jobs(_Creation(study, created, running + submitted, driver=True))
        for index, job in enumerate(jobs):
            folder = self._create(job)
            task_lifecycle.submit(folder, job, self._next_number(), job.created + 1)
            if index < running:
                started = self._now - self._rng.uniform(60, 1500)
                self._start_open(folder, job, started, started + 45)
            else:
                self.open_jobs.submitted.append(job)
        self._bundles.write(study, created, [job.id for job in jobs])

    def _write_creation(self, creation: _Creation) -> None:
        jobs = self._draw_jobs(creation)
        ids = [job.id for job in jobs]
        first_cancelled = self._draw_cancellation(creation, jobs)
        for index, job in enumerate(jobs):
            folder = self._create(job)
            if not creation.submitted:
                self._unsubmitted += 1
            elif index >= first_cancelled:
                self._cancel(folder, job, was_running=index % 2 == 0)
            else:
                self._run(folder, job, index)
        is_bundle = creation.study not in SINGLES and creation.size > 1
        if is_bundle and self._rng.random() < 0.93:
            self._bundles.write(creation.study, creation.created, ids)
        self._bundles.write_selection(creation.created, ids)

    def _draw_cancellation(self, creation: _Creation, jobs: Sequence[Job]) -> int:
        """Return the index of the first task that is cancelled, or the number of tasks."""
        can_cancel = creation.driver and creation.submitted and len(jobs) > 12
        if can_cancel and self._cancelled < 0.008 * (self._total - self._left):
            return len(jobs) - self._rng.randrange(4, 9)
        return len(jobs)

    def _draw_jobs(self, creation: _Creation) -> list[Job]:
        rng, study = self._rng, creation.study
        size = min(creation.size, self._left)
        self._left -= size
        cipher = project.draw_cipher(rng) if study.secret and creation.driver else ""
        return [
            Job(
                new_id(rng),
                study,
                study.vary(rng, index, size),
                creation.created + 0.011 * index,
                bulk=creation.size > 1,
                driver=creation.driver,
                cipher=cipher,
            )
            for index in range(size)
        ]

    def _create(self, job: Job) -> str:
        folder = job.folder(self._hipercow)
        task_lifecycle.create(folder, job)
        return folder

    def _run(self, folder: str, job: Job, index: int) -> None:
        """Submit, start and finish the task number ``index`` of a bundle; retry it if it fails."""
        rng = self._rng
        started, finished = self._draw_times(job, index)
        if job.driver:
            submitted = min(job.created + 1, started)
            task_lifecycle.submit(folder, job, self._next_number(), submitted)
        task_lifecycle.start(folder, job, started)
        if job.driver:
            task_lifecycle.append_output(folder, job.study.output, finished)
        risk = job.study.risk(job.values) if job.retry_of is None else 0.45
        failed = draw_failure(rng, job, 1.0 if self._needs_open_retry(job) else risk)
        if failed is None:
            task_lifecycle.succeed(folder, job, self._draw_result(job), started, finished)
            return
        if job.driver and rng.random() < 0.03:
            task_lifecycle.lose(folder, job, started, finished)
        else:
            task_lifecycle.fail(folder, job, *failed, started, finished)
        retries = self._draw_retries(job)
        for _ in range(retries):
            if self._left:
                self._write_retry(job, finished)
        if not retries:
            self.open_jobs.failed.append(job)

    def _needs_open_retry(self, job: Job) -> bool:
        """Whether the task must fail, because its retry is to run or wait at the end."""
        return bool(self._open_retries) and job.driver and job.retry_of is None

    def _draw_result(self, job: Job) -> bytes:
        if self._large_results < _LARGE_RESULTS and self._rng.random() < 0.02:
            self._large_results += 1
            return draw_large_result(self._rng)
        return draw_result(self._rng, job.study)

    def _draw_times(self, job: Job, index: int) -> tuple[float, float]:
        """Return start and end of the task number ``index`` of a bundle, both before now."""
        rng = self._rng
        run_time = job.study.seconds * rng.lognormvariate(0, 0.5)
        queue_time = (240.0 if job.driver else 3.0) * rng.lognormvariate(0, 0.7)
        started = job.created + 2 + queue_time + (index // _SLOTS) * job.study.seconds
        finished = started + run_time
        if finished > self._now:
            span = self._now - job.created
            started = job.created + span * rng.uniform(0.1, 0.4)
            finished = job.created + span * rng.uniform(0.5, 0.98)
        return started, finished

    def _cancel(self, folder: str, job: Job, *, was_running: bool) -> None:
        """Cancel a task. The first one has no ``info``, as after an interruption of the cancel."""
        self._cancelled += 1
        task_lifecycle.submit(folder, job, self._next_number(), job.created + 1)
        started, finished = self._draw_times(job, 0)
        if was_running:
            task_lifecycle.start(folder, job, started)
        if self._cancelled == 1:
            task_lifecycle.put(folder, "status-cancelled", b"", finished)
        else:
            task_lifecycle.cancel(folder, job, started if was_running else None, finished)

    def _draw_retries(self, job: Job) -> int:
        """Return how often a failed task is retried: 0, 1, or rarely 2 times (a fork)."""
        probability = 0.3 if job.retry_of is None else 0.6
        is_open = self._needs_open_retry(job)
        if not self._left or not (is_open or self._rng.random() < probability):
            return 0
        can_fork = job.retry_of is None and not is_open and self._left > 1
        if can_fork and self._forks * 30 < len(self._retry_lines):
            self._forks += 1
            return 2
        return 1

    def _write_retry(self, job: Job, failed_at: float) -> None:
        rng = self._rng
        is_open = self._needs_open_retry(job)
        created = failed_at + 1800 * rng.lognormvariate(0, 1.5)
        if is_open:
            created = max(self._now - rng.uniform(300, 2400), failed_at)
        elif created > self._now - 120:
            created = failed_at + (self._now - failed_at) * rng.uniform(0.2, 0.8)
        retry = job.retry(new_id(rng), created)
        self._left -= 1
        self._retry_lines.append((created, retry.retry_line()))
        folder = self._create(retry)
        if not is_open:
            self._run(folder, retry, 0)
            return
        task_lifecycle.submit(folder, retry, self._next_number(), created)
        if self._open_retries.pop() == "running":
            started = created + (self._now - created) * 0.2
            self._start_open(folder, retry, started, started)
        else:
            self.open_jobs.submitted.append(retry)

    def _start_open(self, folder: str, job: Job, started: float, output_at: float) -> None:
        task_lifecycle.start(folder, job, started)
        task_lifecycle.append_output(folder, job.study.output[:1], output_at)
        self.open_jobs.running.append((job, started))

    def _write_damaged(self) -> None:
        """Write what a full disk leaves: a folder with a truncated ``data``, and one without it."""
        self._left -= 2
        study = STUDIES[0]
        created = self._now - 41 * _DAY
        for keep in (100, 0):
            task_id = new_id(self._rng)
            job = Job(task_id, study, study.vary(self._rng, 3, 9), created)
            folder = job.folder(self._hipercow)
            os.mkdir(folder)
            if keep:
                task_lifecycle.put(folder, "data", job.data()[:keep], created)
            else:
                task_lifecycle.put(folder, "Renviron", job.renviron(), created)

    def _next_number(self) -> int:
        self._number += 1
        return self._number
