"""A purge in a thread of its own, and what it says as messages."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from textual.message import Message
from textual.message_pump import MessagePump

from hipercow_tui.errors import HipercowTuiError
from hipercow_tui.plan import PurgePlan
from hipercow_tui.purging import Phase, Progress, PurgeReport, carry_out
from hipercow_tui.roots import Root


@dataclass
class PurgeProgressed(Message):
    """The purge went on; ``seconds_left`` is None where that can't be told yet."""

    progress: Progress
    seconds_left: float | None

    def can_replace(self, message: Message) -> bool:
        """Only the latest state counts for a screen that is behind."""
        return isinstance(message, PurgeProgressed)


@dataclass
class PurgeEnded(Message):
    """The purge is over: what became of the plan, or a sentence on why nothing could be done."""

    report: PurgeReport | None
    error: str | None = None


class PurgeRun:
    """One purge. It goes on whatever becomes of the screen, and Python waits for its end before it
    exits.

    ``receiver`` gets PurgeProgressed and, once, PurgeEnded.
    """

    def __init__(self, plan: PurgePlan, root: Root, receiver: MessagePump) -> None:
        self._plan = plan
        self._root = root
        self._receiver = receiver
        self._stop = threading.Event()
        self._phase: Phase | None = None
        self._phase_began = 0.0
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
        """Ask it to end and to put back all that is not erased yet."""
        self._stop.set()

    def _carry_out(self) -> None:
        try:
            done = carry_out(self._plan, self._root, on_progress=self._progressed, stop=self._stop)
        except HipercowTuiError as error:
            ended = PurgeEnded(None, str(error))
        except Exception as error:  # a mistake of ours: whoever waits for the end must hear of it
            ended = PurgeEnded(None, f"The purge broke off: {type(error).__name__}: {error}")
        else:
            ended = PurgeEnded(done)
        self._receiver.post_message(ended)

    def _progressed(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.phase is not self._phase:
            self._phase, self._phase_began = progress.phase, now
        left = None
        if progress.done and now > self._phase_began:
            left = (now - self._phase_began) / progress.done * (progress.total - progress.done)
        self._receiver.post_message(PurgeProgressed(progress, left))
