"""How a status looks everywhere: a glyph, a word and a colour, never the colour alone.

Colours are the sixteen of the terminal by way of the theme, so that they work over ssh, in tmux
and in light terminals; the glyphs are one cell wide in every font that has them.
"""

from __future__ import annotations

from collections.abc import Mapping

from hipercow_tui.domain.task import Status

GLYPH: Mapping[Status, str] = {
    Status.FAILURE: "✗",
    Status.CANCELLED: "⊘",
    Status.SUCCESS: "✓",
    Status.CREATED: "○",
    Status.SUBMITTED: "◔",
    Status.RUNNING: "▶",
    Status.BROKEN: "?",
}

# Names of theme variables: `$text-error` in stylesheets and Content, `themed(app, …)` for rich.
COLOUR: Mapping[Status, str] = {
    Status.FAILURE: "text-error",
    Status.CANCELLED: "foreground-muted",
    Status.SUCCESS: "text-success",
    Status.CREATED: "text-primary",
    Status.SUBMITTED: "text-warning",
    Status.RUNNING: "foreground",
    Status.BROKEN: "text-error",
}
