"""Let R ask the cluster about tasks that may have ended, and show a report."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.text import Text

from hipercow_tui.formats.root import Root
from hipercow_tui.output.r_calls import ask_call, marker_call
from hipercow_tui.output.r_programs import RECONCILE, id_lines
from hipercow_tui.output.reconciling import (
    Answer,
    AnswerReport,
    AskTargets,
    answer_lines,
    missing_markers,
    read_answer,
    summary,
)
from hipercow_tui.support.text import format_duration, pluralize, short_id
from hipercow_tui.ui.dialogs.choice import Choice, ChoiceScreen
from hipercow_tui.ui.dialogs.r_screen import RRun, RScreen
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.widgets.scroll_text import ScrollText

READ_ONLY = "Started with --read-only: R is not started, because it updates the status of tasks"
PYTHON = (
    "hipercow for Python can't ask the cluster: make an empty file 'status-cancelled' in the"
    " folder of a task that the cluster has lost"
)
_KEYS = "ya"  # of the choices


@dataclass(frozen=True, slots=True)
class AskChoice:
    """Tasks to ask about, with a label such as ``the 12 tasks that may be stuck``, and the text of
    a button."""

    label: str
    button: str
    targets: AskTargets


class ReconcileScreen(RScreen):
    """Ask which of at most two choices to ask about, run R, and show the answers; dismiss with
    whether R was started."""

    def __init__(
        self,
        choices: Sequence[AskChoice],
        root: Root,
        *,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(root, "Ask the cluster")
        self._choices = choices
        self._timer = timer
        self._tasks = choices[0].targets.tasks
        self._ids = frozenset[str]()  # of the tasks that R asks about
        self._answers: dict[str, Answer] = {}
        self._began = 0.0
        self._markers = ""  # the call that makes missing markers

    def on_unmount(self) -> None:
        """Stop R when the app is left: it can take an hour, and ends between two tasks."""
        self._stop.set()

    def question(self, version: str) -> ChoiceScreen:
        """Return the question with a button for each choice."""
        text = Text.assemble(
            ("hipercow::", "dim"),
            ("task_info()", "bold"),
            f" of hipercow {version} asks the cluster about each task. A task that ended there gets"
            " the status failure or cancelled here; a task that is alive stays as it is.",
        )
        if python := max(one.targets.python for one in self._choices):
            text.append(f"\n\n{pluralize(python, 'task')} of Python left out: {PYTHON}.")
        if len(self._choices) > 1:
            text.append("\n")
            for key, one in zip(_KEYS, self._choices, strict=False):
                text.append(f"\n{key}: {one.label}")
        choices = [
            Choice(f"choice-{number}", _KEYS[number], one.button)
            for number, one in enumerate(self._choices)
        ]
        only = self._choices[0].label if len(self._choices) == 1 else "which tasks"
        return ChoiceScreen(f"Ask the cluster about {only}?", text, choices)

    def run_for(self, answer: str) -> RRun:
        """Return the program that asks about the tasks of a choice."""
        targets = self._choices[int(answer.removeprefix("choice-"))].targets
        self._tasks, self._ids = targets.tasks, frozenset(targets.ids)
        self._began = self._timer()
        return RRun(RECONCILE, id_lines(targets.ids))

    def call_to_copy(self) -> str:
        """Return the call that makes missing markers; if R was not started the one that asks about
        the tasks of all choices."""
        if self._ids:
            return self._markers
        tasks = dict.fromkeys(task for one in self._choices for task in one.targets.tasks)
        return ask_call(tuple(tasks))

    def take_line(self, line: bytes) -> None:
        """Keep an answer, or a line that R printed."""
        if (answer := read_answer(line, self._ids)) is not None:
            self._answers[answer.task_id] = answer
        else:
            super().take_line(line)

    @property
    def report(self) -> AnswerReport:
        """The answers so far."""
        return AnswerReport(self._tasks, dict(self._answers))

    def read_after(self) -> None:
        """Read which markers are missing."""
        self._markers = marker_call(missing_markers(self.report, self._root))

    def output_text(self) -> Text:
        """Return what R printed, and above it the report if R has ended."""
        printed = super().output_text()
        if self._ids:
            self.query_one("#dialog").border_subtitle = self._progress
        if self.working or not self._ids:
            return printed
        report = Text("\n".join(answer_lines(self.report, short_id)))
        if self._lines:
            report.append("\n\nR printed:\n", "dim").append_text(printed)
        return report

    @property
    def _progress(self) -> str:
        """``12 of 300 asked · 4 freed · 8 alive · about 3 minutes left``."""
        asked, number = len(self._answers), len(self._tasks)
        parts = [f"{asked:,} of {number:,} asked", summary(self.report)]
        if self.working and 0 < asked < number:
            left = (self._timer() - self._began) / asked * (number - asked)
            parts.append(f"about {format_duration(left)} left")
        return " · ".join(filter(None, parts))

    def scroll_output(self) -> None:
        """Show the last line while R is running, then the report from its beginning."""
        if self.working:
            super().scroll_output()
        else:
            self.query_one(ScrollText).scroll_home(animate=False)

    def keys_after(self, end: str) -> str:
        """Return the line of keys, with the call that makes missing markers if there are any."""
        copy = with_keys(" · <run_r.copy=c>: copy the call for markers")
        return f"{end}{copy if self._markers else ''}{with_keys(' · <run_r.leave=esc>: close')}"
