"""Keep text readable in every theme: a colour that is too close to its background is changed.

Themes define colours for text on their plain background. On the row under the cursor, in dimmed
rows and in dialogs, the same colours can be unreadable. So the lines that widgets have drawn are
checked: the colour of a text is blended with black or white until its contrast is sufficient. The
ratios are those of WCAG 2.2, from 1 to 21.
"""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from textual.color import Color
from textual.constants import DIM_FACTOR
from textual.filter import LineFilter

TEXT_RATIO = 4.5  # of text and its background
DIM_RATIO = 3.0  # of text with the attribute "dim"
_STEPS = 20  # of a blend with black or white
_BLACK, _WHITE = Color(0, 0, 0), Color(255, 255, 255)
_NOT_DIM = Style(dim=False)
# Frames, bars and histograms, which are no text, and blanks.
_DRAWING = dict.fromkeys((ord(" "), *range(0x2500, 0x25A0)))


class ReadableText(LineFilter):
    """Changes the colours of text that is hard to read. ``colours`` are those of the terminal, for
    text that uses them in a theme with other colours."""

    def __init__(self, colours: TerminalTheme) -> None:
        super().__init__()
        self._colours = colours

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments of a line with readable colours."""
        result = []
        for segment in segments:
            text, style, control = segment
            if style is not None and not control:
                readable = readable_style(style, background, self._colours)
                if readable is not style and text.translate(_DRAWING):
                    segment = Segment(text, readable)
            result.append(segment)
        return result


@lru_cache(4096)
def readable_style(style: Style, background: Color, colours: TerminalTheme) -> Style:
    """Return the style with a readable colour; the same style if its colour is readable.

    A dim text gets a colour between its own and the background, and is not dim any more.
    """
    if style.color is None:
        return style
    ground = background if style.bgcolor is None else _as_color(style.bgcolor, colours, text=False)
    colour = _as_color(style.color, colours, text=True)
    if style.dim:
        dimmed = readable_colour(ground.blend(colour, DIM_FACTOR), ground, DIM_RATIO)
        return style + Style.from_color(dimmed.rich_color) + _NOT_DIM
    readable = readable_colour(colour, ground, TEXT_RATIO)
    return style if readable == colour else style + Style.from_color(readable.rich_color)


def readable_colour(colour: Color, ground: Color, ratio: float) -> Color:
    """Return the colour, blended with black or white as little as the ratio to ``ground`` needs."""
    if contrast(colour, ground) >= ratio:
        return colour
    target = max(_BLACK, _WHITE, key=lambda end: contrast(end, ground))
    blends = (colour.blend(target, step / _STEPS) for step in range(1, _STEPS))
    return next((one for one in blends if contrast(one, ground) >= ratio), target)


def contrast(first: Color, second: Color) -> float:
    """Return the contrast ratio of two opaque colours."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Color) -> float:
    """Return the relative luminance of a colour, from 0 to 1."""
    red, green, blue = (_linear(value / 255) for value in colour.rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _as_color(colour: RichColor, colours: TerminalTheme, *, text: bool) -> Color:
    return Color(*colour.get_truecolor(colours, foreground=text))
