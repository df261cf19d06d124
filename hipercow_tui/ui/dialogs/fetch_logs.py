"""Fetch outer logs from the cluster, after a question, and keep them in the cache folder."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.timer import Timer
from textual.widgets import Static

from hipercow_tui.domain.task import Lang, Task
from hipercow_tui.formats.root import Root
from hipercow_tui.output.outer_log_fetch import (
    AnswerKind,
    LogAnswer,
    check_programs,
    fetch_outer_logs,
)
from hipercow_tui.output.py_commands import outer_logs_command
from hipercow_tui.output.r_calls import outer_logs_call
from hipercow_tui.scanning.outer_logs import FetchedLogs
from hipercow_tui.support.errors import RscriptError, os_error_text
from hipercow_tui.support.text import format_duration, pluralize
from hipercow_tui.ui.clipboard import copy
from hipercow_tui.ui.dialogs.choice import Choice, ChoiceScreen
from hipercow_tui.ui.dialogs.dialog import Dialog
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.messages import OuterLogsFetched, WorkerFailed
from hipercow_tui.ui.widgets.scroll_text import ScrollText
from hipercow_tui.ui.workers.base import call_in_app

MOST_TASKS = 1000  # half of the logs that are kept
_MESSAGES = 20  # lines of R that are shown
_SHOWN_ERRORS = 10

# The languages in which the user allowed an app to run programs that fetch logs.
_allowed: WeakKeyDictionary[App[Any], set[Lang]] = WeakKeyDictionary()


def question(tasks: Sequence[Task], *further: Choice, total: int | None = None) -> ChoiceScreen:
    """Return a dialog that requests permission to fetch the outer logs of tasks.

    ``total`` is the number of tasks if these are not all of them, but those that finished last.
    """
    languages = {task.lang for task in tasks}
    text = Text("The cluster keeps the log of each job for some weeks: its outer log, ")
    text.append("log.outer", "bold")
    text.append(". To fetch it,\n\n")
    if Lang.R in languages:
        text.append("  R calls task_log_value(id, outer = TRUE) of hipercow,\n")
    if Lang.PY in languages:
        text.append("  the command 'hipercow task log --outer' is run,\n")
    text.append(
        "\nand the driver asks the cluster. The log is kept in your cache folder. Nothing in the"
        " root is changed. Later, a single log is fetched without a question."
    )
    if total is not None and total > len(tasks):
        text.append(f"\n\nThese are the last {len(tasks):,} of {total:,} tasks that failed so.")
    title = f"Fetch the outer log of {pluralize(len(tasks), 'task')}?"
    return ChoiceScreen(title, text, [Choice("fetch", "y", "Fetch"), *further])


@dataclass
class _Counts:
    """How many outer logs were fetched or do not exist, and the errors of the others."""

    fetched: int = 0
    missing: int = 0
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def answered(self) -> int:
        return self.fetched + self.missing + self.errors.total()


class FetchLogsScreen(Dialog[bool]):
    """Fetch the outer logs of tasks; dismiss with whether one was fetched.

    The user is asked once in a run of the app, and not at all if ``allowed``. One log that was
    fetched closes the dialog; otherwise it shows a report, with the messages of R.
    """

    DEFAULT_CSS = """
    FetchLogsScreen #dialog { width: 90%; max-width: 96; max-height: 80%; overflow-y: hidden; }
    FetchLogsScreen ScrollText { height: auto; max-height: 100%; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Stop, or close", id="fetch_logs.leave"),
        Binding("c", "copy", "Copy the call that fetches", id="fetch_logs.copy"),
    ]

    def __init__(self, tasks: Sequence[Task], root: Root, *, allowed: bool = False) -> None:
        super().__init__()
        self._tasks = tasks
        self._root = root
        self._allowed = allowed
        self._logs = FetchedLogs.of(root)
        self._stop = threading.Event()
        self._working = False
        self._began = 0.0
        self._counts = _Counts()
        self._messages: deque[str] = deque(maxlen=_MESSAGES)
        self._failure = ""
        self._updates: Timer | None = None

    def compose(self) -> ComposeResult:
        """Yield the progress or the report, and the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = f"Outer log of {pluralize(len(self._tasks), 'task')}"
            with ScrollText():
                yield Static(id="report", markup=False)
            yield Static(id="keys", markup=False)

    def on_mount(self) -> None:
        """Ask, unless that was done before."""
        languages = {task.lang for task in self._tasks}
        allowed = _allowed.setdefault(self.app, set())
        try:
            check_programs(languages)
        except RscriptError as error:
            self.call_later(self._ended, str(error))
            return
        if self._allowed or languages <= allowed:
            self._start(languages)
            return

        def answered(answer: str | None) -> None:
            if answer is None:
                self.dismiss(False)
            else:
                self._start(languages)

        self.query_one("#dialog").display = False
        self.app.push_screen(question(self._tasks), answered)

    def on_unmount(self) -> None:
        """End R when the app is left."""
        self._stop.set()

    def _start(self, languages: set[Lang]) -> None:
        _allowed[self.app] |= languages
        self.query_one("#dialog").display = True
        self._working, self._began = True, time.monotonic()
        self._show()
        self._updates = self.set_interval(1.0, self._show)
        # Not a daemon: when the app is left, the thread still ends R.
        threading.Thread(target=self._run, name="outer logs").start()

    # In the thread

    def _run(self) -> None:
        failure = ""
        try:
            fetch_outer_logs(self._tasks, self._root, self._take, self._add_message, self._stop)
        except RscriptError as error:
            failure = str(error)
        except Exception as error:
            call_in_app(self, self.post_message, WorkerFailed(error))
            failure = "An error stopped this"
        not_deleted = self._delete_old()
        call_in_app(self, self._ended, failure or not_deleted)

    def _delete_old(self) -> str:
        """Delete logs that are too old or too many; return a sentence if that fails, or ""."""
        try:
            if self._logs is not None:
                self._logs.delete_old()
        except OSError as error:
            return f"Old logs can't be deleted: {os_error_text(error)}"
        return ""

    def _take(self, answer: LogAnswer) -> None:
        """Keep a log, and count the answer."""
        match answer.kind:
            case AnswerKind.LOG:
                self._keep(answer)
            case AnswerKind.NONE:
                self._counts.missing += 1
            case AnswerKind.ERROR:
                self._counts.errors[answer.error] += 1

    def _add_message(self, message: str) -> None:
        """Keep a message of R, but not the same one for each task."""
        if message not in self._messages:
            self._messages.append(message)

    def _keep(self, answer: LogAnswer) -> None:
        if self._logs is None:
            self._counts.errors["It can't be kept: the home folder is unknown"] += 1
            return
        try:
            self._logs.keep(answer.task_id, answer.log)
        except OSError as error:
            self._counts.errors[f"It can't be kept: {os_error_text(error)}"] += 1
        else:
            self._counts.fetched += 1

    # On the screen

    def _ended(self, failure: str) -> None:
        self._working = False
        self._failure = failure
        if self._updates is not None:
            self._updates.stop()
        if self._counts.fetched:
            self.app.post_message(OuterLogsFetched([task.id for task in self._tasks]))
        if self._counts.fetched == len(self._tasks) == 1:
            self.dismiss(True)
        else:
            self._show()

    def _show(self) -> None:
        if not self.is_mounted:
            return
        lines = self._progress() if self._working else self._report()
        self.query_one("#report", Static).update(Text("\n").join(lines))
        leave = "Stopping…" if self._stop.is_set() else with_keys("<fetch_logs.leave=esc>: stop")
        end = with_keys(
            "<fetch_logs.leave=esc>: close · <fetch_logs.copy=c>: copy the call that fetches"
        )
        self.query_one("#keys", Static).update(leave if self._working else end)

    def _progress(self) -> Iterator[Text]:
        seconds = time.monotonic() - self._began
        number = f"{self._counts.answered:,} of {len(self._tasks):,}"
        yield Text(f"Asking the cluster · {number} · {format_duration(seconds)}")
        for line in list(self._messages)[-1:]:
            yield Text.from_ansi(line, style="dim")

    def _report(self) -> Iterator[Text]:
        counts = self._counts
        if counts.fetched:
            yield Text(f"✓ {pluralize(counts.fetched, 'outer log')} fetched")
        if counts.missing:
            yield Text(f"{pluralize(counts.missing, 'task')}: no log on the cluster (yet)")
        for error, number in counts.errors.most_common(_SHOWN_ERRORS):
            yield Text.from_ansi(f"✗ {pluralize(number, 'task')}: {error}")
        if len(counts.errors) > _SHOWN_ERRORS:
            yield Text(f"… and {len(counts.errors) - _SHOWN_ERRORS:,} other errors")
        if self._failure:
            yield Text(self._failure)
        left = len(self._tasks) - counts.answered
        if left:
            yield Text(f"{pluralize(left, 'task')}: no answer")
        if self._messages:
            yield Text("")
            yield from (Text.from_ansi(line, style="dim") for line in self._messages)

    def action_leave(self) -> None:
        """Stop the fetching, else close."""
        if self._working:
            self._stop.set()
            self._show()
        else:
            self.dismiss(self._counts.fetched > 0)

    def action_copy(self) -> None:
        """Copy a call that prints the outer logs, to use where R or hipercow is."""
        by_r = [task.id for task in self._tasks if task.lang is Lang.R]
        by_python = [task.id for task in self._tasks if task.lang is Lang.PY]
        calls = filter(None, (outer_logs_call(by_r), outer_logs_command(by_python)))
        copy(self.app, "\n".join(calls), "call", alternative="mark fewer tasks")
