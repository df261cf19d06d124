"""Titles and notifications for the terminals that have them, and nothing for all others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipercow_tui.support.terminal_sequences import has_title, notification, set_title
from hipercow_tui.support.text import escape_controls
from hipercow_tui.ui.attention import Attention

XTERM = {"TERM": "xterm-256color"}
OSC_9 = "\x1b]9;app: it ended\a"
OSC_777 = "\x1b]777;notify;app;it ended\a"


@pytest.mark.parametrize(
    ("environ", "titled", "expected"),
    [
        (XTERM | {"TERM_PROGRAM": "iTerm.app"}, True, OSC_9),
        (XTERM | {"LC_TERMINAL": "iTerm2"}, True, OSC_9),  # over ssh
        (XTERM | {"TERM_PROGRAM": "WezTerm"}, True, OSC_9),
        (XTERM | {"WT_SESSION": "9d2f"}, True, OSC_9),
        ({"WT_SESSION": "9d2f"}, True, OSC_9),  # on Windows there is no TERM
        ({"TERM": "xterm-kitty"}, True, OSC_9),
        ({"TERM": "xterm-ghostty"}, True, OSC_9),
        (XTERM | {"VTE_VERSION": "7600"}, True, OSC_777),
        ({"TERM": "foot"}, True, OSC_777),
        ({"TERM": "rxvt-unicode-256color"}, True, OSC_777),
        (XTERM, True, ""),
        (XTERM | {"TERM_PROGRAM": "Apple_Terminal"}, True, ""),
        ({"TERM": "alacritty"}, True, ""),
        ({"TERM": "tmux-256color", "TMUX": "x", "KITTY_WINDOW_ID": "1"}, True, ""),
        ({"TERM": "screen-256color", "TMUX": "x", "VTE_VERSION": "7600"}, True, ""),
        ({"TERM": "screen", "STY": "1.pts", "LC_TERMINAL": "iTerm2"}, False, ""),
        ({"TERM": "linux"}, False, ""),
        ({"TERM": "linux", "VTE_VERSION": "7600"}, False, ""),
        ({"TERM": "dumb"}, False, ""),
        ({"TERM": "vt100"}, False, ""),
        ({}, False, ""),
    ],
)
def test_only_known_terminals_get_sequences(
    environ: dict[str, str], titled: bool, expected: str
) -> None:
    assert notification("app", "it ended", environ) == expected
    assert has_title(environ) is titled


@given(st.text(), st.text(), st.sampled_from([{"TERM": "foot"}, {"TERM": "xterm-kitty"}]))
def test_no_text_ends_a_sequence_or_starts_another(
    title: str, text: str, environ: dict[str, Any]
) -> None:
    for sequence in (notification(title, text, environ), set_title(text)):
        inner = sequence.removeprefix("\x1b]").removesuffix("\a")
        assert len(inner) == len(sequence) - 3 and escape_controls(inner) == inner
        assert len(sequence) < 500


def test_the_title_is_saved_once_and_restored_once() -> None:
    written: list[str] = []
    attention = Attention(written.append, XTERM)
    for text in ("", "one", "two", "", ""):
        attention.set_title(text)
    one, two = "\x1b]2;hipercow-tui: one\a", "\x1b]2;hipercow-tui: two\a"
    assert written == ["\x1b[22;2t" + one, two, "\x1b[23;2t"]


@pytest.mark.parametrize(
    ("environ", "means"),
    [
        (XTERM | {"TERM_PROGRAM": "WezTerm"}, "bell, notification and window title"),
        (XTERM, "bell and window title"),
        ({"TERM": "linux"}, "bell"),
    ],
)
def test_the_user_reads_what_the_terminal_has(environ: dict[str, str], means: str) -> None:
    written: list[str] = []
    attention = Attention(written.append, environ)
    assert attention.means == means
    attention.set_title("x")
    attention.call("it ended")
    assert ("\x1b" in "".join(written)) is (means != "bell")
    assert written[-1].startswith("\a")
