"""A pretend cluster that lives in a demo root: it starts, finishes, fails, retries and submits.

It knows nothing but what stands in the root, as a real one would, and writes what the real
hipercow writes in its order. Tasks may be purged under its hands: it lets go of them silently.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from hipercow_tui.demo import project, task_lifecycle
from hipercow_tui.demo.job import Job
from hipercow_tui.demo.outcomes import attempt, result_of
from hipercow_tui.demo.recognise import job_of
from hipercow_tui.demo.studies import STUDIES, bundle_name

RUNNING, WAITING = 3, 40
FAILED_REMEMBERED = 200
PAUSE = (0.4, 1.4)


@dataclass(slots=True)
class _Running:
    job: Job
    started: float
    said: int = 1


class Cluster:
    """The tasks of one demo root that are waiting or running, and what happens to them next.

    ``clock`` gives the time as seconds since the epoch where ``run`` needs it.
    """

    def __init__(
        self, root: Path, *, seed: int = 1, clock: Callable[[], float] = time.time
    ) -> None:
        self._hipercow = f"{root}/hipercow"
        self._rng = Random(f"cluster {seed}")
        self._clock = clock
        self._found = False
        self._waiting: deque[Job] = deque()
        self._running: list[_Running] = []
        self._failed: deque[Job] = deque(maxlen=FAILED_REMEMBERED)
        self._number = 2_000_000

    def run(self, stop: threading.Event) -> None:
        """Step in real time until told to stop, about once a second."""
        while not stop.wait(self._rng.uniform(*PAUSE)):
            self.step(self._clock())

    def step(self, now: float) -> None:
        """Let one thing happen at the moment ``now``."""
        with _whatever_was_purged():
            if not self._found:
                self._look_around()
            self._one_thing(now)

    def _one_thing(self, now: float) -> None:
        if len(self._running) < RUNNING and self._waiting:
            self._start(self._waiting.popleft(), now)
        elif len(self._waiting) < WAITING - 8:
            self._submit_bundle(now)
        else:
            choices = (self._say, self._finish, self._retry, self._submit_one)
            self._rng.choices(choices, (3, 3, 1, 1))[0](now)

    # -- what can happen

    def _start(self, job: Job, now: float) -> None:
        """A cancelled task does not start."""
        folder = self._folder(job.id)
        if os.path.exists(f"{folder}/status-submitted") and not self._over(folder):
            task_lifecycle.start(folder, job, now)
            self._running.append(_Running(job, now))

    def _say(self, now: float) -> None:
        if not self._running:
            return
        run = self._rng.choice(self._running)
        says = run.job.study.message or ("working",)
        with self._or_forget(run):
            task_lifecycle.say(self._folder(run.job.id), [says[run.said % len(says)]], now)
        run.said += 1

    def _finish(self, now: float) -> None:
        if not self._running:
            return
        run = self._running.pop(self._rng.randrange(len(self._running)))
        folder, job = self._folder(run.job.id), run.job
        if self._over(folder):
            return
        failed = attempt(self._rng, job, 0.3)
        if failed is None:
            task_lifecycle.succeed(folder, job, result_of(self._rng, job.study), run.started, now)
        else:
            task_lifecycle.fail(folder, job, *failed, run.started, now)
            self._failed.append(job)

    def _retry(self, now: float) -> None:
        """A new task folder with its ``data``, then a line at the end of ``retry``, then its
        submission (``task_retry``)."""
        if not self._failed:
            return
        job = self._failed.pop()
        if not os.path.exists(f"{self._folder(job.id)}/status-failure"):
            return
        base = job.retries[1] if job.retries else job.id
        retry = replace(
            job,
            id=self._new_id(),
            created=now,
            retries=(job.id, base),
            base_created=job.created if job.base_created is None else job.base_created,
        )
        folder = self._create(retry)
        line = f"{retry.id},{job.id},{base}\n".encode()
        task_lifecycle.put(self._hipercow, "retry", line, now, task_lifecycle.MORE | os.O_CREAT)
        self._submit(folder, retry, now)

    def _submit_one(self, now: float) -> None:
        study = self._rng.choice(STUDIES)
        values = study.vary(self._rng, self._rng.randrange(20), 20)
        cipher = project.cipher(self._rng) if study.secret else ""
        job = Job(self._new_id(), study, values, now, bulk=False, cipher=cipher)
        self._submit(self._create(job), job, now)

    def _submit_bundle(self, now: float) -> None:
        """All tasks are created before the first is submitted, the bundle comes last."""
        rng = self._rng
        study, size = rng.choice(STUDIES), rng.randrange(8, 16)
        cipher = project.cipher(rng) if study.secret else ""
        jobs = [
            Job(self._new_id(), study, study.vary(rng, i, size), now + 0.01 * i, cipher=cipher)
            for i in range(size)
        ]
        folders = [self._create(job) for job in jobs]
        for folder, job in zip(folders, jobs, strict=True):
            self._submit(folder, job, now)
        week = time.strftime("%G-w%V", time.gmtime(now))
        name = self._unused(bundle_name(study, rng, rng.randrange(20, 100), week))
        ids = "".join(f"{job.id}\n" for job in jobs)
        task_lifecycle.put(f"{self._hipercow}/bundles", name, ids.encode(), now)

    # -- how it is written

    def _create(self, job: Job) -> str:
        folder = self._folder(job.id)
        with suppress(FileExistsError):
            os.mkdir(os.path.dirname(folder))
        task_lifecycle.create(folder, job)
        return folder

    def _submit(self, folder: str, job: Job, now: float) -> None:
        self._number += 1
        task_lifecycle.submit(folder, job, self._number, now)
        self._waiting.append(job)

    def _over(self, folder: str) -> bool:
        return os.path.exists(f"{folder}/status-cancelled")

    def _unused(self, name: str) -> str:
        taken = set(os.listdir(f"{self._hipercow}/bundles"))
        return next(
            candidate
            for candidate in (name, *(f"{name}_{n}" for n in range(2, len(taken) + 3)))
            if candidate not in taken
        )

    @contextmanager
    def _or_forget(self, run: _Running) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            self._running.remove(run)

    def _new_id(self) -> str:
        return f"{self._rng.getrandbits(128):032x}"

    def _folder(self, task_id: str) -> str:
        return f"{self._hipercow}/tasks/{task_id[:2]}/{task_id[2:]}"

    # -- what it finds

    def _look_around(self) -> None:
        """Find what waits, runs and failed: one listing a task, 20 µs each."""
        self._found = True
        retried = self._retried()
        for task_id in self._task_ids():
            folder = self._folder(task_id)
            with _whatever_was_purged():
                names = frozenset(os.listdir(folder))
                if "status-failure" in names:
                    if len(self._failed) < FAILED_REMEMBERED and task_id not in retried:
                        self._failed.extend(self._jobs(task_id))
                elif names.isdisjoint(("status-success", "status-cancelled")):
                    self._take_up(task_id, names)

    def _take_up(self, task_id: str, names: frozenset[str]) -> None:
        if "status-running" in names:
            started = os.stat(f"{self._folder(task_id)}/status-running").st_mtime
            self._running += [_Running(job, started) for job in self._jobs(task_id)]
        elif "status-submitted" in names:
            self._waiting.extend(self._jobs(task_id))

    def _jobs(self, task_id: str) -> list[Job]:
        """The task as a job, if it is one of ours."""
        job = job_of(self._hipercow, task_id)
        return [job] if job else []

    def _task_ids(self) -> Iterator[str]:
        tasks = f"{self._hipercow}/tasks"
        for head in sorted(os.listdir(tasks)):
            for tail in sorted(os.listdir(f"{tasks}/{head}")):
                yield head + tail

    def _retried(self) -> frozenset[str]:
        try:
            with open(f"{self._hipercow}/retry", encoding="ascii") as lines:
                return frozenset(line.split(",")[1] for line in lines)
        except FileNotFoundError:
            return frozenset()


@contextmanager
def _whatever_was_purged() -> Iterator[None]:
    """What is gone is gone: nothing more is written of it."""
    with suppress(FileNotFoundError, NotADirectoryError):
        yield
