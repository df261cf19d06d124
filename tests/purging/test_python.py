"""Python roots are purged by the same protocol. A purge that died at any moment is restored or
finished, together with the list of recent tasks."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from purge_stage import Meanwhile, copy_of, killed_roots, list_entries, names, plan_of
from py_stage import (
    BUNDLES,
    FAILED,
    FIRST,
    KEPT,
    R_TASK,
    RECENT,
    SECOND,
    THIRD,
    age_both,
    batches_of_both,
    bundles_in_place,
    contents_of_both,
    in_place_of_both,
    make_both,
    recent,
    recent_after_undo,
    recent_without,
)
from small_py_root import py_dir, py_folder, write_py_bundle, write_py_task
from small_root import NOW, task_id

import hipercow_tui
from hipercow_tui.domain.blocked import BlockedError
from hipercow_tui.domain.filters import FilterStack, InBundle, TaskIds
from hipercow_tui.domain.plan import make_plan
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.output.json_output import report_as_json
from hipercow_tui.purging import (
    BatchState,
    PurgeReport,
    empty,
    execute,
    finish,
    list_interrupted,
    list_trash,
    measure_entry,
    move_to_trash,
    preflight,
    read_history,
    restore,
)
from hipercow_tui.purging.batch import Batch
from hipercow_tui.purging.staging import stage
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support.errors import PurgeError

ALL = {R_TASK, *FAILED}


@pytest.fixture
def both(tmp_path: Path) -> Root:
    return make_both(tmp_path / "project")


def test_a_purge_takes_tasks_bundles_and_recent_lines_of_both(both: Root) -> None:
    report = execute(plan_of(both), both)
    assert report.complete and set(report.removed) == ALL
    assert sorted(report.removed_bundles) == sorted(["sweep", *BUNDLES])
    assert in_place_of_both(both) == set(KEPT) and bundles_in_place(both) == {"stays": KEPT}
    assert recent(both) == list(KEPT)
    assert batches_of_both(both) == []
    assert {frozenset(entry.tasks) for entry in read_history(both)} == {
        frozenset([R_TASK]),
        frozenset(FAILED),
    }


def test_the_trash_of_both_is_listed_as_one_and_undo_restores_all(both: Root) -> None:
    before = contents_of_both(both)
    batch_id = str(move_to_trash(plan_of(both), both).trash)
    batches = list_trash(both)
    assert [(batch.lang, batch.batch_id, batch.state) for batch in batches] == [
        (Lang.R, batch_id, BatchState.TRASH),
        (Lang.PY, batch_id, BatchState.TRASH),
    ]
    (python,) = (batch for batch in batches if batch.lang is Lang.PY)
    assert set(python.bundles) == set(BUNDLES) and set(python.tasks) == set(FAILED)
    size = measure_entry(both, python)
    assert size is not None and size.files > 12
    assert recent(both) == list(KEPT)
    report = restore(both, batch_id)
    assert report.complete and set(report.restored) == ALL
    assert set(report.restored_bundles) == {"sweep", *BUNDLES}
    assert contents_of_both(both) == before and batches_of_both(both) == []
    assert recent(both) == recent_after_undo(FAILED)


def test_emptying_erases_both(both: Root) -> None:
    move_to_trash(plan_of(both), both)
    report = empty(both, list_entries(both))
    assert report.complete and set(report.removed) == ALL
    assert list_trash(both) == () and batches_of_both(both) == []


def test_a_purge_of_one_language_does_not_touch_the_other(both: Root) -> None:
    assert hipercow_tui.purge(with_status="failure", lang="r", root=both.path) == [R_TASK]
    assert in_place_of_both(both) == {*FAILED, *KEPT} and recent(both) == list(RECENT)
    assert set(bundles_in_place(both)) == {"stays", *BUNDLES}
    went = hipercow_tui.purge(with_status="failure", lang="py", root=both.path)
    assert set(went) == set(FAILED) and recent(both) == list(KEPT)


def test_the_history_names_kept_chains_of_the_other_language(both: Root) -> None:
    filters = FilterStack(task_ids=TaskIds(frozenset([R_TASK, FIRST])))
    plan = make_plan(read_root(both), filters, now=NOW, kept_ids=frozenset([R_TASK]))
    execute(plan, both)
    assert R_TASK in in_place_of_both(both) and FIRST not in in_place_of_both(both)
    (entry,) = read_history(both)
    assert (entry.kept_chains, entry.kept_tasks) == (1, (R_TASK,))


@pytest.mark.parametrize("state", ["", ".erasing"])
def test_a_finished_purge_records_kept_chains_of_the_other_language(both: Root, state: str) -> None:
    filters = FilterStack(task_ids=TaskIds(frozenset([R_TASK, FIRST])))
    plan = make_plan(read_root(both), filters, now=NOW, kept_ids=frozenset([R_TASK]))
    batch_id = str(move_to_trash(plan, both).trash)
    batch = py_dir(both.path) / "tui" / f"{batch_id}.trash"
    manifest = json.loads((batch / "manifest.json").read_text())
    (batch / "manifest.json").write_text(json.dumps(manifest | {"aim": "purge"}))
    batch.rename(batch.with_suffix(state))  # the purge died while it moved, or erased
    age_both(both)
    report = finish(both, batch_id)
    assert isinstance(report, PurgeReport)
    assert [one.task.id for one in report.plan.kept] == [R_TASK]
    entry = read_history(both)[0]
    assert entry.kind == "purge" and FIRST in entry.tasks
    assert (entry.kept_chains, entry.kept_tasks) == (1, (R_TASK,))


def test_a_report_distinguishes_bundles_of_the_same_name(both: Root) -> None:
    path = py_dir(both.path) / "bundles" / "sweep"
    plan = plan_of(both)
    path.write_text(json.dumps({"name": "sweep", "task_ids": [KEPT[0]]}))
    said = report_as_json(execute(plan, both), {})
    gone = {(bundle["lang"], bundle["name"]) for bundle in said["bundles"]}
    assert gone == {("r", "sweep"), ("py", "deep/er/one .x")}
    assert in_place_of_both(both) == {FIRST, SECOND, *KEPT}
    assert recent(both) == recent_without({THIRD})


NAMES = [
    "a/b",
    ".hid",
    "sp ace",
    "%2F",
    "a%/b%2Fc",
    "x" * 200,
    "ü\n*",
    "..x/.nfs-runs",
    "!a [b]{c}",
]
NAMES += ["\x1b]0;x\a", "caf\udce9", " ", "\\", "-rf"]


@pytest.mark.parametrize("name", NAMES)
def test_bundles_of_any_name_are_moved_and_restored(tmp_path: Path, name: str) -> None:
    write_py_task(tmp_path, FIRST, "failure")
    path = write_py_bundle(tmp_path, name, [FIRST])
    root = find_root(tmp_path)
    before = contents_of_both(root)
    glob = InBundle.named(name)  # as Enter on it in the app
    assert make_plan(read_root(root), FilterStack(in_bundle=glob), now=NOW).ids == (FIRST,)
    batch_id = str(move_to_trash(plan_of(root), root).trash)
    assert not path.exists() and list_trash(root)[0].bundles == (name,)
    while path.parent.name != "bundles":  # removed folders are created again
        path = path.parent
        path.rmdir()
    assert restore(root, batch_id).complete
    assert contents_of_both(root) == before
    assert execute(plan_of(root), root).removed_bundles == (name,)


def test_the_tasks_of_a_bundle_with_a_too_long_name_stay(tmp_path: Path) -> None:
    write_py_task(tmp_path, FIRST, "failure")
    write_py_bundle(tmp_path, "/".join(["y" * 200] * 3), [FIRST])
    root = find_root(tmp_path)
    before = contents_of_both(root)
    report = execute(plan_of(root), root)
    assert "File name too long" in report.failed[0].reason and not report.removed
    assert contents_of_both(root) == before and batches_of_both(root) == []


def test_a_glob_matches_bundles_in_folders(both: Root) -> None:
    stack = FilterStack(in_bundle=InBundle.of("deep/*"))
    assert make_plan(read_root(both), stack, now=NOW).ids == (THIRD,)


@pytest.mark.parametrize("name", ["../../x", "a/../b", "/etc/x", "a//b", ".", "a/.", ""])
def test_a_plan_that_leads_out_of_the_bundles_is_refused(both: Root, name: str) -> None:
    plan = plan_of(both)
    (first, *rest) = plan.bundles
    evil = replace(first, bundle=replace(first.bundle, name=name, lang=Lang.PY))
    before = contents_of_both(both)
    with pytest.raises(PurgeError, match="names a bundle"):
        execute(replace(plan, bundles=(evil, *rest)), both)
    assert contents_of_both(both) == before


def test_running_tasks_block_with_a_remedy(both: Root) -> None:
    write_py_task(both.path, task_id(9), "running")
    with pytest.raises(BlockedError, match="status-cancelled"):
        hipercow_tui.purge(task_id(9), root=both.path)


# Changes during a purge


def test_a_link_in_place_of_a_folder_of_bundles_is_not_followed(
    both: Root, meanwhile: Meanwhile
) -> None:
    plan = plan_of(both)
    deep = py_dir(both.path) / "bundles" / "deep"
    outside = deep.rename(both.path / "outside")
    deep.symlink_to(outside)
    with pytest.raises(PurgeError, match=r"bundle 'deep' can't be read.*leads out of the root"):
        execute(plan, both)
    assert (outside / "er" / "one .x").exists()
    assert set(FAILED) <= in_place_of_both(both)


def test_a_task_that_changes_meanwhile_is_put_back_and_stays_in_the_list(
    both: Root, meanwhile: Meanwhile
) -> None:
    plan = plan_of(both)
    change = py_folder(both.path, SECOND) / "status-cancelled"
    meanwhile.before("rename", SECOND[2:], change.touch)
    report = execute(plan, both)
    assert SECOND in in_place_of_both(both) and SECOND in names(report.put_back)
    assert recent(both) == recent_without({FIRST, THIRD})


def test_a_task_that_is_added_to_a_bundle_meanwhile_stays(both: Root, meanwhile: Meanwhile) -> None:
    plan = plan_of(both)
    meanwhile.after(
        "rename", THIRD[2:], lambda: write_py_bundle(both.path, "new/one", [THIRD]).exists()
    )
    report = execute(plan, both)
    assert THIRD in in_place_of_both(both) and THIRD in names(report.put_back)
    assert "deep/er/one .x" in bundles_in_place(both)


def test_a_task_created_while_the_list_is_written_stays_in_it(
    both: Root, meanwhile: Meanwhile
) -> None:
    plan, path = plan_of(both), py_dir(both.path) / "recent"
    fresh = [task_id(50), task_id(51)]

    def append() -> None:
        with path.open("a") as file:
            file.write(f"{fresh.pop(0)}\n")

    meanwhile.before("rename", "tui-recent", append)
    execute(plan, both)
    assert recent(both) == [*KEPT, task_id(50)]


def test_the_new_list_keeps_its_permissions(both: Root) -> None:
    path = py_dir(both.path) / "recent"
    path.chmod(0o664)
    execute(plan_of(both), both)
    assert stat.S_IMODE(path.stat().st_mode) == 0o664


@pytest.mark.parametrize(("mode", "left"), [(0o644, True), (0o666, False)])
def test_the_list_of_another_user_is_replaced_only_if_they_can_still_append(
    both: Root, monkeypatch: pytest.MonkeyPatch, mode: int, left: bool
) -> None:
    path = py_dir(both.path) / "recent"
    path.chmod(mode)
    inode, real = path.stat().st_ino, os.fstat

    def fstat(fd: int) -> os.stat_result:
        found = real(fd)
        other = found.st_uid + 1 if found.st_ino == inode else found.st_uid
        return os.stat_result((*found[:4], other, *found[5:]))

    def fchown(fd: int, uid: int, gid: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "fstat", fstat)
    monkeypatch.setattr(os, "fchown", fchown)
    report = execute(plan_of(both), both)
    assert set(report.removed) == ALL
    assert recent(both) == (list(RECENT) if left else list(KEPT))
    assert [one.reason for one in report.failed if "another user" in one.reason] == (
        [one.reason for one in report.failed] if left else []
    )
    assert len(report.failed) == left


@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "missing"])
def test_a_link_or_fifo_in_place_of_the_list_is_not_touched(both: Root, kind: str) -> None:
    path = py_dir(both.path) / "recent"
    moved_list = path.rename(both.path / "moved")
    if kind == "link":
        path.symlink_to(moved_list)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    report = execute(plan_of(both), both)
    assert set(report.removed) == ALL and moved_list.read_text().split() == list(RECENT)
    assert ("recent" in names(report.failed)) == (kind != "missing")
    assert all("--rebuild" in one.reason for one in report.failed)


def test_lines_that_are_not_ids_stay(both: Root) -> None:
    path = py_dir(both.path) / "recent"
    path.write_bytes(b"\xff\x00\n\n" + path.read_bytes() + b"half")
    batch_id = str(move_to_trash(plan_of(both), both).trash)
    kept = b"\xff\x00\n\n" + "".join(f"{i}\n" for i in KEPT).encode() + b"half\n"
    assert path.read_bytes() == kept
    restore(both, batch_id)
    assert path.read_bytes() == kept + "".join(f"{i}\n" for i in FAILED).encode()


# Processes that die


def assert_complete(root: Root, before: dict[str, bytes | None]) -> set[str]:
    """Check that each task is complete in its place or in a batch, or erased. Return the erased
    ones."""
    held = {
        path.name: path
        for batch in batches_of_both(root)
        for path in batch.glob("tasks/*")
        if path.is_dir()
    }
    assert not in_place_of_both(root) & held.keys()
    for identity, path in held.items():
        part = "tasks" if identity == R_TASK else "py/tasks"
        there = f"{part}/{identity[:2]}/{identity[2:]}/"
        mine = {name: raw for name, raw in before.items() if name.startswith(there)}
        assert {f"{there}{file.name}": file.read_bytes() for file in path.iterdir()} == mine
    listed = recent(root)
    assert [i for i in listed if i in KEPT] == list(KEPT) and len(listed) == len(set(listed))
    return ALL - in_place_of_both(root) - held.keys()


def assert_listed(root: Root) -> None:
    """Check that the list has each task that is in its place once, and restored tasks last."""
    listed = recent(root)
    assert sorted(listed) == sorted(in_place_of_both(root) - {R_TASK})
    assert [i for i in listed if i in KEPT] == list(KEPT)
    assert [i for i in listed if i in FAILED] == [i for i in FAILED if i in listed]


def assert_restored(root: Root, before: dict[str, bytes | None], gone: set[str]) -> None:
    assert in_place_of_both(root) == ALL - gone | set(KEPT)
    assert_listed(root)
    after = contents_of_both(root)
    assert all(after[name] == before[name] for name in after)
    kept = {
        path.name.replace("%2F", "/")
        for batch in batches_of_both(root)
        for path in batch.glob("bundles/*")
    }
    for name, ids in BUNDLES.items():
        if not gone & set(ids):
            assert bundles_in_place(root)[name] == ids
        elif not gone >= set(ids) & ALL:
            assert name in kept  # some of its tasks are restored, others erased
        assert not (name in kept and name in bundles_in_place(root))


@pytest.fixture(scope="session")
def before(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes | None]:
    return contents_of_both(make_both(tmp_path_factory.mktemp("before")))


@pytest.fixture
def no_other_writers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A draft of the list belongs to the process that was killed."""
    monkeypatch.setattr("hipercow_tui.purging.recent_list.ABANDONED", 0.0)


@pytest.mark.usefixtures("no_other_writers")
def test_a_purge_that_died_is_restored_or_finished(
    tmp_path: Path, before: dict[str, bytes | None]
) -> None:
    gone_before: set[str] = set()
    died_in: set[str] = set()
    for path in killed_roots(tmp_path, "both:purge", "steps"):
        root = find_root(path)
        gone = assert_complete(root, before)
        assert gone >= gone_before
        gone_before = gone
        other = copy_of(path)
        age_both(root)
        age_both(other)
        died_in |= {f"{batch.lang} {batch.state}" for batch in list_interrupted(root)}
        for batch_id in {batch.batch_id for batch in list_interrupted(root)}:
            restore(root, batch_id)
            finish(other, batch_id)
        assert_restored(root, before, gone)
        assert not list_interrupted(root) and not list_interrupted(other)
        # A purge of both is finished in both, or has begun in neither.
        left = in_place_of_both(other) & ALL
        assert left in (ALL, set())
        assert_listed(other)
        assert batches_of_both(other) == []
    assert gone_before == ALL
    assert died_in == {
        f"{lang} {state}" for lang in Lang for state in (BatchState.MOVING, BatchState.ERASING)
    }


@pytest.mark.usefixtures("no_other_writers")
def test_a_move_to_the_trash_that_died_is_restored_or_finished(
    tmp_path: Path, before: dict[str, bytes | None]
) -> None:
    ends = set()
    for path in killed_roots(tmp_path, "both:trash", "steps"):
        root, other = find_root(path), copy_of(path)
        assert assert_complete(root, before) == set()
        age_both(root)
        age_both(other)
        for batch_id in {batch.batch_id for batch in list_interrupted(root)}:
            finish(other, batch_id)
            assert restore(root, batch_id).complete
        for batch_id in {batch.batch_id for batch in list_trash(root)}:
            assert restore(root, batch_id).complete
        assert contents_of_both(root) == before and batches_of_both(root) == []
        assert_listed(root)
        assert_listed(other)
        ends.add(frozenset(ALL & in_place_of_both(other)))
        for batch_id in {batch.batch_id for batch in list_trash(other)}:
            assert restore(other, batch_id).complete
        assert contents_of_both(other) == before
    # It is finished in both, or has begun in neither.
    assert ends == {frozenset(ALL), frozenset()}


@pytest.mark.usefixtures("no_other_writers")
def test_an_undo_that_died_is_finished(tmp_path: Path, before: dict[str, bytes | None]) -> None:
    roots, died_in = killed_roots(tmp_path, "both:restore", "steps"), set()
    for path in roots:
        root, other = find_root(path), copy_of(path)
        assert assert_complete(root, before) == set()
        age_both(root)
        age_both(other)
        for batch in list_interrupted(other):
            died_in.add(batch.lang)
            finish(other, batch.batch_id)
        for place in (root, other):
            for batch_id in {batch.batch_id for batch in list_trash(place)}:
                assert restore(place, batch_id).complete
            assert contents_of_both(place) == before and batches_of_both(place) == []
            assert_listed(place)
    assert died_in == set(Lang) and len(roots) > 30


@pytest.mark.usefixtures("no_other_writers")
def test_an_emptying_that_died_is_restored_or_finished(
    tmp_path: Path, before: dict[str, bytes | None]
) -> None:
    numbers = []
    for path in killed_roots(tmp_path, "both:empty", "steps"):
        root, other = find_root(path), copy_of(path)
        gone = assert_complete(root, before)
        numbers.append(len(gone))
        age_both(root)
        age_both(other)
        for batch_id in {batch.batch_id for batch in list_trash(root)}:
            restore(root, batch_id)
        assert_restored(root, before, gone)
        for batch_id in {batch.batch_id for batch in list_trash(other)}:
            empty(other, list_entries(other, batch_id))
        assert in_place_of_both(other) == set(KEPT) and recent(other) == list(KEPT)
        assert batches_of_both(other) == []
    assert numbers == sorted(numbers) and set(numbers) == set(range(len(ALL) + 1))


@pytest.mark.usefixtures("no_other_writers")
def test_a_purge_on_a_full_disk_that_died_is_restored(
    tmp_path: Path, before: dict[str, bytes | None]
) -> None:
    numbers = set()
    for path in killed_roots(tmp_path, "both:full", "steps"):
        root = find_root(path)
        age_both(root)
        for batch in list_interrupted(root):
            restore(root, batch.batch_id)
        left = in_place_of_both(root)
        numbers.add(len(ALL - left))
        assert set(KEPT) <= left and set(bundles_in_place(root)) == {"stays", *BUNDLES}
        # A task that was erased just before the process died may still be listed.
        assert [i for i in recent(root) if i in left] == recent_without(ALL - left)
        assert not [*root.hipercow.glob("tui-*"), *py_dir(root.path).glob("tui-[0-9]*")]
        after = contents_of_both(root)
        assert all(after[name] == before[name] for name in after if not name.startswith("py/tui"))
    assert numbers == set(range(len(ALL) + 1))


CALLS = ("rename", "unlink", "rmdir", "mkdir", "link", "fsync", "write", "utime", "fchmod")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("action", ["purge", "restore"])
def test_nothing_is_lost_if_any_call_fails(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    before: dict[str, bytes | None],
    action: str,
    code: int,
) -> None:
    monkeypatch.setattr("hipercow_tui.purging.eraser._PAUSES", (0.0,))
    for step in range(1, 500):
        root = make_both(tmp_path / str(step))
        plan = plan_of(root)
        batch_id = "" if action == "purge" else str(move_to_trash(plan, root).trash)
        made: list[str] = []

        def counted(name: str, made: list[str] = made, step: int = step) -> Callable[..., Any]:
            real = getattr(os, name)

            def call(*args: Any, **kwargs: Any) -> Any:
                made.append(name)
                if len(made) == step:
                    raise OSError(code, os.strerror(code))
                return real(*args, **kwargs)

            return call

        with monkeypatch.context() as patch:
            for name in CALLS:
                patch.setattr(os, name, counted(name))
            try:
                execute(plan, root) if action == "purge" else restore(root, batch_id)
            except PurgeError as error:
                assert str(error)
        places = in_place_of_both(root) | {
            path.name for batch in batches_of_both(root) for path in batch.glob("tasks/*")
        }
        loose_tasks = {path.name[4:36] for path in root.hipercow.rglob("tui-*")}
        assert set(KEPT) <= in_place_of_both(root)
        if action == "restore":
            assert places | loose_tasks == ALL | set(KEPT)
        listed = recent(root)
        assert [i for i in listed if i in KEPT] == list(KEPT)
        if len(made) < step:
            break
    assert step > 20


def test_a_check_before_a_purge_leaves_nothing_behind(both: Root) -> None:
    before = contents_of_both(both)
    assert preflight(plan_of(both), both) is None
    assert contents_of_both(both) == before and batches_of_both(both) == []


def test_marks_of_both_are_purged_together(both: Root) -> None:
    stack = FilterStack(task_ids=TaskIds(frozenset([R_TASK, THIRD])))
    report = execute(make_plan(read_root(both), stack, now=NOW), both)
    assert report.complete and set(report.removed) == {R_TASK, THIRD}


@pytest.mark.parametrize(
    ("run", "verb"), [(execute, "purged"), (move_to_trash, "moved to the trash")]
)
def test_an_error_in_the_root_of_python_says_how_many_tasks_of_r_are_gone(
    both: Root, run: Callable[..., object], verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_for_python(batch: Batch, *args: Any) -> None:
        if batch.dirs.lang is Lang.PY:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        stage(batch, *args)

    monkeypatch.setattr("hipercow_tui.purging.transaction.stage", fail_for_python)
    with pytest.raises(PurgeError) as raised:
        run(plan_of(both), both)
    assert str(raised.value).startswith(
        f"1 task of R was {verb}; those of Python were not: Input/output error. Nothing was deleted"
    )
    assert in_place_of_both(both) == {*FAILED, *KEPT}
