from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_py_root import write_py_task
from small_root import DAY, NOW, snapshot_of, task_id, write_bundle, write_retries, write_task

import hipercow_tui
from hipercow_tui.analysis.space_measuring import measure_space, read_and_group_space
from hipercow_tui.analysis.space_usage import (
    ACTIVE,
    BLOCKED,
    PINNED,
    Amount,
    SpaceGrouping,
    SpaceUsage,
    called_function,
    group_space,
    summarize_space,
    total_of,
)
from hipercow_tui.demo import write_root
from hipercow_tui.demo.py_root import write_python_root
from hipercow_tui.domain.records import RecordTarget, TargetKind
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Bundle, Lang, Status, Task
from hipercow_tui.formats.folder_size import FolderUsage
from hipercow_tui.formats.root import find_root
from hipercow_tui.formats.root_usage import RootPart
from hipercow_tui.purging.record_files import add_pin
from hipercow_tui.scanning.scanner import read_root

RECORDED = Path(__file__).parents[1] / "data" / "sir-model.tar.gz"
BY_TASK = [by for by in SpaceGrouping if by is not SpaceGrouping.KIND]


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """The recorded root, with hard links, a sparse file, and everything else a root can hold."""
    with tarfile.open(RECORDED) as tar:
        tar.extractall(tmp_path, filter="data")
    hipercow = tmp_path / "sir-model" / "hipercow"
    one, two, three = sorted(path.parent for path in hipercow.glob("tasks/*/*/data"))[:3]
    with (one / "result").open("r+b") as sparse:
        sparse.truncate(50_000_000)
    os.link(one / "data", one / "again")
    os.link(one / "info", two / "linked")
    os.link(two / "data", hipercow / "config")
    (three / "inner").mkdir()
    (three / "inner" / "link").symlink_to("x" * 300)
    os.link(three / "info", three / "inner" / "info")
    for name in ("lib/pkg/R", "rrq/keys", "mine/notes", "tasks/zz/other", "tui/history"):
        (hipercow / name).mkdir(parents=True)
        (hipercow / name / "file").write_bytes(bytes(12_345))
    (hipercow / "tasks" / "stray").write_bytes(bytes(77))
    (hipercow / "py" / "env").mkdir(parents=True)
    (hipercow / "py" / "env" / "python").write_bytes(bytes(9999))
    batch = hipercow / "tui" / "20261123T231205Z-3f2a.trash"
    shutil.copytree(one, batch / ("ab" * 16))
    return tmp_path / "sir-model"


def measured(root: Path) -> SpaceUsage:
    found = find_root(root)
    return measure_space(found, read_root(found), None, now=NOW)


def du(*arguments: str | Path) -> int:
    command = ["du", "--block-size=1", "--total", *map(str, arguments)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return int(output.splitlines()[-1].split()[0])


def test_the_total_is_that_of_du(recorded: Path) -> None:
    usage, hipercow = measured(recorded), recorded / "hipercow"
    paths = [path for path in hipercow.rglob("*") if path.is_symlink() or not path.is_dir()]
    files = [path for path in paths if not path.is_symlink()]
    assert usage.total.disk_bytes == du(hipercow)
    assert usage.total.bytes == du("--apparent-size", *files)
    assert usage.total.files == len(paths)
    assert usage.unmeasured == 0


def test_a_root_of_both_languages_is_counted_once(tmp_path: Path) -> None:
    write_root(tmp_path, tasks=60, seed=1, now=NOW)
    write_python_root(tmp_path, seed=1, now=NOW)
    usage = measured(tmp_path)
    assert {task.lang for task in usage.snapshot.tasks.values()} == set(Lang)
    assert usage.total.disk_bytes == du(tmp_path / "hipercow")
    assert "py/tasks" in usage.rest and not usage.unknown_parts


def test_a_folder_that_is_a_link_counts_as_a_link(recorded: Path) -> None:
    tasks = recorded / "hipercow" / "tasks"
    tasks.rename(recorded / "elsewhere")
    tasks.symlink_to(recorded / "elsewhere")
    assert measured(recorded).total.disk_bytes == du(recorded / "hipercow")


def test_the_rest_of_the_root_is_named(recorded: Path) -> None:
    usage = measured(recorded)
    paths = {"lib", "rrq", "py/env", "config", "trash", "tui/history", "bundles", "retry", "mine"}
    assert paths <= usage.rest.keys()
    assert usage.unknown_parts == {"mine"}
    assert usage.rest["py/env"].bytes == 9999
    assert usage.rest["tasks"].bytes == 12_345 + 77


@pytest.mark.parametrize("by", SpaceGrouping)
def test_groups_of_the_recorded_root_add_up(recorded: Path, by: SpaceGrouping) -> None:
    usage = measured(recorded)
    groups = group_space(usage, by, now=NOW, runs=lambda task: task.id[0])
    assert total_of(group.amount for group in groups) == usage.tasks


def test_tasks_are_grouped_by_what_their_data_says(tmp_path: Path) -> None:
    for number in range(2):
        write_task(tmp_path, task_id(number), "success")
    write_task(tmp_path, task_id(2), "success", retry_of=(task_id(1), task_id(1)))
    write_py_task(tmp_path, task_id(3), "success", environment="gpu")
    (write_task(tmp_path, task_id(4), "success") / "data").write_bytes(b"damaged")
    root, usage = find_root(tmp_path), measured(tmp_path)
    done: list[int] = []
    groups = {
        by: read_and_group_space(root, usage, by, now=NOW, on_progress=done.append)
        for by in (SpaceGrouping.ENVIRONMENT, SpaceGrouping.RUNS)
    }
    assert done == [1, 2, 3, 4, 5] * 2
    assert {group.label: set(group.ids) for group in groups[SpaceGrouping.ENVIRONMENT]} == {
        "default": {task_id(0), task_id(1), task_id(2)},
        "gpu": {task_id(3)},
        "not known": {task_id(4)},
    }
    assert {len(group.ids) for group in groups[SpaceGrouping.RUNS]} == {3, 1}
    assert all(total_of(one.amount for one in groups[by]) == usage.tasks for by in groups)


def test_python_returns_the_object_of_the_command(recorded: Path) -> None:
    found = hipercow_tui.space(recorded, by="runs")
    assert found["total"]["disk_bytes"] == du(recorded / "hipercow")
    assert sum(group["tasks"] for group in found["groups"]) == found["tasks"]["tasks"]
    with pytest.raises(hipercow_tui.BadFilterError, match="bundle, runs, status"):
        hipercow_tui.space(recorded, by="colour")


def test_running_chains_and_pins_hold_tasks(tmp_path: Path) -> None:
    ids = [task_id(number) for number in range(5)]
    write_task(tmp_path, ids[0], "failure")
    write_task(tmp_path, ids[1], "running", retry_of=(ids[0], ids[0]))
    write_retries(tmp_path, [(ids[1], ids[0], ids[0])])
    for identity in ids[2:]:
        write_task(tmp_path, identity, "success")
    write_bundle(tmp_path, "kept", ids[2:3])
    add_pin(find_root(tmp_path), RecordTarget(TargetKind.BUNDLE, Lang.R, "kept"))
    usage = measured(tmp_path)
    held = {group.label: set(group.ids) for group in usage.held_groups}
    assert held == {PINNED: {ids[2]}, ACTIVE: {ids[0], ids[1]}}
    assert usage.purgeable == usage.sum_of(ids[3:])
    whole = (usage.purgeable, *(group.amount for group in usage.held_groups))
    assert total_of(whole) == usage.tasks


def test_unreadable_pins_hold_every_task(tmp_path: Path) -> None:
    write_task(tmp_path, task_id(0), "success")
    write_task(tmp_path, task_id(1), "running")
    add_pin(find_root(tmp_path), RecordTarget(TargetKind.CHAIN, Lang.R, task_id(0)))
    (pin,) = (tmp_path / "hipercow" / "tui" / "pins").iterdir()
    pin.write_text("damaged")
    usage = measured(tmp_path)
    held = {group.label: set(group.ids) for group in usage.held_groups}
    assert held == {BLOCKED: {task_id(0)}, ACTIVE: {task_id(1)}}
    assert usage.purgeable == Amount()


AMOUNTS = st.tuples(st.integers(0, 10**12), st.integers(0, 9), st.integers(0, 10**12))
NAMES = st.lists(st.sampled_from(["a", "b", "c"]), unique=True, max_size=2)
ENDED = st.none() | st.floats(NOW - 900 * DAY, NOW + DAY)
FILES = st.lists(st.integers(0, 3), max_size=3)


@given(st.lists(st.tuples(AMOUNTS, NAMES, ENDED, FILES, st.sampled_from(Status)), max_size=20))
def test_groups_add_up_and_hold_each_task_once(
    rows: list[tuple[tuple[int, int, int], list[str], float | None, list[int], Status]],
) -> None:
    tasks, usages = [], {}
    bundles: dict[str, tuple[str, ...]] = {}
    for number, (numbers, names, ended, files, status) in enumerate(rows):
        identity = task_id(number)
        tasks.append(Task(identity, status, 1, created=NOW - DAY, finished=ended))
        shared = tuple((1, inode, 9, 1, 1000 * inode, 4096, -1) for inode in sorted(set(files)))
        usages[identity] = FolderUsage(*numbers, (0,) * 9, shared)
        for name in names:
            bundles[name] = (*bundles.get(name, ()), identity)
    rest = [RootPart("lib", FolderUsage(5, 1, 512, (0,) * 9, ((1, 2, 9, 1, 2000, 4096, -1),)))]
    usage = summarize_space(snapshot_of(tasks, bundles), usages, rest, now=NOW)
    plain = sum(one.bytes for one in usages.values()) + 5
    linked = {inode for *_, files, _ in rows for inode in files} | {2}
    assert usage.total.bytes == plain + sum(1000 * inode for inode in linked)
    for by in SpaceGrouping:
        groups = group_space(usage, by, now=NOW)
        assert total_of(group.amount for group in groups) == usage.tasks
        if by in BY_TASK:
            counted = Counter(i for group in groups for i in group.ids)
            assert counted == Counter(usages.keys())
        if by is SpaceGrouping.AGE:
            assert all(total_of(one.by_status.values()) == one.amount for one in groups)


@pytest.mark.parametrize(
    ("code", "group"),
    [
        ("run_sir(0.9, b)", "run_sir()"),
        ("pkg::f.x(g(1))", "pkg::f.x()"),
        ("mod$run()", "mod$run()"),
        ("if (a) b else stop(1)", "if (a) b else stop(1)"),
        ("x", "x"),
        ("", ""),
    ],
)
def test_code_is_grouped_by_the_function_that_it_calls(code: str, group: str) -> None:
    assert called_function(code) == group


def test_a_task_in_several_bundles_is_in_a_group_of_such_tasks() -> None:
    ids = [task_id(number) for number in range(3)]
    tasks = [Task(identity, Status.SUCCESS, 1) for identity in ids]
    snapshot = snapshot_of(tasks, {"a": tuple(ids[:2]), "b": tuple(ids[1:2])})
    usages = {i: FolderUsage(10**n, 1, 0, (0,) * 9, ()) for n, i in enumerate(ids)}
    usage = summarize_space(snapshot, usages, (), now=NOW)
    groups = group_space(usage, SpaceGrouping.BUNDLE, now=NOW)
    found = [(group.label, group.amount) for group in groups]
    assert found == [
        ("in no bundle", Amount(100, 1)),
        ("in several bundles", Amount(10, 1)),
        ("bundle a", Amount(1, 1)),
    ]


def test_bundles_of_r_and_python_with_one_name_are_two_groups() -> None:
    of_r, of_py = [
        Task(task_id(number), Status.SUCCESS, 1, bundles=("a",), lang=lang)
        for number, lang in enumerate(Lang)
    ]
    bundles = tuple(Bundle("a", (one.id,), lang=one.lang) for one in (of_r, of_py))
    snapshot = Snapshot(Path("/root"), {one.id: one for one in (of_r, of_py)}, bundles)
    usages = {one.id: FolderUsage(10, 1, 0, (0,) * 9, ()) for one in (of_r, of_py)}
    usage = summarize_space(snapshot, usages, (), now=NOW)
    groups = group_space(usage, SpaceGrouping.BUNDLE, now=NOW)
    assert [(group.label, group.ids) for group in groups] == [
        ("bundle a", (of_r.id,)),
        ("bundle a of Python", (of_py.id,)),
    ]
