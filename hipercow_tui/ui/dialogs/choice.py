"""A question before something changes on disk. It says what will happen; Cancel has the focus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Button, Input, Static
from textual.widgets.button import ButtonVariant

from hipercow_tui.ui.dialogs.dialog import Dialog
from hipercow_tui.ui.key_hints import with_keys

# Seconds. People type ahead over ssh: a key that arrives earlier was meant for the screen before.
# In a quarter of a second they notice the dialog.
INPUT_DELAY = 0.25
WIDTH = 66  # cells of the dialog, if the terminal has as many


@dataclass(frozen=True, slots=True)
class Choice:
    """A button: ``id`` is its answer, ``key`` the letter that gives the same answer."""

    id: str
    key: str
    label: str
    variant: ButtonVariant = "primary"


class ChoiceScreen(Dialog[str | None]):
    """Ask a question; dismiss with the id of the choice, or None for Cancel.

    Keys and clicks are ignored until the dialog has been on the screen for ``INPUT_DELAY`` seconds.
    """

    AUTO_FOCUS = ""

    DEFAULT_CSS = """
    ChoiceScreen #dialog { border: round $warning; border-title-color: $text-warning; }
    ChoiceScreen #buttons { height: 1; margin-top: 1; }
    ChoiceScreen Button { height: 1; border: none !important; min-width: 10; margin-right: 2; }
    ChoiceScreen.-narrow #dialog { padding: 0 1; }
    ChoiceScreen.-narrow #buttons { layout: vertical; height: auto; }
    ChoiceScreen Button:focus { text-style: bold reverse; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority, because an input field would take the letter.
        Binding("n,escape", "cancel", "Cancel", priority=True, id="choice.cancel"),
        Binding("right,down", "app.focus_next", "Next button", show=False, id="choice.next"),
        Binding(
            "left,up", "app.focus_previous", "Previous button", show=False, id="choice.previous"
        ),
    ]

    def __init__(self, title: str, text: Text, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._choices = choices
        self.accepts_input = False

    def compose(self) -> ComposeResult:
        """Yield the text, the widgets of a subclass and the buttons."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = self._title
            yield Static(self._text)
            yield from self.extra_widgets()
            with Horizontal(id="buttons"):
                yield Button(with_keys("Cancel (<choice.cancel=n>)"), id="cancel")
                for choice in self._choices:
                    label = f"{choice.label} ({choice.key})"
                    yield Button(label, id=choice.id, variant=choice.variant)

    def extra_widgets(self) -> Iterable[Widget]:
        """Return widgets to show between the text and the buttons."""
        return ()

    def on_mount(self) -> None:
        """Disable all controls until people have had time to see the question."""
        for widget in self._controls:
            widget.can_focus = False
        self.call_after_refresh(lambda: self.set_timer(INPUT_DELAY, self.accept_input))

    def on_resize(self, event: events.Resize) -> None:
        """Stack the buttons on a narrow terminal, and keep the focused control visible."""
        self.set_class(event.size.width < WIDTH, "-narrow")
        if self.focused is not None:
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    @property
    def _controls(self) -> list[Button | Input]:
        return [*self.query(Input), *self.query(Button)]

    def accept_input(self) -> None:
        """Enable the controls and focus Cancel."""
        self.accepts_input = True
        for widget in self._controls:
            widget.can_focus = True
        self.query_one("#cancel").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable all keys until input is accepted."""
        return self.accepts_input

    def on_key(self, event: events.Key) -> None:
        """Choose by a letter."""
        for choice in self._choices:
            if self.accepts_input and event.character == choice.key:
                event.stop()
                self.choose(choice.id)

    def choose(self, answer: str) -> None:
        """Dismiss with an answer."""
        self.dismiss(answer)

    def action_cancel(self) -> None:
        """Dismiss without an answer."""
        self.dismiss(None)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if not self.accepts_input:
            return
        answer = event.button.id
        if answer is None or answer == "cancel":
            self.action_cancel()
        else:
            self.choose(answer)
