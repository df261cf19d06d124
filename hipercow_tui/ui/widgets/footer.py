"""The last line of a screen: the keys that work there, which can be clicked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

from hipercow_tui.ui.cells import cut_end
from hipercow_tui.ui.key_names import character_of

KEY, LABEL = "bold $footer-key-foreground", "$footer-description-foreground"
HELP, PALETTE = "help", "command_palette"  # actions
GAP = 2  # cells


@dataclass(frozen=True, slots=True)
class Hint:
    """A key of the footer: ``shown`` is its text, ``key`` is pressed by a click."""

    action: str
    key: str
    shown: str
    label: str

    @property
    def width(self) -> int:
        """The width in cells, with the gap after it."""
        return cell_len(f"{self.shown} {self.label}") + GAP


class KeyFooter(Widget):
    """One line with the keys of the focused pane.

    Textual's Footer mounts a widget for each key whenever the focus changes, which takes 0.1 s at
    the start. This widget is drawn with the first frame. On a narrow terminal, the last keys are
    left out; the key for help is left out last.
    """

    DEFAULT_CSS = """
    KeyFooter {
        dock: bottom;
        height: 1;
        background: $footer-background;
        color: $footer-foreground;
    }
    """

    labels: reactive[Mapping[str, str]] = reactive[Mapping[str, str]](dict)
    """Labels by action, in place of those of the bindings."""
    note: reactive[str] = reactive("")
    """A text instead of the keys, until the next key is pressed."""

    def __init__(self, *, palette: bool = False) -> None:
        super().__init__()
        self._palette = palette
        self._places: list[tuple[range, Hint]] = []
        self._drawn: tuple[object, ...] = ()

    def on_mount(self) -> None:
        """Follow changes of the bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._refresh_if_changed)

    def _refresh_if_changed(self, _: Screen[Any]) -> None:
        if self._drawn != (self.hints, self.size.width):
            self.refresh()

    @property
    def hints(self) -> Sequence[Hint]:
        """The keys to show, one for each action."""
        found: dict[str, Hint] = {}
        last: dict[str, Hint] = {}
        for key, (_, binding, enabled, _) in self.screen.active_bindings.items():
            action = binding.action
            hints, shown = (last, self._palette) if action == PALETTE else (found, binding.show)
            if enabled and shown and action not in hints and not self._is_typed(key):
                text = self.app.get_key_display(binding)
                label = self.labels.get(action, binding.description)
                hints[action] = Hint(action, key, text, label)
        return (*found.values(), *last.values())

    def _is_typed(self, key: str) -> bool:
        """Return whether the focused field takes the key as a character."""
        focused = self.screen.focused
        return focused is not None and focused.check_consume_key(key, character_of(key))

    def render(self) -> Content:
        """Return the line."""
        hints, width = self.hints, self.size.width
        self._drawn, self._places = (hints, width), []
        if self.note:
            return Content.styled(cut_end(f" {self.note}", width), "bold $text-warning")
        line = Content(" ")
        for hint in fit_hints(hints, width - 1):
            if hint.action == PALETTE:  # right aligned
                line += " " * (width - line.cell_length - hint.width + GAP - 1)
            start = line.cell_length
            line = Content.assemble(line, (hint.shown, KEY), " ", (hint.label, LABEL))
            self._places.append((range(start, line.cell_length), hint))
            line += " " * GAP
        return line

    def on_click(self, event: events.Click) -> None:
        """Press the clicked key."""
        for cells, hint in self._places:
            if event.x in cells:
                self.app.simulate_key(hint.key)


def fit_hints(hints: Sequence[Hint], width: int) -> Sequence[Hint]:
    """Return the hints that fit into ``width`` cells, in order, with the one for help."""
    shown = list(hints)
    while sum(hint.width for hint in shown) - GAP > width:
        others = [hint for hint in shown if hint.action != HELP]
        if not others:
            return ()
        shown.remove(others[-1])
    return shown
