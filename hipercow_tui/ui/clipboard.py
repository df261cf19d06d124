"""The terminal's clipboard, which is not ours to read and takes only so much."""

from __future__ import annotations

from typing import Any

from textual.app import App

from hipercow_tui.ui.cells import plain_text

MAX_BYTES = 74_994  # bytes; what terminals take by OSC 52 is 100,000 bytes of base64 at most
_SHOWN_LINES = 3  # lines of what was copied


def copy(app: App[Any], text: str, what: str, *, instead: str) -> None:
    """Copy a text and show how it begins; where it is too long, say what to do ``instead``."""
    sent = text.encode("utf-8", "backslashreplace")  # a name of a file may be no UTF-8
    if len(sent) > MAX_BYTES:
        app.notify(
            f"{what}: too long for a terminal's clipboard; {instead}",
            severity="warning",
            markup=False,
        )
        return
    app.copy_to_clipboard(sent.decode())
    lines = text.splitlines()
    shown = [
        *map(plain_text, lines[:_SHOWN_LINES]),
        *(["  …"] if len(lines) > _SHOWN_LINES else []),
    ]
    app.notify("\n".join(shown), title=f"Copied: {what}", markup=False)
