"""The rows of the list of space, for any sizes, bundles and statuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_root import DAY, NOW, snapshot_of, task_id, write_task

from hipercow_tui.analysis.space_rows import (
    REST,
    SpaceKey,
    SpaceRow,
    SpaceSort,
    amounts_of_kind,
    file_rows,
    group_rows,
    rest_rows,
    sort_rows,
    task_rows,
)
from hipercow_tui.analysis.space_usage import (
    ACTIVE,
    NOTHING,
    Amount,
    SpaceGrouping,
    SpaceUsage,
    difference,
    group_space,
    summarize_space,
    total_of,
)
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.folder_size import FileKind, FolderUsage, SizeKind
from hipercow_tui.formats.root import find_root
from hipercow_tui.formats.root_usage import RootPart
from hipercow_tui.formats.task_files import list_task_files

KIND_AMOUNTS = st.tuples(st.integers(0, 10**9), st.integers(0, 3), st.integers(0, 10**9))
NAMES = st.lists(st.sampled_from(["a", "b"]), unique=True, max_size=2)
TASKS = st.tuples(st.lists(KIND_AMOUNTS, min_size=4, max_size=4), NAMES, st.sampled_from(Status))
PARTS = st.dictionaries(st.sampled_from(["lib", "rrq", "mine"]), KIND_AMOUNTS)
SORTS = st.builds(SpaceSort, st.sampled_from(SpaceKey), st.booleans())


@st.composite
def spaces(draw: st.DrawFn) -> tuple[SpaceUsage, dict[str, FolderUsage]]:
    """Return a measured root, and what each of its tasks holds."""
    tasks, usages = [], {}
    bundles: dict[str, tuple[str, ...]] = {}
    for number, (kinds, names, status) in enumerate(draw(st.lists(TASKS, max_size=12))):
        identity = task_id(number)
        tasks.append(Task(identity, status, 1, created=NOW - DAY, finished=NOW - number * 40 * DAY))
        named = tuple(value for kind in kinds[:3] for value in kind)
        usages[identity] = FolderUsage(*total_of(Amount(*kind) for kind in kinds), named, ())
        for name in names:
            bundles[name] = (*bundles.get(name, ()), identity)
    rest = [RootPart(p, FolderUsage(*one, (0,) * 9, ())) for p, one in draw(PARTS).items()]
    return summarize_space(snapshot_of(tasks, bundles), usages, rest, now=NOW), usages


@given(spaces(), st.sampled_from(SpaceGrouping))
def test_rows_of_groups_add_up_to_the_whole_root(
    space: tuple[SpaceUsage, dict[str, FolderUsage]], by: SpaceGrouping
) -> None:
    usage, _ = space
    rows = group_rows(usage, group_space(usage, by, now=NOW), by)
    rest = rest_rows(usage, SpaceSort(), SizeKind.APPARENT)
    assert total_of(row.amount for row in rows) == usage.tasks
    assert total_of((usage.tasks, *(row.amount for row in rest[1:]))).bytes == usage.total.bytes
    if rest:
        assert rest[0].key == REST and rest[0].amount == total_of(r.amount for r in rest[1:])
    assert all(row.is_rest and not row.opens for row in rest)
    assert [r.key for r in rest if "not made by hipercow" in r.note] == [
        path for path in ("mine",) if path in {row.key for row in rest}
    ]
    for row in rows:
        if row.purgeable is not None:
            held = total_of(group.amount for group in row.held)
            assert held == difference(row.amount, row.purgeable)
            assert {i for group in row.held for i in group.ids} == usage.held.keys() & row.ids


@given(spaces())
def test_rows_of_a_group_are_its_tasks(space: tuple[SpaceUsage, dict[str, FolderUsage]]) -> None:
    usage, _ = space
    for group in group_rows(
        usage, group_space(usage, SpaceGrouping.BUNDLE, now=NOW), SpaceGrouping.BUNDLE
    ):
        rows = task_rows(usage, {i: usage.amounts[i] for i in group.ids})
        assert {row.key for row in rows} == set(group.ids)
        assert total_of(row.amount for row in rows) == group.amount
        assert total_of(row.purgeable or NOTHING for row in rows) == group.purgeable
        assert all(bool(row.held) == (row.key in usage.held) for row in rows)


@given(spaces(), st.sampled_from(FileKind))
def test_tasks_of_a_kind_of_files_add_up_to_it(
    space: tuple[SpaceUsage, dict[str, FolderUsage]], kind: FileKind
) -> None:
    usage, usages = space
    found = amounts_of_kind(usages, usage.amounts, kind)
    assert total_of(found.values()) == usage.kinds[kind]
    assert all(map(any, found.values()))


@given(spaces(), SORTS, st.sampled_from(SizeKind))
def test_sorting_keeps_the_rows_and_orders_them(
    space: tuple[SpaceUsage, dict[str, FolderUsage]], sort: SpaceSort, kind: SizeKind
) -> None:
    rows = task_rows(space[0], space[0].amounts)
    found = sort_rows(rows, sort, kind)
    assert {row.key for row in found} == {row.key for row in rows} and len(found) == len(rows)

    def value(row: SpaceRow) -> int | str:
        if sort.key is SpaceKey.LABEL:
            return row.label
        if sort.key is SpaceKey.FILES:
            return row.amount.files
        amount = row.amount if sort.key is SpaceKey.SIZE else row.purgeable or NOTHING
        return amount.of(kind)

    values = list(map(value, found))
    assert values == sorted(values, reverse=sort.reverse)


def test_a_chosen_column_is_reversed_when_it_is_chosen_again() -> None:
    by_name = SpaceSort().toggled(SpaceKey.LABEL)
    assert by_name == SpaceSort(SpaceKey.LABEL, False)
    assert by_name.toggled(SpaceKey.LABEL) == SpaceSort(SpaceKey.LABEL, True)


def test_a_task_that_runs_cannot_go_and_has_the_reason() -> None:
    tasks = [Task(task_id(0), Status.RUNNING, 1), Task(task_id(1), Status.SUCCESS, 1)]
    usages = {one.id: FolderUsage(100, 1, 512, (0,) * 9, ()) for one in tasks}
    usage = summarize_space(snapshot_of(tasks, {}), usages, (), now=NOW)
    running, ended = sort_rows(
        task_rows(usage, usage.amounts), SpaceSort(SpaceKey.LABEL, False), SizeKind.APPARENT
    )
    assert running.purgeable == NOTHING and [one.label for one in running.held] == [ACTIVE]
    assert ended.purgeable == ended.amount and not ended.held


def test_files_of_a_task_add_up_to_what_it_holds(tmp_path: Path) -> None:
    folder = write_task(tmp_path, task_id(0), "success")
    (folder / "result").write_bytes(bytes(5000))
    (folder / "inner" / "deep").mkdir(parents=True)
    (folder / "inner" / "deep" / "one").write_bytes(bytes(70))
    (folder / "link").symlink_to("result")
    os.link(folder / "data", tmp_path / "hipercow" / "linked")
    rows = file_rows(list_task_files(find_root(tmp_path), task_id(0)))
    by_key = {row.key: row.amount for row in rows}
    assert by_key["result"].bytes == 5000 and by_key["inner/"].bytes == 70
    assert by_key["data"].bytes == (folder / "data").stat().st_size
    paths = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    assert total_of(row.amount for row in rows).files == len(paths)
    blocks = [path.lstat().st_blocks for path in (folder, *folder.rglob("*"))]
    assert total_of(row.amount for row in rows).disk_bytes == 512 * sum(blocks)
    assert not any(row.opens for row in rows)


def test_the_files_of_a_task_that_is_gone_cannot_be_listed(tmp_path: Path) -> None:
    write_task(tmp_path, task_id(0), "success")
    with pytest.raises(FileNotFoundError):
        list_task_files(find_root(tmp_path), task_id(1))


def test_files_of_a_task_are_not_listed_through_a_link(tmp_path: Path) -> None:
    shard = write_task(tmp_path, task_id(0), "success").parent
    shard.rename(tmp_path / "elsewhere")
    shard.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        list_task_files(find_root(tmp_path), task_id(0))
