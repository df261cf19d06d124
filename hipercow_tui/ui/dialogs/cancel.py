"""Run R to cancel tasks, after a question, and show its output."""

from __future__ import annotations

from rich.text import Text

from hipercow_tui.formats.root import Root
from hipercow_tui.output.r_calls import RAction, RCallTargets, action_call
from hipercow_tui.output.r_programs import ACTIONS, id_lines
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.dialogs.choice import Choice, ChoiceScreen
from hipercow_tui.ui.dialogs.r_screen import RRun, RScreen


class CancelScreen(RScreen):
    """Let R cancel tasks; dismiss with whether R was started."""

    def __init__(self, targets: RCallTargets, root: Root) -> None:
        self._targets = targets
        super().__init__(root, f"Let R cancel {self._tasks}")

    @property
    def _tasks(self) -> str:
        return pluralize(len(self._targets.tasks), "task")

    def question(self, version: str) -> ChoiceScreen:
        """Return the question with the number of tasks."""
        choice = Choice("yes", "y", "Let R cancel")
        title = f"{self._targets.action}() for {self._tasks}?"
        return ChoiceScreen(title, self._text(version), [choice])

    def _text(self, version: str) -> Text:
        targets = self._targets
        return Text.assemble(
            ("hipercow::", "dim"),
            (f"{targets.action}()", "bold"),
            f" of hipercow {version} is called for {self._tasks}.{target_notes(targets)}",
            "\n\nTheir results so far are lost. A cancelled task can be retried.",
        )

    def call_to_copy(self) -> str:
        """Return the call that acts on the tasks."""
        return action_call(self._targets)

    def run_for(self, answer: str) -> RRun:
        """Return the program that cancels the tasks."""
        return RRun(ACTIONS[self._targets.action], id_lines(self._targets.ids))


def target_notes(targets: RCallTargets) -> str:
    """Return sentences on tasks that a later attempt replaces, that have succeeded, and that are
    left out."""
    notes = ""
    if targets.successes:
        notes += f" {targets.successes:,} of them succeeded, and will run again."
    if targets.followed:
        notes += f" For {pluralize(targets.followed, 'task')}, a later attempt is taken."
    out = [f"{targets.succeeded:,} that succeeded in a later attempt"] if targets.succeeded else []
    if targets.left_out:
        done = "cancelled" if targets.action is RAction.CANCEL else "retried"
        out.append(f"{targets.left_out:,} that can't be {done}")
    return f"{notes} Left out: {' and '.join(out)}." if out else notes
