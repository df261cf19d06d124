"""Change pins and notes in a thread, and show a sentence about the change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from textual.screen import Screen

from hipercow_tui.domain.records import RecordTarget, TargetKind
from hipercow_tui.formats.root import Root
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import escape_controls, pluralize, short_id
from hipercow_tui.ui.messages import WorkerFailed
from hipercow_tui.ui.workers.base import start_thread


class RecordChanges:
    """The base of what a key does with pins or notes.

    ``changed`` is called in the UI thread after a change. ``clock`` gives the time in seconds since
    the epoch.
    """

    def __init__(
        self,
        screen: Screen[Any],
        root: Root,
        changed: Callable[[], object],
        *,
        read_only: bool,
        clock: Callable[[], float],
    ) -> None:
        self.screen = screen
        self.root = root
        self.read_only = read_only
        self.clock = clock
        self._changed = changed

    def run(self, change: Callable[[], str]) -> None:
        """Run a change of files in a thread, then show the sentence that it returns."""

        def work() -> None:
            try:
                done, severity = change(), "information"
            except PurgeError as error:
                done, severity = str(error), "error"
            self.screen.call_later(self._ended, done, severity)

        start_thread(work, lambda error: self.screen.app.post_message(WorkerFailed(error)))

    def _ended(self, done: str, severity: Any) -> None:
        self.notify(done, severity)
        self._changed()

    def notify(self, text: str, severity: Any = "information") -> None:
        """Show a sentence."""
        self.screen.notify(text, severity=severity, markup=False)


def label(targets: Sequence[RecordTarget]) -> str:
    """Return ``chain 3f2a9c…71e0``, ``bundle sweep_01`` or ``3 chains and 1 bundle``."""
    if len(targets) == 1:
        (one,) = targets
        is_chain = one.kind is TargetKind.CHAIN
        return f"{one.kind} {short_id(one.name) if is_chain else escape_controls(one.name)}"
    counts = [(kind, sum(1 for one in targets if one.kind is kind)) for kind in TargetKind]
    return " and ".join(pluralize(number, kind) for kind, number in counts if number)
