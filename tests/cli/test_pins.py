"""The commands ``pin``, ``unpin`` and ``pins``, and the functions for Python."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from command_running import Capture, printed_json
from command_running import run as run_command
from purge_stage import (
    ALL,
    BASE,
    CHAIN,
    FREE,
    LONE,
    OTHER,
    RETRY,
    TIP,
    folder_of,
    in_place,
    make_root,
)
from py_stage import FIRST, R_TASK, in_place_of_both, make_both
from small_root import task_id

import hipercow_tui
from hipercow_tui import BadFilterError, UnknownTasksError
from hipercow_tui.cli.main import main
from hipercow_tui.formats.root import Root
from hipercow_tui.purging.process_identity import current_process

FAILED = ("--with-status", "failure")


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return make_root(tmp_path / "project")


def run(command: str, root: Root, *words: str, status: int = 0) -> None:
    assert run_command(command, root, *words) == status


def pins_of(root: Root, capsys: Capture) -> list[dict[str, Any]]:
    capsys.readouterr()
    run("pins", root, "--json")
    pins: list[dict[str, Any]] = printed_json(capsys)["pins"]
    return pins


def test_a_pinned_chain_and_bundle_stay_in_a_purge_and_the_plan_says_so(
    root: Root, capsys: Capture
) -> None:
    run("pin", root, "--task-id", RETRY, "--bundle", "solo", "--note", "for the paper")
    assert capsys.readouterr().out.splitlines() == [
        f"Pinned chain {RETRY}: no purge takes its 3 tasks",
        "Pinned bundle solo: no purge takes its task",
    ]
    run("purge", root, *FAILED, "--yes")
    out = capsys.readouterr().out
    assert "held back by pins 4" in out and "4 tasks held back by pins" in out
    assert f"{OTHER}  bundle solo is pinned by {current_process().user}" in out
    assert "for the paper" in out
    assert in_place(root) == {*CHAIN, OTHER}


def test_a_purge_of_pinned_tasks_alone_says_why_nothing_goes(root: Root, capsys: Capture) -> None:
    run("pin", root, "--task-id", FREE)
    capsys.readouterr()
    run("purge", root, "--task-id", FREE, "--yes")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Nothing to purge" and lines[2] == "  1 task held back by pins"
    assert f"{FREE}  pinned by" in lines[4]


def test_pins_lists_who_when_and_why(root: Root, capsys: Capture) -> None:
    run("pins", root)
    assert capsys.readouterr().out == "Nothing is pinned\n"
    run("pin", root, "--bundle", "sweep", "--note", "a\x1b[2Jb")
    capsys.readouterr()
    run("pins", root)
    who = current_process()
    line = capsys.readouterr().out
    assert line.startswith(f"bundle  sweep  4 tasks  pinned by {who.user} on {who.host}, ")
    assert "\x1b" not in line and "[2Jb" in line
    (pin,) = pins_of(root, capsys)
    assert (pin["kind"], pin["name"], pin["by"]) == ("bundle", "sweep", who.user)
    assert set(pin["tasks"]) == {*CHAIN, LONE} and not pin["gone"]


def test_pinning_a_chain_again_by_another_task_replaces_the_note(
    root: Root, capsys: Capture
) -> None:
    run("pin", root, "--task-id", BASE, "--note", "first")
    run("pin", root, "--task-id", TIP, "--note", "second")
    assert [(pin["name"], pin["note"]) for pin in pins_of(root, capsys)] == [(BASE, "second")]


def test_any_task_of_the_chain_unpins_it(root: Root, capsys: Capture) -> None:
    run("pin", root, "--task-id", BASE)
    run("unpin", root, "--task-id", TIP)
    assert f"Unpinned chain {BASE}, which was pinned by" in capsys.readouterr().out
    assert pins_of(root, capsys) == []
    run("unpin", root, "--task-id", TIP)
    assert "none of this is pinned" in capsys.readouterr().err


def test_a_task_that_a_bundle_holds_is_not_unpinned_alone(root: Root, capsys: Capture) -> None:
    run("pin", root, "--bundle", "sweep")
    run("unpin", root, "--task-id", TIP, status=1)
    assert f"task {TIP} is still held by the pin of bundle sweep" in capsys.readouterr().err
    run("unpin", root, "--bundle", "sweep")
    assert pins_of(root, capsys) == []


def test_pins_of_what_is_gone_are_marked_and_can_be_removed(root: Root, capsys: Capture) -> None:
    run("pin", root, "--task-id", FREE, "--bundle", "solo")
    shutil.rmtree(folder_of(root, FREE))
    (root.bundles / "solo").unlink()
    assert [pin["gone"] for pin in pins_of(root, capsys)] == [True, True]
    run("pins", root)
    assert capsys.readouterr().out.count("  gone  pinned by") == 2
    run("unpin", root, "--task-id", FREE, "--bundle", "solo")
    assert pins_of(root, capsys) == []


@pytest.mark.parametrize("command", ["pin", "unpin"])
def test_what_does_not_exist_is_a_sentence_and_nothing_is_pinned(
    command: str, root: Root, capsys: Capture
) -> None:
    run(command, root, "--task-id", task_id(99), "--task-id", BASE, status=1)
    assert "1 / 2 tasks do not exist" in capsys.readouterr().err
    run(command, root, "--bundle", "gone", status=2)
    error = capsys.readouterr().err
    assert "There is no bundle 'gone'" in error and "there are solo, sweep" in error
    run(command, root, status=2)
    assert "--task-id ID or --bundle NAME" in capsys.readouterr().err
    assert pins_of(root, capsys) == []


def test_a_root_that_cant_be_written_says_so(root: Root, capsys: Capture) -> None:
    (root.hipercow / "tui").mkdir()
    (root.hipercow / "tui" / "pins").touch()
    run("pin", root, "--task-id", BASE, status=1)
    error = capsys.readouterr().err
    assert "tui/pins is a symbolic link or not a folder. Nothing was changed" in error


def test_a_damaged_pin_is_named_with_what_to_do(root: Root, capsys: Capture) -> None:
    run("pin", root, "--task-id", BASE)
    (file,) = (root.hipercow / "tui" / "pins").iterdir()
    file.write_text("damaged")
    capsys.readouterr()
    run("pins", root, status=1)
    error = capsys.readouterr().err
    assert file.name in error and "Nothing can be purged before you repair or remove it" in error


def test_a_saved_plan_is_refused_if_a_task_was_pinned_since(
    root: Root, tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "plan.json"
    run("purge", root, *FAILED, "--save-plan", str(file))
    run("pin", root, "--task-id", FREE, "--note", "still needed")
    capsys.readouterr()
    assert main(["apply", str(file), "--yes"]) == 1
    user = current_process().user
    assert f"is pinned by {user}: still needed" in capsys.readouterr().err
    assert in_place(root) == set(ALL)


def test_a_saved_plan_without_the_pinned_tasks_is_applied(root: Root, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    run("pin", root, "--task-id", FREE)
    run("purge", root, *FAILED, "--save-plan", str(file))
    assert "pinned" not in json.loads(file.read_bytes())
    assert main(["apply", str(file), "--yes"]) == 0
    assert in_place(root) == {FREE}


def test_tasks_of_hipercow_for_python_are_pinned_too(tmp_path: Path, capsys: Capture) -> None:
    root = make_both(tmp_path / "both")
    run("pin", root, "--task-id", FIRST, "--task-id", R_TASK)
    run("purge", root, *FAILED, "--yes")
    assert {FIRST, R_TASK} <= in_place_of_both(root)
    assert {(pin["name"], pin["lang"]) for pin in pins_of(root, capsys)} == {
        (FIRST, "py"),
        (R_TASK, "r"),
    }
    run("unpin", root, "--task-id", FIRST)
    assert [pin["name"] for pin in pins_of(root, capsys)] == [R_TASK]


def test_python_pins_purges_and_unpins(root: Root) -> None:
    (pin,) = hipercow_tui.pin(BASE, note="mine", root=root.path)
    assert (pin.note, pin.target.name) == ("mine", BASE)
    assert hipercow_tui.scan(root.path).pins.pins == (pin,)
    purged = hipercow_tui.purge(with_status="failure", root=root.path)
    assert set(purged) == {LONE, OTHER, FREE}
    assert hipercow_tui.scan(root.path).held == dict.fromkeys(CHAIN, pin)
    assert hipercow_tui.unpin([TIP], root=root.path) == [pin]
    assert hipercow_tui.unpin([TIP], root=root.path) == []
    with pytest.raises(UnknownTasksError):
        hipercow_tui.pin(FREE, root=root.path)
    with pytest.raises(BadFilterError, match="There is no bundle"):
        hipercow_tui.pin(bundles="nothing", root=root.path)
    with pytest.raises(BadFilterError, match="note takes a string"):
        hipercow_tui.pin(BASE, note=1, root=root.path)  # type: ignore[arg-type]
