"""Roots created by the real hipercow for Python, compared with its own answers."""

from __future__ import annotations

import json
import re
import shlex
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from hipercow import root as hipercow_root
from hipercow.bundle import bundle_create, bundle_list, bundle_load, bundle_status
from hipercow.cli import cli
from hipercow.configure import configure
from hipercow.resources import TaskResources
from hipercow.task import (
    TaskStatus,
    set_task_status,
    task_data_read,
    task_exists,
    task_info,
    task_last,
    task_list,
    task_log,
    task_recent,
    task_recent_rebuild,
    task_status,
)
from hipercow.task_create import task_create_shell
from hipercow.task_create_bulk import bulk_create_shell
from hipercow.task_eval import task_eval
from small_root import write_bundle, write_task

import hipercow_tui
from hipercow_tui import BlockedError, scan
from hipercow_tui.cli.main import main
from hipercow_tui.domain.filters import FilterStack, WithStatus
from hipercow_tui.domain.plan import make_plan
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.py_details import read_task_details
from hipercow_tui.formats.root import find_root
from hipercow_tui.output.py_commands import bundle_command
from hipercow_tui.purging import move_to_trash, restore
from hipercow_tui.scanning.scanner import read_root


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root with the example driver, in which every status occurs."""
    monkeypatch.chdir(tmp_path)
    hipercow_root.init(tmp_path)
    task_create_shell(["echo", "never submitted"])  # before there is a driver
    configure("example")
    done = task_create_shell(["echo", "it's done"], envvars={"LEVEL": "3", "MY_TOKEN": "hunter2"})
    task_eval(done, capture=True)
    failed = task_create_shell(["false"], resources=TaskResources(cores=1))
    task_eval(failed, capture=True)
    task_create_shell(["sleep", "1"])
    opened = hipercow_root.open_root()
    set_task_status(task_create_shell(["sleep", "9"]), TaskStatus.RUNNING, None, opened)
    set_task_status(task_create_shell(["sleep", "2"]), TaskStatus.CANCELLED, None, opened)
    sweep = bulk_create_shell(
        ["sh", "-c", "exit @code"], {"code": ["0", "1", "2"]}, name="sweep/a b"
    )
    for task_id in bundle_load(sweep).task_ids:
        task_eval(task_id, capture=True)
    bundle_create([done, failed], ".mixed")
    bundle_create([done], "good")
    ran = command("create", "bulk", "--data", "n=1..2", "--name", "queued", "--", "echo", "@n")
    assert ran.endswith("queued")
    return tmp_path


def command(*words: str) -> str:
    """What the real command line prints."""
    result = CliRunner().invoke(cli, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output.strip()


def test_status_of_every_task_agrees_with_hipercow(project: Path) -> None:
    snapshot = scan(project)
    assert set(snapshot.tasks) == set(task_list()) and len(snapshot.tasks) == 11
    assert {task.status.value for task in snapshot.tasks.values()} == {
        "created", "submitted", "running", "success", "failure", "cancelled",
    }  # fmt: skip
    for task_id, task in snapshot.tasks.items():
        said = task_info(task_id)
        assert task.status == str(said.status) == str(task_status(task_id))
        assert (task.created, task.started) == (said.times.created, said.times.started)
        if said.times.finished is None:
            assert task.finished is None or task.finished_estimated
            assert (task.finished is not None) == (task.status == "cancelled")
        else:
            assert (task.finished, task.finished_estimated) == (said.times.finished, False)
        assert (task.lang, task.problem) == (Lang.PY, None)
    assert snapshot.problems == ()


def test_a_task_that_ended_without_its_marker_is_freed_by_hand(project: Path) -> None:
    """hipercow has no command that asks the cluster: its statuses are the files."""
    ended = task_create_shell(["true"])
    task_eval(ended, capture=True)
    marker = project / "hipercow" / "py" / "tasks" / ended[:2] / ended[2:] / "status-success"
    marker.unlink()
    assert task_status(ended) is TaskStatus.RUNNING
    with pytest.raises(BlockedError, match="it has 'times', and the marker of its end is missing"):
        hipercow_tui.purge(ended, root=project)
    marker.touch()
    assert task_status(ended) is TaskStatus.SUCCESS
    assert hipercow_tui.purge(ended, root=project) == [ended]


def test_details_agree_with_what_hipercow_wrote(project: Path) -> None:
    root, opened = find_root(project), hipercow_root.open_root()
    for task in scan(project).tasks.values():
        data, shown = task_data_read(task.id, opened), read_task_details(root, task)
        assert (shown.type, shown.environment, shown.path) == (
            data.method,
            data.environment,
            data.path,
        )
        assert {one.name: one.value for one in shown.envvars} == data.envvars
        assert shown.driver == ("example" if task.status != "created" else None)
        assert shown.problem is None
    runs = [read_task_details(root, task).runs for task in scan(project).tasks.values()]
    assert """echo 'it'"'"'s done'""" in runs and "sh -c 'exit 2'" in runs


@pytest.mark.parametrize(
    ("cmd", "error"),
    [
        (
            [sys.executable, "-c", "raise ValueError('too small: 0.3')"],
            "ValueError: too small: 0.3",
        ),
        ([sys.executable, "-c", "assert 1 > 2"], "AssertionError"),
        ([sys.executable, "-c", "1 +"], "SyntaxError: invalid syntax"),
        ([sys.executable, "-c", "import sys; sys.exit('no data')"], "no data"),
        (["no-such-command"], "[Errno 2] No such file or directory: 'no-such-command'"),
        (["sh", "-c", "echo begun; exit 3"], "begun"),
        (["false"], None),
    ],
)
def test_error_of_a_failure_is_the_end_of_its_log(
    project: Path, cmd: list[str], error: str | None
) -> None:
    failed = task_create_shell(cmd)
    task_eval(failed, capture=True)
    shown = read_task_details(find_root(project), scan(project).tasks[failed])
    assert (shown.error, shown.problem) == (error, None)


def test_bundles_agree_with_those_that_hipercow_loads(project: Path) -> None:
    bundles = {bundle.name: list(bundle.task_ids) for bundle in scan(project).bundles}
    assert set(bundles) == {"sweep/a b", ".mixed", "good", "queued"}
    assert bundles == {name: bundle_load(name).task_ids for name in bundles}
    assert {name.partition("/")[0] for name in bundles} == set(bundle_list())


def test_hipercow_works_after_a_purge(project: Path) -> None:
    ids, failed = task_list(), task_list(with_status=TaskStatus.FAILURE)
    before = task_recent()
    assert set(hipercow_tui.purge(with_status="failure", root=project)) == set(failed)
    left = [task_id for task_id in before if task_id not in failed]
    assert task_recent() == left and set(task_list()) == set(ids) - set(failed)
    assert set(command("task", "list").split()) == set(left)
    assert task_last() == command("task", "last") == left[-1]
    assert command("task", "recent", "--limit", "100").split() == left
    assert not any(map(task_exists, failed)) and all(map(task_exists, left))
    assert set(bundle_list()) == {"good", "queued", "sweep"}  # of 'sweep' the empty folder
    assert bundle_status("good") == [TaskStatus.SUCCESS]
    assert len(command("bundle", "status", "queued").splitlines()) == 2
    for task_id in left:
        assert task_info(task_id).data.task_id == task_id
    new = task_create_shell(["true"])
    assert task_last() == new and scan(project).tasks[new].status == "submitted"
    task_eval(new, capture=True)
    again = bundle_create([new], "sweep/a b")
    assert bundle_load(again).task_ids == [new]


def test_hipercow_finds_all_tasks_after_an_undo(project: Path) -> None:
    before = {i: (task_status(i), task_info(i).times, task_log(i)) for i in task_list()}
    recent, bundles = task_recent(), {n: bundle_load(n) for n in ("sweep/a b", ".mixed", "good")}
    root = find_root(project)
    wanted = WithStatus.for_purge(["failure", "success", "cancelled"])
    plan = make_plan(read_root(root), FilterStack(with_status=wanted), now=0.0)
    batch_id = str(move_to_trash(plan, root).trash)
    assert task_recent() == [i for i in recent if i not in plan.ids] and len(plan.ids) == 6
    assert restore(root, batch_id).complete
    assert {i: (task_status(i), task_info(i).times, task_log(i)) for i in task_list()} == before
    back = [i for i in recent if i in plan.ids]  # the newest last
    assert task_recent() == [*(i for i in recent if i not in back), *back]
    assert {name: bundle_load(name) for name in bundles} == bundles


def test_tasks_created_during_purge_and_undo_stay_in_the_recent_list(project: Path) -> None:
    root = find_root(project)
    wanted = WithStatus.for_purge(["failure", "success"])
    plan = make_plan(read_root(root), FilterStack(with_status=wanted), now=0.0)
    before, made = task_recent(), list[str]()
    over = threading.Event()

    def make() -> None:
        while not over.is_set():
            made.append(task_create_shell(["true"]))

    maker = threading.Thread(target=make)
    maker.start()
    try:
        for _ in range(8):
            batch_id = str(move_to_trash(plan, root).trash)
            assert restore(root, batch_id).complete
    finally:
        over.set()
        maker.join()
    listed = task_recent()
    assert sorted(listed) == sorted([*before, *made]) == sorted(task_list())
    back = [i for i in before if i in plan.ids]
    assert [i for i in listed if i in back] == back
    # A line that arrives in the old list at the moment of the rename is appended to the new one, so
    # that two tasks made at that moment may change places.
    kept = [i for i in before if i not in back]
    assert [i for i in listed if i in kept] == kept
    assert len(made) > 8


def test_bundles_of_any_name_are_listed_matched_and_purged(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {}
    for name in ("v1.0/run 2", ".hidden", "two\nlines", "it's", "[a]*{b}?", "-x", "a/.b/c d"):
        made[name] = task_create_shell(["true"])
        task_eval(made[name], capture=False)
        bundle_create([made[name]], name)
    known = {bundle.name: bundle.task_ids for bundle in scan(project).bundles}
    assert {name: (task,) for name, task in made.items()}.items() <= known.items()
    for name, task in made.items():
        words = shlex.split(bundle_command(name)) if name.isprintable() else []
        if words:
            assert command(*words[1:]) == f"{task}: success"
        capsys.readouterr()
        glob = re.sub(r"([][*?{}!\\\\-])", r"\\\1", name)
        assert main(["purge", "--in-bundle", glob, "--yes", "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert [one["id"] for one in said["tasks"]] == [task]
        assert [one["name"] for one in said["bundles"]] == [name]
        assert not task_exists(task) and task not in task_recent()
        with pytest.raises(Exception, match="No such bundle"):
            bundle_load(name)
    assert len(scan(project).bundles) == 4  # those of before


def test_root_of_both_languages_is_two_roots_for_hipercow(project: Path) -> None:
    """R's side comes and goes without a word in Python's."""
    write_task(project, r_task := "ab" * 16, "failure", finished=1.0)
    write_bundle(project, "good", [r_task])
    listed, recent = task_list(), task_recent()
    assert hipercow_tui.purge(in_bundle="good", lang="r", root=project) == [r_task]
    assert (task_list(), task_recent()) == (listed, recent)
    assert bundle_status("good") == [TaskStatus.SUCCESS]
    done = bundle_load("good").task_ids
    assert hipercow_tui.purge(in_bundle="good", lang="py", root=project) == done
    with pytest.raises(hipercow_tui.FilterError):
        hipercow_tui.purge(in_bundle="good", root=project)


def test_recent_list_rebuilt_during_a_purge_is_respected(project: Path) -> None:
    root = find_root(project)
    wanted = WithStatus.for_purge(["failure"])
    plan = make_plan(read_root(root), FilterStack(with_status=wanted), now=0.0)
    batch_id = str(move_to_trash(plan, root).trash)
    task_recent_rebuild()
    rebuilt = task_recent()
    assert restore(root, batch_id).complete
    assert sorted(task_recent()) == sorted([*rebuilt, *plan.ids]) == sorted(task_list())
    assert [i for i in task_recent() if i in rebuilt] == rebuilt


def test_queued_or_running_tasks_are_not_purged(project: Path) -> None:
    with pytest.raises(BlockedError):
        hipercow_tui.purge(in_bundle="queued", root=project)
    assert len(task_list(with_status=TaskStatus.SUBMITTED)) == 3


def test_commands_list_and_purge_a_python_root(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["purge", "--lang", "py", "--in-bundle", "sweep/*", "--yes", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {task["lang"] for task in said["tasks"]} == {"py"} and len(said["tasks"]) == 3
    assert [(bundle["lang"], bundle["name"]) for bundle in said["bundles"]] == [
        ("py", "sweep/a b"),
    ]
    assert main(["list", "--lang", "r"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["list", "--lang", "py"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(task_list()) == 8
