"""The key that waits for tasks to end, and what the user sees and hears when they have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual.screen import Screen

from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status
from hipercow_tui.domain.waits import GONE, EndedWait, Wait, WaitProgress, Waits
from hipercow_tui.support.text import format_duration, pluralize, short_id
from hipercow_tui.ui.attention import Attention
from hipercow_tui.ui.browse.controller import Controller
from hipercow_tui.ui.browse.panes import Panes
from hipercow_tui.ui.browse.session import Session
from hipercow_tui.ui.cells import cut_end, plain_text
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.status_style import GLYPH
from hipercow_tui.ui.terminal_app import LASTING, TerminalApp
from hipercow_tui.ui.widgets.header import HeaderBar

ENDS = (Status.SUCCESS, Status.FAILURE, Status.CANCELLED)
MAX_LABEL = 40  # cells of the name of a bundle or an error


class WaitControl(Controller):
    """Waits for marked tasks, or for those of the current row, until the app ends."""

    def __init__(self, session: Session, screen: Screen[Any], panes: Panes) -> None:
        super().__init__(session, screen, panes)
        self._waits = Waits()
        self._results: list[str] = []  # how waits ended since the last key
        self._seen: Snapshot | None = None
        self._progress = WaitProgress({})  # of all waits together

    def toggle(self) -> None:
        """Wait for the unfinished tasks of the selection; if all of them are waited for, stop."""
        session, selected = self._session, self._selected
        if not session.complete:
            self._notify("The root is still being read: try again in a moment")
            return
        if selected is None:
            self._notify("Go to a task, a bundle or an error, or mark tasks, to wait for them")
            return
        label, ids = selected
        progress = WaitProgress.of(session.snapshot, ids)
        unfinished = progress.unfinished
        if not unfinished:
            self._notify(f"Nothing to wait for in {label}: {ends_text(progress)}")
        elif self._waits.ids.issuperset(unfinished):
            self._stop(ids, unfinished)
        else:
            self._waits = self._waits.with_wait(Wait(label, unfinished, session.clock()))
            self._notify(self._started_text(label, progress))
        self._look()

    @property
    def _selected(self) -> tuple[str, Sequence[str]] | None:
        """The name and the ids of the marked tasks, else of the tasks of the current row."""
        pane, marks = self._panes.current, self._session.marks.ids
        if marks:
            return f"the marked {'task' if len(marks) == 1 else 'tasks'}", tuple(marks)
        if pane.task is not None:
            return f"task {short_id(pane.task.id)}", (pane.task.id,)
        if pane.inputs is None:
            return None
        name, ids = pane.inputs
        return cut_end(plain_text(name), MAX_LABEL), ids

    def _stop(self, ids: Sequence[str], unfinished: Sequence[str]) -> None:
        self._waits = self._waits.without(frozenset(ids), self._session.snapshot)
        text = f"No longer waiting for {pluralize(len(unfinished), 'task')}"
        left = WaitProgress.of(self._session.snapshot, self._waits.ids).unfinished
        self._notify(f"{text}. {len(left):,} others are still waited for" if left else text)

    def _started_text(self, label: str, progress: WaitProgress) -> str:
        unfinished, one = progress.unfinished, len(progress.attempts) == 1
        notes = []
        if created := progress.counts[Status.CREATED]:
            notes.append(f"{created:,} not submitted")
        if stuck := self._count_stuck(progress):
            notes.append(f"{stuck:,} may be stuck")
        what = label if one else f"{pluralize(len(unfinished), 'unfinished task')} of {label}"
        noted = f" ({', '.join(notes)})" if notes else ""
        stop = with_keys("<wait=W> again stops waiting")
        return f"Waiting for {what}{noted}: {self._attention.means} at the end. {stop}"

    def update(self) -> None:
        """Take over a complete scan: report the waits that have ended."""
        snapshot = self._session.snapshot
        # No purge takes unfinished tasks, so a root without tasks has disappeared.
        if not (self._waits.waits and snapshot.tasks):
            return
        if snapshot is not self._seen:
            self._seen = snapshot
            progress = WaitProgress.of(snapshot, self._waits.ids)
            self._waits, ended = self._waits.split(progress)
            self._progress = progress.part(self._waits.ids)
            if ended:
                self._report([self._ended_text(one) for one in ended])
        self._show()  # also without a change, because a task may be stuck now

    def _ended_text(self, ended: EndedWait) -> str:
        wait, progress = ended
        seconds = self._session.clock() - wait.began
        return f"{wait.label}: {ends_text(progress)} in {format_duration(seconds)}"

    def _report(self, texts: Sequence[str]) -> None:
        """Call the user; the message has all results since the last key."""
        self._results += texts
        self._attention.call("; ".join(texts))
        text = "\n".join(self._results)
        self._screen.app.notify(text, title="Ended", timeout=LASTING, markup=False)

    def key_pressed(self) -> None:
        """Remove the results from the title of the window: the user is back."""
        if self._results:
            self._results.clear()
            self._show()

    def _look(self) -> None:
        """Look up all tasks that are waited for, and show how far they are."""
        self._progress = WaitProgress.of(self._session.snapshot, self._waits.ids)
        self._show()

    def _show(self) -> None:
        """Show how far the tasks are in the header, and that or the last result in the title."""
        progress, sign = self._progress, ""
        if progress.attempts:
            parts = [f"wait {progress.ended_count:,}/{len(progress.attempts):,}"]
            if failures := progress.counts[Status.FAILURE]:
                parts.append(f"{failures:,} {GLYPH[Status.FAILURE]}")
            if stuck := self._count_stuck(progress):
                parts.append(f"{stuck:,} stuck?")
            sign = ", ".join(parts)
        self._screen.query_one(HeaderBar).waits = sign
        self._attention.set_title("; ".join(self._results) or sign)

    def _count_stuck(self, progress: WaitProgress) -> int:
        model = self._session.view_model
        stuck = model.stuck if model else ()
        return sum(progress.attempts[i].id in stuck for i in progress.unfinished) if stuck else 0

    @property
    def _attention(self) -> Attention:
        app = self._screen.app
        assert isinstance(app, TerminalApp)
        return app.attention

    def _notify(self, text: str) -> None:
        self._screen.notify(text, markup=False)


def ends_text(progress: WaitProgress) -> str:
    """Return how tasks ended: ``10 ✓ 2 ✗``, with the glyphs of statuses, and ``1 gone``."""
    counts = progress.counts
    ends = [f"{counts[one]:,} {GLYPH[one]}" for one in ENDS if counts[one]]
    return " ".join(ends + [f"{counts[GONE]:,} {GONE}"] * bool(counts[GONE]))
