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


def memory_of(where: Path) -> FailureCache:
    cache = FailureCache.of(find_root(where))
    assert cache is not None
    return cache


@pytest.fixture
def memory(tmp_path: Path) -> FailureCache:
    (tmp_path / "project" / "hipercow").mkdir(parents=True)
    return memory_of(tmp_path / "project")


def test_what_was_read_is_remembered(memory: FailureCache, cache: Path) -> None:
    assert memory.load() == {}
    memory.save(KNOWN)
    assert memory.load() == KNOWN
    memory.save({task_id(1): ONE})
    assert memory.load() == {task_id(1): ONE}
    assert cache in memory.path.parents
    assert os.listdir(memory.path.parent) == [memory.path.name]
    assert memory.path.stat().st_mode & 0o77 == 0


def test_what_could_not_be_read_is_not(memory: FailureCache) -> None:
    memory.save({**KNOWN, task_id(3): Failure("", problem="gone")})
    assert memory.load() == KNOWN


def test_another_root_in_the_same_place_is_not_taken_for_it(
    memory: FailureCache, tmp_path: Path
) -> None:
    memory.save(KNOWN)
    (tmp_path / "project").rename(tmp_path / "elsewhere")
    (tmp_path / "project" / "hipercow").mkdir(parents=True)
    assert memory_of(tmp_path / "project").path == memory.path
    assert memory_of(tmp_path / "project").load() == {}
    assert memory_of(tmp_path / "elsewhere").load() == {}


def test_damage_anywhere_is_as_good_as_none(memory: FailureCache) -> None:
    memory.save(KNOWN)
    whole = memory.path.read_bytes()
    random.seed(3)
    for _ in range(300):
        raw = bytearray(whole)
        raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
        memory.path.write_bytes(raw)
        assert memory.load() == {}
    for end in range(len(whole)):
        memory.path.write_bytes(whole[:end])
        assert memory.load() == {}


def test_where_it_cannot_be_written_nothing_happens(memory: FailureCache, cache: Path) -> None:
    cache.write_text("in the way")
    memory.save(KNOWN)
    assert memory.load() == {}


def test_a_pipe_in_its_place_blocks_nobody(memory: FailureCache) -> None:
    memory.path.parent.mkdir(parents=True)
    os.mkfifo(memory.path)
    assert memory.load() == {}
    memory.save(KNOWN)
    assert memory.load() == KNOWN


def test_a_folder_that_was_made_anew_is_another(tmp_path: Path) -> None:
    folder = write_task(tmp_path, task_id(1), "failure")
    tasks = tmp_path / "hipercow" / "tasks"
    before = folder_fingerprint(tasks, task_id(1))
    assert before and folder_fingerprint(tasks, task_id(1)) == before
    shutil.rmtree(folder)
    assert folder_fingerprint(tasks, task_id(1)) == b""
    write_task(tmp_path, task_id(1), "failure")
    assert folder_fingerprint(tasks, task_id(1)) not in (b"", before)


@pytest.mark.parametrize("when", [-1, 0, 2**62])
def test_a_clock_that_is_wrong_makes_an_identity_too(tmp_path: Path, when: int) -> None:
    folder = write_task(tmp_path, task_id(1), "failure")
    before = folder_fingerprint(tmp_path / "hipercow" / "tasks", task_id(1))
    os.utime(folder, ns=(when, when))
    assert folder_fingerprint(tmp_path / "hipercow" / "tasks", task_id(1)) not in (b"", before)


@pytest.mark.parametrize("bad", ["", "../../x", "A" * 32, task_id(1) + "\n"])
def test_no_path_is_built_from_what_is_no_id(tmp_path: Path, bad: str) -> None:
    with pytest.raises(ValueError, match="not a task id"):
        folder_fingerprint(tmp_path, bad)


texts = st.text(max_size=20)


def failure(message: str, warnings: str, what: str, inputs: Inputs, folder: bytes) -> Failure:
    return Failure(message, warnings, what, inputs, folder=folder)


several = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)
failures = st.builds(failure, texts, texts, texts, several, st.binary(min_size=24, max_size=24))


@given(st.dictionaries(st.integers(0, 99).map(task_id), failures, max_size=6))
@settings(max_examples=100, deadline=None)
def test_anything_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, known: dict[str, Failure]
) -> None:
    memory = FailureCache(tmp_path_factory.mktemp("any") / "errors", b"key")
    memory.save(known)
    found = memory.load()
    assert found == known
    assert [one.message for one in found.values()] == [one.message for one in known.values()]
