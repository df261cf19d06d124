"""The commands ``note`` and ``notes``, and notes in ``list``."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from command_running import Capture, printed_json
from command_running import run as run_command
from purge_stage import CHAIN, FREE, RETRY, make_root

import hipercow_tui
from hipercow_tui.formats.root import Root
from hipercow_tui.purging.process_identity import current_process

USER = current_process().user


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return make_root(tmp_path / "project")


def run(command: str, root: Root, *words: str, status: int = 0) -> None:
    assert run_command(command, root, *words) == status


def test_a_note_is_written_listed_replaced_and_removed(root: Root, capsys: Capture) -> None:
    run("note", root, "--task-id", RETRY, "--bundle", "solo", "--text", "wrong data")
    assert capsys.readouterr().out.splitlines() == [
        f"Noted on chain {RETRY}: wrong data",
        "Noted on bundle solo: wrong data",
    ]
    run("note", root, "--task-id", CHAIN[0], "--text", "right data")  # the same chain
    assert capsys.readouterr().out == f"Noted on chain {RETRY}: right data\n"
    run("notes", root)
    bundle, chain = capsys.readouterr().out.splitlines()
    assert bundle.startswith(f"bundle  solo  1 task  wrong data ({USER} on ")
    assert chain.startswith(f"chain   {RETRY}  3 tasks  right data ({USER} on ")

    run("note", root, "--task-id", CHAIN[0], "--bundle", "solo", "--text", "")
    out = capsys.readouterr().out
    assert f"Removed from chain {RETRY}: right data ({USER}" in out
    run("notes", root, "--json")
    assert printed_json(capsys)["notes"] == []
    run("note", root, "--bundle", "solo", "--text", "")
    assert "there is no note on any of this" in capsys.readouterr().err
    run("notes", root)
    assert capsys.readouterr().out == "There are no notes\n"


def test_list_has_the_note_on_the_chain_of_a_task(root: Root, capsys: Capture) -> None:
    run("list", root, "--task-id", FREE)
    assert "wrong" not in capsys.readouterr().out
    run("note", root, "--task-id", RETRY, "--text", 'wrong "data"')
    run("note", root, "--bundle", "solo", "--text", "not listed")
    capsys.readouterr()
    wanted = [part for task_id in (*CHAIN, FREE) for part in ("--task-id", task_id)]
    run("list", root, *wanted)
    lines = capsys.readouterr().out.splitlines()
    assert {line[:32] for line in lines if line.endswith('  wrong "data"')} == set(CHAIN)
    for more in ([], ["--details"]):
        run("list", root, *wanted, "--json", *more)
        tasks = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert {task["id"] for task in tasks if task["note"] == 'wrong "data"'} == set(CHAIN)
        assert {task["id"] for task in tasks if task["note"] is None} == {FREE}
    run("list", root, *wanted, "--csv")
    rows = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert {row["id"] for row in rows if row["note"] == 'wrong "data"'} == set(CHAIN)


def test_a_note_on_what_does_not_exist_is_refused(root: Root, capsys: Capture) -> None:
    run("note", root, "--task-id", "f" * 32, "--text", "x", status=1)
    assert "does not exist" in capsys.readouterr().err
    run("note", root, "--bundle", "nope", "--text", "x", status=2)
    assert "There is no bundle 'nope'" in capsys.readouterr().err
    run("note", root, "--text", "x", status=2)
    assert "Name a task or a bundle" in capsys.readouterr().err
    assert not (root.hipercow / "tui" / "notes").exists()


def test_python_writes_and_removes_notes(root: Root) -> None:
    chain, bundle = hipercow_tui.note(RETRY, bundles="solo", text=" wrong data ", root=root.path)
    assert (chain.note, bundle.target.name) == ("wrong data", "solo")
    assert hipercow_tui.scan(root.path).notes_of[CHAIN[0]] == (chain,)
    (again,) = hipercow_tui.note([CHAIN[0]], text="right data", root=root.path)
    assert again.target == chain.target
    assert hipercow_tui.note(CHAIN[0], bundles=["solo"], text="", root=root.path) == [bundle, again]
    assert not hipercow_tui.scan(root.path).notes.notes
    assert hipercow_tui.note(RETRY, text="", root=root.path) == []
    with pytest.raises(hipercow_tui.UnknownTasksError):
        hipercow_tui.note("0" * 32, text="lost", root=root.path)
    with pytest.raises(hipercow_tui.BadFilterError, match="text takes a string"):
        hipercow_tui.note(RETRY, text=None, root=root.path)  # type: ignore[arg-type]
