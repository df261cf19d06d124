"""Nothing that a command prints, and no error of the Python functions, holds text that a terminal
would obey: the root's path, names, logs, errors, the environment and the arguments are hostile."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from failing import result_file
from purge_stage import Meanwhile
from small_py_root import py_dir, py_folder, write_py_bundle, write_py_task
from small_root import task_id, write_bundle, write_retries, write_task

import hipercow_tui
from hipercow_tui import HipercowTuiError, PartlyFailedError
from hipercow_tui.cli.main import main
from hipercow_tui.demo.r_builders import chars, flags, named, reals
from hipercow_tui.demo.rds_writer import serialize
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import list_trash
from hipercow_tui.support.text import escape_controls

# A title, a cleared screen, a line that looks like ours, C1 and bidirectional controls.
NASTY = "a\x1b]0;owned\x07\x1b[2J\t\r\nforged: \x9b31m\u202e\u2028\x7f\u200b"
FAILED, BUSY, GOOD, SUBMITTED = map(task_id, range(1, 5))
PY_FAILED, PY_BUSY = map(task_id, range(5, 7))
Capture = pytest.CaptureFixture[str]


def check(text: str) -> None:
    for line in text.split("\n"):
        assert escape_controls(line) == line, line
        assert not line.startswith("forged"), text


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    """A root of both languages with a failed and a running task, and control characters in all
    text."""
    where = tmp_path / NASTY
    variables = named(("locals", named((NASTY, chars(NASTY)))))
    envvars = named(
        ("name", chars(NASTY, "TOKEN")),
        ("value", chars(NASTY, NASTY)),
        ("secret", flags(False, False)),
    )
    data = named(
        ("type", chars("expression")),
        ("id", chars(FAILED)),
        ("time", reals(1e9, attributes=(("class", chars("POSIXct", "POSIXt")),))),
        ("path", chars(NASTY)),
        ("environment", chars(NASTY)),
        ("envvars", envvars),
        ("parallel", chars(NASTY)),
        ("expr", chars(NASTY)),
        ("variables", variables),
    )
    folder = write_task(where, FAILED, "failure")
    (folder / "data").write_bytes(serialize(data))
    (folder / "result").write_bytes(result_file(NASTY, ("x", NASTY), warning=NASTY))
    (folder / "status-submitted").write_text(NASTY)
    for name in ("log", "log.outer", NASTY):
        (folder / name).write_text(NASTY)
    write_task(where, BUSY, "running")
    write_task(where, GOOD, "success")
    (write_task(where, SUBMITTED, "submitted") / "data").write_bytes(b"no RDS")
    write_bundle(where, "sweep", [FAILED, GOOD])
    write_bundle(where, "busy", [BUSY, NASTY])
    write_bundle(where, NASTY, [FAILED])
    write_retries(where, [(NASTY, FAILED, FAILED)])
    more: dict[str, Any] = {"cmd": [NASTY, NASTY], "environment": NASTY, "envvars": {NASTY: NASTY}}
    write_py_task(where, PY_FAILED, "failure", **more)
    (py_folder(where, PY_FAILED) / "log").write_text(f"Traceback\n{NASTY}Error: {NASTY}")
    write_py_task(where, PY_BUSY, "running", **more)
    write_py_bundle(where, NASTY, [PY_FAILED])
    write_py_bundle(where, f"{NASTY} busy", [PY_BUSY, NASTY])
    (py_dir(where) / "bundles" / f"{NASTY} torn").write_text(NASTY)
    monkeypatch.setenv("LOGNAME", NASTY)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / f"{NASTY} config"))
    return find_root(where)


def bad_plans(root: Root, plan: dict[str, Any]) -> Iterator[Path]:
    """Files that are not saved plans."""
    changed: list[dict[str, Any]] = [
        {"root": NASTY},
        {"root": f"/{NASTY}"},
        {NASTY: 1},
        {"tasks": [{"id": NASTY}]},
        {"tasks": [{NASTY: 1}]},
        {"bundles": [plan["bundles"][0] | {"name": f"../{NASTY}"}]},
        {"bundles": [plan["bundles"][0] | {"lang": NASTY}]},
        {"filters": {"in_bundle": [f"{{{NASTY}"]}},
        {"filters": {"with_status": {"statuses": [NASTY], "follow": True}}},
    ]
    for number, change in enumerate(changed):
        path = root.path / f"{NASTY} {number}.json"
        path.write_text(json.dumps(plan | change))
        yield path


def commands(root: Root, run: Callable[..., int]) -> None:
    """Run every command, with and without errors."""
    at = str(root.path)
    failed = ("--with-status", "failure", "--skip-blocked", "--ignore-unreadable-bundles")
    config = Path(os.environ["XDG_CONFIG_HOME"], "hipercow-tui")
    for words in ("", "--details", "--json", "--details --json", "--inputs --json", "--r"):
        assert run("list", at, *words.split()) == 0
    for command in ("list", "purge"):
        for option in (
            "--task-id",
            "--finished-before",
            "--in-bundle",
            "--with-status",
            "--filter",
        ):
            assert run(command, at, option, f"{NASTY} x") in (1, 2)
        for option in ("--lang", f"--{NASTY}", NASTY):
            assert run(command, at, option, NASTY) == 2
    config.mkdir(parents=True)
    for text in (NASTY, f"[{json.dumps(NASTY)}]\nstatus = [{json.dumps(NASTY)}]", "[x]\ny = 1\n"):
        (config / "filters.toml").write_text(text)
        assert run("list", at, "--filter", "x") == 2
        assert run(at, "--filter", NASTY) == 1
    empty = root.path.with_name(f"{NASTY} empty")
    empty.mkdir()
    (empty / "hipercow").touch()
    for wrong in (f"{at}/{NASTY}/nowhere", str(empty)):
        for command in ("list", "history", "trash"):
            assert run(command, wrong) == 1
    assert run("purge", at, "--with-status", "failure", "--jobs", NASTY) == 2

    assert run("purge", at, "--in-bundle", "*", "--dry-run") == 1
    assert run("purge", at, "--in-bundle", "*", "--yes", "--json") == 1
    assert run("purge", at, *failed) == 1
    assert run("purge", at, *failed, "--json") == 1
    assert run("purge", at, *failed, "--save-plan", f"{at}/{NASTY}/{NASTY}/x") == 1
    plan = root.path / f"{NASTY}.json"
    assert run("purge", at, *failed, "--save-plan", str(plan)) == 0
    assert run("purge", at, *failed, "--save-plan", str(plan)) == 1
    held = json.loads(plan.read_text())
    held["warnings"] = [NASTY]
    held["tasks"][0]["regrets"] = [NASTY]
    held["filters"]["finished_before"] = {"moment": 1.0, "text": NASTY}
    plan.write_text(json.dumps(held))
    for path in (*bad_plans(root, held), root.path / f"{NASTY} gone", root.path):
        assert run("apply", str(path)) == 1
    assert run("apply", str(plan)) == 1
    assert run("apply", str(plan), "--json") == 1
    write_py_bundle(root.path, f"{NASTY} new", [PY_FAILED])
    assert run("apply", str(plan)) == 1
    (py_dir(root.path) / "bundles" / f"{NASTY} new").unlink()
    assert run("apply", str(plan), "--yes", "--trash") == 0

    for word in ((), ("--json",), ("--restore", NASTY), ("--empty", NASTY), (NASTY, NASTY)):
        run("trash", at, *word)
    batch_id = list_trash(root)[0].batch_id
    write_py_bundle(root.path, NASTY, [PY_BUSY])
    assert run("trash", at, "--restore", batch_id) == 1
    (py_dir(root.path) / "bundles" / NASTY).unlink()
    assert run("trash", at) == 0
    assert run("trash", at, "--empty", batch_id) == 1
    assert run("trash", at, "--empty", batch_id, "--yes") == 0
    assert run("purge", at, *failed, "--yes") == 0
    assert run("history", at) == run("history", at, "--json") == 0


def test_no_output_contains_control_characters(root: Root, capsys: Capture) -> None:
    printed: set[str] = set()

    def run(*words: str) -> int:
        try:
            status = main(words)
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else -1
        out, err = capsys.readouterr()
        check(out)
        check(err)
        if "--json" in words:
            for line in out.splitlines():
                json.loads(line)
                assert line.isascii()
        printed.update(out.splitlines(), err.splitlines())
        return status

    commands(root, run)
    shown = sum(escape_controls(NASTY)[:20] in line for line in printed)
    assert shown > 40  # it was there to be obeyed


@pytest.mark.parametrize(
    "arguments",
    [
        {"task_ids": NASTY},
        {"task_ids": [BUSY]},
        {"finished_before": NASTY},
        {"in_bundle": NASTY + "x"},
        {"in_bundle": f"{{{NASTY}"},
        {"in_bundle": f"!{NASTY}"},
        {"in_bundle": "*"},
        {"with_status": [NASTY, f"failed{NASTY}"]},
        {"with_status": "failure", "lang": NASTY},
        {"with_status": "failure", "root": f"/{NASTY}"},
        {"with_status": "failure", "root": f"/{NASTY}\0"},
        {"with_status": "failure", "skip_blocked": NASTY},
    ],
)
def test_errors_of_the_functions_contain_no_control_characters(
    root: Root, arguments: dict[str, Any]
) -> None:
    with pytest.raises(HipercowTuiError) as caught:
        hipercow_tui.purge(**{"root": root.path, **arguments})
    assert len(str(caught.value)) > 10
    check(str(caught.value))


def test_the_report_of_a_failed_purge_contains_no_control_characters(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = py_folder(root.path, PY_FAILED) / "status-success"
    Meanwhile(monkeypatch).before("rename", PY_FAILED[2:], ended.touch)
    with pytest.raises(PartlyFailedError) as caught:
        hipercow_tui.purge(PY_FAILED, root=root.path, ignore_unreadable_bundles=True)
    check(str(caught.value))
    assert escape_controls(NASTY) in str(caught.value)
