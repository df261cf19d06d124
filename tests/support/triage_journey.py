"""From the start of a demo to the purge of one cause, as a person would do it: look at the errors,
mark the most frequent one, plan, confirm."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from real_terminal import Terminal

MOST_KEYS = 12
_ROW = re.compile(r"[│┃][▌ ][* ] +([\d,]+) +[▏▎▍▌▋▊▉█]+ +(\S.{20})").findall
_GONE = re.compile(r"Erased ([\d,]+) tasks and [\d,]+ bundles?:").search
_READING = re.compile(r"read [\d,]+ of [\d,]+").search


@dataclass(frozen=True, slots=True)
class Journey:
    """The keys that were pressed; how many tasks the three most frequent errors broke, and how
    many of them were purged; how long it took until all errors were told, in seconds."""

    keys: tuple[str, ...]
    broken: tuple[int, ...]
    purged: int
    seconds: float


def take_journey(terminal: Terminal, *, patience: float = 30) -> Journey:
    """Take it in a demo that has just been started, and leave.

    Raises AssertionError where the screen does not show what it should.
    """
    keys: list[str] = []

    def press(*more: str) -> None:
        keys.extend(more)
        terminal.press(*more)

    terminal.wait(r"live", patience)
    began = time.monotonic()
    press("e")
    shown = terminal.wait(
        lambda text: re.search(r"─ +Errors \d\d", text) and not _READING(text), patience
    )
    seconds = time.monotonic() - began
    rows = errors_in(shown)
    counts = [number for number, _ in rows]
    assert counts == sorted(counts, reverse=True) and len(counts) >= 10
    assert rows[0][1].startswith("step size too small:")
    assert len({message for _, message in rows[:3]}) == 3
    assert counts[0] > 2 * counts[1] > 4 * counts[5]

    press("\r")
    terminal.wait(rf"matched {counts[0]:,}")
    press("p")
    plan = terminal.wait(r"would go|x: leave out", patience)
    if "x: leave out" in plan:
        press("x")
        terminal.wait(r"left out", patience)
    terminal.wait(lambda text: "would go" in text and "measuring" not in text, patience)
    press("D")
    asked = terminal.wait(r"Cancel", patience)
    time.sleep(0.6)  # what is typed before one can have read the question is dropped
    if number := re.search(r"type ([\d,]+)", asked):
        press(*number[1].replace(",", ""), "\r")
        terminal.wait(r"Purge for good")
    press("y")
    purged = _GONE(terminal.wait(_GONE, patience))
    assert purged is not None

    terminal.press("\x1b")
    terminal.wait(lambda text: "live" in text and "Purged" not in text, patience)
    terminal.press("e")
    terminal.wait(
        lambda text: "negative population" in text and errors_in(text)[0][0] < counts[0], patience
    )
    terminal.press("q")
    assert terminal.leave() == 0
    terminal.assert_left_as_it_was()
    return Journey(tuple(keys), tuple(counts[:3]), int(purged[1].replace(",", "")), seconds)


def errors_in(text: str) -> list[tuple[int, str]]:
    """What the errors tab shows: how many tasks each error broke, and how its message begins."""
    return [(int(number.replace(",", "")), message) for number, message in _ROW(text)]
