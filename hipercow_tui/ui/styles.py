"""Styles of component classes and theme variables, for text that is drawn by rich."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.widget import Widget


def blend(widget: Widget, classes: Iterable[str]) -> Style:
    """Return the style of the widget with these component classes over it, later ones on top.

    It blends half transparent colours, which Textual's ``get_component_rich_style`` does not.
    """
    _, _, ground, colour = widget.colors
    emphasis = Style()
    for name in classes:
        component = widget.get_component_styles(name)
        if component.has_rule("background"):
            ground += component.background
        if component.has_rule("color"):
            colour = component.color
        emphasis += component.text_style
    return Style.from_color((ground + colour).rich_color, ground.rich_color) + emphasis


def theme_style(app: App[Any], variable: str) -> Style:
    """Return a theme variable such as ``text-error`` as a style of rich.

    Rich does not know the colour names that themes of sixteen colours use.
    """
    return Style.from_color(Color.parse(app.theme_variables[variable]).rich_color)
