"""Bell, notification and title, as a real terminal gets them when tasks have ended."""

from __future__ import annotations

import re
from pathlib import Path

from real_terminal import Terminal
from small_root import task_id, write_task

RUNNING = task_id(1)
KNOWN = {"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}
CONSOLE = {"TERM": "linux"}
POINTER = re.compile(rb"\x1b\]22;[a-z]+\a")  # Textual sets the mouse pointer in every terminal
SAVE, RESTORE = b"\x1b[22;2t", b"\x1b[23;2t"


def test_the_end_of_a_task_reaches_a_terminal_as_far_as_it_is_known(
    tmp_path: Path, env: dict[str, str], started: list[Terminal]
) -> None:
    folder = write_task(tmp_path, RUNNING, "running")
    started += [Terminal(str(tmp_path), env=env | more) for more in (KNOWN, CONSOLE)]
    for terminal in started:
        terminal.wait(r"live")
        terminal.press("W")
        terminal.wait(r"wait 0/1")
    (folder / "status-success").touch()
    for terminal in started:
        terminal.wait(r"1 ✓ in ")
        terminal.press("q")
        assert terminal.leave() == 0
        terminal.assert_left_as_it_was()
    known, console = (POINTER.sub(b"", terminal.seen) for terminal in started)

    before, saved, after = known.partition(SAVE)
    assert saved and b"\x1b]" not in before
    assert after.startswith(b"\x1b]2;hipercow-tui: wait 0/1\a")
    result = "task 010000…0001: 1 ✓ in ".encode()
    assert b"\a\x1b]9;hipercow-tui: " + result in after
    assert b"\x1b]2;hipercow-tui: " + result in after
    assert after.count(SAVE) == 0 and after.count(RESTORE) == 1

    assert b"\x1b]" not in console and SAVE not in console and RESTORE not in console
    assert console.count(b"\a") == 1
