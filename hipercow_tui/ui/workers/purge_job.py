"""Runs a job that changes a root in a thread, and posts its progress as messages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType

from textual.message import Message
from textual.message_pump import MessagePump

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.formats.folder_size import Size
from hipercow_tui.formats.root import Root
from hipercow_tui.output.report import Report
from hipercow_tui.purging import (
    Phase,
    Progress,
    TrashEntry,
    empty,
    execute,
    finish,
    move_to_trash,
    restore,
)
from hipercow_tui.purging.manifest import PurgeMode
from hipercow_tui.support.errors import HipercowTuiError
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.messages import JobEnded


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A confirmed change of a root. ``action`` carries it out: it takes a callback for its progress
    and an event that asks it to stop, and returns a report. ``title`` is for the screen."""

    title: str
    action: Callable[[Callable[[Progress], None], threading.Event], Report]
    can_stop: bool = True


def purge_job(
    plan: PurgePlan,
    root: Root,
    mode: PurgeMode,
    sizes: Mapping[str, Size] = MappingProxyType({}),
) -> JobSpec:
    """Return a job that carries out a plan: move to the trash, or erase. ``sizes`` are those of the
    tasks that are measured, by id."""

    def run(on_progress: Callable[[Progress], None], stop: threading.Event) -> Report:
        if mode is PurgeMode.TRASH:
            return move_to_trash(plan, root, sizes=sizes, on_progress=on_progress, stop=stop)
        return execute(plan, root, on_progress=on_progress, stop=stop)

    return JobSpec("Moving to the trash" if mode is PurgeMode.TRASH else "Purging", run)


def restore_job(root: Root, batch_id: str) -> JobSpec:
    """Return a job that restores a batch."""

    def run(on_progress: Callable[[Progress], None], stop: threading.Event) -> Report:
        return restore(root, batch_id, on_progress=on_progress)

    return JobSpec("Restoring", run, can_stop=False)


def empty_job(root: Root, batches: Sequence[TrashEntry]) -> JobSpec:
    """Return a job that erases batches, if they have not changed since they were listed."""
    return JobSpec(
        "Emptying the trash",
        lambda on_progress, stop: empty(root, batches, on_progress=on_progress, stop=stop),
    )


def finish_job(root: Root, batch_id: str) -> JobSpec:
    """Return a job that finishes an interrupted batch."""
    return JobSpec(
        "Finishing",
        lambda on_progress, stop: finish(root, batch_id, on_progress=on_progress, stop=stop),
    )


@dataclass
class JobProgressed(Message):
    """The job made progress; ``seconds_left`` is None as long as it is unknown."""

    progress: Progress
    seconds_left: float | None

    def can_replace(self, message: Message) -> bool:
        """Drop older progress if the screen is behind."""
        return isinstance(message, JobProgressed)


class JobRunner:
    """Runs one job. It continues if the screen is closed, and Python waits for its end before it
    exits.

    ``receiver`` gets JobProgressed messages and one JobEnded.
    """

    def __init__(self, job: JobSpec, receiver: MessagePump) -> None:
        self._job = job
        self._receiver = receiver
        self._stop = threading.Event()
        self._progress: Progress | None = None
        self._phase: Phase | None = None
        self._phase_began = 0.0
        self._ended = JobEnded(None)
        # Not a daemon: a thread killed between two renames would leave half of a retry chain.
        self._thread = threading.Thread(target=self._run, name="purge")

    @property
    def stopping(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stop.is_set()

    def start(self) -> None:
        """Start the thread; call it once."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the job to end; a purge restores everything that is not erased yet."""
        self._stop.set()

    @property
    def status_text(self) -> str:
        """A sentence on the job and its progress, for a user who wants to quit."""
        progress_text = ""
        if self._progress is not None:
            progress = self._progress
            progress_text = f" ({progress.phase}, {progress.done:,} of {progress.total:,} tasks)"
        title = f"{self._job.title}{progress_text}"
        if self.stopping:
            return f"{title} is being stopped: wait until the file system has answered"
        return f"{title} is in progress: wait for it to finish" + (
            with_keys(", or stop it with <undo=U>") if self._job.can_stop else ""
        )

    def wait(self, seconds: float) -> bool:
        """Wait for the end at most ``seconds``; return whether the job has ended."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def stop_and_wait(self) -> JobEnded:
        """Ask the job to end, and wait for the end."""
        self.stop()
        if self._thread.ident is not None:
            self._thread.join()
        return self._ended

    def _run(self) -> None:
        try:
            done = self._job.action(self._progressed, self._stop)
        except HipercowTuiError as error:
            self._ended = JobEnded(None, str(error))
        except Exception as error:  # a bug: the end must be reported all the same
            self._ended = JobEnded(
                None, f"{self._job.title} failed: {type(error).__name__}: {error}"
            )
        else:
            self._ended = JobEnded(done)
        self._post(self._ended)

    def _progressed(self, progress: Progress) -> None:
        now = time.monotonic()
        self._progress = progress
        if progress.phase is not self._phase:
            self._phase, self._phase_began = progress.phase, now
        left = None
        if progress.done and now > self._phase_began:
            left = (now - self._phase_began) / progress.done * (progress.total - progress.done)
        self._post(JobProgressed(progress, left))

    def _post(self, message: Message) -> None:
        with suppress(RuntimeError):  # the app has just ended
            self._receiver.post_message(message)
