from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_root import task_id, write_task

from hipercow_tui.analysis.error_groups import Failure, Inputs
from hipercow_tui.analysis.failure_cache import FailureCache, folder_fingerprint
from hipercow_tui.formats.root import find_root

FOLDER, OTHER_FOLDER = bytes(range(24)), bytes(24)
INPUTS = (("b", "1"), ("c", "2"))
ONE = Failure("no 5 of ‘x’", "Warning message:\nw", "f(b)", INPUTS, folder=FOLDER)
OTHER = Failure("no \udc80 ✖", folder=OTHER_FOLDER)
KNOWN = {task_id(1): ONE, task_id(2): OTHER}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    return tmp_path / "cache"


def cache_of(where: Path) -> FailureCache:
    cache = FailureCache.of(find_root(where))
    assert cache is not None
    return cache


@pytest.fixture
def failure_cache(tmp_path: Path) -> FailureCache:
    (tmp_path / "project" / "hipercow").mkdir(parents=True)
    return cache_of(tmp_path / "project")


def test_saved_failures_are_loaded(failure_cache: FailureCache, cache: Path) -> None:
    assert failure_cache.load() == {}
    failure_cache.save(KNOWN)
    assert failure_cache.load() == KNOWN
    failure_cache.save({task_id(1): ONE})
    assert failure_cache.load() == {task_id(1): ONE}
    assert cache in failure_cache.path.parents
    assert os.listdir(failure_cache.path.parent) == [failure_cache.path.name]
    assert failure_cache.path.stat().st_mode & 0o77 == 0


def test_failures_with_a_problem_are_not_saved(failure_cache: FailureCache) -> None:
    failure_cache.save({**KNOWN, task_id(3): Failure("", problem="gone")})
    assert failure_cache.load() == KNOWN


def test_file_of_another_root_in_the_same_place_is_ignored(
    failure_cache: FailureCache, tmp_path: Path
) -> None:
    failure_cache.save(KNOWN)
    (tmp_path / "project").rename(tmp_path / "elsewhere")
    (tmp_path / "project" / "hipercow").mkdir(parents=True)
    assert cache_of(tmp_path / "project").load() == {}
    assert cache_of(tmp_path / "elsewhere").load() == KNOWN


def test_damaged_file_is_ignored(failure_cache: FailureCache) -> None:
    failure_cache.save(KNOWN)
    whole = failure_cache.path.read_bytes()
    random.seed(3)
    for _ in range(300):
        raw = bytearray(whole)
        raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
        failure_cache.path.write_bytes(raw)
        assert failure_cache.load() == {}
    for end in range(len(whole)):
        failure_cache.path.write_bytes(whole[:end])
        assert failure_cache.load() == {}


def test_cache_that_cannot_be_written_is_ignored(failure_cache: FailureCache, cache: Path) -> None:
    cache.write_text("in the way")
    failure_cache.save(KNOWN)
    assert failure_cache.load() == {}


def test_pipe_instead_of_the_file_is_replaced(failure_cache: FailureCache) -> None:
    failure_cache.path.parent.mkdir(parents=True)
    os.mkfifo(failure_cache.path)
    assert failure_cache.load() == {}
    failure_cache.save(KNOWN)
    assert failure_cache.load() == KNOWN


def test_old_files_are_deleted_when_another_is_written(failure_cache: FailureCache) -> None:
    failure_cache.save(KNOWN)
    old, index = (failure_cache.path.with_name(name) for name in ("old.errors", "old.index"))
    for path in (old, index):
        path.write_bytes(b"")
        os.utime(path, (0, 0))
    failure_cache.save(KNOWN)
    assert not old.exists() and index.exists() and failure_cache.load() == KNOWN


def test_loaded_failures_share_what_they_have_in_common(failure_cache: FailureCache) -> None:
    failure_cache.save({task_id(n): Failure(f"no {n}", code_text="f(b)") for n in range(1200)})
    loaded = failure_cache.load().values()
    assert len(loaded) == 1200
    assert len({id(each.template) for each in loaded}) == 1
    assert len({id(each.code_text) for each in loaded}) == 1


def test_fingerprint_of_a_recreated_folder_differs(tmp_path: Path) -> None:
    folder = write_task(tmp_path, task_id(1), "failure")
    tasks = tmp_path / "hipercow" / "tasks"
    before = folder_fingerprint(tasks, task_id(1))
    assert before and folder_fingerprint(tasks, task_id(1)) == before
    shutil.rmtree(folder)
    assert folder_fingerprint(tasks, task_id(1)) == b""
    write_task(tmp_path, task_id(1), "failure")
    assert folder_fingerprint(tasks, task_id(1)) not in (b"", before)


@pytest.mark.parametrize("when", [-1, 0, 2**62])
def test_fingerprint_of_a_folder_with_a_wrong_time_differs(tmp_path: Path, when: int) -> None:
    folder = write_task(tmp_path, task_id(1), "failure")
    before = folder_fingerprint(tmp_path / "hipercow" / "tasks", task_id(1))
    os.utime(folder, ns=(when, when))
    assert folder_fingerprint(tmp_path / "hipercow" / "tasks", task_id(1)) not in (b"", before)


@pytest.mark.parametrize("bad", ["", "../../x", "A" * 32, task_id(1) + "\n"])
def test_fingerprint_of_an_invalid_id_raises(tmp_path: Path, bad: str) -> None:
    with pytest.raises(ValueError, match="not a task id"):
        folder_fingerprint(tmp_path, bad)


texts = st.text(max_size=20)


def failure(message: str, warnings: str, what: str, inputs: Inputs, folder: bytes) -> Failure:
    return Failure(message, warnings, what, inputs, folder=folder)


several = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)
failures = st.builds(failure, texts, texts, texts, several, st.binary(min_size=24, max_size=24))


@given(st.dictionaries(st.integers(0, 99).map(task_id), failures, max_size=6))
@settings(max_examples=100, deadline=None)
def test_any_failures_are_loaded_as_they_were_saved(
    tmp_path_factory: pytest.TempPathFactory, known: dict[str, Failure]
) -> None:
    failure_cache = FailureCache(tmp_path_factory.mktemp("any") / "errors", b"key")
    failure_cache.save(known)
    found = failure_cache.load()
    assert found == known
    assert [one.message for one in found.values()] == [one.message for one in known.values()]
