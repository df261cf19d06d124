"""Bell, notification and title, as a real terminal gets them when tasks have ended."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from real_terminal import Terminal
from small_root import task_id, write_task

RUNNING = task_id(1)
SAVE, RESTORE = b"\x1b[22;2t", b"\x1b[23;2t"


@pytest.mark.parametrize(
    ("variables", "known"),
    [({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, True), ({"TERM": "linux"}, False)],
)
def test_the_end_of_a_task_reaches_the_terminal(
    tmp_path: Path,
    env: dict[str, str],
    started: list[Terminal],
    variables: dict[str, str],
    known: bool,
) -> None:
    folder = write_task(tmp_path, RUNNING, "running")
    terminal = Terminal(str(tmp_path), env=env | variables)
    started.append(terminal)
    terminal.wait(r"live")
    terminal.press("W")
    terminal.wait(r"wait 0/1")
    (folder / "status-success").touch()
    terminal.wait(r"1 ✓ in ")
    terminal.press("q")
    assert terminal.leave() == 0
    terminal.assert_left_as_it_was()
    seen = re.sub(rb"\x1b\]22;[a-z]+\a", b"", terminal.seen)  # the mouse pointer, of Textual
    if known:
        result = "task 010000…0001: 1 ✓ in ".encode()
        before, saved, after = seen.partition(SAVE)
        assert saved and b"\x1b]" not in before
        assert after.startswith(b"\x1b]2;hipercow-tui: wait 0/1\a")
        assert b"\a\x1b]9;hipercow-tui: " + result in after
        assert b"\x1b]2;hipercow-tui: " + result in after
        assert after.count(SAVE) == 0 and after.count(RESTORE) == 1
    else:
        assert b"\x1b]" not in seen and SAVE not in seen and RESTORE not in seen
        assert seen.count(b"\a") == 1
