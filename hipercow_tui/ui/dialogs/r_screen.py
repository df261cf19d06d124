"""Find R with its hipercow, ask, run a program of it, and show its output."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from hipercow_tui.formats.log_file import sanitize_line
from hipercow_tui.formats.root import Root
from hipercow_tui.output import r_runner
from hipercow_tui.output.r_runner import RResult
from hipercow_tui.support.errors import RscriptError
from hipercow_tui.ui.clipboard import copy
from hipercow_tui.ui.dialogs.choice import ChoiceScreen
from hipercow_tui.ui.dialogs.dialog import Dialog
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.messages import WorkerFailed
from hipercow_tui.ui.widgets.scroll_text import ScrollText
from hipercow_tui.ui.workers.base import call_in_app, start_thread

_MAX_LINES = 500  # of R's output
_MAX_LINE = 4096  # bytes shown of a line


class RRun(NamedTuple):
    """A program of ``r_programs``, and the lines that it reads."""

    program: str
    lines: Sequence[str]


class RScreen(Dialog[bool]):
    """Run R after a question; dismiss with whether R was started.

    A subclass asks the question, names the program, and may show more than R's output.
    """

    DEFAULT_CSS = """
    RScreen #dialog { width: 90%; max-width: 96; max-height: 80%; overflow-y: hidden; }
    RScreen ScrollText { height: auto; max-height: 100%; margin-bottom: 2; }
    RScreen #keys { dock: bottom; margin: 0; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Stop, or close", id="run_r.leave"),
        Binding("c", "copy_call", "Copy the call for R", id="run_r.copy"),
    ]

    def __init__(self, root: Root, title: str) -> None:
        super().__init__()
        self._root = root
        self._title = title
        self._stop = threading.Event()
        self._working = False
        self._lines: deque[str] = deque(maxlen=_MAX_LINES)
        self._started = False
        self._drawing = False  # whether a draw was requested

    def compose(self) -> ComposeResult:
        """Yield the output of R, and the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = self._title
            with ScrollText():
                yield Static("Looking for R and its hipercow…", id="output", markup=False)
            yield Static(with_keys("<run_r.leave=esc>: back"), id="keys", markup=False)

    def on_mount(self) -> None:
        """Find R in a thread, because that takes a second."""
        start_thread(self._find_r, self._broke)

    def on_unmount(self) -> None:
        """Do not look for R any more; what runs after the question is not stopped here."""
        if not self._working:
            self._stop.set()

    # For subclasses

    def prepare(self) -> None:
        """Read what the question and the call to copy need; called in a thread, before R is
        found."""

    @abstractmethod
    def question(self, version: str) -> ChoiceScreen:
        """Return the question to ask before R is run. ``version`` is that of hipercow."""

    @abstractmethod
    def run_for(self, answer: str) -> RRun:
        """Return what R runs after an answer. Raises RscriptError if it must not be run."""

    @abstractmethod
    def call_to_copy(self) -> str:
        """Return a call for R that users may copy where R can't be run; "" if there is none."""

    def take_line(self, line: bytes) -> None:
        """Keep a line that R printed; called in the thread of R."""
        self._lines.append(sanitize_line(line[:_MAX_LINE]))

    def read_after(self) -> None:
        """Read what the result needs, after R has ended; called in the thread of R."""
        return

    def output_text(self) -> Text:
        """Return the text to show while R is running, and after it has ended."""
        lines = tuple(self._lines)  # the thread of R adds lines meanwhile
        return Text("\n").join(map(Text.from_ansi, lines)) if lines else Text("…")

    def scroll_output(self) -> None:
        """Scroll after the text has changed: to its end."""
        self.query_one(ScrollText).scroll_end(animate=False)

    def keys_after(self, end: str) -> str:
        """Return the line of keys after R has ended; ``end`` says how."""
        return with_keys(f"{end} · <run_r.leave=esc>: close")

    # Running

    @property
    def working(self) -> bool:
        """Whether R is running."""
        return self._working

    def _broke(self, error: Exception) -> None:
        call_in_app(self, self.post_message, WorkerFailed(error))

    def _find_r(self) -> None:
        self.prepare()
        # Not a daemon: when the app is left, it still ends R.
        start_thread(self._find_version, self._broke, daemon=False)

    def _find_version(self) -> None:
        try:
            version = r_runner.hipercow_version(self._root, self._stop)
        except RscriptError as error:
            keys = with_keys("<run_r.copy=c>: copy the call for R · <run_r.leave=esc>: back")
            call_in_app(self, self._ended, str(error), keys)
        else:
            call_in_app(self, self._ask, version)

    def _ask(self, version: str) -> None:
        if not self.is_current:
            return

        def answered(answer: str | None) -> None:
            if answer is None:
                self.dismiss(False)
            else:
                self._start(answer)

        self.query_one("#dialog").display = False
        self.app.push_screen(self.question(version), answered)

    def _start(self, answer: str) -> None:
        self._working = self._started = True
        self.query_one("#dialog").display = True
        self._show(with_keys("R is running · <run_r.leave=esc>: stop"))
        # Not a daemon: when the app is left, R still finishes its call and its output is read.
        threading.Thread(target=self._run, args=(answer,), name="R").start()

    def _run(self, answer: str) -> None:
        try:
            run = self.run_for(answer)
            result = r_runner.run(run.program, run.lines, self._root, self._add_line, self._stop)
            self.read_after()
        except RscriptError as error:
            call_in_app(self, self._ended, str(error), with_keys("<run_r.leave=esc>: close"))
        except Exception as error:
            self._broke(error)
            call_in_app(self, self._ended, "", self.keys_after("R was stopped by an error"))
        else:
            call_in_app(self, self._ended, "", self.keys_after(_end_text(result)))

    def _add_line(self, line: bytes) -> None:
        self.take_line(line)
        if not self._drawing:  # lines that follow at once are drawn together
            self._drawing = True
            call_in_app(self, self._show, None)

    def _ended(self, error: str, keys: str) -> None:
        self._working = False
        if error:
            self._lines.append(error)
        self._show(keys)

    def _show(self, keys: str | None) -> None:
        self._drawing = False
        if not self.is_mounted:
            return
        self.query_one("#output", Static).update(self.output_text())
        self.scroll_output()
        if keys is not None:
            self.query_one("#keys", Static).update(keys)

    def action_copy_call(self) -> None:
        """Copy the call, if R does not run and there is one."""
        call = self.call_to_copy()
        if call and not self._working:
            copy(self.app, call, "R call", alternative="mark fewer tasks")

    def action_leave(self) -> None:
        """Stop R if it is running, else close."""
        if self._working:
            self._stop.set()
            self._show("Stopping R…")
        else:
            self.dismiss(self._started)


def _end_text(result: RResult) -> str:
    if result.succeeded:
        return "R has finished"
    return "R was stopped" if result.stopped else f"R failed with status {result.status}"
