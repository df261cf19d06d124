"""Escape sequences for the title of the terminal's window and for notifications of the desktop.

A terminal without such a feature could print the sequence, so each is made only for terminals that
are known to interpret or to ignore it. ``environ`` are the environment variables of the process.
"""

from __future__ import annotations

from collections.abc import Mapping

from hipercow_tui.support.text import escape_controls

BELL = "\a"
_MAX_TEXT = 200  # characters
# Terminals with a title that can be saved and restored (XTWINOPS 22 and 23), or that ignore this.
_WITH_TITLE = ("alacritty", "foot", "ghostty", "rxvt", "tmux", "vte", "wezterm", "xterm")
# OSC 9 is the sequence of iTerm2. Others use it for commands that begin with a number, so the text
# must not. OSC 777 is the sequence of urxvt and of terminals that use VTE.
_OSC_9_PROGRAMS = ("iTerm.app", "WezTerm", "ghostty")
_OSC_9_TERMS = ("xterm-kitty", "xterm-ghostty", "wezterm")
_OSC_777_TERMS = ("foot", "rxvt-unicode")


def has_title(environ: Mapping[str, str]) -> bool:
    """Return whether the title of the window can be set."""
    return bool({"TMUX", "WT_SESSION"} & environ.keys()) or environ.get("TERM", "").startswith(
        _WITH_TITLE
    )


def save_title() -> str:
    """Return the sequence that saves the present title on the stack of the terminal."""
    return "\x1b[22;2t"


def restore_title() -> str:
    """Return the sequence that restores the saved title."""
    return "\x1b[23;2t"


def set_title(title: str) -> str:
    """Return the sequence that sets the title (OSC 2)."""
    return f"\x1b]2;{_harmless(title)}{BELL}"


def notification(title: str, text: str, environ: Mapping[str, str]) -> str:
    """Return the sequence for a notification; "" if the terminal is not known to have any.

    There is none inside of tmux and screen: they would have to pass it on to a terminal that can
    change at any time, and of which the variables say nothing.
    """
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    if {"TMUX", "STY"} & environ.keys() or term.startswith(("tmux", "screen", "linux", "dumb")):
        return ""
    title, text = _harmless(title).replace(";", ","), _harmless(text)
    if (
        program in _OSC_9_PROGRAMS
        or term.startswith(_OSC_9_TERMS)
        or {"KITTY_WINDOW_ID", "WT_SESSION"} & environ.keys()
        or environ.get("LC_TERMINAL") == "iTerm2"
    ):
        return f"\x1b]9;{title}: {text}{BELL}"
    if term.startswith(_OSC_777_TERMS) or "VTE_VERSION" in environ:
        return f"\x1b]777;notify;{title};{text}{BELL}"
    return ""


def _harmless(text: str) -> str:
    """Return a text that can't end the sequence or start another."""
    return escape_controls(text)[:_MAX_TEXT]
