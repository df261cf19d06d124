"""What changes a root, in a thread of its own, and what it says as messages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from textual.message import Message
from textual.message_pump import MessagePump

from hipercow_tui.domain.plan import PurgePlan
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
from hipercow_tui.ui.messages import JobEnded


@dataclass(frozen=True, slots=True)
class JobSpec:
    """Something to be done to a root, once it is confirmed: ``title`` for the screen, ``act`` does
    it, with where its progress goes and what asks it to stop; None of that if it can't stop."""

    title: str
    action: Callable[[Callable[[Progress], None], threading.Event], Report]
    can_stop: bool = True


def purge_job(plan: PurgePlan, root: Root, aim: PurgeMode) -> JobSpec:
    """Carry out a plan, for good or into the trash."""
    into_trash = aim is PurgeMode.TRASH
    act = move_to_trash if into_trash else execute
    title = "Moving to the trash" if into_trash else "Purging"
    return JobSpec(title, lambda heard, stop: act(plan, root, on_progress=heard, stop=stop))


def restore_job(root: Root, batch_id: str) -> JobSpec:
    """Bring back what a lot holds."""

    def act(heard: Callable[[Progress], None], stop: threading.Event) -> Report:
        return restore(root, batch_id, on_progress=heard)

    return JobSpec("Restoring", act, can_stop=False)


def empty_job(root: Root, batches: Sequence[TrashEntry]) -> JobSpec:
    """Erase these lots, if they are as they were listed."""
    return JobSpec(
        "Emptying the trash",
        lambda heard, stop: empty(root, batches, on_progress=heard, stop=stop),
    )


def finish_job(root: Root, batch_id: str) -> JobSpec:
    """Bring to its end what broke off."""
    return JobSpec(
        "Finishing", lambda heard, stop: finish(root, batch_id, on_progress=heard, stop=stop)
    )


@dataclass
class JobProgressed(Message):
    """The job went on; ``seconds_left`` is None where that can't be told yet."""

    progress: Progress
    seconds_left: float | None

    def can_replace(self, message: Message) -> bool:
        """Only the latest state counts for a screen that is behind."""
        return isinstance(message, JobProgressed)


class JobRunner:
    """One job. It goes on whatever becomes of the screen, and Python waits for its end before it
    exits.

    ``receiver`` gets JobProgressed and, once, JobEnded.
    """

    def __init__(self, job: JobSpec, receiver: MessagePump) -> None:
        self._job = job
        self._receiver = receiver
        self._stop = threading.Event()
        self._progress: Progress | None = None
        self._phase: Phase | None = None
        self._phase_began = 0.0
        self._ended = JobEnded(None)
        # No daemon: a thread killed between two renames would leave half a chain in its place.
        self._thread = threading.Thread(target=self._carry_out, name="purge")

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    def start(self) -> None:
        """Begin; call it once."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; a purge puts back all that is not erased yet."""
        self._stop.set()

    @property
    def waited_for(self) -> str:
        """A sentence on this job and how far it is, for a person that leaves the app."""
        how_far = ""
        if self._progress is not None:
            progress = self._progress
            how_far = f" ({progress.phase}, {progress.done:,} of {progress.total:,} tasks)"
        title = f"{self._job.title}{how_far}"
        if self.stopping:
            return f"{title} is being stopped: wait until the file system has answered"
        return f"{title} is under way: wait for its end" + (
            ", or stop it with U" if self._job.can_stop else ""
        )

    def wait(self, seconds: float) -> bool:
        """Wait for its end, but no longer than that; returns whether it has ended."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def stop_and_wait(self) -> JobEnded:
        """Ask it to end, and wait until it has."""
        self.stop()
        if self._thread.ident is not None:
            self._thread.join()
        return self._ended

    def _carry_out(self) -> None:
        try:
            done = self._job.action(self._progressed, self._stop)
        except HipercowTuiError as error:
            self._ended = JobEnded(None, str(error))
        except Exception as error:  # a mistake of ours: whoever waits for the end must hear of it
            self._ended = JobEnded(
                None, f"{self._job.title} broke off: {type(error).__name__}: {error}"
            )
        else:
            self._ended = JobEnded(done)
        self._tell(self._ended)

    def _progressed(self, progress: Progress) -> None:
        now = time.monotonic()
        self._progress = progress
        if progress.phase is not self._phase:
            self._phase, self._phase_began = progress.phase, now
        left = None
        if progress.done and now > self._phase_began:
            left = (now - self._phase_began) / progress.done * (progress.total - progress.done)
        self._tell(JobProgressed(progress, left))

    def _tell(self, message: Message) -> None:
        with suppress(RuntimeError):  # the app has just ended
            self._receiver.post_message(message)
