from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from small_root import task_id, write_task

from hipercow_tui.formats.folder_size import FolderUsage, measure, measure_folders
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.scanning import batch_reader
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.scanning.usage_reader import (
    SETTLING_TIME,
    MeasuringProgress,
    UsageCache,
    UsageReader,
)

FINAL = [task_id(number) for number in range(40)]
RUNNING = task_id(90)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for number, identity in enumerate(FINAL):
        folder = write_task(tmp_path / "project", identity, "success", info=True)
        (folder / "result").write_bytes(bytes(100 + number))
        (folder / "log").write_bytes(bytes(10 * number))
    write_task(tmp_path / "project", RUNNING, "running")
    return find_root(tmp_path / "project")


def folder_of(root: Root, identity: str) -> Path:
    return root.tasks / identity[:2] / identity[2:]


def read(
    root: Root, cache: UsageCache | None, stop: threading.Event | None = None
) -> tuple[dict[str, FolderUsage], list[MeasuringProgress]]:
    usages: dict[str, FolderUsage] = {}
    reader = UsageReader(root, cache)
    steps = list(reader.read(read_root(root), usages.__setitem__, now=time.time() + 1e9, stop=stop))
    return usages, steps


def test_usages_are_the_sizes_of_the_tasks(root: Root) -> None:
    usages, steps = read(root, None)
    assert usages.keys() == {*FINAL, RUNNING}
    assert all(usage.size == measure(root, identity) for identity, usage in usages.items())
    assert steps[0] == MeasuringProgress(0, 41) and steps[-1] == MeasuringProgress(41, 41)


def test_reader_processes_measure_the_same(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    here = read(root, None)[0]
    monkeypatch.setattr(batch_reader, "POOL_THRESHOLD", 0.0)
    monkeypatch.setattr(batch_reader._ReaderPool, "started", lambda _: True)
    os.link(folder_of(root, FINAL[0]) / "log", folder_of(root, FINAL[1]) / "linked")
    expected = dict(zip(FINAL, measure_folders(str(root.tasks), FINAL), strict=True))
    found = read(root, None)[0]
    assert {i: found[i] for i in FINAL} == expected
    assert found != here and found[FINAL[0]].shared


def test_a_final_task_is_measured_once_and_others_always(root: Root) -> None:
    cache = UsageCache.of(root)
    first = read(root, cache)[0]
    (folder_of(root, FINAL[3]) / "log").write_bytes(bytes(5000))  # a final task never does this
    (folder_of(root, RUNNING) / "log").write_bytes(bytes(7000))
    second, steps = read(root, UsageCache.of(root))
    assert steps[0] == MeasuringProgress(40, 41)
    assert second[FINAL[3]] == first[FINAL[3]]
    assert second[RUNNING].bytes == first[RUNNING].bytes + 7000


def test_another_set_of_files_is_measured_again(root: Root) -> None:
    read(root, UsageCache.of(root))
    (folder_of(root, FINAL[5]) / "dide_id").write_bytes(bytes(300))
    usages, steps = read(root, UsageCache.of(root))
    assert steps[0] == MeasuringProgress(39, 41)
    assert usages[FINAL[5]].size == measure(root, FINAL[5])


def test_a_task_with_a_name_elsewhere_is_not_kept(root: Root) -> None:
    os.link(folder_of(root, FINAL[0]) / "log", root.path / "linked")
    read(root, UsageCache.of(root))
    assert read(root, UsageCache.of(root))[1][0] == MeasuringProgress(39, 41)


def test_a_task_that_has_just_ended_is_not_kept(root: Root) -> None:
    snapshot, cache = read_root(root), UsageCache.of(root)
    ended = max(task.finished or 0.0 for task in snapshot.tasks.values())
    list(UsageReader(root, cache).read(snapshot, lambda *_: None, now=ended + SETTLING_TIME))
    assert read(root, cache)[1][0].done == 0


def test_measuring_that_is_stopped_keeps_what_was_measured(root: Root) -> None:
    stop = threading.Event()
    stop.set()
    usages, steps = read(root, UsageCache.of(root), stop)
    assert 0 < len(usages) < 41 and steps[-1].done == len(usages)
    assert read(root, UsageCache.of(root))[1][0].done == len(usages)


def test_tasks_that_are_gone_leave_the_cache(root: Root) -> None:
    cache = UsageCache.of(root)
    assert cache is not None
    read(root, cache)
    folder = folder_of(root, FINAL[0])
    folder.rename(root.path / "gone")
    write_task(root.path, task_id(41), "failure", info=True)
    assert FINAL[0] not in read(root, cache)[0]
    assert FINAL[0] not in cache.load() and task_id(41) in cache.load()


def test_kinds_of_files_are_told_by_their_names(root: Root) -> None:
    folder = folder_of(root, FINAL[2])
    (folder / "inner").mkdir()
    (folder / "inner" / "log").write_bytes(bytes(1000))
    (folder / "log.outer").write_bytes(bytes(4))
    usage = read(root, None)[0][FINAL[2]]
    assert usage.kinds[0::3] == ((folder / "data").stat().st_size, 102, 24)
    assert usage.kinds[1::3] == (1, 1, 2)
    assert usage.files == sum(path.is_file() for path in folder.rglob("*"))
