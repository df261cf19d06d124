"""The trash, with interrupted purges: restore, finish or empty a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static
from textual.worker import get_current_worker

from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.formats.root import Root
from hipercow_tui.purging import BatchState, TrashEntry
from hipercow_tui.purging.batch_contents import contents_of_batches
from hipercow_tui.purging.manifest import PurgeMode
from hipercow_tui.support.text import format_size, pluralize
from hipercow_tui.ui.cells import fit, plain_text
from hipercow_tui.ui.dialogs.choice import Choice, ChoiceScreen
from hipercow_tui.ui.dialogs.older_than import OldBatches, OlderThanScreen
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.screen_keys import TRASH_KEYS
from hipercow_tui.ui.screens.contents import ContentsScreen
from hipercow_tui.ui.screens.history import HistoryScreen
from hipercow_tui.ui.screens.page import Page
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.record_list import RecordList, record_line
from hipercow_tui.ui.workers.purge_job import JobSpec, empty_job, finish_job, restore_job
from hipercow_tui.ui.workers.trash_monitor import TrashMonitor, TrashState, age_text, contents_text

_REFRESH_INTERVAL = 2.0  # seconds
_EMPTY = (
    "The trash is empty\n\n"
    "<plan=p>, then <plan.purge=D> and t move tasks to the trash. <trash.back=esc>: back"
)
_FINISH, _RESTORE = "<trash.finish=f>: finish", "<trash.restore=r>: restore"
_ERASE = "<trash.empty=e>: erase for good"
_INTERRUPTED = {
    BatchState.PREPARING: f"{_RESTORE} it. It was interrupted before the purge was confirmed",
    BatchState.MOVING: f"{_FINISH}, {_RESTORE}. It was interrupted before anything was erased",
    BatchState.ERASING: f"{_FINISH}, {_RESTORE} the rest. It was interrupted while erasing",
    BatchState.RESTORING: (
        "<trash.finish=f> or <trash.restore=r>: finish. It was interrupted while restoring"
    ),
}
_AT_REST = {
    BatchState.TRASH: f"{_RESTORE}, {_ERASE}. Its space is freed when it is erased",
    BatchState.QUARANTINED: f"{_RESTORE} again, {_ERASE}. It could not be put back before",
}
_IRREVERSIBLE = "This can't be undone."


class TrashScreen(Page[JobSpec | None]):
    """List the batches; dismiss with the confirmed job, or None.

    ``refusal`` says why nothing may be changed; empty if it may. ``clock`` gives the time in
    seconds since the epoch.
    """

    DEFAULT_CSS = """
    TrashScreen #head { height: 2; }
    TrashScreen #batches { height: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [*TRASH_KEYS]

    def __init__(
        self,
        root: Root,
        *,
        refusal: str,
        clock: Callable[[], float],
        size_kind: SizeKind = SizeKind.APPARENT,
    ) -> None:
        super().__init__()
        self._size_kind = size_kind
        self._root = root
        self._monitor = TrashMonitor(root)
        self._reading = False
        self._refusal = refusal
        self._clock = clock
        self._state = TrashState()
        self.batches = RecordList[TrashEntry](self._line, id="batches")

    def compose(self) -> ComposeResult:
        """Yield the head, the batches, the batch under the cursor in full, and the keys."""
        yield Static(Text("Trash  reading …", "bold"), id="head", markup=False)
        yield self.batches
        yield Static(with_keys(_EMPTY), id="nothing", markup=False)
        yield Static(id="in-full", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Read the trash now and every two seconds."""
        self.query_one("#nothing").display = False
        self.batches.focus()
        self._refresh_state()
        self.set_interval(_REFRESH_INTERVAL, self._refresh_state)

    def _refresh_state(self) -> None:
        if not self._reading:
            self._reading = True
            self._read()

    @work(thread=True)
    def _read(self) -> None:
        worker = get_current_worker()
        for state in self._monitor.read():
            if worker.is_cancelled:
                return
            self.call_later(self._show, state)
        self._reading = False

    def _show(self, state: TrashState) -> None:
        if state is self._state:
            return
        current = self.batches.current
        ids = [batch.batch_id for batch in state.entries]
        self._state = state
        same = ids.index(current.batch_id) if current and current.batch_id in ids else None
        self.batches.show(state.entries, same)
        nothing = self.query_one("#nothing", Static)
        nothing.display = not state.entries
        self.batches.display = bool(state.entries)
        if state.problem:
            nothing.update(plain_text(state.problem))
        self.query_one("#head", Static).update(self._head())
        self.refresh_bindings()
        self.on_virtual_list_view_changed()

    def _head(self) -> Text:
        number = pluralize(len(self._state.entries), "batch", "batches")
        head = Text(f"Trash  {number}", "bold")
        if self._state.sizes:
            head.append(f" · {self._size_text(self._state.entries)}")
        return Text.assemble(head, f"\n{plain_text(self._refusal)}" if self._refusal else "")

    def _size_text(self, batches: Sequence[TrashEntry]) -> str:
        """Return the size of batches as far as they are measured; empty if none is."""
        size = self._state.size_of(batches)
        return size.text(self._size_kind) if size else ""

    def on_virtual_list_view_changed(self) -> None:
        """Show the batch under the cursor in full."""
        batch = self.batches.current
        self.query_one("#in-full", Static).update(_in_full(batch) if batch else "")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only the actions for which there is a batch."""
        if action in ("open", "restore", "empty", "empty_all", "empty_old"):
            return bool(self._state.entries)
        return action != "finish" or bool(self._state.interrupted)

    # Actions

    def action_open(self) -> None:
        """List what the purge of the batch under the cursor holds."""
        if batch := self.batches.current:
            batches = self._state.same_purge(batch)
            langs = " and ".join(one.lang.shown for one in batches)
            self.app.push_screen(
                ContentsScreen(
                    f"Batch {batch.batch_id}{f' of {langs}' if len(batches) > 1 else ''}",
                    lambda: contents_of_batches(self._root, batches),
                    clock=self._clock,
                    size_kind=self._size_kind,
                )
            )

    def action_restore(self) -> None:
        """Restore the batch under the cursor, after a question."""
        if batch := self._actionable():
            text = f"{contents_text(*self._state.same_purge(batch), verb='is/are')} restored."
            text += " Nothing that exists is overwritten."
            if batch.partly_erased or batch.state is BatchState.ERASING:
                text += " Tasks that are erased already can't be restored."
            job = restore_job(self._root, batch.batch_id)
            self._confirm("Restore?", text, Choice("yes", "y", "Restore"), job)

    def action_finish(self) -> None:
        """Finish the interrupted batch under the cursor, after a question."""
        batch = self._actionable()
        if batch is None:
            return
        if not batch.interrupted:
            self.notify("This batch was not interrupted: there is nothing to finish")
            return
        if not batch.resumable:
            self.notify(
                with_keys(
                    "This purge was not confirmed, so it can't be finished: restore it"
                    " (<trash.restore=r>)"
                )
            )
            return
        moved = contents_text(*self._state.same_purge(batch), verb="is/are")
        text = (
            f"{_operation(batch)} of {age_text(batch, self._clock())} is finished by its plan, with"
        )
        text += f" all checks. {moved} moved so far."
        if batch.state is not BatchState.RESTORING and batch.mode is not PurgeMode.TRASH:
            text += " The tasks of the plan are erased for good."
        job = finish_job(self._root, batch.batch_id)
        self._confirm("Finish?", text, Choice("yes", "y", "Finish", "error"), job)

    def action_empty(self) -> None:
        """Erase the batch under the cursor, after a question."""
        if batch := self._actionable():
            batches = self._state.same_purge(batch)
            if not all(each.erasable for each in batches):
                self.notify(
                    with_keys(
                        "This batch was interrupted: restore (<trash.restore=r>) or finish"
                        " (<trash.finish=f>) it first"
                    )
                )
                return
            text = f"{contents_text(*batches, verb='is/are')} erased for good. {_IRREVERSIBLE}"
            job = empty_job(self._root, batches)
            choice = Choice("yes", "y", "Erase for good", "error")
            self._confirm("Empty this batch?", text, choice, job)

    def action_empty_all(self) -> None:
        """Erase all complete batches, after a question."""
        if self._actionable() is None:
            return
        batches = [batch for batch in self._state.entries if batch.state is BatchState.TRASH]
        if not batches:
            self.notify("Emptying the trash erases none of these: e erases the batch at the cursor")
            return
        self._ask_to_empty("Empty the trash?", batches)

    def action_empty_old(self) -> None:
        """Ask for an age, then erase the complete batches that are older, after a question."""
        if self._actionable() is None:
            return

        def answered(age: OldBatches | None) -> None:
            if age is not None:
                self._ask_to_empty(f"Empty batches older than {age.text}?", age.batches)

        self.app.push_screen(
            OlderThanScreen(self._state.entries, self._numbers, self._clock), answered
        )

    def _numbers(self, batches: Sequence[TrashEntry]) -> str:
        """Return ``12 tasks and 1 bundle in 2 batches (1.2 GB in 48 files)``."""
        number = len({batch.batch_id for batch in batches})
        text = f"{contents_text(*batches)} in {pluralize(number, 'batch', 'batches')}"
        size = self._size_text(batches)
        return f"{text} ({size})" if size else text

    def _ask_to_empty(self, title: str, batches: Sequence[TrashEntry]) -> None:
        text = f"{self._numbers(batches)} are erased for good. {_IRREVERSIBLE}"
        choice = Choice("yes", "y", "Erase for good", "error")
        self._confirm(title, text, choice, empty_job(self._root, batches))

    def _actionable(self) -> TrashEntry | None:
        """Return the batch under the cursor if it may be changed; otherwise notify why not."""
        batch = self.batches.current
        if batch is None:
            return None
        if self._refusal:
            self.notify(self._refusal, severity="warning", markup=False)
            return None
        if batch.in_use:
            self.notify(
                "Another process works in this batch: wait until it ends", severity="warning"
            )
            return None
        if batch.problem:
            self.notify(plain_text(batch.problem), severity="error", markup=False)
            return None
        return batch

    def _confirm(self, title: str, text: str, choice: Choice, job: JobSpec) -> None:
        def answered(answer: str | None) -> None:
            if answer is not None:
                self.dismiss(job)

        self.app.push_screen(ChoiceScreen(title, Text(text), [choice]), answered)

    def action_history(self) -> None:
        """Show the history."""
        self.app.push_screen(
            HistoryScreen(self._root, clock=self._clock, size_kind=self._size_kind)
        )

    def _line(self, batch: TrashEntry) -> Text:
        size = self._state.size_of([batch])
        return record_line(
            (fit(_state_text(batch), 15), "bold" if batch.interrupted else ""),
            fit(age_text(batch, self._clock()), 16),
            tasks=len(batch.tasks),
            bundles=len(batch.bundles),
            size=format_size(size.of(self._size_kind)) if size else "…",
            process=batch.confirmed_by,
        )


def _state_text(batch: TrashEntry) -> str:
    if batch.interrupted:
        return "! interrupted"
    if batch.in_use:
        return f"▶ {batch.state}"
    if batch.state is BatchState.QUARANTINED:
        return "? quarantined"
    return "? partly erased" if batch.partly_erased else "✓ complete"


def _operation(batch: TrashEntry) -> str:
    if batch.state is BatchState.RESTORING:
        return "The restore"
    if batch.mode is PurgeMode.TRASH:
        return "The emptying" if batch.state is BatchState.ERASING else "The move to the trash"
    return "The purge"


def _in_full(batch: TrashEntry) -> Text:
    if batch.problem:
        advice = batch.problem
    elif batch.in_use:
        advice = "another process works in this batch now"
    elif batch.interrupted:
        advice = with_keys(_INTERRUPTED[batch.state])
        if batch.perhaps_in_use:
            advice += ", or it still runs on another machine"
    else:
        advice = with_keys(_AT_REST[batch.state])
    erased = pluralize(len(batch.partly_erased), "task") if batch.partly_erased else ""
    first = f"{batch.batch_id}: {contents_text(batch)}{erased and f', {erased} partly erased'}"
    return Text(f"{first}\n{advice}")
