"""Purges with a goal: no more goes than frees the space that was asked for."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from command_running import Capture, printed_json, run
from mounts import fill_with, mounted
from purge_stage import in_place
from small_root import DAY, task_id, write_task

from hipercow_tui import BadFilterError, GoalError, purge
from hipercow_tui.formats.folder_size import measure
from hipercow_tui.formats.free_space import read_free_space
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import read_history

OLD, MIDDLE, NEW, FRESH, BUSY = map(task_id, range(1, 6))
FAILED = ("--with-status", "failure")


def make_root(where: Path, size: int = 10_000) -> Root:
    """Make a root with three failed tasks; the second one is the largest, and the oldest is first.
    One failed minutes ago, and one is running."""
    now = time.time()
    for identity, days, factor in ((OLD, 30, 1), (MIDDLE, 20, 3), (NEW, 10, 2), (FRESH, 0, 1)):
        ended = now - days * DAY
        folder = write_task(where, identity, "failure", created=ended - 60, finished=ended)
        (folder / "result").write_bytes(os.urandom(factor * size))
    write_task(where, BUSY, "running")
    return find_root(where)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return make_root(tmp_path / "project")


def planned(capsys: Capture, root: Root, *words: str, status: int = 0) -> Any:
    ids = [word for one in (OLD, MIDDLE, NEW, FRESH, BUSY) for word in ("--task-id", one)]
    assert run("purge", root, *ids, *words, "--dry-run", "--json") == status
    return printed_json(capsys)


def ids_of(plan: Any) -> list[str]:
    return [task["id"] for task in plan["tasks"]]


def test_a_goal_takes_the_oldest_first_and_stops(root: Root, capsys: Capture) -> None:
    assert ids_of(planned(capsys, root, "--free", "9 kB")) == [OLD]
    plan = planned(capsys, root, "--free", "20 kB")
    assert ids_of(plan) == [OLD, MIDDLE]
    assert plan["goal"].startswith("The goal of 20.0 kB, oldest first, stops at 4")
    assert ids_of(planned(capsys, root, "--free", "20 kB", "--order", "largest")) == [MIDDLE]
    assert ids_of(planned(capsys, root, "--free-files", "1")) == [OLD]


def test_a_goal_leaves_out_blocked_tasks_and_those_of_the_last_hour(
    root: Root, capsys: Capture
) -> None:
    plan = planned(capsys, root, "--free", "65 kB", status=1)
    assert plan["tasks"] == [] and plan["bytes"] == 0
    assert plan["goal"].endswith("chains left out: 1 blocked, 1 created within the last hour")
    plan = planned(capsys, root, "--free", "65 kB", "--include-recent")
    assert ids_of(plan) == [OLD, MIDDLE, NEW, FRESH]


def test_a_goal_by_disk_usage_counts_what_is_allocated(root: Root, capsys: Capture) -> None:
    size = measure(root, OLD)
    assert size is not None and size.disk_bytes > size.bytes
    wanted = f"{size.bytes + 1} B"
    assert ids_of(planned(capsys, root, "--free", wanted)) == [OLD, MIDDLE]
    plan = planned(capsys, root, "--free", wanted, "--disk-usage")
    assert ids_of(plan) == [OLD] and "on disk" in plan["goal"]


def test_an_unreachable_goal_purges_nothing(root: Root, capsys: Capture, tmp_path: Path) -> None:
    before = in_place(root)
    assert run("purge", root, *FAILED, "--free", "1 GB", "--yes") == 1
    printed = capsys.readouterr()
    assert not printed.out and "Nothing was purged. The goal of 1.0 GB can't be" in printed.err
    assert run("purge", root, *FAILED, "--free", "1 GB", "--save-plan", tmp_path / "plan") == 1
    assert not (tmp_path / "plan").exists()
    assert in_place(root) == before


def test_a_goal_that_is_met_already_purges_nothing(root: Root, capsys: Capture) -> None:
    before = in_place(root)
    assert run("purge", root, *FAILED, "--until-free", "0 %", "--yes") == 0
    assert "The goal of 0 % free is met already, so nothing goes" in capsys.readouterr().out
    assert run("purge", root, *FAILED, "--free", "0 B", "--yes") == 0
    assert in_place(root) == before


def test_the_goal_is_in_the_saved_plan_the_report_and_the_history(
    root: Root, capsys: Capture, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"
    assert run("purge", root, *FAILED, "--free", "20 kB", "--save-plan", plan) == 0
    capsys.readouterr()
    goal = json.loads(plan.read_bytes())["goal"]
    assert run("apply", plan, "--yes") == 0
    assert capsys.readouterr().out.count(goal) == 2  # in the plan and in the report
    assert in_place(root) == {NEW, FRESH, BUSY}
    (entry,) = read_history(root)
    assert entry.goal == goal and set(entry.tasks) == {OLD, MIDDLE}
    assert run("history", root) == 0 and goal in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--free", "20G"), "has no known unit"),
        (("--free", "many"), "is not a size"),
        (("--free", "1,000 files"), "--free-files"),
        (("--until-free", "120"), "is not a percentage"),
        (("--free-files", "-1"), "a whole number from 0 up"),
        (("--free", "1 B", "--until-free", "1 %"), "leave out one of them"),
        (("--order", "largest"), "need a goal"),
        (("--include-recent",), "need a goal"),
    ],
)
def test_a_wrong_goal_gets_a_sentence(
    root: Root, capsys: Capture, words: tuple[str, ...], message: str
) -> None:
    assert run("purge", root, *FAILED, *words, "--dry-run") == 2
    assert message in capsys.readouterr().err


def test_python_takes_a_goal_too(root: Root) -> None:
    def chosen(**goal: Any) -> list[str]:
        return purge(with_status="failure", dry_run=True, root=root.path, **goal)

    assert chosen(free="20 kB") == [OLD, MIDDLE]
    assert chosen(free=20_000, order="largest") == [MIDDLE]
    assert chosen(until_free=0) == chosen(free=0) == []
    assert chosen(free_files=1, keep=OLD) == [MIDDLE]
    with pytest.raises(GoalError, match="can't be reached"):
        chosen(free="1 GB")
    for wrong in ({"free": 1.5}, {"until_free": True}, {"free_files": "1"}, {"order": "size"}):
        with pytest.raises(BadFilterError):
            chosen(**wrong)
    assert purge(with_status="failure", free="20 kB", root=root.path) == [OLD, MIDDLE]
    assert in_place(root) == {NEW, FRESH, BUSY}


def test_a_full_disk_is_freed_by_a_goal(tmp_path: Path, capsys: Capture) -> None:
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=64m") as allowed:
        if not allowed:
            pytest.skip("mounting is not allowed")
        root = make_root(tmp_path / "disk", size=4_000_000)
        fill_with(tmp_path / "disk" / "filler")
        full = read_free_space(root.path)
        assert full is not None and full.free == 0
        assert run("purge", root, *FAILED, "--until-free", "10 %", "--yes") == 0
        assert "10 % free (6.7 MB on disk)" in capsys.readouterr().out
        freed = read_free_space(root.path)
        assert freed is not None and freed.missing(10) == 0
        assert in_place(root) == {NEW, FRESH, BUSY}
        assert run("purge", root, *FAILED, "--until-free", "10 %", "--yes") == 0
        assert "is met already" in capsys.readouterr().out and in_place(root) >= {NEW}


def test_an_open_file_keeps_its_space_and_the_report_says_why_little_was_gained(
    tmp_path: Path, capsys: Capture
) -> None:
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=64m") as allowed:
        if not allowed:
            pytest.skip("mounting is not allowed")
        root = make_root(tmp_path / "disk", size=4_000_000)
        with (root.tasks / OLD[:2] / OLD[2:] / "result").open("rb"):
            assert run("purge", root, *FAILED, "--free", "1 B", "--yes") == 0
        *_, free, gained = capsys.readouterr().out.splitlines()
        assert free.startswith("The file system has ") and free.endswith(" free of 67.1 MB now")
        assert gained.startswith("That is only ") and "4.0 MB on disk were erased: " in gained
        assert run("purge", root, *FAILED, "--free", "1 B", "--yes") == 0
        assert "That is only" not in capsys.readouterr().out
