"""The last line of a screen: the keys that work there, each of which can be clicked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

KEY, LABEL, DISABLED = "bold $footer-key-foreground", "$footer-description-foreground", "dim"
HELP_KEY = "question_mark"
GAP = 2  # cells


@dataclass(frozen=True, slots=True)
class Hint:
    """A key as it is shown, and what it does; ``key`` is what a click on it presses."""

    key: str
    shown: str
    label: str
    enabled: bool

    @property
    def width(self) -> int:
        """In cells, with what stands between it and the next."""
        return cell_len(f"{self.shown} {self.label}") + GAP


class KeyFooter(Widget):
    """Textual's Footer is a widget for each key, mounted anew when another pane gets the focus:
    0.1 s of a start. This is one line, drawn with the first frame.

    What finds no room is left out from the end, the key for help last of all.
    """

    DEFAULT_CSS = """
    KeyFooter {
        dock: bottom;
        height: 1;
        background: $footer-background;
        color: $footer-foreground;
    }
    """

    def __init__(self, *, palette: bool = False) -> None:
        super().__init__()
        self._palette = palette
        self._places: list[tuple[range, Hint]] = []
        self._drawn: tuple[object, ...] = ()

    def on_mount(self) -> None:
        """Other keys may work where another pane has the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._refresh_if_changed)

    def _refresh_if_changed(self, _: Screen[Any]) -> None:
        if self._drawn != (self.hints, self.size.width):
            self.refresh()

    @property
    def hints(self) -> Sequence[Hint]:
        """The keys that are worth showing, an action once."""
        found: dict[str, Hint] = {}
        for _, binding, enabled, _ in self.screen.active_bindings.values():
            if binding.show and binding.action not in found:
                shown = self.app.get_key_display(binding)
                found[binding.action] = Hint(binding.key, shown, binding.description, enabled)
        key = self.app.COMMAND_PALETTE_BINDING
        if self._palette and (active := self.screen.active_bindings.get(key)):
            shown = self.app.get_key_display(active.binding)
            found[key] = Hint(key, shown, "Palette", active.enabled)
        return tuple(found.values())

    def render(self) -> Content:
        """The line."""
        hints, width = self.hints, self.size.width
        self._drawn, self._places = (hints, width), []
        line = Content(" ")
        for hint in fit_hints(hints, width - 1):
            if hint.key == self.app.COMMAND_PALETTE_BINDING:  # at the right end, as everywhere
                line += " " * (width - line.cell_length - hint.width + GAP - 1)
            start = line.cell_length
            style = LABEL if hint.enabled else DISABLED
            line = Content.assemble(line, (hint.shown, KEY), " ", (hint.label, style))
            self._places.append((range(start, line.cell_length), hint))
            line += " " * GAP
        return line

    def on_click(self, event: events.Click) -> None:
        """A click on a key presses it."""
        for cells, hint in self._places:
            if event.x in cells and hint.enabled:
                self.app.simulate_key(hint.key)


def fit_hints(hints: Sequence[Hint], width: int) -> Sequence[Hint]:
    """As many as find room, in order; the one for help among them."""
    shown = list(hints)
    while sum(hint.width for hint in shown) - GAP > width:
        others = [hint for hint in shown if hint.key != HELP_KEY]
        if not others:
            return ()
        shown.remove(others[-1])
    return shown
