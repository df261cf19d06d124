"""A demo root: two years of an epidemiology group's work, as the real hipercow would have left it.

Everything follows from the seed and ``now``. Tasks are made bundle by bundle and forgotten, so a
million need no more memory than their names in bundles and retries.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from hipercow_tui.demo import project, task_lifecycle
from hipercow_tui.demo.bundles import Bundles
from hipercow_tui.demo.job import Job
from hipercow_tui.demo.outcomes import attempt, median_wait, result_of
from hipercow_tui.demo.studies import SINGLES, STUDIES, Study

RUNNING, WAITING = 3, 41
MANY = 20_000
DAY = 86_400.0
OLDEST = 730 * DAY
YOUNGEST = 300.0
LARGEST = 400
LARGE_RESULTS = 32
LARGE = 220_000


def write_root(where: Path, *, tasks: int = 2000, seed: int = 1, now: float) -> None:
    """Write a hipercow root of so many task folders into the folder ``where``, which may exist.

    ``now`` is in seconds since the epoch. The same arguments give the same bytes and modification
    times. Raises FileExistsError where ``where`` holds a root already.
    """
    project.write(where, now)
    _Writer(where, Random(seed), tasks, now).write()


@dataclass(frozen=True, slots=True)
class _Campaign:
    """A study's tasks created in one go: when, how many, whether through the driver."""

    study: Study
    created: float
    size: int
    driver: bool
    submitted: bool = True


class _Writer:
    def __init__(self, where: Path, rng: Random, tasks: int, now: float) -> None:
        self._hipercow = f"{where}/hipercow"
        self._bundles = Bundles(f"{self._hipercow}/bundles", rng, now)
        self._rng = rng
        self._now = now
        self._left = tasks
        self._total = tasks
        self._number = 0
        self._retries: list[tuple[float, str]] = []
        self._created = self._cancelled = self._large = self._forks = 0
        self._waiting_tips = ["running", "submitted"] if tasks >= 200 else []

    def write(self) -> None:
        for head in range(256):
            os.mkdir(f"{self._hipercow}/tasks/{head:02x}")
        if self._total >= 100:
            self._broken()
        self._living()
        if self._left > LARGEST:
            age = self._rng.uniform(2, 30) * DAY
            self._campaign(_Campaign(STUDIES[0], self._now - age, LARGEST, driver=True))
        while self._left > 0:
            self._campaign(self._plan())
        self._retries.sort()
        if self._retries:
            lines = "".join(line for _, line in self._retries)
            task_lifecycle.put(self._hipercow, "retry", lines.encode(), self._retries[-1][0])

    # -- what there is to do

    def _plan(self) -> _Campaign:
        rng = self._rng
        share = rng.random() ** 0.6
        age = YOUNGEST * (OLDEST / YOUNGEST) ** share
        created = self._now - age
        driver = rng.random() < (0.7 if self._total <= MANY else 0.1)
        if self._created < 0.025 * (self._total - self._left):
            wanted = rng.randrange(5, 40)
            return _Campaign(rng.choice(STUDIES), created, wanted, False, submitted=False)
        if rng.random() < 0.6:
            return _Campaign(rng.choice(SINGLES), created, 1, driver)
        study = rng.choices(STUDIES, [study.share for study in STUDIES])[0]
        size = int(5 * (study.largest / 5) ** rng.random())
        return _Campaign(study, created, size, driver)

    def _living(self) -> None:
        """A bundle at work: some run, the rest waits; one more of each will be a retry. In a small
        root they are a tenth of it."""
        running = min(RUNNING - 1, self._left // 20)
        waiting = min(WAITING - 1, self._left // 20)
        if not waiting:
            return
        study, created = STUDIES[1], self._now - 5400.0
        jobs = self._jobs(_Campaign(study, created, running + waiting, True))
        for index, job in enumerate(jobs):
            folder = self._create(job)
            task_lifecycle.submit(folder, job, self._next_number(), job.created + 1)
            if index < running:
                started = self._now - self._rng.uniform(60, 1500)
                task_lifecycle.start(folder, job, started)
                task_lifecycle.say(folder, study.message[:1], started + 45)
        self._bundles.write(study, created, [job.id for job in jobs])

    def _campaign(self, campaign: _Campaign) -> None:
        jobs = self._jobs(campaign)
        ids = [job.id for job in jobs]
        stop = self._stopped(campaign, jobs)
        for index, job in enumerate(jobs):
            folder = self._create(job)
            if not campaign.submitted:
                self._created += 1
            elif index >= stop:
                self._cancel(folder, job, index % 2 == 0)
            else:
                self._live(folder, job, index)
        if campaign.study not in SINGLES and campaign.size > 1 and self._rng.random() < 0.93:
            self._bundles.write(campaign.study, campaign.created, ids)
        self._bundles.pick(campaign.created, ids)

    def _stopped(self, campaign: _Campaign, jobs: Sequence[Job]) -> int:
        """From which task on the group gave up and cancelled."""
        done = self._total - self._left
        due = campaign.driver and campaign.submitted and len(jobs) > 12
        if due and self._cancelled < 0.008 * done:
            return len(jobs) - self._rng.randrange(4, 9)
        return len(jobs)

    # -- one task

    def _jobs(self, campaign: _Campaign) -> list[Job]:
        rng, study = self._rng, campaign.study
        size = min(campaign.size, self._left)
        self._left -= size
        cipher = project.cipher(rng) if study.secret and campaign.driver else ""
        return [
            Job(
                f"{rng.getrandbits(128):032x}",
                study,
                study.vary(rng, index, size),
                campaign.created + 0.011 * index,
                bulk=campaign.size > 1,
                driver=campaign.driver,
                cipher=cipher,
            )
            for index in range(size)
        ]

    def _folder(self, task_id: str) -> str:
        return f"{self._hipercow}/tasks/{task_id[:2]}/{task_id[2:]}"

    def _create(self, job: Job) -> str:
        folder = self._folder(job.id)
        task_lifecycle.create(folder, job)
        return folder

    def _live(self, folder: str, job: Job, index: int) -> None:
        """Submit, start and finish a task, and try again where it failed."""
        rng = self._rng
        started, finished = self._moments(job, index)
        if job.driver:
            task_lifecycle.submit(folder, job, self._next_number(), min(job.created + 1, started))
        task_lifecycle.start(folder, job, started)
        if job.driver:
            task_lifecycle.say(folder, job.study.message, finished)
        risk = job.study.risk(job.values) if job.retries is None else 0.45
        failed = attempt(rng, job, 1.0 if self._wants_tip(job) else risk)
        if failed is None:
            task_lifecycle.succeed(folder, job, self._result(job), started, finished)
            return
        if job.driver and rng.random() < 0.03:
            task_lifecycle.lose(folder, job, started, finished)
        else:
            task_lifecycle.fail(folder, job, *failed, started, finished)
        self._try_again(job, finished)

    def _wants_tip(self, job: Job) -> bool:
        """Whether it must fail, for a retry of it is to be running or waiting now."""
        return bool(self._waiting_tips) and job.driver and job.retries is None

    def _result(self, job: Job) -> bytes:
        if self._large < LARGE_RESULTS and self._rng.random() < 0.02:
            self._large += 1
            return project.large_result(self._rng, LARGE)
        return result_of(self._rng, job.study)

    def _moments(self, job: Job, index: int) -> tuple[float, float]:
        """When it started and finished: forty run at a time, and all is over by now."""
        rng = self._rng
        run = job.study.seconds * rng.lognormvariate(0, 0.5)
        wait = median_wait(job.driver) * rng.lognormvariate(0, 0.7)
        started = job.created + 2 + wait + (index // 40) * job.study.seconds
        finished = started + run
        if finished > self._now:
            span = self._now - job.created
            started = job.created + span * rng.uniform(0.1, 0.4)
            finished = job.created + span * rng.uniform(0.5, 0.98)
        return started, finished

    def _cancel(self, folder: str, job: Job, was_running: bool) -> None:
        """One of them was cut short between marker and ``info``: its times are estimates."""
        self._cancelled += 1
        task_lifecycle.submit(folder, job, self._next_number(), job.created + 1)
        started, finished = self._moments(job, 0)
        if was_running:
            task_lifecycle.start(folder, job, started)
        if self._cancelled == 1:
            task_lifecycle.put(folder, "status-cancelled", b"", finished)
        else:
            task_lifecycle.cancel(folder, job, started if was_running else None, finished)

    def _try_again(self, job: Job, failed_at: float) -> None:
        """Retry a failure now and then, up to three times; rarely twice at once: a fork."""
        attempts = 1 if job.retries is None else 2
        forced = self._wants_tip(job)
        if not self._left or not (forced or self._rng.random() < 0.3 * attempts):
            return
        fork = attempts == 1 and not forced and self._left > 1
        twice = fork and self._forks * 30 < len(self._retries)
        self._forks += twice
        for _ in range(1 + twice):
            if self._left:
                self._retry_once(job, failed_at)

    def _retry_once(self, job: Job, failed_at: float) -> None:
        rng = self._rng
        base = job.retries[1] if job.retries else job.id
        unfinished = self._wants_tip(job)
        created = failed_at + 1800 * rng.lognormvariate(0, 1.5)
        if unfinished:
            created = max(self._now - rng.uniform(300, 2400), failed_at)
        elif created > self._now - 120:
            created = failed_at + (self._now - failed_at) * rng.uniform(0.2, 0.8)
        retry = replace(
            job,
            id=f"{rng.getrandbits(128):032x}",
            created=created,
            retries=(job.id, base),
            base_created=job.created if job.base_created is None else job.base_created,
        )
        self._left -= 1
        self._retries.append((created, f"{retry.id},{job.id},{base}\n"))
        folder = self._create(retry)
        if not unfinished:
            self._live(folder, retry, 0)
            return
        task_lifecycle.submit(folder, retry, self._next_number(), created)
        if self._waiting_tips.pop() == "running":
            started = created + (self._now - created) * 0.2
            task_lifecycle.start(folder, retry, started)
            task_lifecycle.say(folder, retry.study.message[:1], started)

    def _next_number(self) -> int:
        self._number += 1
        return 1_004_200 + self._number

    # -- what went wrong

    def _broken(self) -> None:
        """What a full disk leaves: a ``data`` cut in the middle, and a folder without one."""
        self._left -= 2
        study = STUDIES[0]
        created = self._now - 41 * DAY
        for keep in (100, 0):
            task_id = f"{self._rng.getrandbits(128):032x}"
            job = Job(task_id, study, study.vary(self._rng, 3, 9), created)
            folder = self._folder(job.id)
            os.mkdir(folder)
            if keep:
                task_lifecycle.put(folder, "data", job.data()[:keep], created)
            else:
                task_lifecycle.put(folder, "Renviron", job.renviron(), created)
