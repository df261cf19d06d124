"""The glyph and the colour of each status. A status is never shown by its colour alone.

Colours are variables of the theme, so they work with sixteen colours, over ssh, in tmux and in
light terminals. Each glyph is one cell wide in every font that has it.
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

# Theme variables: `$text-error` in stylesheets and Content, `theme_style(app, …)` in rich.
COLOUR: Mapping[Status, str] = {
    Status.FAILURE: "text-error",
    Status.CANCELLED: "foreground-muted",
    Status.SUCCESS: "text-success",
    Status.CREATED: "text-primary",
    Status.SUBMITTED: "text-warning",
    Status.RUNNING: "foreground",
    Status.BROKEN: "text-error",
}
