"""R at work: what it is asked to do, after a question, and what it says."""

from __future__ import annotations

import threading
from collections import deque
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from hipercow_tui.formats.log_file import sanitize_line
from hipercow_tui.formats.root import Root
from hipercow_tui.output import r_runner
from hipercow_tui.output.r_calls import RAction, RCallTargets
from hipercow_tui.support.errors import RscriptError
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.dialogs.choice import Choice, ChoiceScreen
from hipercow_tui.ui.messages import WorkerFailed
from hipercow_tui.ui.widgets.scroll_text import ScrollText
from hipercow_tui.ui.workers.base import start_thread

_MAX_LINES = 500  # lines of what R says
_VERBS = {RAction.CANCEL: "cancel", RAction.RETRY: "retry"}


class RunRScreen(ModalScreen[bool]):
    """Looks for R and its hipercow, asks, and has it act; dismisses with whether R was started."""

    DEFAULT_CSS = """
    RunRScreen { align: center middle; }
    RunRScreen #dialog {
        width: 90%; max-width: 96; height: auto; max-height: 80%; padding: 1 2;
        background: $surface; border: round $primary; border-title-style: bold;
    }
    RunRScreen ScrollText { height: auto; max-height: 100%; scrollbar-size-vertical: 1; }
    RunRScreen Static { height: auto; width: 1fr; }
    RunRScreen #keys { color: $text-muted; margin-top: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Stop, or close", id="let_r.leave"),
    ]

    def __init__(self, reach: RCallTargets, root: Root) -> None:
        super().__init__()
        self._targets = reach
        self._root = root
        self._stop = threading.Event()
        self._working = False
        self._lines: deque[str] = deque(maxlen=_MAX_LINES)
        self._started = False

    def compose(self) -> ComposeResult:
        """What R says, and what can be pressed."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = f"Let R {_VERBS[self._targets.action]} {self._tasks}"
            with ScrollText():
                yield Static("Looking for R and its hipercow…", id="said", markup=False)
            yield Static("esc goes back", id="keys", markup=False)

    def on_mount(self) -> None:
        """Look for R, which takes a second."""
        start_thread(self._find_r, self._broke)

    @property
    def working(self) -> bool:
        """Whether R is at work."""
        return self._working

    @property
    def _tasks(self) -> str:
        return pluralize(len(self._targets.tasks), "task")

    def _broke(self, error: Exception) -> None:
        self.app.call_later(self.app.post_message, WorkerFailed(error))

    def _find_r(self) -> None:
        try:
            version = r_runner.hipercow_version(self._root)
        except RscriptError as error:
            self.call_later(self._ended, str(error), "esc goes back")
        else:
            self.call_later(self._ask, version)

    def _ask(self, version: str) -> None:
        if not self.is_current:
            return
        act = self._targets.action
        text = Text.assemble(
            ("hipercow::", "dim"), (f"{act}()", "bold"), f" of hipercow {version} is called for "
        )
        text.append(f"{self._tasks}.")
        if self._targets.followed:
            text.append(
                f" For {pluralize(self._targets.followed, 'task')}, that is a later attempt."
            )
        if self._targets.left_out:
            text.append(f" {self._targets.left_out:,} can't be and are left out.")
        if act is RAction.RETRY:
            text.append("\n\nEach is made anew and submitted, if your driver is set up so.")
        else:
            text.append("\n\nWhat was calculated so far is lost; a cancelled task can be retried.")

        def answered(answer: str | None) -> None:
            if answer is None:
                self.dismiss(False)
            else:
                self._start()

        self.query_one("#dialog").display = False
        choice = Choice("yes", "y", f"Let R {_VERBS[act]}")
        self.app.push_screen(ChoiceScreen(f"{act}() for {self._tasks}?", text, [choice]), answered)

    def _start(self) -> None:
        self._working = self._started = True
        self.query_one("#dialog").display = True
        self._show("R is at work · esc stops it")
        # No daemon: R finishes what it has begun, and is heard to the end, even if the app is left.
        threading.Thread(target=self._run, name="R").start()

    def _run(self) -> None:
        try:
            ended = r_runner.run(
                self._targets.action, self._targets.ids, self._root, self._add_line, self._stop
            )
        except RscriptError as error:
            self.call_later(self._ended, str(error), "esc closes")
            return
        if ended.succeeded:
            said = "R is done"
        else:
            said = "R was stopped" if ended.stopped else f"R failed, with status {ended.status}"
        self.call_later(self._ended, "", f"{said} · esc closes")

    def _add_line(self, line: bytes) -> None:
        self._lines.append(sanitize_line(line))
        self.call_later(self._show, None)

    def _ended(self, said: str, keys: str) -> None:
        self._working = False
        if said:
            self._lines.append(said)
        self._show(keys)

    def _show(self, keys: str | None) -> None:
        if not self.is_mounted:
            return
        said = Text("\n").join(map(Text.from_ansi, self._lines)) if self._lines else Text("…")
        self.query_one("#said", Static).update(said)
        self.query_one(ScrollText).scroll_end(animate=False)
        if keys is not None:
            self.query_one("#keys", Static).update(keys)

    def action_leave(self) -> None:
        """Stop R, or leave once it has ended."""
        if self._working:
            self._stop.set()
            self._show("Stopping R…")
        else:
            self.dismiss(self._started)
