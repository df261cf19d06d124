from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_py_root import py_dir, py_folder, write_py_bundle, write_py_task
from small_root import DAY, NOW, task_id

from hipercow_tui import scan
from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.formats.py_layout import parse_bundle, parse_times, read_tasks

A, B, C, D = map(task_id, range(1, 5))


def seen(root: Path) -> dict[str, Task]:
    return dict(scan(root).tasks)


@pytest.mark.parametrize(
    "status", ["created", "submitted", "running", "success", "failure", "cancelled"]
)
def test_every_status_is_known(tmp_path: Path, status: str) -> None:
    write_py_task(tmp_path, A, status)
    task = seen(tmp_path)[A]
    assert (task.status, task.latest_status, task.lang) == (status, status, Lang.PY)
    assert task.problem is None and task.chain == ()


def test_times_are_those_in_the_files(tmp_path: Path) -> None:
    write_py_task(tmp_path, A, "failure")
    task = seen(tmp_path)[A]
    assert (task.created, task.started) == (NOW - 30 * DAY, NOW - 30 * DAY + 60)
    assert (task.finished, task.finished_estimated) == (NOW - 20 * DAY, False)


def test_task_without_times_has_estimates_from_its_files(tmp_path: Path) -> None:
    folder = write_py_task(tmp_path, A, "cancelled")
    task = seen(tmp_path)[A]
    assert task.created == (folder / "data").stat().st_ctime
    assert task.started == (folder / "status-running").stat().st_ctime
    assert (task.finished, task.finished_estimated) == (NOW - 20 * DAY, True)


def test_times_without_a_terminal_marker_give_no_end(tmp_path: Path) -> None:
    folder = write_py_task(tmp_path, A, "success")
    (folder / "status-success").unlink()
    task = seen(tmp_path)[A]
    assert (task.status, task.finished) == ("running", None)


def test_files_of_a_driver_without_a_marker_may_be_queued(tmp_path: Path) -> None:
    from hipercow_tui.domain.blocked import block_reason

    (write_py_task(tmp_path, A, "created") / "task_run.sh").touch()
    assert "may be queued" in str(block_reason(seen(tmp_path)[A]))


@pytest.mark.parametrize("name", ["times", "data"])
@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "dangling"])
def test_entry_that_is_not_a_file_is_not_opened(tmp_path: Path, name: str, kind: str) -> None:
    path = write_py_task(tmp_path, A, "success") / name
    write_py_task(tmp_path, B, "success")
    loose_task = path.rename(tmp_path / "aside")
    {
        "link": lambda: path.symlink_to(loose_task),
        "fifo": lambda: os.mkfifo(path),
        "folder": lambda: path.mkdir(),
        "dangling": lambda: path.symlink_to("nowhere"),
    }[kind]()
    tasks = seen(tmp_path)
    assert tasks[A].status == "success"
    assert f"'{name}' is not a regular file" in str(tasks[A].problem)
    assert tasks[B].problem is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"[" * 16000,
        b"{}",
        b'{"created": "yesterday"}',
        b'{"created": true}',
        b'{"created": NaN}',
        b'{"created": 1e999}',
        b'{"created": ' + b"9" * 4000 + b"}",
        b'{"created": ' + b"9" * 9000 + b"}",
        b'{"created": 1, "finished": []}',
        b'{"created": 1, "x": "' + b"y" * 20000 + b'"}',
        b"\xff\xfe\x00",
    ],
)
def test_bad_times_give_a_problem_and_estimates(tmp_path: Path, raw: bytes) -> None:
    folder = write_py_task(tmp_path, A, "failure")
    (folder / "times").write_bytes(raw)
    task = seen(tmp_path)[A]
    assert str(task.problem).startswith("'times' ")
    assert task.finished_estimated and task.status == "failure"


def test_a_folder_without_data_is_broken_and_hides_no_other(tmp_path: Path) -> None:
    (write_py_task(tmp_path, A, "created") / "data").unlink()
    write_py_task(tmp_path, B, "success")
    tasks = seen(tmp_path)
    assert tasks[A].status is Status.BROKEN and not tasks[A].exists
    assert tasks[A].problem == "there is no 'data' in its folder"
    assert tasks[B].status == "success"


def test_names_that_are_not_ids_and_links_are_not_tasks(tmp_path: Path) -> None:
    write_py_task(tmp_path, A, "created")
    tasks = py_dir(tmp_path) / "tasks"
    (tasks / "zz" / "x").mkdir(parents=True)
    (tasks / A[:2] / "short").mkdir()
    (tasks / A[:2] / A[2:].upper().replace("0", "F")).mkdir()
    (tasks / A[:2] / B[2:]).symlink_to(py_folder(tmp_path, A))
    (tasks / "ee").symlink_to(tasks / A[:2])
    snapshot = scan(tmp_path)
    assert set(snapshot.tasks) == {A}
    assert len(snapshot.problems) == 2 and all(
        "link" in p or "folder" in p for p in snapshot.problems
    )


def test_bundles_have_any_name(tmp_path: Path) -> None:
    write_py_task(tmp_path, A, "success")
    names = ["plain", "a/b", "a/c/d e", ".hidden", "with space", "ü\n", "-x", "a.json", "*"]
    for name in names:
        write_py_bundle(tmp_path, name, [A])
    snapshot = scan(tmp_path)
    assert {bundle.name for bundle in snapshot.bundles} == set(names)
    assert all(bundle.task_ids == (A,) and bundle.lang == "py" for bundle in snapshot.bundles)
    assert set(snapshot.tasks[A].bundles) == set(names)


def test_bundle_names_that_are_not_utf8_are_read(tmp_path: Path) -> None:
    write_py_task(tmp_path, A, "success")
    path = write_py_bundle(tmp_path, "plain", [A])
    path.rename(path.with_name(os.fsdecode(b"\xff\xfe")))
    (bundle,) = scan(tmp_path).bundles
    assert bundle.name == os.fsdecode(b"\xff\xfe") and bundle.task_ids == (A,)


def test_no_link_leads_out_of_the_bundles(tmp_path: Path) -> None:
    write_py_task(tmp_path, A, "success")
    write_py_bundle(tmp_path, "good", [A])
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "evil").write_text((py_dir(tmp_path) / "bundles" / "good").read_text())
    bundles = py_dir(tmp_path) / "bundles"
    (bundles / "folder").symlink_to(outside)
    (bundles / "file").symlink_to(outside / "evil")
    os.mkfifo(bundles / "pipe")
    snapshot = scan(tmp_path)
    assert [bundle.name for bundle in snapshot.bundles] == ["good"]
    assert len(snapshot.problems) == 3


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "is not valid JSON"),
        (b"[]", "has no list"),
        (b'{"task_ids": 1}', "has no list"),
        (b'{"task_ids": {"a": 1}}', "has no list"),
        (b"[" * 100000, "is not valid JSON"),
        (b"\xff", "is not valid JSON"),
    ],
)
def test_bad_bundle_gives_a_problem(tmp_path: Path, raw: bytes, says: str) -> None:
    write_py_task(tmp_path, A, "success")
    write_py_bundle(tmp_path, "good", [A])
    write_py_bundle(tmp_path, "bad", []).write_bytes(raw)
    snapshot = scan(tmp_path)
    assert {bundle.name: bundle.task_ids for bundle in snapshot.bundles} == {"good": (A,)}
    assert says in snapshot.unread.bundles["bad"]
    assert any(says in problem for problem in snapshot.problems)


def test_entries_of_a_bundle_that_are_not_ids_are_counted_and_ignored(tmp_path: Path) -> None:
    odd = [A, "../../x", 3, None, A.upper() + "F", [A], A]
    bundle = parse_bundle(write_py_bundle(tmp_path, "b", odd).read_bytes(), "b")
    assert bundle.task_ids == (A,)
    assert "5 entries" in str(bundle.problem)


def test_bundle_nested_too_deeply_gives_a_problem(tmp_path: Path) -> None:
    write_py_task(tmp_path, A, "success")
    write_py_bundle(tmp_path, "/".join("x" * 200), [A])
    snapshot = scan(tmp_path)
    assert snapshot.bundles == () and "more than 32 folders" in snapshot.problems[0]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_times_or_a_message(raw: bytes) -> None:
    try:
        times = parse_times(raw)
    except ValueError as error:
        assert str(error)
    else:
        assert isinstance(times[0], float)
    try:
        assert parse_bundle(raw, "b").name == "b"
    except ValueError as error:
        assert str(error)


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    write_py_task(tmp_path, A, "failure")
    code = "import sys; from hipercow_tui.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "list", str(tmp_path), "--details"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_missing_task_gives_none(tmp_path: Path) -> None:
    write_py_task(tmp_path, A, "success")
    rows = list(read_tasks(str(py_dir(tmp_path) / "tasks"), [B, A]))
    assert rows[0] is None and rows[1] is not None


def test_finished_task_costs_two_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_py_task(tmp_path, A, "success")
    made: list[str] = []

    def counted(name: str) -> None:
        real = getattr(os, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            made.append(name)
            return real(*args, **kwargs)

        monkeypatch.setattr(os, name, call)

    for name in ("open", "scandir", "lstat", "stat"):
        counted(name)
    list(read_tasks(str(py_dir(tmp_path) / "tasks"), [A]))
    assert made == ["scandir", "open"]
