"""Run R to cancel or retry tasks, after a question, and show its output."""

from __future__ import annotations

import threading
from collections import deque
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from hipercow_tui.formats.log_file import sanitize_line
from hipercow_tui.formats.root import Root
from hipercow_tui.output import r_runner
from hipercow_tui.output.r_calls import RAction, RCallTargets
from hipercow_tui.output.r_programs import ACTIONS, id_lines
from hipercow_tui.support.errors import RscriptError
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.dialogs.choice import Choice, ChoiceScreen
from hipercow_tui.ui.dialogs.dialog import Dialog
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.messages import WorkerFailed
from hipercow_tui.ui.widgets.scroll_text import ScrollText
from hipercow_tui.ui.workers.base import start_thread

_MAX_LINES = 500  # of R's output
_VERBS = {RAction.CANCEL: "cancel", RAction.RETRY: "retry"}


class RunRScreen(Dialog[bool]):
    """Find R with its hipercow, ask, and run it; dismiss with whether R was started."""

    DEFAULT_CSS = """
    RunRScreen #dialog { width: 90%; max-width: 96; max-height: 80%; overflow-y: hidden; }
    RunRScreen ScrollText { height: auto; max-height: 100%; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Stop, or close", id="run_r.leave"),
    ]

    def __init__(self, targets: RCallTargets, root: Root) -> None:
        super().__init__()
        self._targets = targets
        self._root = root
        self._stop = threading.Event()
        self._working = False
        self._lines: deque[str] = deque(maxlen=_MAX_LINES)
        self._started = False

    def compose(self) -> ComposeResult:
        """Yield the output of R, and the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = f"Let R {_VERBS[self._targets.action]} {self._tasks}"
            with ScrollText():
                yield Static("Looking for R and its hipercow…", id="output", markup=False)
            yield Static(with_keys("<run_r.leave=esc>: back"), id="keys", markup=False)

    def on_mount(self) -> None:
        """Find R in a thread, because that takes a second."""
        start_thread(self._find_r, self._broke)

    @property
    def working(self) -> bool:
        """Whether R is running."""
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
            self.call_later(self._ended, str(error), with_keys("<run_r.leave=esc>: back"))
        else:
            self.call_later(self._ask, version)

    def _ask(self, version: str) -> None:
        if not self.is_current:
            return
        action = self._targets.action

        def answered(answer: str | None) -> None:
            if answer is None:
                self.dismiss(False)
            else:
                self._start()

        self.query_one("#dialog").display = False
        choice = Choice("yes", "y", f"Let R {_VERBS[action]}")
        title = f"{action}() for {self._tasks}?"
        self.app.push_screen(ChoiceScreen(title, self._question(version), [choice]), answered)

    def _question(self, version: str) -> Text:
        targets = self._targets
        text = Text.assemble(
            ("hipercow::", "dim"),
            (f"{targets.action}()", "bold"),
            f" of hipercow {version} is called for {self._tasks}.",
        )
        if targets.followed:
            text.append(f" For {pluralize(targets.followed, 'task')}, that is a later attempt.")
        if targets.left_out:
            text.append(f" {targets.left_out:,} more can't be, and are left out.")
        if targets.action is RAction.RETRY:
            text.append("\n\nA new task is made for each, and submitted if your driver does that.")
        else:
            text.append("\n\nTheir results so far are lost. A cancelled task can be retried.")
        return text

    def _start(self) -> None:
        self._working = self._started = True
        self.query_one("#dialog").display = True
        self._show(with_keys("R is running · <run_r.leave=esc>: stop"))
        # Not a daemon: when the app is left, R still finishes its call and its output is read.
        threading.Thread(target=self._run, name="R").start()

    def _run(self) -> None:
        try:
            lines = id_lines(self._targets.ids)
            program = ACTIONS[self._targets.action]
            result = r_runner.run(program, lines, self._root, self._add_line, self._stop)
        except RscriptError as error:
            self.call_later(self._ended, str(error), with_keys("<run_r.leave=esc>: close"))
            return
        if result.succeeded:
            end = "R has finished"
        else:
            end = "R was stopped" if result.stopped else f"R failed with status {result.status}"
        self.call_later(self._ended, "", with_keys(f"{end} · <run_r.leave=esc>: close"))

    def _add_line(self, line: bytes) -> None:
        self._lines.append(sanitize_line(line))
        self.call_later(self._show, None)

    def _ended(self, error: str, keys: str) -> None:
        self._working = False
        if error:
            self._lines.append(error)
        self._show(keys)

    def _show(self, keys: str | None) -> None:
        if not self.is_mounted:
            return
        output = Text("\n").join(map(Text.from_ansi, self._lines)) if self._lines else Text("…")
        self.query_one("#output", Static).update(output)
        self.query_one(ScrollText).scroll_end(animate=False)
        if keys is not None:
            self.query_one("#keys", Static).update(keys)

    def action_leave(self) -> None:
        """Stop R if it is running, else close."""
        if self._working:
            self._stop.set()
            self._show("Stopping R…")
        else:
            self.dismiss(self._started)
