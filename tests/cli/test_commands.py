from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from command_running import Capture, printed_json, run
from mounts import mount, unmount
from purge_stage import (
    ALL,
    BASE,
    CHAIN,
    FREE,
    LONE,
    OTHER,
    TIP,
    batches,
    bundles,
    folder_of,
    has_no_batches,
    in_place,
    make_root,
    plan_of,
    root_contents,
    run_script,
)
from small_root import task_id, tree, write_bundle, write_task

from hipercow_tui.cli.main import main
from hipercow_tui.formats.root import Root
from hipercow_tui.output.report import history_line
from hipercow_tui.purging import execute, list_trash, move_to_trash, read_history
from hipercow_tui.purging.plan_file import save_plan

FAILED = ("--with-status", "failure")


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return make_root(tmp_path / "project")


def test_a_batch_is_moved_to_the_trash_restored_and_erased(root: Root, capsys: Capture) -> None:
    before = root_contents(root)
    assert run("purge", root, *FAILED, "--trash", "--yes", "--json") == 0
    first = printed_json(capsys)
    assert {task["id"] for task in first["tasks"]} == set(ALL) and first["bytes"] == 0

    assert run("trash", root, "--json") == 0
    (batch,) = printed_json(capsys)["lots"]
    assert batch["stamp"] == first["trash"] and batch["state"] == "trash" and batch["bytes"] > 1500
    assert run("trash", root) == 0
    assert batch["stamp"] in capsys.readouterr().out

    assert run("trash", root, "--restore", batch["stamp"], "--json") == 0
    assert set(printed_json(capsys)["tasks"]) == set(ALL) and root_contents(root) == before

    assert run("purge", root, *FAILED, "--trash", "--yes") == 0
    assert "Moved 6 tasks and 2 bundles to the trash" in capsys.readouterr().out
    assert run("trash", root, "--empty") == 1  # there is no terminal to ask on
    assert "--yes" in capsys.readouterr().err and len(list_trash(root)) == 1
    assert run("trash", root, "--empty", "--yes", "--json") == 0
    assert set(printed_json(capsys)["tasks"]) == set(ALL) and has_no_batches(root)
    assert run("trash", root) == 0 and "The trash is empty" in capsys.readouterr().out
    assert run("trash", root, "--empty", "--yes") == 0


def test_history_lists_each_action_the_latest_first(root: Root, capsys: Capture) -> None:
    assert run("history", root) == 0 and "Nothing purged yet" in capsys.readouterr().out
    run("purge", root, "--task-id", FREE, "--yes")
    run("purge", root, "--task-id", LONE, "--trash", "--yes")
    run("trash", root, "--empty", "--yes")
    capsys.readouterr()
    assert run("history", root) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines] == ["empty", "trash", "purge"]
    assert run("history", root, "--json") == 0
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert entries[-1]["tasks"] == [FREE] and entries[-1]["who"]["pid"] == os.getpid()


def test_a_plan_is_saved_and_applied(root: Root, tmp_path: Path, capsys: Capture) -> None:
    before, file = root_contents(root), tmp_path / "plan.json"
    assert run("purge", root, *FAILED, "--save-plan", file, "--yes") == 0
    assert root_contents(root) == before and not (root.hipercow / "tui").exists()
    assert run("apply", file) == 1 and root_contents(root) == before
    out, err = capsys.readouterr()
    assert "6 tasks · 2 bundles" in out and "status is failure" in out and "--yes" in err
    assert run("apply", file, "--yes", "--json") == 0
    assert {task["id"] for task in printed_json(capsys)["tasks"]} == set(ALL)
    assert in_place(root) == set() and bundles(root) == {}


def test_apply_keeps_the_kept_chains_and_says_so(
    root: Root, tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "plan.json"
    save_plan(plan_of(root, kept=(TIP, FREE)), file)
    before = root_contents(root)
    assert run("apply", file) == 1 and root_contents(root) == before
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("2 tasks · 2 bundles · ")
    assert out[2] == "  2 chains kept by you (4 tasks) · 1 task stays and loses a bundle"
    assert out[out.index("kept by you 4") + 1] == f"    failure    {BASE}"

    assert run("apply", file, "--yes", "--json") == 0
    report = printed_json(capsys)
    assert {task["id"] for task in report["tasks"]} == {LONE, OTHER}
    assert {task["id"] for task in report["kept"]} == {*CHAIN, FREE}
    assert in_place(root) == {*CHAIN, FREE} and bundles(root) == {}

    assert run("history", root) == 0
    assert "2 chains kept by you (4 tasks)" in capsys.readouterr().out
    assert run("history", root, "--json") == 0
    entry = printed_json(capsys)
    assert (entry["kept_chains"], set(entry["kept_tasks"])) == (2, {*CHAIN, FREE})


def test_kept_chains_are_in_the_report_and_manifest_of_a_move_to_the_trash(
    root: Root, tmp_path: Path, capsys: Capture
) -> None:
    save_plan(plan_of(root, kept=(BASE,)), tmp_path / "plan.json")
    assert run("apply", tmp_path / "plan.json", "--trash", "--yes") == 0
    assert "1 chain kept by you (3 tasks)" in capsys.readouterr().out.splitlines()
    (batch,) = list_trash(root)
    (manifest,) = (root.hipercow / "tui").glob("*/manifest.json")
    assert {one["id"] for one in json.loads(manifest.read_bytes())["kept"]} == set(CHAIN)
    assert run("trash", root, "--restore", batch.batch_id) == 0
    assert in_place(root) == set(ALL)


def test_a_plan_in_which_everything_is_kept_purges_nothing(
    root: Root, tmp_path: Path, capsys: Capture
) -> None:
    save_plan(plan_of(root, kept=ALL), tmp_path / "plan.json")
    before = root_contents(root)
    assert run("apply", tmp_path / "plan.json", "--yes") == 0 and root_contents(root) == before
    out = capsys.readouterr().out
    assert "Nothing to purge" in out and "4 chains kept by you (6 tasks)" in out


def test_chains_that_another_user_kept_have_that_name(root: Root) -> None:
    execute(plan_of(root, kept=(FREE,)), root)
    (entry,) = read_history(root)
    assert entry.process is not None
    assert "1 chain kept by you (1 task)" in history_line(entry, entry.time)
    other = replace(entry, process=replace(entry.process, user="ann"))
    assert "1 chain kept by ann (1 task)" in history_line(other, entry.time)
    unknown = replace(entry, process=None)
    assert "1 chain kept by the user (1 task)" in history_line(unknown, entry.time)


def test_a_saved_plan_does_not_replace_a_file(root: Root, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "plan.json").write_text("precious")
    assert run("purge", root, *FAILED, "--save-plan", tmp_path / "plan.json") == 1
    assert "exists already and is not replaced" in capsys.readouterr().err
    assert (tmp_path / "plan.json").read_text() == "precious"


CHANGES: dict[str, Callable[[Root], object]] = {
    "was failure and is success": lambda r: (folder_of(r, LONE) / "status-success").touch(),
    "holds other files": lambda r: (folder_of(r, LONE) / "info").unlink(),
    "is gone": lambda r: folder_of(r, LONE).rename(r.path / "elsewhere"),
    "was retried: 4d4d4d": lambda r: add_retry(r, "4d" * 16),
    "bundle 'sweep' was rewritten": lambda r: write_bundle(r.path, "sweep", [BASE]),
    "bundle 'solo' is gone": lambda r: (r.bundles / "solo").unlink(),
    "bundle 'fresh' is new and lists": lambda r: write_bundle(r.path, "fresh", [LONE]),
}


def add_retry(root: Root, new: str) -> None:
    write_task(root.path, new, "created", retry_of=(TIP, BASE))
    with root.retry.open("a") as file:
        file.write(f"{new},{TIP},{BASE}\n")


@pytest.mark.parametrize("message", CHANGES)
def test_apply_is_refused_if_something_changed_since(
    root: Root, tmp_path: Path, capsys: Capture, message: str
) -> None:
    file = tmp_path / "plan.json"
    run("purge", root, *FAILED, "--save-plan", file)
    CHANGES[message](root)
    before = root_contents(root)
    capsys.readouterr()
    assert run("apply", file, "--yes") == 1
    err = capsys.readouterr().err
    assert message in err and "Nothing was purged" in err
    assert run("apply", file, "--yes", "--json") == 1
    assert any(message in line for line in printed_json(capsys)["changed"])
    assert root_contents(root) == before and has_no_batches(root)


def test_apply_of_a_plan_whose_root_is_gone_is_refused(
    root: Root, tmp_path: Path, capsys: Capture
) -> None:
    run("purge", root, *FAILED, "--save-plan", tmp_path / "plan.json")
    root.hipercow.rename(tmp_path / "hipercow")
    assert run("apply", tmp_path / "plan.json", "--yes") == 1
    assert "there is no root now" in capsys.readouterr().err


def mount_elsewhere(root: Root, path: Path) -> Path:
    """Give the root another path; like a second mount, the rename keeps all folders as they are."""
    return root.path.rename(path)


def test_a_plan_is_applied_to_the_same_root_at_another_path(
    root: Root, tmp_path: Path, capsys: Capture
) -> None:
    run("purge", root, *FAILED, "--save-plan", tmp_path / "plan.json")
    elsewhere = mount_elsewhere(root, tmp_path / "elsewhere")
    assert run("apply", tmp_path / "plan.json", "--yes") == 1
    assert "name it with --root" in capsys.readouterr().err
    words = ("apply", tmp_path / "plan.json", "--root", elsewhere, "--yes", "--json")
    assert run(*words) == 0
    result = printed_json(capsys)
    assert {task["id"] for task in result["tasks"]} == set(ALL)
    assert result["root"] == str(elsewhere)


def test_a_plan_is_applied_to_a_second_mount_of_its_root(
    root: Root, tmp_path: Path, capsys: Capture
) -> None:
    run("purge", root, *FAILED, "--save-plan", tmp_path / "plan.json")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if not mount("--bind", root.path, elsewhere):
        pytest.skip("mounting is not allowed here")
    try:
        assert run("apply", tmp_path / "plan.json", "--root", elsewhere, "--yes") == 0
    finally:
        unmount(elsewhere)
    assert in_place(root) == set() and bundles(root) == {}


def test_a_plan_is_refused_at_another_path_after_a_task_was_restored(
    root: Root, tmp_path: Path, capsys: Capture
) -> None:
    """The rename changed its folder, so the folder no longer shows that the root is the same."""
    run("purge", root, *FAILED, "--save-plan", tmp_path / "plan.json")
    batch_id = move_to_trash(plan_of(root), root).trash
    run("trash", root, "--restore", str(batch_id))
    elsewhere = mount_elsewhere(root, tmp_path / "elsewhere")
    assert run("apply", tmp_path / "plan.json", "--root", elsewhere, "--yes") == 1
    assert "or has changed" in capsys.readouterr().err


def test_changes_since_the_plan_refuse_it_at_another_path_as_well(
    root: Root, tmp_path: Path, capsys: Capture
) -> None:
    run("purge", root, *FAILED, "--save-plan", tmp_path / "plan.json")
    (root.bundles / "solo").unlink()
    elsewhere = mount_elsewhere(root, tmp_path / "elsewhere")
    assert run("apply", tmp_path / "plan.json", "--root", elsewhere, "--yes") == 1
    assert "bundle 'solo' is gone" in capsys.readouterr().err


def copied_with_times(root: Root, path: Path) -> Path:
    return Path(shutil.copytree(root.path, path, symlinks=True))


def copied_by_hard_links(root: Root, path: Path) -> Path:
    return Path(shutil.copytree(root.path, path, copy_function=os.link))


def another_root(root: Root, path: Path) -> Path:
    write_task(path, task_id(99), "failure")
    return path


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (copied_with_times, "is a copy of it, or has changed"),
        (copied_by_hard_links, "is a copy of it, or has changed"),
        (another_root, "is not the same root"),
    ],
)
def test_a_plan_is_not_applied_to_a_copy_or_another_root(
    root: Root,
    tmp_path: Path,
    capsys: Capture,
    make: Callable[[Root, Path], Path],
    reason: str,
) -> None:
    run("purge", root, *FAILED, "--save-plan", tmp_path / "plan.json")
    other = make(root, tmp_path / "other")
    before = tree(other)
    assert run("apply", tmp_path / "plan.json", "--root", other, "--yes") == 1
    assert reason in capsys.readouterr().err
    assert tree(other) == before
    assert run("apply", tmp_path / "plan.json", "--root", root, "--yes") == 0


def test_a_plan_of_an_earlier_version_is_applied_only_at_its_path(
    root: Root, tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "plan.json"
    run("purge", root, *FAILED, "--save-plan", file)
    data = json.loads(file.read_text())
    for key in ("task_folders", "ignored_bundles"):
        del data[key]
    file.write_text(json.dumps(data))
    elsewhere = mount_elsewhere(root, tmp_path / "elsewhere")
    assert run("apply", file, "--root", elsewhere, "--yes") == 1
    assert "does not say how to recognise its root" in capsys.readouterr().err
    elsewhere.rename(root.path)
    assert run("apply", file, "--yes") == 0
    assert in_place(root) == set()


def test_the_json_of_a_dry_run_is_not_a_saved_plan(
    root: Root, tmp_path: Path, capsys: Capture
) -> None:
    """Earlier versions of the app saved this."""
    assert run("purge", root, *FAILED, "--dry-run", "--json") == 0
    (tmp_path / "plan.json").write_text(capsys.readouterr().out)
    assert run("apply", tmp_path / "plan.json", "--yes") == 1
    err = capsys.readouterr().err
    assert "is not a saved plan" in err and "Save the plan again" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trash", "--empty"], "Nothing was erased"),
        (["purge", "--with-status", "failure"], "Nothing was purged"),
    ],
)
@pytest.mark.parametrize("terminal", [True, False])
def test_a_declined_question_says_what_was_not_done(
    root: Root,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    message: str,
    terminal: bool,
) -> None:
    run("purge", root, "--task-id", FREE, "--trash", "--yes")
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin.isatty", lambda: terminal, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal, raising=False)
    monkeypatch.setattr("sys.stdin.readline", lambda: "n\n", raising=False)
    before = root_contents(root)
    assert run(words[0], root, *words[1:]) == 1
    assert f"hipercow-tui: {message}" in capsys.readouterr().err
    assert root_contents(root) == before and len(list_trash(root)) == 1


@pytest.mark.parametrize("command", ["list", "purge", "trash"])
def test_an_interrupted_purge_is_reported_with_the_commands_that_finish_it(
    root: Root, capsys: Capture, command: str
) -> None:
    batch_id = interrupt(root)
    more = [*FAILED, "--dry-run"] if command == "purge" else []
    assert run(command, root, *more) == 0
    err = capsys.readouterr().err
    assert f"hipercow-tui trash --restore {batch_id}" in err
    assert f"hipercow-tui trash --finish {batch_id}' finishes the purge" in err


def interrupt(root: Root) -> str:
    """Make a purge that ended after two tasks were moved; returns its batch id."""
    move_to_trash(plan_of(root), root)
    (batch,) = batches(root)
    manifest = json.loads((batch / "manifest.json").read_text())
    (batch / "manifest.json").write_text(json.dumps(manifest | {"aim": "purge"}))
    for name in (TIP, OTHER, FREE):
        (batch / "tasks" / name).rename(folder_of(root, name))
    return batch.rename(batch.with_suffix("")).name


def test_an_interrupted_purge_is_restored_by_its_batch_id(root: Root, capsys: Capture) -> None:
    before = root_contents(root)
    assert run("trash", root, "--restore", interrupt(root)) == 0
    assert "Restored 3 tasks and 2 bundles" in capsys.readouterr().out
    assert root_contents(root) == before and has_no_batches(root)


def test_an_interrupted_purge_is_finished_by_its_batch_id(root: Root, capsys: Capture) -> None:
    assert run("trash", root, "--finish", interrupt(root), "--yes") == 0
    assert "Purged 6 tasks and 2 bundles" in capsys.readouterr().out
    assert in_place(root) == set() and bundles(root) == {} and has_no_batches(root)


def test_a_task_that_changed_stays_when_a_purge_is_finished(root: Root, capsys: Capture) -> None:
    batch_id = interrupt(root)
    (folder_of(root, TIP) / "status-success").touch()
    assert run("trash", root, "--finish", batch_id, "--yes") == 1
    assert "failure → success" in capsys.readouterr().out
    assert in_place(root) == set(CHAIN)


def test_an_invalid_batch_id_gives_a_message(root: Root, capsys: Capture) -> None:
    assert run("trash", root, "--restore", "\x1b[31m../..") == 1
    err = capsys.readouterr().err
    assert "There is no '␛[31m../..'" in err


@pytest.mark.parametrize("command", ["apply", "trash", "history"])
def test_help_has_a_text_and_examples(command: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0 and len(capsys.readouterr().out.splitlines()) > 8


def test_wrong_usage_exits_with_status_2(root: Root, capsys: Capture) -> None:
    for words in (["apply"], ["trash", "--restore", "x", "--empty"], ["history", "--x"]):
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
@pytest.mark.parametrize("when", ["moving", "erasing"])
def test_a_signal_stops_a_purge_between_two_tasks(
    root: Root, name: str, status: int, when: str
) -> None:
    number = int(getattr(signal, name))
    before = root_contents(root)
    run_script("purge_signalled.py", str(root.path), str(number), when, str(status))
    left = in_place(root)
    assert left == (set(ALL) if when == "moving" else set(ALL) - set(CHAIN))
    after = root_contents(root)
    assert all(after[name] == before[name] for name in after)
    assert not [batch for batch in batches(root) if not batch.name.endswith(".kept")]


def test_a_terminal_that_is_closed_does_not_change_the_result(root: Root) -> None:
    """The other end of the pseudo-terminal is closed before the purge prints its report."""
    parent, child = os.openpty()
    command = [sys.executable, "-m", "hipercow_tui", "purge", str(root.path), *FAILED, "--yes"]
    with subprocess.Popen(command, stdout=child, stderr=child, start_new_session=True) as process:
        os.close(child)
        os.close(parent)
        assert process.wait(60) in (0, 1)
    assert has_no_batches(root) and in_place(root) in (set(), set(ALL))


def test_an_unknown_task_id_is_refused(root: Root, capsys: Capture) -> None:
    assert run("purge", root, "--task-id", task_id(99), "--trash", "--yes") == 1
    assert f"does not exist in {root.path}: {task_id(99)}" in capsys.readouterr().err
