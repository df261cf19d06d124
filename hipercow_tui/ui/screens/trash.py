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
from hipercow_tui.purging import State, TrashLot
from hipercow_tui.purging.manifest import Aim
from hipercow_tui.support.text import count, size
from hipercow_tui.ui.cells import fit, plain
from hipercow_tui.ui.dialogs.choice import Choice, QuestionScreen
from hipercow_tui.ui.keymap import TRASH
from hipercow_tui.ui.screens.history import HistoryScreen
from hipercow_tui.ui.widgets.footer import KeyLine
from hipercow_tui.ui.widgets.virtual_list import Lines
from hipercow_tui.ui.workers.purge_job import Job, emptying, finishing, restoring
from hipercow_tui.ui.workers.trash_monitor import TrashLook, TrashLooker, contents, made

_LOOK_EVERY = 2.0  # seconds
_EMPTY = (
    "The trash is empty\n\nWhat is moved to the trash in a plan (p, D) waits here. Esc goes back."
)
_INTERRUPTED = {
    State.PREPARING: "r restores it: it was interrupted before it was confirmed",
    State.MOVING: "f finishes it, r restores it: it was interrupted before anything was erased",
    State.ERASING: "f finishes it, r restores all that is whole: erasing was interrupted",
    State.RESTORING: "f or r finishes it: restoring was interrupted",
}
_WAITING = {
    State.TRASH: "it frees its space when it is emptied (e); until then r restores it",
    State.KEPT: "could not be put back when the rest was; r tries again, e erases it",
}


class TrashScreen(Screen[Job | None]):
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
        self._looker = TrashLooker(root)
        self._looking = False
        self._refusal = refusal
        self._clock = clock

    def compose(self) -> ComposeResult:
        """Head, lots, the one under the cursor in full, keys."""
        yield Static(Text("Trash  reading …", "bold"), id="head", markup=False)
        yield _Lots(self._clock, id="lots")
        yield Static(_EMPTY, id="nothing", markup=False)
        yield Static(id="in-full", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """Look, and go on looking."""
        self.query_one("#nothing").display = False
        self.lots.focus()
        self._look_on()
        self.set_interval(_LOOK_EVERY, self._look_on)

    @property
    def lots(self) -> _Lots:
        """The list."""
        return self.query_one(_Lots)

    def _look_on(self) -> None:
        if not self._looking:
            self._looking = True
            self._look()

    @work(thread=True)
    def _look(self) -> None:
        worker = get_current_worker()
        for look in self._looker.look():
            if worker.is_cancelled:
                return
            self.call_later(self._show, look)
        self._looking = False

    def _show(self, look: TrashLook) -> None:
        if look is self.lots.look:
            return
        self.lots.show(look)
        nothing = self.query_one("#nothing", Static)
        nothing.display = not look.lots
        self.lots.display = bool(look.lots)
        if look.problem:
            nothing.update(plain(look.problem))
        head = Text.assemble(
            ("Trash  ", "bold"), (count(len(look.lots), "batch", "batches"), "bold")
        )
        if look.sizes:
            head.append(f" · {size(sum(one.bytes for one in look.sizes.values()))}", "bold")
        if self._refusal:
            head.append(f"\n{plain(self._refusal)}")
        self.query_one("#head", Static).update(head)
        self.refresh_bindings()
        self.on_lines_seen()

    def on_lines_seen(self) -> None:
        """The cursor is on another lot."""
        lot = self.lots.current
        self.query_one("#in-full", Static).update(_in_full(lot) if lot else "")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The footer has what makes sense for what there is."""
        lots = self.query(_Lots)
        if action in ("restore", "empty", "empty_all") and lots:
            return bool(lots.first().look.lots)
        if action == "finish" and lots:
            return bool(lots.first().look.interrupted)
        return True

    def action_restore(self) -> None:
        """Bring back the lot under the cursor."""
        if lot := self._ready():
            held = contents(*self.lots.look.together(lot), verb="goes/go")
            text = f"{held} back in place; nothing that exists is overwritten."
            if lot.remains or lot.state is State.ERASING:
                text += " What has been erased already can't come back."
            job = restoring(self._root, lot.stamp)
            self._ask("Restore?", text, Choice("yes", "y", "Restore"), job)

    def action_finish(self) -> None:
        """Bring what broke off to its end."""
        lot = self._ready()
        if lot is None:
            return
        if not lot.interrupted:
            self.notify("Nothing was interrupted here: there is nothing to finish")
            return
        if not lot.resumable:
            self.notify("Nothing says that this purge was confirmed: restore it (r)")
            return
        lots = self.lots.look.together(lot)
        text = f"{_begun(lot)} of {made(lot, self._clock())} is finished by its plan, with all"
        text += f" checks. {contents(*lots, verb='is/are')} moved so far."
        if lot.state is not State.RESTORING and lot.aim is not Aim.TRASH:
            text += " What goes is erased for good."
        job = finishing(self._root, lot.stamp)
        self._ask("Finish?", text, Choice("yes", "y", "Finish", "error"), job)

    def action_empty(self) -> None:
        """Erase the lot under the cursor."""
        if lot := self._ready():
            lots = self.lots.look.together(lot)
            if not all(one.erasable for one in lots):
                self.notify("Restore (r) or finish (f) what was interrupted first")
                return
            held = contents(*lots, verb="is/are")
            text = f"{held} erased for good. There is no way to get them back."
            job = emptying(self._root, lots)
            self._ask("Empty this batch?", text, Choice("yes", "y", "Erase for good", "error"), job)

    def action_empty_all(self) -> None:
        """Erase all that waits in the trash."""
        if self._ready() is None:
            return
        look = self.lots.look
        lots = [lot for lot in look.lots if lot.state is State.TRASH]
        if not lots:
            self.notify(
                "Nothing here goes when the trash is emptied: e erases the batch under the cursor"
            )
            return
        sizes = [look.sizes[str(lot.name)].bytes for lot in lots if str(lot.name) in look.sizes]
        tasks = count(sum(len(lot.tasks) for lot in lots), "task")
        bundles = count(sum(len(lot.bundles) for lot in lots), "bundle")
        text = f"{tasks} and {bundles} in {count(len(lots), 'batch', 'batches')}"
        text += f", {size(sum(sizes))}," if sizes else ""
        text += " are erased for good. There is no way to get them back."
        choice = Choice("yes", "y", "Erase for good", "error")
        self._ask("Empty the trash?", text, choice, emptying(self._root, lots))

    def _ready(self) -> TrashLot | None:
        """The lot under the cursor, if something may be done with it; says why not."""
        lot = self.lots.current
        if lot is None:
            return None
        if self._refusal:
            self.notify(self._refusal, severity="warning", markup=False)
            return None
        if lot.alive:
            self.notify("Another process works in it: wait for its end", severity="warning")
            return None
        if lot.problem:
            self.notify(plain(lot.problem), severity="error", markup=False)
            return None
        return lot

    def _ask(self, title: str, text: str, choice: Choice, job: Job) -> None:
        def answered(answer: str | None) -> None:
            if answer is not None:
                self.dismiss(job)

        self.app.push_screen(QuestionScreen(title, Text(text), [choice]), answered)

    def action_history(self) -> None:
        """Show what was done before."""
        self.app.push_screen(HistoryScreen(self._root, clock=self._clock))

    def action_back(self) -> None:
        """Go back; nothing has changed."""
        self.dismiss(None)


class _Lots(Lines):
    """A line for each lot."""

    def __init__(self, clock: Callable[[], float], *, id: str) -> None:
        super().__init__(id=id)
        self._clock = clock
        self.look = TrashLook()

    def show(self, look: TrashLook) -> None:
        """Show these lots, the cursor on the one it was on."""
        stamp = self.current.stamp if self.current else None
        self.look = look
        self.count = len(look.lots)
        stamps = [lot.stamp for lot in look.lots]
        if stamp in stamps:
            self.cursor = stamps.index(stamp)
        self.renew()

    @property
    def current(self) -> TrashLot | None:
        """The lot under the cursor."""
        return self.look.lots[self.cursor] if self.cursor < len(self.look.lots) else None

    def line(self, y: int) -> Text:
        """State, age, what is in it, who made it."""
        lot = self.look.lots[y]
        held = self.look.sizes.get(str(lot.name))
        return Text.assemble(
            " ",
            (fit(_state(lot), 15), "bold" if lot.interrupted else ""),
            fit(made(lot, self._clock()), 16),
            f"{count(len(lot.tasks), 'task'):>13} ",
            f"{count(len(lot.bundles), 'bundle'):>11} ",
            f"{size(held.bytes) if held else '…':>9}  ",
            plain(f"{lot.who.user} on {lot.who.host}") if lot.who else "",
        )


def _state(lot: TrashLot) -> str:
    if lot.interrupted:
        return "! interrupted"
    if lot.alive:
        return f"▶ {lot.state}"
    if lot.state is State.KEPT:
        return "? kept aside"
    return "? partly erased" if lot.remains else "✓ whole"


def _begun(lot: TrashLot) -> str:
    if lot.state is State.RESTORING:
        return "The undo"
    if lot.aim is Aim.TRASH:
        return "The emptying" if lot.state is State.ERASING else "The move to the trash"
    return "The purge"


def _in_full(lot: TrashLot) -> Text:
    if lot.problem:
        told = lot.problem
    elif lot.alive:
        told = "another process works in it right now"
    elif lot.interrupted:
        told = _INTERRUPTED[lot.state]
    else:
        told = _WAITING[lot.state]
    erased = f", {count(len(lot.remains), 'task')} partly erased" if lot.remains else ""
    return Text(f"{lot.stamp}: {contents(lot)}{erased}\n{told}")
