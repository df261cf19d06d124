"""The confirmation of a purge: it shows the numbers, and Cancel has the focus."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual import events, on
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.formats.folder_size import Size, SizeKind
from hipercow_tui.output.report import side_effects, what_stays
from hipercow_tui.purging.manifest import PurgeMode
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.dialogs.choice import Choice, ChoiceScreen
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.widgets.number_input import NumberInput

LARGE_PURGE = 100  # tasks from which on the user types the number
_CHOICES = (
    Choice(PurgeMode.TRASH, "t", "Move to trash"),
    Choice(PurgeMode.PURGE, "y", "Purge for good", "error"),
)


class ConfirmScreen(ChoiceScreen):
    """Ask whether to carry out a plan; dismiss with the value of a ``PurgeMode``, or None.

    ``total`` is the size of the tasks, None while it is being measured. ``warning`` is the
    result of the preflight check.

    For a large purge for good, or one that takes tasks which the filters alone would keep, the user
    types the number of tasks. A move to the trash can be undone and needs no number.
    """

    DEFAULT_CSS = """
    ConfirmScreen #typing { height: 1; margin-top: 1; }
    ConfirmScreen #typing Static { width: auto; margin-right: 1; }
    ConfirmScreen #number { width: 14; height: 1; border: none; padding: 0 1; background: $panel; }
    ConfirmScreen #hint { color: $text-warning; display: none; }
    """

    def __init__(
        self,
        plan: PurgePlan,
        total: Size | None,
        warning: str | None = None,
        size_kind: SizeKind = SizeKind.APPARENT,
    ) -> None:
        also = f" and {pluralize(len(plan.bundles), 'bundle')}" if plan.bundles else ""
        title = f"Purge {pluralize(len(plan.tasks), 'task')}{also}?"
        super().__init__(title, _consequences(plan, total, warning, size_kind), _CHOICES)
        self._tasks = len(plan.tasks)
        self._number_required = self._tasks >= LARGE_PURGE or bool(plan.cascaded)

    def extra_widgets(self) -> Iterable[Widget]:
        """Return the field for the number, if one is needed, and a hint."""
        if self._number_required:
            field = NumberInput(
                id="number", restrict=r"[0-9]*", max_length=9, select_on_focus=False
            )
            label = Static(f"To purge for good, type {self._tasks}:")
            yield Horizontal(label, field, id="typing")
        yield Static(
            with_keys(f"Type {self._tasks} first, or cancel (<choice.cancel=n>)."), id="hint"
        )

    def accept_input(self) -> None:
        """Enable the controls; the button to purge needs the number, if one is required."""
        super().accept_input()
        self._update_button()

    @property
    def _number_is_right(self) -> bool:
        """Whether the number is typed, or none is required."""
        if not self._number_required:
            return True
        return self.query_one(Input).value == str(self._tasks)

    @on(Input.Changed)
    def _update_button(self) -> None:
        purge = self.query_one(f"#{PurgeMode.PURGE}", Button)
        purge.disabled = not self._number_is_right
        if self._number_is_right:
            self.query_one("#hint").display = False

    @on(Input.Submitted)
    def _submitted(self) -> None:
        """Focus the button after the right number. Enter in the field never confirms by itself."""
        if self._number_is_right:
            self.query_one(f"#{PurgeMode.PURGE}").focus()
        else:
            self.query_one("#hint").display = True

    def on_key(self, event: events.Key) -> None:
        """Send a digit to the field, wherever the focus is."""
        if self.accepts_input and self._number_required and event.key.isdigit():
            field = self.query_one(Input)
            if not field.has_focus:
                field.focus()
                field.insert_text_at_cursor(event.key)
                event.stop()

    def choose(self, answer: str) -> None:
        """Dismiss with the answer; a purge for good needs the number, if one is required."""
        if answer == PurgeMode.TRASH or self._number_is_right:
            self.dismiss(answer)
        else:
            self.query_one("#hint").display = True
            self.query_one(Input).focus()


def _consequences(
    plan: PurgePlan, total: Size | None, warning: str | None, size_kind: SizeKind
) -> Text:
    text = Text()
    if total is not None:
        text.append(f"{total.text(size_kind)}. ")
    elif plan.tasks:
        text.append("The size is still being measured. ")
    if plan.goal:
        text.append(f"{plan.goal}. ")
    if drawn_in := len(plan.cascaded):
        chain, them = ("its chain", "it") if drawn_in == 1 else ("their chains", "them")
        included = f"{pluralize(drawn_in, 'task')} included with {chain}"
        text.append(f"{included}: the filters alone would keep {them}. ", "bold")
    for effect in filter(None, (what_stays(plan), side_effects(plan))):
        text.append(f"{effect}. ")
    if ignored := len(plan.ignored_bundles):
        bundles = pluralize(ignored, "unreadable bundle")
        stay = "it stays" if ignored == 1 else "they stay"
        text.append(f"{bundles} ignored: {stay}, and may list tasks that are gone. ", "bold")
    if warning:
        text.append(f"\n\n! {plain_text(warning)}", "bold")
    return text.append(
        "\n\nThe trash can be restored; its space is freed when you empty it. A purge for good"
        " frees the space at once and can't be undone."
    )
