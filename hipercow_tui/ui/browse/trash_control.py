"""The trash on the main screen: its state in the header, warnings, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from hipercow_tui.ui import messages
from hipercow_tui.ui.browse.controller import Controller
from hipercow_tui.ui.browse.panes import Panes
from hipercow_tui.ui.browse.purge_control import PurgeControl
from hipercow_tui.ui.browse.session import Session
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.widgets.header import HeaderBar

if TYPE_CHECKING:
    from hipercow_tui.formats.free_space import FreeSpace
    from hipercow_tui.ui.workers.trash_monitor import TrashState


class TrashControl(Controller):
    """Follows the state of the trash, and restores from it through ``purge``."""

    def __init__(
        self, session: Session, screen: Screen[Any], panes: Panes, *, purge: PurgeControl
    ) -> None:
        super().__init__(session, screen, panes)
        self._purge = purge
        self._state: TrashState | None = None
        self._announced: frozenset[str] = frozenset()  # ids of interrupted batches
        self._undo_requested = False
        self._moved = False  # whether a job moved tasks to the trash after it was read

    def refresh(self) -> None:
        """Read the trash in the background, except during a job, which refreshes at its end."""
        if self._purge.job is None:
            self._session.services.refresh_trash()

    def reread(self) -> None:
        """Read the trash even if nothing seems to have changed."""
        self._session.services.trash.forget()
        self._session.services.refresh_trash()

    def update(self, state: TrashState) -> None:
        """Show a state of the trash; if an undo was requested, ask to confirm it."""
        if state is not self._state:
            self._state, self._moved = state, False
            self._screen.refresh_bindings()
        self.show_summary()
        self._announce_interrupted(state)
        if self._undo_requested:
            self._undo_requested = False
            self._ask_to_undo(state)

    def show_summary(self) -> None:
        """Show the size and the age of the trash in the header."""
        if self._state is None:
            return
        session, header = self._session, self._screen.query_one(HeaderBar)
        header.trash = (
            with_keys("! interrupted: <trash=T>")
            if self._state.interrupted
            else self._state.summary(session.clock(), session.state.size_kind)
        )

    def _announce_interrupted(self, state: TrashState) -> None:
        from hipercow_tui.ui.workers.trash_monitor import age_text

        new = [batch for batch in state.interrupted if batch.batch_id not in self._announced]
        self._announced |= {batch.batch_id for batch in new}
        for batch in new:
            self._screen.notify(
                f"A purge {age_text(batch, self._session.clock())} was interrupted: "
                + with_keys("<trash=T> to finish or restore it"),
                severity="warning",
                timeout=30,
                markup=False,
            )

    # Undo

    @property
    def can_undo(self) -> bool:
        """Whether there is a job to stop or a batch to restore."""
        undoable = self._moved or bool(self._state and self._state.undoable)
        return self._purge.job is not None or undoable

    def undo(self) -> None:
        """Stop the running job; else ask to restore the last batch of the trash."""
        if self._purge.job is not None:
            self._purge.stop()
        elif self._session.purge_refusal:
            self._screen.notify(self._session.purge_refusal, severity="warning", markup=False)
        else:
            self._undo_requested = True
            self._session.services.refresh_trash()

    def _ask_to_undo(self, state: TrashState) -> None:
        from rich.text import Text

        from hipercow_tui.ui.dialogs.choice import Choice, ChoiceScreen
        from hipercow_tui.ui.workers.purge_job import restore_job
        from hipercow_tui.ui.workers.trash_monitor import age_text, contents_text

        batches = state.undoable
        if not batches:
            self._screen.notify(
                state.problem or "Nothing to undo: the trash is empty", markup=False
            )
            return
        job = restore_job(self._session.root, batches[0].batch_id)
        content = contents_text(*batches, verb="goes/go")
        age = age_text(batches[0], self._session.clock())
        text = f"{content} back into place, moved to the trash {age}."
        self._screen.app.push_screen(
            ChoiceScreen("Undo?", Text(text), [Choice("yes", "y", "Undo")]),
            lambda answer: self._purge.start(job if answer else None),
        )

    # Screens

    def show_trash(self) -> None:
        """Show the batches of the trash; start the job that is confirmed there."""
        from hipercow_tui.ui.screens.trash import TrashScreen

        session = self._session
        self._screen.app.push_screen(
            TrashScreen(
                session.root,
                refusal=session.purge_refusal,
                clock=session.clock,
                size_kind=session.state.size_kind,
            ),
            self._purge.start,
        )

    def show_history(self) -> None:
        """Show the history of purges, restores and emptyings."""
        from hipercow_tui.ui.screens.history import HistoryScreen

        session = self._session
        self._screen.app.push_screen(
            HistoryScreen(session.root, clock=session.clock, size_kind=session.state.size_kind)
        )

    def show_result(self, message: messages.JobEnded) -> None:
        """Show what a job did, or why it could not be done."""
        from hipercow_tui.ui.widgets.footer import KeyFooter
        from hipercow_tui.ui.widgets.job_result import JobResult, title_of

        screen = self._screen
        if message.report is not None:
            self._moved = getattr(message.report, "trash", None) is not None
            kind, before = self._session.state.size_kind, self._purge.space_before
            result = JobResult(message.report, kind, before)
            screen.mount(result, before=screen.query_one(KeyFooter))
            screen.refresh_bindings()
            if screen.app.screen is not screen:
                screen.notify(f"{title_of(message.report)}: the main screen shows the report")
        elif message.error is not None:
            self._screen.notify(
                message.error, title="Not done", severity="error", timeout=30, markup=False
            )

    def show_space(self, space: FreeSpace | None) -> None:
        """Show in the report of the last job how much is free now."""
        if not self._screen.query("JobResult"):
            return  # its module is not imported at the start, while threads import others
        from hipercow_tui.ui.widgets.job_result import JobResult

        for shown in self._screen.query(JobResult):
            shown.show_space(space)

    def close_result(self) -> bool:
        """Remove the result of the last job; return whether one was shown."""
        shown = self._screen.query("JobResult")
        if not shown:
            return False
        shown.remove()
        return True
