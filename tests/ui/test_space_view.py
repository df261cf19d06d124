"""The builder of the list of space, while tasks are removed and measured."""

from __future__ import annotations

import gc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from small_root import NOW, task_id, write_task

from hipercow_tui.analysis.space_usage import SpaceGrouping
from hipercow_tui.formats.folder_size import FolderUsage, measure_folders
from hipercow_tui.formats.root import find_root
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.ui.workers.space_view import SpaceRequest, SpaceViewBuilder

IDS = tuple(map(task_id, range(3)))


def test_a_kind_of_files_is_listed_while_a_task_is_removed_and_another_one_grows(
    tmp_path: Path,
) -> None:
    for identity in IDS:
        (write_task(tmp_path, identity, "success") / "log").write_bytes(bytes(100))
    root = find_root(tmp_path)
    measured = measure_folders(str(root.tasks), IDS)
    usages: dict[str, FolderUsage] = {i: one for i, one in zip(IDS, measured, strict=True) if one}
    sizes: Any = SimpleNamespace(usages=usages, parts=(), measured_count=1)
    builder = SpaceViewBuilder(root, sizes, {})
    request = SpaceRequest(read_root(root), NOW, SpaceGrouping.KIND, path=("log",))
    before = builder.build(request)
    assert {row.key: row.amount.bytes for row in before.rows} == dict.fromkeys(IDS, 100)
    # The size worker changes the usages first, then ``measured_count``.
    del usages[IDS[0]]
    usages[IDS[1]] = usages[IDS[1]]._replace(kinds=tuple(7 * one for one in usages[IDS[1]].kinds))
    assert builder.build(request).rows == before.rows
    sums = {"tasks", "total", "purgeable", "held_groups"}
    assert sums <= vars(before.usage).keys(), "they were added up, so that no key waits for them"


def test_no_garbage_is_collected_while_a_list_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(builder: SpaceViewBuilder, request: SpaceRequest) -> None:
        assert not gc.isenabled()
        raise RuntimeError("as an unexpected error")

    sizes: Any = SimpleNamespace(usages={}, parts=(), measured_count=1)
    write_task(tmp_path, IDS[0], "success")
    root = find_root(tmp_path)
    builder, request = SpaceViewBuilder(root, sizes, {}), SpaceRequest(read_root(root), NOW)
    assert gc.isenabled()
    monkeypatch.setattr(SpaceViewBuilder, "_list", fail)
    with pytest.raises(RuntimeError):
        builder.build(request)
    assert gc.isenabled()
