"""From the start to the purge of one cause, as a person would do it: read, mark, plan, confirm."""

from __future__ import annotations

import re
import time
from pathlib import Path

from real_terminal import Terminal
from small_root import task_id, write_task

from hipercow_tui.model import Status
from hipercow_tui.saved_filters import FilterFile, SavedFilter

ROW = re.compile(r"[│┃][▌ ][* ] +([\d,]+) +[▏▎▍▌▋▊▉█]+ +(\S.{20})").findall
READING = re.compile(r"read [\d,]+ of [\d,]+").search


def test_one_cause_is_found_and_purged_in_at_most_twelve_keys(
    env: dict[str, str], started: list[Terminal]
) -> None:
    terminal = Terminal("--demo", "--demo-tasks", "1500", env=env, columns=118, rows=36)
    started.append(terminal)
    keys: list[str] = []

    def press(*more: str) -> None:
        keys.extend(more)
        terminal.press(*more)

    terminal.wait(r"live")
    press("e")
    shown = terminal.wait(lambda text: re.search(r"Errors 1\d", text) and not READING(text))
    rows = ROW(shown)
    counts = [int(count.replace(",", "")) for count, _ in rows]
    assert counts == sorted(counts, reverse=True) and len(counts) >= 10
    assert rows[0][1].startswith("step size too small:")
    assert len({message for _, message in rows[:3]}) == 3
    assert counts[0] > 2 * counts[1] > 4 * counts[5]

    press("\r")
    terminal.wait(rf"matched {counts[0]}")
    press("p")
    plan = terminal.wait(r"D Purge")
    if "x leaves out" in plan:
        press("x")
        terminal.wait(r"left out")
    press("D")
    asked = terminal.wait(r"Cancel")
    time.sleep(0.6)  # what is typed before one can have read the question is dropped
    if number := re.search(r"type ([\d,]+)", asked):
        press(*number[1].replace(",", ""), "\r")
        terminal.wait(r"Purge for good")
    press("y")
    terminal.wait(r"Purged")
    assert len(keys) <= 12, keys

    terminal.press("\x1b")
    terminal.wait(lambda text: "live" in text and "Purged" not in text)
    terminal.press("e")
    terminal.wait(lambda text: "negative population" in text and int(ROW(text)[0][0]) < counts[0])
    terminal.press("q")
    assert terminal.leave() == 0
    terminal.assert_left_as_it_was()


def test_a_saved_filter_is_there_from_the_start(
    tmp_path: Path, env: dict[str, str], started: list[Terminal]
) -> None:
    for number, status in enumerate(("failure", "success", "success")):
        write_task(tmp_path / "project", task_id(number), status)
    config = tmp_path / "config"
    FilterFile(config / "hipercow-tui" / "filters.toml").save(
        "what failed", SavedFilter(frozenset({Status.FAILURE}))
    )
    terminal = Terminal(
        str(tmp_path / "project"),
        *("--filter", "what failed"),
        env={**env, "XDG_CONFIG_HOME": str(config)},
    )
    started.append(terminal)
    terminal.wait(r"matched 1\b")
    terminal.press("q")
    assert terminal.leave() == 0
    terminal.assert_left_as_it_was()
