from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from small_root import task_id, write_task

from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.scanning import outer_logs
from hipercow_tui.scanning.outer_logs import UNUSED, FetchedLogs

FIRST, SECOND, THIRD = map(task_id, range(3))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_task(tmp_path / "project", FIRST, "failure")
    return find_root(tmp_path / "project")


def kept(root: Root) -> FetchedLogs:
    found = FetchedLogs.of(root)
    assert found is not None
    return found


def make_older(logs: FetchedLogs, task: str, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(logs.path(task), (then, then))


def test_a_log_is_kept_in_the_cache_folder_and_not_in_the_root(root: Root, tmp_path: Path) -> None:
    before = sorted(root.path.rglob("*"))
    kept(root).keep(FIRST, b"old")
    kept(root).keep(FIRST, b"\xff\x00 new\n")
    assert kept(root).path(FIRST).read_bytes() == b"\xff\x00 new\n"
    assert kept(root).path(FIRST).is_relative_to(tmp_path / "cache")
    assert list(kept(root).times()) == [FIRST]
    assert sorted(root.path.rglob("*")) == before
    if os.name == "posix":
        assert kept(root).folder.stat().st_mode & 0o077 == 0


def test_both_languages_of_a_root_share_their_logs_and_other_roots_do_not(
    root: Root, tmp_path: Path
) -> None:
    assert FetchedLogs.of(root.part(Lang.PY)) == FetchedLogs.of(root)
    write_task(tmp_path / "other", FIRST, "failure")
    assert FetchedLogs.of(find_root(tmp_path / "other")) != FetchedLogs.of(root)


def test_the_oldest_logs_are_deleted_beyond_the_number(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outer_logs, "MAX_FILES", 2)
    logs = kept(root)
    for task, age in ((FIRST, 10), (SECOND, 30), (THIRD, 20)):
        logs.keep(task, b"text")
        make_older(logs, task, age)
    logs.delete_old()
    assert logs.times().keys() == {FIRST, THIRD}


def test_the_oldest_logs_are_deleted_beyond_the_size(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outer_logs, "MAX_SIZE", 10)
    logs = kept(root)
    for task, age in ((FIRST, 10), (SECOND, 20), (THIRD, 30)):
        logs.keep(task, b"12345")
        make_older(logs, task, age)
    logs.delete_old()
    assert logs.times().keys() == {FIRST, SECOND}


def test_logs_that_were_fetched_months_ago_are_deleted(root: Root) -> None:
    logs = kept(root)
    logs.keep(FIRST, b"text")
    logs.keep(SECOND, b"text")
    make_older(logs, FIRST, UNUSED + 60)
    (logs.folder / "tmp1234").touch()
    logs.delete_old()
    assert list(logs.times()) == [SECOND]


def test_without_a_folder_there_is_no_log(root: Root) -> None:
    logs = kept(root)
    assert logs.times() == {}
    logs.delete_old()
    with pytest.raises(ValueError, match="not a task id"):
        logs.path("../../etc/passwd")
