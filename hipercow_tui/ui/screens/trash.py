"""What is in the trash, and purges that broke off: to restore, to finish or to empty."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import get_current_worker

from hipercow_tui.formats.root import Root
from hipercow_tui.purging import BatchState, TrashEntry
from hipercow_tui.purging.manifest import PurgeMode
from hipercow_tui.support.text import format_size, pluralize
from hipercow_tui.ui.cells import fit, plain_text
from hipercow_tui.ui.dialogs.choice import Choice, ChoiceScreen
from hipercow_tui.ui.keymap import TRASH
from hipercow_tui.ui.screens.history import HistoryScreen
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.virtual_list import VirtualList
from hipercow_tui.ui.workers.purge_job import JobSpec, empty_job, finish_job, restore_job
from hipercow_tui.ui.workers.trash_monitor import TrashMonitor, TrashState, contents, made

_REFRESH_INTERVAL = 2.0  # seconds
_EMPTY = (
    "The trash is empty\n\nWhat is moved to the trash in a plan (p, D) waits here. Esc goes back."
)
_INTERRUPTED = {
    BatchState.PREPARING: "r restores it: it was interrupted before it was confirmed",
    BatchState.MOVING: "f finishes it, r restores it: it was interrupted before anything was erased",
    BatchState.ERASING: "f finishes it, r restores all that is whole: erasing was interrupted",
    BatchState.RESTORING: "f or r finishes it: restoring was interrupted",
}
_AT_REST = {
    BatchState.TRASH: "it frees its space when it is emptied (e); until then r restores it",
    BatchState.QUARANTINED: "could not be put back when the rest was; r tries again, e erases it",
}


class TrashScreen(Screen[JobSpec | None]):
    """Lists the lots; dismisses with the job that was confirmed, with None to go back.

    ``refusal`` says why nothing may be changed, ``clock`` gives the time in seconds since the
    epoch.
    """

    DEFAULT_CSS = """
    TrashScreen #head { height: 2; padding: 0 1; background: $panel; }
    TrashScreen #lots { height: 1fr; }
    TrashScreen #in-full { height: 2; padding: 0 1; background: $panel; }
    TrashScreen #nothing { height: 1fr; content-align: center middle; text-align: center; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [*TRASH]

    def __init__(self, root: Root, *, refusal: str, clock: Callable[[], float]) -> None:
        super().__init__()
        self._root = root
        self._monitor = TrashMonitor(root)
        self._reading = False
        self._refusal = refusal
        self._clock = clock

    def compose(self) -> ComposeResult:
        """Head, lots, the one under the cursor in full, keys."""
        yield Static(Text("Trash  reading …", "bold"), id="head", markup=False)
        yield _BatchList(self._clock, id="lots")
        yield Static(_EMPTY, id="nothing", markup=False)
        yield Static(id="in-full", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Look, and go on looking."""
        self.query_one("#nothing").display = False
        self.batches.focus()
        self._refresh()
        self.set_interval(_REFRESH_INTERVAL, self._refresh)

    @property
    def batches(self) -> _BatchList:
        """The list."""
        return self.query_one(_BatchList)

    def _refresh(self) -> None:
        if not self._reading:
            self._reading = True
            self._read()

    @work(thread=True)
    def _read(self) -> None:
        worker = get_current_worker()
        for look in self._monitor.look():
            if worker.is_cancelled:
                return
            self.call_later(self._show, look)
        self._reading = False

    def _show(self, look: TrashState) -> None:
        if look is self.batches.state:
            return
        self.batches.show(look)
        nothing = self.query_one("#nothing", Static)
        nothing.display = not look.entries
        self.batches.display = bool(look.entries)
        if look.problem:
            nothing.update(plain_text(look.problem))
        head = Text.assemble(
            ("Trash  ", "bold"), (pluralize(len(look.entries), "batch", "batches"), "bold")
        )
        if look.sizes:
            head.append(f" · {format_size(sum(one.bytes for one in look.sizes.values()))}", "bold")
        if self._refusal:
            head.append(f"\n{plain_text(self._refusal)}")
        self.query_one("#head", Static).update(head)
        self.refresh_bindings()
        self.on_virtual_list_view_changed()

    def on_virtual_list_view_changed(self) -> None:
        """The cursor is on another lot."""
        batch = self.batches.current
        self.query_one("#in-full", Static).update(_in_full(batch) if batch else "")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The footer has what makes sense for what there is."""
        batches = self.query(_BatchList)
        if action in ("restore", "empty", "empty_all") and batches:
            return bool(batches.first().state.entries)
        if action == "finish" and batches:
            return bool(batches.first().state.interrupted)
        return True

    def action_restore(self) -> None:
        """Bring back the lot under the cursor."""
        if batch := self._actionable():
            held = contents(*self.batches.state.together(batch), verb="goes/go")
            text = f"{held} back in place; nothing that exists is overwritten."
            if batch.partly_erased or batch.state is BatchState.ERASING:
                text += " What has been erased already can't come back."
            job = restore_job(self._root, batch.batch_id)
            self._confirm("Restore?", text, Choice("yes", "y", "Restore"), job)

    def action_finish(self) -> None:
        """Bring what broke off to its end."""
        batch = self._actionable()
        if batch is None:
            return
        if not batch.interrupted:
            self.notify("Nothing was interrupted here: there is nothing to finish")
            return
        if not batch.resumable:
            self.notify("Nothing says that this purge was confirmed: restore it (r)")
            return
        batches = self.batches.state.together(batch)
        text = (
            f"{_operation(batch)} of {made(batch, self._clock())} is finished by its plan, with all"
        )
        text += f" checks. {contents(*batches, verb='is/are')} moved so far."
        if batch.state is not BatchState.RESTORING and batch.mode is not PurgeMode.TRASH:
            text += " What goes is erased for good."
        job = finish_job(self._root, batch.batch_id)
        self._confirm("Finish?", text, Choice("yes", "y", "Finish", "error"), job)

    def action_empty(self) -> None:
        """Erase the lot under the cursor."""
        if batch := self._actionable():
            batches = self.batches.state.together(batch)
            if not all(one.erasable for one in batches):
                self.notify("Restore (r) or finish (f) what was interrupted first")
                return
            held = contents(*batches, verb="is/are")
            text = f"{held} erased for good. There is no way to get them back."
            job = empty_job(self._root, batches)
            self._confirm(
                "Empty this batch?", text, Choice("yes", "y", "Erase for good", "error"), job
            )

    def action_empty_all(self) -> None:
        """Erase all that waits in the trash."""
        if self._actionable() is None:
            return
        look = self.batches.state
        batches = [batch for batch in look.entries if batch.state is BatchState.TRASH]
        if not batches:
            self.notify(
                "Nothing here goes when the trash is emptied: e erases the batch under the cursor"
            )
            return
        sizes = [
            look.sizes[str(batch.name)].bytes for batch in batches if str(batch.name) in look.sizes
        ]
        tasks = pluralize(sum(len(batch.tasks) for batch in batches), "task")
        bundles = pluralize(sum(len(batch.bundles) for batch in batches), "bundle")
        text = f"{tasks} and {bundles} in {pluralize(len(batches), 'batch', 'batches')}"
        text += f", {format_size(sum(sizes))}," if sizes else ""
        text += " are erased for good. There is no way to get them back."
        choice = Choice("yes", "y", "Erase for good", "error")
        self._confirm("Empty the trash?", text, choice, empty_job(self._root, batches))

    def _actionable(self) -> TrashEntry | None:
        """The lot under the cursor, if something may be done with it; says why not."""
        batch = self.batches.current
        if batch is None:
            return None
        if self._refusal:
            self.notify(self._refusal, severity="warning", markup=False)
            return None
        if batch.in_use:
            self.notify("Another process works in it: wait for its end", severity="warning")
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
        """Show what was done before."""
        self.app.push_screen(HistoryScreen(self._root, clock=self._clock))

    def action_back(self) -> None:
        """Go back; nothing has changed."""
        self.dismiss(None)


class _BatchList(VirtualList):
    """A line for each lot."""

    def __init__(self, clock: Callable[[], float], *, id: str) -> None:
        super().__init__(id=id)
        self._clock = clock
        self.state = TrashState()

    def show(self, look: TrashState) -> None:
        """Show these lots, the cursor on the one it was on."""
        batch_id = self.current.batch_id if self.current else None
        self.state = look
        self.count = len(look.entries)
        batch_ids = [batch.batch_id for batch in look.entries]
        if batch_id in batch_ids:
            self.cursor = batch_ids.index(batch_id)
        self.redraw()

    @property
    def current(self) -> TrashEntry | None:
        """The lot under the cursor."""
        return self.state.entries[self.cursor] if self.cursor < len(self.state.entries) else None

    def line(self, y: int) -> Text:
        """State, age, what is in it, who made it."""
        batch = self.state.entries[y]
        held = self.state.sizes.get(str(batch.name))
        return Text.assemble(
            " ",
            (fit(_state_text(batch), 15), "bold" if batch.interrupted else ""),
            fit(made(batch, self._clock()), 16),
            f"{pluralize(len(batch.tasks), 'task'):>13} ",
            f"{pluralize(len(batch.bundles), 'bundle'):>11} ",
            f"{format_size(held.bytes) if held else '…':>9}  ",
            plain_text(f"{batch.confirmed_by.user} on {batch.confirmed_by.host}")
            if batch.confirmed_by
            else "",
        )


def _state_text(batch: TrashEntry) -> str:
    if batch.interrupted:
        return "! interrupted"
    if batch.in_use:
        return f"▶ {batch.state}"
    if batch.state is BatchState.QUARANTINED:
        return "? kept aside"
    return "? partly erased" if batch.partly_erased else "✓ whole"


def _operation(batch: TrashEntry) -> str:
    if batch.state is BatchState.RESTORING:
        return "The undo"
    if batch.mode is PurgeMode.TRASH:
        return "The emptying" if batch.state is BatchState.ERASING else "The move to the trash"
    return "The purge"


def _in_full(batch: TrashEntry) -> Text:
    if batch.problem:
        told = batch.problem
    elif batch.in_use:
        told = "another process works in it right now"
    elif batch.interrupted:
        told = _INTERRUPTED[batch.state]
    else:
        told = _AT_REST[batch.state]
    erased = (
        f", {pluralize(len(batch.partly_erased), 'task')} partly erased"
        if batch.partly_erased
        else ""
    )
    return Text(f"{batch.batch_id}: {contents(batch)}{erased}\n{told}")
