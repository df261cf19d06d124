"""Let R retry tasks: as R does it, with the resources that they had, or with more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import Any

from rich.text import Text
from textual import on
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from hipercow_tui.domain.task import TASK_ID
from hipercow_tui.formats.resources import Number, Resources
from hipercow_tui.formats.root import Root
from hipercow_tui.output.r_calls import RCallTargets, action_call
from hipercow_tui.output.r_programs import ACTIONS
from hipercow_tui.output.r_retry import (
    RetryGroup,
    RetryOptions,
    Shortage,
    resources_to_repeat,
    retry_call,
    retry_lines,
    retry_options,
    short_call,
)
from hipercow_tui.support.text import decoded, escape_controls, pluralize
from hipercow_tui.ui.clipboard import copy
from hipercow_tui.ui.dialogs.cancel import target_notes
from hipercow_tui.ui.dialogs.choice import Choice, ChoiceScreen
from hipercow_tui.ui.dialogs.r_screen import RRun, RScreen
from hipercow_tui.ui.messages import WorkerFailed
from hipercow_tui.ui.widgets.number_input import NumberInput
from hipercow_tui.ui.workers.base import start_thread

MAX_GROUPS = 6  # different resources that fit into the question, and can be read before the answer
DEFAULT, REPEATED, MORE = "default", "repeated", "more"  # answers
_DIGITS = r"(?:[1-9][0-9]{0,6})?"


class RetryScreen(RScreen):
    """Let R retry tasks; dismiss with whether R was started.

    ``error_of`` returns the error of a task id, or "". ``clock`` gives the time in seconds since
    the epoch.
    """

    def __init__(
        self,
        targets: RCallTargets,
        root: Root,
        error_of: Callable[[str], str],
        clock: Callable[[], float],
    ) -> None:
        self._targets = targets
        self._error_of = error_of
        self._clock = clock
        self._options: RetryOptions | None = None  # until the resources are read
        self._question: RetryQuestion
        self._made = 0  # new tasks
        super().__init__(root, f"Let R retry {pluralize(len(targets.tasks), 'task')}")

    def prepare(self) -> None:
        """Read the resources of the tasks."""
        self._options = retry_options(
            self._targets.tasks,
            partial(resources_to_repeat, self._root),
            self._error_of,
            self._clock(),
        )

    def question(self, version: str) -> ChoiceScreen:
        """Return the question with the resources that the tasks had."""
        assert self._options is not None
        self._question = RetryQuestion(self._targets, self._options, version)
        return self._question

    def call_to_copy(self) -> str:
        """Return the calls that retry the tasks with the resources that they had."""
        return retry_call(self._options.repeated) if self._options else action_call(self._targets)

    def run_for(self, answer: str) -> RRun:
        """Return the program that retries the tasks."""
        groups = self._question.groups_for(answer)
        return RRun(ACTIONS[self._targets.action], retry_lines(groups))

    def take_line(self, line: bytes) -> None:
        """Keep a line, and count the ids of new tasks."""
        self._made += TASK_ID.match(decoded(line.strip())) is not None
        super().take_line(line)

    def keys_after(self, end: str) -> str:
        """Return the line of keys, with the number of new tasks: R may refuse some."""
        number = pluralize(len(self._targets.tasks), "task")
        return super().keys_after(f"{self._made:,} of {number} retried · {end}")


@dataclass(frozen=True, slots=True)
class RetryCopy:
    """Copies the calls that retry tasks with the resources that they had."""

    targets: RCallTargets

    def start(self, app: App[Any], root: Root, now: float) -> None:
        """Read the resources in a thread, and copy the calls; ``now`` is in seconds since the
        epoch."""

        def read() -> None:
            options = retry_options(
                self.targets.tasks, partial(resources_to_repeat, root), lambda _: "", now
            )
            app.call_later(copy_calls, options.repeated)

        def copy_calls(groups: Sequence[RetryGroup]) -> None:
            copy(
                app,
                retry_call(groups),
                "task_retry(resources)",
                alternative="mark fewer tasks",
            )

        start_thread(read, lambda error: app.call_later(app.post_message, WorkerFailed(error)))


class RetryQuestion(ChoiceScreen):
    """Ask how to retry tasks; dismiss with an answer for ``groups_for``, or None."""

    DEFAULT_CSS = """
    RetryQuestion #dialog { width: 78; }
    """

    def __init__(self, targets: RCallTargets, options: RetryOptions, version: str) -> None:
        tasks = pluralize(len(targets.tasks), "task")
        super().__init__(
            f"task_retry() for {tasks}?", _question(targets, options, version), _choices(options)
        )
        self._groups = {DEFAULT: options.default, REPEATED: options.repeated, MORE: options.more}

    def groups_for(self, answer: str) -> Sequence[RetryGroup]:
        """Return the groups to retry after an answer."""
        return self._groups[answer]

    def choose(self, answer: str) -> None:
        """Dismiss with the answer; for more, let the user edit the numbers first."""
        if answer != MORE:
            self.dismiss(answer)
            return
        screen = MoreScreen(self._groups[MORE])

        def edited(confirmed: str | None) -> None:
            if confirmed is not None:
                self._groups[MORE] = screen.groups
                self.dismiss(MORE)

        self.app.push_screen(screen, edited)


def _choices(options: RetryOptions) -> Sequence[Choice]:
    default = Choice(DEFAULT, "d", "Default of R")
    if len(options.more) > MAX_GROUPS:
        return (default,)
    more = Choice(MORE, "m", "More…")
    if not options.resources_known:
        return (default, more)
    return (Choice(REPEATED, "o", "As they had"), more, default)


def _question(targets: RCallTargets, options: RetryOptions, version: str) -> Text:
    text = Text.assemble(
        ("hipercow::", "dim"),
        ("task_retry()", "bold"),
        f" of hipercow {version} is called for {pluralize(len(targets.tasks), 'task')}."
        f"{target_notes(targets)} A new task is made for each, and submitted if your driver does"
        " that.\n\nR does not repeat resources by itself: by default, a retry has one core in the"
        " default queue.",
    )
    if len(options.more) > MAX_GROUPS:
        return text.append(
            f" These tasks differ in their resources or errors in {len(options.more)} ways: to"
            f" repeat resources, retry tasks together that differ in at most {MAX_GROUPS}."
        )
    if not options.resources_known:
        return text.append(
            " What these tasks had can't be read: they may never have been submitted."
        )
    text.append(" With the resources that they had:\n\n").append_text(_calls(options.repeated))
    for omitted in options.left_out:
        text.append(f"\nleft out: {escape_controls(omitted)}")
    short = Counter[Shortage]()
    for group in options.more:
        if group.shortage is not None:
            short[group.shortage] += len(group.ids)
    for shortage, number in short.items():
        text.append(f"\n{pluralize(number, 'error')} about too little {shortage}", "bold")
    return text


def _calls(groups: Iterable[RetryGroup]) -> Text:
    return Text("\n".join(map(short_call, groups)), "dim")


class MoreScreen(ChoiceScreen):
    """Show the numbers of each group in fields; dismiss with an answer, or None.

    ``groups`` are the groups with the numbers in the fields.
    """

    DEFAULT_CSS = """
    MoreScreen #dialog { width: 78; }
    MoreScreen .group { height: auto; margin-top: 1; }
    MoreScreen .fields { height: 1; }
    MoreScreen .fields Static { width: auto; }
    MoreScreen NumberInput, MoreScreen NumberInput:focus {
        width: 9; height: 1; border: none; padding: 0 1; background: $panel;
    }
    MoreScreen #calls { margin: 1 0 3 0; }
    MoreScreen #buttons { dock: bottom; margin: 0; background: $surface; }
    """

    def __init__(self, groups: Sequence[RetryGroup]) -> None:
        tasks = sum(len(group.ids) for group in groups)
        text = Text(
            "Memory is in GB, time in minutes. Where an error is about one of them, twice as much"
            " as before is proposed. A field is empty if the tasks did not ask for it."
        )
        choice = Choice("yes", "y", "Let R retry")
        super().__init__(f"Retry {pluralize(tasks, 'task')} with more", text, [choice])
        self._original = tuple(groups)
        self.groups = self._original

    def extra_widgets(self) -> Iterable[Widget]:
        """Return the fields of each group, and the calls."""
        yield from map(_GroupFields, self._original)
        yield Static(_calls(self._original), id="calls")

    def accept_input(self) -> None:
        """Enable the controls, and focus the first field."""
        super().accept_input()
        self.query(NumberInput).first().focus()

    @on(Input.Changed)
    def _update(self) -> None:
        self.groups = tuple(fields.edited() for fields in self.query(_GroupFields))
        self.query_one("#calls", Static).update(_calls(self.groups))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        """Focus the button: Enter in a field never confirms by itself."""
        self.query_one("#yes", Button).focus()


class _GroupFields(Vertical):
    """The numbers of a group, in fields."""

    def __init__(self, group: RetryGroup) -> None:
        super().__init__(classes="group")
        self._group = group

    def compose(self) -> ComposeResult:
        """Yield a line about the group, and the fields."""
        tasks = pluralize(len(self._group.ids), "task")
        about = f", too little {self._group.shortage}" if self._group.shortage else ""
        yield Static(Text(f"{tasks}{about}", "bold"))
        asked = self._group.resources or Resources()
        with Horizontal(classes="fields"):
            for name, label in _FIELDS:
                value = getattr(asked, name)
                if name == "cores" and value == inf:
                    continue
                yield Static(f"{label} ")
                shown = "" if value is None else f"{value:.0f}"
                yield NumberInput(shown, restrict=_DIGITS, name=name, select_on_focus=True)
                yield Static("  ")

    def edited(self) -> RetryGroup:
        """Return the group with the numbers in the fields."""
        asked = self._group.resources or Resources()
        numbers: dict[str, Any] = {
            name: _number(field.value, getattr(asked, name))
            for field in self.query(NumberInput)
            if (name := field.name)
        }
        asked = replace(asked, **numbers)
        return replace(self._group, resources=None if asked == Resources() else asked)


_FIELDS = (
    ("cores", "cores"),
    ("memory_per_node", "memory: node"),
    ("memory_per_process", "process"),
    ("max_runtime", "time"),
)


def _number(text: str, before: object) -> Number | None:
    """Return the number in a field, of the type that it had before."""
    if not text:
        return None
    return float(text) if isinstance(before, float) else int(text)
