"""Copy to the clipboard of the terminal, which limits the length and can't be read back.

On Windows a text also gets to the clipboard of the system, which not each terminal sets.
"""

from __future__ import annotations

import sys
from typing import Any

from textual.app import App

from hipercow_tui.support.windows_console import copy_to_clipboard
from hipercow_tui.ui.cells import cut_end, plain_text

MAX_BYTES = 74_994  # terminals accept at most 100,000 bytes of base64 by OSC 52
# Bytes of the largest text that ``copy`` takes; the clipboard of Windows itself has no such limit.
LARGEST = 64 << 20 if sys.platform == "win32" else MAX_BYTES
_SHOWN_LINES = 3  # of the copied text, in the notification
_SHOWN_CELLS = 110  # of each of them: two lines of the notification


def copy(app: App[Any], text: str, name: str, *, alternative: str) -> bool:
    """Copy a text and show its first lines; return whether it was copied.

    ``name`` says in the notification what was copied. If the text is too long, nothing is copied,
    and the notification shows ``alternative``: what to do instead.
    """
    sent = text.encode("utf-8", "backslashreplace")  # a file name may not be UTF-8
    copied = copy_to_clipboard(text)
    if len(sent) <= MAX_BYTES:
        app.copy_to_clipboard(sent.decode())
    elif not copied:
        app.notify(
            f"{name}: too long for the clipboard of a terminal; {alternative}",
            severity="warning",
            markup=False,
        )
        return False
    lines = text.splitlines()
    shown = [
        *(cut_end(plain_text(line), _SHOWN_CELLS) for line in lines[:_SHOWN_LINES]),
        *(["  …"] if len(lines) > _SHOWN_LINES else []),
    ]
    app.notify("\n".join(shown), title=f"Copied: {name}", markup=False)
    return True
