"""The last question before a purge: says the numbers, and takes Cancel for an answer first."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual import events, on
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.formats.folder_size import Size
from hipercow_tui.purging.manifest import PurgeMode
from hipercow_tui.support.text import format_size, pluralize
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.dialogs.choice import Choice, ChoiceScreen

LARGE_PURGE = 100  # tasks from which the number is to be typed
_CHOICES = (
    Choice(PurgeMode.TRASH, "t", "Move to trash"),
    Choice(PurgeMode.PURGE, "y", "Purge for good", "error"),
)


class ConfirmScreen(ChoiceScreen):
    """Asks whether to carry a plan out; dismisses with the value of an ``PurgeMode``, or None.

    ``total`` is what the tasks hold, None if that is still being measured. A large purge for good,
    or one that takes what the filters alone would have kept, wants its number of tasks typed; a
    move to the trash can be undone and wants none. ``warning`` says what the purge lacks in safety.
    """

    DEFAULT_CSS = """
    ConfirmScreen #typing { height: 1; margin-top: 1; }
    ConfirmScreen #typing Static { width: auto; margin-right: 1; }
    ConfirmScreen #number { width: 14; height: 1; border: none; padding: 0 1; background: $panel; }
    ConfirmScreen #hint { color: $text-warning; display: none; }
    """

    def __init__(self, plan: PurgePlan, total: Size | None, warning: str | None = None) -> None:
        also = f" and {pluralize(len(plan.bundles), 'bundle')}" if plan.bundles else ""
        title = f"Purge {pluralize(len(plan.tasks), 'task')}{also}?"
        super().__init__(title, _consequences(plan, total, warning), _CHOICES)
        self._tasks = len(plan.tasks)
        self._wants_number = self._tasks >= LARGE_PURGE or bool(plan.beyond_filters)

    def more(self) -> Iterable[Widget]:
        """The field, if there is one."""
        if self._wants_number:
            field = _NumberInput(
                id="number", restrict=r"[0-9]*", max_length=9, select_on_focus=False
            )
            asked = Static(f"To purge for good, type {self._tasks}:")
            yield Horizontal(asked, field, id="typing")
        yield Static(f"Type {self._tasks} first, or cancel (n).", id="hint")

    def listen(self) -> None:
        """From now on what is typed counts."""
        super().accept_input()
        self._update_button()

    @property
    def _number_is_right(self) -> bool:
        """Whether the number stands there, if one is wanted."""
        if not self._wants_number:
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
        """Enter after the number only goes on to the button: it never means yes by itself."""
        if self._number_is_right:
            self.query_one(f"#{PurgeMode.PURGE}").focus()
        else:
            self.query_one("#hint").display = True

    def on_key(self, event: events.Key) -> None:
        """A digit is meant for the field, wherever the focus is."""
        if self.accepts_input and self._wants_number and event.key.isdigit():
            field = self.query_one(Input)
            if not field.has_focus:
                field.focus()
                field.insert_text_at_cursor(event.key)
                event.stop()

    def action_choose(self, answer: str) -> None:
        """Purge for good only if the number stands there or none is wanted."""
        if answer == PurgeMode.TRASH or self._number_is_right:
            self.dismiss(answer)
        else:
            self.query_one("#hint").display = True
            self.query_one(Input).focus()


def _consequences(plan: PurgePlan, total: Size | None, warning: str | None) -> Text:
    text = Text()
    if total is not None:
        text.append(f"{format_size(total.bytes)} in {pluralize(total.files, 'file')}. ")
    elif plan.tasks:
        text.append("How much that frees is still being measured. ")
    if kept := len(plan.beyond_filters):
        goes = "task goes" if kept == 1 else "tasks go"
        text.append(f"{kept:,} {goes} that your filters alone would have kept. ", "bold")
    if plan.surviving:
        stays = "task stays and loses its" if plan.surviving == 1 else "tasks stay and lose a"
        text.append(f"{plan.surviving:,} {stays} bundle. ")
    if ignored := len(plan.ignored_bundles):
        stay = (
            "bundle that can't be read stays" if ignored == 1 else "bundles that can't be read stay"
        )
        text.append(f"{ignored:,} {stay}, and may name tasks that are gone. ", "bold")
    if warning:
        text.append(f"\n\n! {plain_text(warning)}", "bold")
    return text.append(
        "\n\nWhat is moved to the trash can come back, and frees the space when the trash is"
        " emptied. What is purged for good frees it at once and never comes back."
    )


class _NumberInput(Input):
    """A field for digits, which leaves letters to the dialog."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Textual asks whether a key is for the field before it looks for a binding."""
        return key.isdigit()
