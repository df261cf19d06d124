"""An input that is parsed while the user types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.text import escape_controls, truncate_middle
from hipercow_tui.ui.widgets.filters.line import WIDTH, FilterLine

Value = TypeVar("Value")

EXPLAIN_DELAY = 0.3  # seconds without a key, after which an error is explained
# Control characters and characters that reorder a line can't be typed or pasted.
TYPEABLE = r"[^\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*"


class ValidatedInput(Vertical, Generic[Value]):
    """An input with a note below it.

    While the text is invalid, the last valid text still applies: the note says so, and a bubble
    explains the error while the input has the focus. ``parse`` raises FilterError with that
    explanation. The value of a blank text is None.
    """

    DEFAULT_CSS = """
    ValidatedInput {
        height: auto;
        & Input, & Input:focus, & Input.-invalid, & Input.-invalid:focus {
            height: 1;
            padding: 0;
            border: none;
            border-left: vkey $foreground-muted;
            border-right: vkey $foreground-muted;
        }
        & Input:focus, & Input.-invalid:focus { border-left: outer $accent; }
        & .note { color: $text-muted; }
        &.-warns .note { color: $text-warning; }
        & .bubble {
            display: none;
            overlay: screen;
            constrain: inside inside;
            width: 42;
            height: auto;
            padding: 0 1;
            border: round $warning;
            background: $surface;
            color: $text-warning;
        }
        & .bubble.-shown { display: block; }
    }
    """

    class Changed(Message):
        """The value has changed."""

    class Done(Message):
        """Enter was pressed and the text is valid."""

    def __init__(self, parse: Callable[[str], Value], *, hint: str, id: str) -> None:
        super().__init__(id=id)
        self.value: Value | None = None
        self.error: str | None = None
        self._parse = parse
        self._valid_text = ""
        self._note = ""
        self._warn = False
        self._pause: Timer | None = None
        self._input = Input(placeholder=hint, restrict=TYPEABLE, select_on_focus=False)
        self._line = FilterLine(classes="note")
        self._bubble = Static(classes="bubble")

    def compose(self) -> ComposeResult:
        """Yield the input, the note, and the bubble, which covers the widgets below."""
        yield self._input
        yield self._line
        yield self._bubble

    def write(self, text: str) -> None:
        """Set the text of the input, as if it was typed."""
        self._input.value = text
        self._input.cursor_position = len(text)
        self._read(text)

    def note(self, note: str, *, warn: bool = False) -> None:
        """Set the note below a valid text."""
        self._note = note
        self._warn = warn
        self._update()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._read(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.error is None:
            self.post_message(self.Done())

    def on_descendant_focus(self) -> None:
        """Show the explanation of an error again."""
        self._update()

    def on_descendant_blur(self) -> None:
        """Hide the explanation."""
        self._update()

    def _read(self, text: str) -> None:
        before = self.value
        try:
            self.value = self._parse(text) if text.strip() else None
            self.error = None
            self._valid_text = text.strip()
        except FilterError as error:
            self.error = str(error)
        self._update()
        if self.value != before:
            self.post_message(self.Changed())

    def _update(self) -> None:
        """Update the note at once, and the bubble after a pause, so that it does not flicker."""
        invalid = self.error is not None
        still = (
            f"! still {escape_controls(self._valid_text)}" if self._valid_text else "! not applied"
        )
        self.set_class(invalid or self._warn, "-warns")
        self._line.content = Content(truncate_middle(still, WIDTH) if invalid else self._note)
        self._bubble.remove_class("-shown")
        if self._pause is not None:
            self._pause.stop()
            self._pause = None
        if invalid and self._input.has_focus:
            self._pause = self.set_timer(EXPLAIN_DELAY, self._explain)

    def _explain(self) -> None:
        self._bubble.update(Content(self.error or ""))
        self._bubble.add_class("-shown")
