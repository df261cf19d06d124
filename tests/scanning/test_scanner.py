from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from ordinary_user import open_to_all, ordinary_user
from small_root import (
    DAY,
    NOW,
    next_tick,
    task_id,
    write_bundle,
    write_retries,
    write_task,
)

from hipercow_tui import scan
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status
from hipercow_tui.formats.root import find_root
from hipercow_tui.scanning.scanner import Scanner, ScanState, read_root
from hipercow_tui.scanning.shard_listing import MTIME_GRANULARITY

A, B, C, D = map(task_id, range(1, 5))


class Clock:
    """A monotonic clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Watch:
    """A scanner, with the time between its passes given by the test."""

    def __init__(self, root: Path) -> None:
        self.clock = Clock()
        self.scanner = Scanner(find_root(root), monotonic=self.clock)

    def look(self, after: float = 1.0) -> ScanState:
        self.clock.now += after
        changed: set[str] = set()
        gone: set[str] = set()
        for state in self.scanner.scan():
            changed |= state.changed
            gone |= state.removed_ids
        assert state.complete
        return ScanState(state.snapshot, 0, 0, True, frozenset(changed), frozenset(gone))

    def settle(self) -> Snapshot:
        for _ in range(4):
            state = self.look(MTIME_GRANULARITY + 1)
        assert not state.changed and not state.removed_ids
        return state.snapshot


def folder(root: Path, identity: str) -> Path:
    return root / "hipercow" / "tasks" / identity[:2] / identity[2:]


def finish(root: Path, identity: str, status: str = "success") -> None:
    made = write_task(root / "aside", identity, status)
    shutil.copy(made / "info", folder(root, identity) / "info")
    (folder(root, identity) / f"status-{status}").write_text("")


def test_recorded_root_equals_the_output_of_hipercow(
    sir_model: Path, sir_model_expected: dict[str, Any]
) -> None:
    snapshot = scan(sir_model)
    assert len(snapshot.tasks) == len(sir_model_expected["tasks"])
    for expected in sir_model_expected["tasks"]:
        task = snapshot.tasks[expected["id"]]
        assert task.status == expected["status"]
        assert task.latest_status == expected["followed"]
        assert task.created == pytest.approx(expected["created"], abs=5.3e-6)
        if "finished" in expected:
            assert task.finished == pytest.approx(expected["finished"], abs=5.3e-6)
            assert not task.finished_estimated
        else:
            assert task.finished is None
        assert task.chain == tuple(sir_model_expected["chains"].get(task.id, ()))
        assert task.problem is None
    found = {bundle.name: list(bundle.task_ids) for bundle in snapshot.bundles}
    assert found == sir_model_expected["bundles"]
    assert snapshot.problems == ()


def test_retry_has_the_creation_time_in_its_own_data(sir_model: Path) -> None:
    snapshot = scan(sir_model)
    retry = snapshot.tasks["61cc861476058521f75329ee455a2deb"]
    base = snapshot.tasks["34746bb519494fbb65416419040ba827"]
    assert retry.created is not None and base.finished is not None
    assert retry.created > base.finished


def test_an_empty_root_has_nothing(tmp_path: Path) -> None:
    (tmp_path / "hipercow").mkdir()
    snapshot = scan(tmp_path)
    assert (dict(snapshot.tasks), snapshot.bundles, snapshot.problems) == ({}, (), ())


def test_task_without_info_has_the_times_of_its_markers(tmp_path: Path) -> None:
    write_task(tmp_path, A, "failure", info=False, finished=NOW)
    task = scan(tmp_path).tasks[A]
    assert (task.finished, task.finished_estimated) == (NOW, True)
    assert (task.created, task.started) == (NOW - 30 * DAY, NOW)
    write_task(tmp_path, B, "running", finished=NOW)
    task = scan(tmp_path).tasks[B]
    assert (task.started, task.finished, task.finished_estimated) == (NOW, None, False)


def test_info_without_a_terminal_marker_means_not_finished(tmp_path: Path) -> None:
    (write_task(tmp_path, A, "failure") / "status-failure").unlink()
    task = scan(tmp_path).tasks[A]
    assert (task.status, task.finished) == (Status.RUNNING, None)


def test_earlier_markers_stay_and_the_first_in_order_counts(tmp_path: Path) -> None:
    (write_task(tmp_path, A, "cancelled") / "status-success").write_text("")
    assert scan(tmp_path).tasks[A].status is Status.SUCCESS


def test_broken_tasks_hide_no_other_and_have_a_problem(tmp_path: Path) -> None:
    write_task(tmp_path, A, "success")
    (write_task(tmp_path, B, "created") / "data").write_bytes(b"\x1f\x8b\x08 cut")
    (write_task(tmp_path, C, "failure") / "info").write_bytes(b"no RDS\x1b[31m")
    folder(tmp_path, D).mkdir(parents=True)
    snapshot = scan(tmp_path)
    assert snapshot.tasks[A].problem is None
    assert "'data'" in (snapshot.tasks[B].problem or "")
    assert snapshot.tasks[B].status is Status.CREATED
    assert "'info'" in (snapshot.tasks[C].problem or "")
    assert "\x1b" not in (snapshot.tasks[C].problem or "")
    assert snapshot.tasks[C].finished_estimated
    assert snapshot.tasks[D].status is Status.BROKEN and not snapshot.tasks[D].exists
    assert "no 'data'" in (snapshot.tasks[D].problem or "")


def test_incomplete_lines_are_ignored_and_counted(tmp_path: Path) -> None:
    write_task(tmp_path, A, "failure")
    write_task(tmp_path, B, "success")
    retry = write_retries(tmp_path, [(B, A, A)])
    with retry.open("a") as file:
        file.write(f"{C},{A}")
    write_bundle(tmp_path, "mine", [A, "../../x", B[:20], A])
    snapshot = scan(tmp_path)
    assert snapshot.tasks[A].chain == (A, B)
    assert [bundle.task_ids for bundle in snapshot.bundles] == [(A,)]
    assert "1 line of 'retry'" in " ".join(snapshot.problems)
    assert "2 lines of bundle 'mine'" in " ".join(snapshot.problems)


def test_missing_line_of_retry_is_replaced_by_the_data_of_the_task(tmp_path: Path) -> None:
    write_task(tmp_path, A, "failure")
    write_task(tmp_path, B, "running", retry_of=(A, A))
    snapshot = scan(tmp_path)
    assert snapshot.tasks[A].chain == (A, B)
    assert snapshot.tasks[A].latest_status is Status.RUNNING


@pytest.mark.parametrize("name", ["data", "info"])
def test_pipes_and_links_in_place_of_files_are_never_opened(tmp_path: Path, name: str) -> None:
    made = write_task(tmp_path, A, "success")
    (made / name).unlink()
    os.mkfifo(made / name)
    assert f"'{name}' is not a regular file" in (scan(tmp_path).tasks[A].problem or "")
    (made / name).unlink()
    (made / name).symlink_to("/etc/passwd")
    assert f"'{name}' is not a regular file" in (scan(tmp_path).tasks[A].problem or "")


def test_links_in_place_of_folders_are_not_followed(tmp_path: Path) -> None:
    real = write_task(tmp_path, A, "success")
    other = folder(tmp_path, B)
    other.parent.mkdir(parents=True)
    other.symlink_to(real)
    (tmp_path / "hipercow" / "tasks" / "ff").symlink_to(real.parent)
    snapshot = scan(tmp_path)
    assert set(snapshot.tasks) == {A}
    assert f"'tasks/{B[:2]}/{B[2:]}' is a symbolic link" in " ".join(snapshot.problems)
    assert "'tasks/ff' is a symbolic link" in " ".join(snapshot.problems)


def swap(path: Path, way: str, kept: Path) -> None:
    """Replace a folder by something else, and keep the folder elsewhere."""
    path.rename(kept)
    if way == "a link":
        path.symlink_to(kept)
    elif way == "a FIFO":
        os.mkfifo(path)
    else:
        path.write_text("a file")


@pytest.mark.parametrize("way", ["a link", "a FIFO", "a file"])
@pytest.mark.parametrize("depth", [1, 2], ids=["tasks/ab", "a task"])
def test_entry_that_is_not_a_folder_is_reported_in_every_pass(
    tmp_path: Path, way: str, depth: int
) -> None:
    write_task(tmp_path, A, "failure")
    write_task(tmp_path, B, "running")
    place = folder(tmp_path, B).parent if depth == 1 else folder(tmp_path, B)
    watch = Watch(tmp_path)
    assert not watch.look().snapshot.unread
    next_tick(tmp_path)
    swap(place, way, tmp_path / "kept")
    state = watch.look()
    assert state.removed_ids == {B} and state.snapshot.unread.place(B)
    assert "link" in (state.snapshot.unread.place(B) or "") or way != "a link"
    for _ in range(3):
        again = watch.look(MTIME_GRANULARITY + 1).snapshot
        assert again.unread == state.snapshot.unread and again.problems == state.snapshot.problems
    assert again.problems and set(again.tasks) == {A}
    next_tick(tmp_path)
    place.unlink()
    (tmp_path / "kept").rename(place)
    back = watch.look().snapshot
    assert set(back.tasks) == {A, B} and not back.unread and not back.problems


def test_shard_that_can_not_be_listed_is_reported_until_it_can(open_path: Path) -> None:
    write_task(open_path, A, "failure")
    write_task(open_path, B, "running")
    open_to_all(open_path)
    watch, shard = Watch(open_path), folder(open_path, B).parent
    watch.settle()
    next_tick(open_path)
    shard.chmod(0o333)
    with ordinary_user():
        states = list(watch.scanner.scan())
    for state in states:
        assert "Permission denied" in (state.snapshot.unread.place(B) or "")
        assert set(state.snapshot.tasks) == {A, B}
    next_tick(open_path)
    shard.chmod(0o777)
    assert not watch.look().snapshot.unread


def test_tasks_folder_that_can_not_be_listed_is_reported(open_path: Path) -> None:
    write_task(open_path, A, "failure")
    open_to_all(open_path)
    watch, tasks = Watch(open_path), open_path / "hipercow" / "tasks"
    watch.settle()
    next_tick(open_path)
    tasks.chmod(0o333)
    with ordinary_user():
        snapshot = watch.look().snapshot
    tasks.chmod(0o777)
    assert set(snapshot.tasks) == {A} and "'tasks' can't be read" in snapshot.unread.files[0]
    assert not watch.look().snapshot.unread


def test_unreadable_retry_keeps_the_chains_and_is_reported_until_it_is_read(
    open_path: Path,
) -> None:
    write_task(open_path, A, "failure")
    write_task(open_path, B, "success")
    retry = write_retries(open_path, [(B, A, A)])
    open_to_all(open_path)
    watch = Watch(open_path)
    watch.settle()
    next_tick(open_path)
    retry.chmod(0)
    with ordinary_user():
        for _ in range(2):
            snapshot = watch.look().snapshot
            assert "'retry' can't be read: Permission denied" in snapshot.unread.files[0]
            assert snapshot.tasks[A].chain == (A, B)
    next_tick(open_path)
    retry.chmod(0o666)
    assert not watch.look().snapshot.unread


def test_unreadable_bundle_is_reported_until_it_is_read(open_path: Path) -> None:
    write_task(open_path, A, "failure")
    bundle = write_bundle(open_path, "mine", [A])
    open_to_all(open_path)
    watch = Watch(open_path)
    watch.settle()
    next_tick(open_path)
    bundle.chmod(0)
    with ordinary_user():
        for _ in range(2):
            snapshot = watch.look().snapshot
            assert snapshot.unread.bundles == {"mine": "Permission denied"}
            assert snapshot.tasks[A].bundles == () and not snapshot.bundles
    next_tick(open_path)
    bundle.chmod(0o666)
    state = watch.look().snapshot
    assert not state.unread and state.tasks[A].bundles == ("mine",)


def test_unfinished_line_of_retry_is_reported_until_it_is_complete(tmp_path: Path) -> None:
    write_task(tmp_path, A, "failure")
    retry = write_retries(tmp_path, [(B, A, A)])
    watch = Watch(tmp_path)
    assert watch.look().snapshot.unread.unfinished is None
    next_tick(tmp_path)
    with retry.open("a") as file:
        file.write(f"{C},{B},{A[:10]}")
    for _ in range(2):
        line = watch.look().snapshot.unread.unfinished
        assert line is not None and line.ids == (C, B, A[:10])
        assert line.changed == pytest.approx(retry.stat().st_mtime)
    with retry.open("a") as file:
        file.write(f"{A[10:]}\n")
    snapshot = watch.look().snapshot
    assert snapshot.unread.unfinished is None and snapshot.tasks[A].chain == (A, B, C)
    retry.unlink()
    assert not watch.look().snapshot.unread


def test_other_names_are_not_tasks(tmp_path: Path) -> None:
    write_task(tmp_path, A, "success")
    tasks = tmp_path / "hipercow" / "tasks"
    for name in ("AB/" + "0" * 30, "ab/short", "abc/" + "0" * 30, "ab/" + "Z" * 30, "lost+found"):
        (tasks / name).mkdir(parents=True)
    (tasks / "ab" / ("1" * 30)).write_text("a file")
    assert set(scan(tmp_path).tasks) == {A}


def test_scan_reports_changes_by_other_processes(tmp_path: Path) -> None:
    write_task(tmp_path, A, "running")
    write_task(tmp_path, B, "success")
    watch = Watch(tmp_path)
    assert watch.look().changed == {A, B}
    watch.settle()

    finish(tmp_path, A)
    seen = watch.look()
    assert seen.changed == {A} and not seen.removed_ids
    assert seen.snapshot.tasks[A].status is Status.SUCCESS

    write_task(tmp_path, C, "submitted")
    assert watch.look().changed == {C}
    shutil.rmtree(folder(tmp_path, B))
    assert watch.look().removed_ids == {B}
    write_bundle(tmp_path, "mine", [A])
    seen = watch.look()
    assert seen.changed == {A} and seen.snapshot.tasks[A].bundles == ("mine",)
    (tmp_path / "hipercow" / "bundles" / "mine").unlink()
    assert watch.look().snapshot.tasks[A].bundles == ()


def test_new_retry_updates_tasks_that_were_read_before(tmp_path: Path) -> None:
    write_task(tmp_path, A, "failure")
    watch = Watch(tmp_path)
    watch.look()
    watch.settle()
    write_task(tmp_path, B, "submitted", retry_of=(A, A))
    write_retries(tmp_path, [(B, A, A)])
    seen = watch.look()
    assert seen.changed == {A, B}
    assert seen.snapshot.tasks[A].latest_status is Status.SUBMITTED
    finish(tmp_path, B)
    assert watch.look().snapshot.tasks[A].latest_status is Status.SUCCESS


def test_a_change_within_one_tick_of_the_file_server_is_not_missed(tmp_path: Path) -> None:
    made = write_task(tmp_path, A, "running")
    frozen = (1_700_000_000, 1_700_000_000)
    os.utime(made, frozen)
    watch = Watch(tmp_path)
    watch.look()
    watch.look(0.5)
    finish(tmp_path, A)
    os.utime(made, frozen)  # a clock of whole seconds that has not moved on
    seen = [watch.look(1.0).snapshot.tasks[A].status for _ in range(3)]
    assert seen[-1] is Status.SUCCESS


def test_task_folder_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    write_task(tmp_path, A, "success")
    watch = Watch(tmp_path)
    watch.look()
    watch.settle()
    folder(tmp_path, A).rename(tmp_path / "away")
    write_task(tmp_path, A, "failure")
    assert watch.look().snapshot.tasks[A].status is Status.FAILURE


def test_stopped_scan_is_continued_by_the_next(tmp_path: Path) -> None:
    for number in range(20):
        write_task(tmp_path, task_id(number), "success")
    step = 0.1

    class Ticking(Clock):
        def __call__(self) -> float:
            self.now += step
            return self.now

    scanner = Scanner(find_root(tmp_path), monotonic=Ticking())
    first = next(iter(scanner.scan()))
    assert not first.complete and 0 < len(first.snapshot.tasks) < 20
    step = 0.0
    assert len(list(scanner.scan())[-1].snapshot.tasks) == 20


def test_first_scan_has_tasks_before_bundles_are_read(tmp_path: Path) -> None:
    ids = list(map(task_id, range(20)))
    for identity in ids:
        parent = ids[ids.index(identity) - 1]
        retry_of = (parent, parent) if identity in (ids[1], ids[7]) else None
        write_task(tmp_path, identity, "success", retry_of=retry_of)
    # The other link is only in the data of its task.
    write_retries(tmp_path, [(ids[1], ids[0], ids[0])])
    write_bundle(tmp_path, "sweep", ids[:12])
    first, *_, last = Scanner(find_root(tmp_path)).scan()
    assert first.snapshot.tasks and not first.snapshot.bundles and not first.complete
    read = read_root(find_root(tmp_path))
    assert last.complete and last.snapshot.tasks == read.tasks
    assert last.snapshot.bundles == read.bundles and read.tasks[ids[0]].bundles == ("sweep",)


def test_final_tasks_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        write_task(tmp_path, task_id(number), "success")
    write_task(tmp_path, task_id(40), "submitted")
    watch = Watch(tmp_path)
    watch.look()
    watch.settle()
    calls: list[str] = []
    for name in ("scandir", "stat", "open"):
        real = getattr(os, name)

        def counted(*args: Any, _real: Any = real, _name: str = name, **more: Any) -> Any:
            calls.append(f"{_name} {args[0]}")
            return _real(*args, **more)

        monkeypatch.setattr(os, name, counted)
    watch.look()
    folders = len(list((tmp_path / "hipercow" / "tasks").iterdir()))
    assert len(calls) <= folders + 1 + 3, calls
    opened = [Path(call.removeprefix("open ")).name for call in calls if call.startswith("open ")]
    assert opened == ["hipercow", "tui"]  # to look for pins
