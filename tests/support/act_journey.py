"""From lost tasks and failures to the end of the work: free the lost tasks, retry one error with
twice the memory, export its inputs, and copy a report on it."""

from __future__ import annotations

import base64
import json
import os
import re
import time
from collections import Counter
from dataclasses import dataclass
from math import inf
from pathlib import Path

from failing import result_file
from real_terminal import Terminal
from recorded_resources import resources_file

from hipercow_tui.demo import write_root
from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.formats.resources import read_resources
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.scanning.scanner import read_root

MOST_KEYS = 21
MEMORY_ERROR = "cannot allocate memory block of size 8 Gb"
_DAY = 86400.0
_READING = re.compile(r"reading [\d,]+ more|read [\d,]+ of [\d,]+").search
_LARGE = 12  # tasks of a bundle
# What the cluster says, for the real R: the lost tasks failed, and a node has much memory.
_PROFILE = """setHook(packageEvent("hipercow", "onLoad"), function(...) {
  lost <- read.table("driver-says")[[1]]
  info <- function(id, config, path_root) {
    list(status = if (id %in% lost) "failure" else "running", time_started = NA)
  }
  cluster <- hipercow:::example_cluster_info
  big <- function(config, path_root) {
    found <- cluster(config, path_root)
    found$resources$max_ram <- 512
    found
  }
  assignInNamespace("example_info", info, "hipercow")
  assignInNamespace("example_cluster_info", big, "hipercow")
})
"""


@dataclass(frozen=True, slots=True)
class Acted:
    """The keys that were pressed, and what they did: how many tasks were freed, how many rows were
    exported, the report that was copied, and the seconds it took."""

    keys: tuple[str, ...]
    freed: int
    exported: int
    report: str
    seconds: float


def make_root(where: Path, *, tasks: int, lost: int, short: int) -> Root:
    """Write a demo root in which the cluster has lost some tasks, and others had too little memory.

    The file ``driver-says`` names the lost tasks, for the program that acts as R.
    """
    write_root(where, tasks=tasks, now=time.time())
    root = find_root(where)
    snapshot = read_root(root)
    ended = [
        task
        for task in snapshot.tasks.values()
        if task.status is Status.SUCCESS and task.lang is Lang.R and len(task.chain) < 2
    ]
    for task in _lost(ended, lost):
        folder = _folder(root, task)
        for name in ("status-success", "result", "info"):
            (folder / name).unlink(missing_ok=True)
        (folder / "status-submitted").write_text("example\n")
        with (where / "driver-says").open("a") as said:
            said.write(f"{task.id} failure\n")
    failed = [
        task
        for task in snapshot.tasks.values()
        if task.status is Status.FAILURE and task.lang is Lang.R and len(task.chain) < 2
    ]
    for task in failed[:short]:
        (_folder(root, task) / "result").write_bytes(result_file(MEMORY_ERROR))
        (_folder(root, task) / "resources").write_bytes(resources_file("everything"))
    (where / ".Rprofile").write_text(_PROFILE)
    return root


def _lost(ended: list[Task], number: int) -> list[Task]:
    """Return tasks that ended long ago, at most a third of each bundle: the others show that they
    take too long."""
    since = time.time() - 5 * _DAY
    old = [task for task in ended if task.bundles and task.started and _end(task) < since]
    left = Counter(task.bundles[0] for task in old)
    limit = {name: count // 3 for name, count in left.items() if count >= _LARGE}
    chosen = Counter[str]()
    found: list[Task] = []
    for task in old:
        name = task.bundles[0]
        if chosen[name] < limit.get(name, 0) and len(found) < number:
            chosen[name] += 1
            found.append(task)
    assert len(found) == number
    return found


def _end(task: Task) -> float:
    """Return when a task ended, if that was recorded."""
    return inf if task.finished is None or task.finished_estimated else task.finished


def _folder(root: Root, task: Task) -> Path:
    return root.tasks / task.id[:2] / task.id[2:]


def act(terminal: Terminal, exported: Path, *, patience: float = 60) -> Acted:
    """Act in an app that has just been started, export to a file, and leave.

    Raises AssertionError where the screen does not show what it should.
    """
    keys: list[str] = []

    def press(*more: str) -> None:
        keys.extend(more)
        terminal.press(*more)

    def wait(expected: str) -> str:
        return terminal.wait(expected, patience)

    def answer(expected: str, key: str) -> str:
        shown = wait(expected)
        time.sleep(0.6)  # what is typed before one can have read the question is dropped
        press(key)
        return shown

    def close(shown: str) -> None:
        press("\x1b")
        terminal.wait(lambda text: shown not in text, patience)

    wait(r"live")
    began = time.monotonic()
    press("R")
    asked = wait(r"tasks that may be stuck")
    answer(r"Cancel", "a" if "a: " in asked else "y")
    wait(r"R has finished")
    shown = wait(r"freed [\d,]+: ")
    freed = re.search(r"freed ([\d,]+): ", shown)
    assert freed is not None, shown
    close("R has finished")

    press("e")
    wait(r"─ +Errors \d\d")
    press("/")
    terminal.press(*"memory block")
    press("\r")
    wait(rf"▌.*{MEMORY_ERROR[:22]}")
    terminal.wait(lambda text: not _READING(text), patience)
    press("c")
    wait(r"T  retry in R")
    press("T")
    answer(r"errors about too little memory", "m")
    wait(r"memory_per_node = 8L")
    press("\r")
    answer(r"Let R retry", "y")
    wait(r"R has finished")
    close("R has finished")

    press("E")
    wait(r"Export inputs")
    press("J")
    wait(r"enter: save")
    press("\x15")
    terminal.press(*str(exported))
    press("\r")
    wait(r"Saved to")
    close("Saved to")

    press("M")
    wait(r"read it before you send it")
    press("c")
    end = time.monotonic() + patience
    while not (copied := re.findall(rb"\x1b\]52;c;([^\x07]*)\x07", terminal.seen)):
        assert time.monotonic() < end
        terminal.read()
    close("read it before")
    seconds = time.monotonic() - began
    press("q")
    assert terminal.leave() == 0
    terminal.assert_left_as_it_was()
    rows = [json.loads(line) for line in exported.read_text("utf-8").splitlines()]
    assert rows and all(MEMORY_ERROR in row["error"] for row in rows), rows[:2]
    return Acted(
        tuple(keys),
        int(freed[1].replace(",", "")),
        len(rows),
        base64.b64decode(copied[-1]).decode("utf-8"),
        seconds,
    )


def asked_memory(root: Root) -> Counter[float | None]:
    """Return how many retries in the root asked for how much memory per node, in GB."""
    asked: Counter[float | None] = Counter()
    for task in read_root(root).tasks.values():
        if len(task.chain) > 1 and task.chain[-1] == task.id and task.lang is Lang.R:
            folder = open_folder(_folder(root, task))
            found = read_resources(folder)
            os.close(folder)
            asked[found.memory_per_node if found else None] += 1
    return asked
