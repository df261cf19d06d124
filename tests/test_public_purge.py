"""``hipercow_tui.purge`` on random roots on disk, and its errors."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_root import IDS, NOW, task_id, tree, write_bundle, write_retries, write_task

import hipercow_tui
from hipercow_tui import (
    BadFilterError,
    BlockedError,
    NoFilterError,
    PurgeError,
    RootError,
    UnknownTasksError,
    purge,
)
from hipercow_tui.support.text import escape_controls

SOME = IDS[:8]
A, B, C = IDS[:3]
statuses = st.sampled_from(["created", "submitted", "running", "success", "failure", "cancelled"])
tasks = st.dictionaries(st.sampled_from(SOME), st.tuples(statuses, st.booleans()), max_size=6)
links = st.lists(st.tuples(*[st.sampled_from(SOME)] * 3), max_size=3)
bundles = st.dictionaries(
    st.sampled_from(["sweep_1", "sweep_2", "fit"]),
    st.lists(st.sampled_from(SOME), max_size=4),
    max_size=2,
)
filters = st.fixed_dictionaries(
    {},
    optional={
        "finished_before": st.sampled_from(["1 hour", "2100-01-01", "9 weeks"]),
        "with_status": st.lists(st.sampled_from(["created", "success", "failure", "cancelled"])),
        "in_bundle": st.sampled_from(["*", "sweep_?", ["*", "!fit"]]),
        "follow": st.booleans(),
        "skip_blocked": st.booleans(),
    },
).filter(lambda given: given.keys() & {"finished_before", "with_status", "in_bundle"})


@contextmanager
def root_of(
    made: dict[str, tuple[str, bool]],
    tied: list[tuple[str, str, str]],
    grouped: dict[str, list[str]],
) -> Iterator[Path]:
    root = Path(tempfile.mkdtemp())
    try:
        (root / "hipercow" / "tasks").mkdir(parents=True)
        for identity, (status, info) in made.items():
            write_task(root, identity, status, info=info)
        write_retries(root, tied)
        for name, ids in grouped.items():
            write_bundle(root, name, ids)
        yield root
    finally:
        shutil.rmtree(root)


def ids_in(root: Path) -> set[str]:
    return {path.parent.name + path.name for path in (root / "hipercow/tasks").glob("??/*")}


@given(tasks, links, bundles, filters)
@settings(max_examples=60, deadline=None)
def test_a_dry_run_changes_nothing_and_returns_what_a_purge_removes(
    made: dict[str, tuple[str, bool]],
    tied: list[tuple[str, str, str]],
    grouped: dict[str, list[str]],
    arguments: dict[str, Any],
) -> None:
    with root_of(made, tied, grouped) as root:
        before, ids = tree(root), ids_in(root)
        try:
            planned = purge(**arguments, dry_run=True, root=root)
        except PurgeError as refusal:
            assert tree(root) == before
            with pytest.raises(type(refusal)):
                purge(**arguments, root=root)
            assert ids_in(root) == ids
            return
        assert tree(root) == before
        assert set(purge(**arguments, root=root)) == set(planned) == ids - ids_in(root)
        retries = root / "hipercow" / "retry"
        assert retries.read_bytes() == before["hipercow/retry"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_task(tmp_path, A, "failure")
    write_task(tmp_path, B, "running")
    write_bundle(tmp_path, "mine", [A, B])
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, NoFilterError, "No filter selected"),
        ({"task_ids": [A, C]}, UnknownTasksError, "1 / 2 tasks do not exist"),
        ({"with_status": "failed"}, BadFilterError, "did you mean 'failure'"),
        ({"with_status": ["running"]}, BadFilterError, "task_cancel"),
        ({"finished_before": "soon"}, BadFilterError, "is not a time"),
        ({"in_bundle": "none"}, BadFilterError, "No bundle matches"),
        ({"in_bundle": "mine"}, BlockedError, "task_info"),
        ({"task_ids": B}, BlockedError, B),
        ({"task_ids": A, "lang": "c"}, BadFilterError, "lang can't be 'c'"),
        ({"task_ids": A, "lang": 5}, BadFilterError, "lang can't be '5'"),
        ({"task_ids": A, "lang": ["r"]}, BadFilterError, "lang can't be"),
        ({"task_ids": A, "follow": None}, BadFilterError, "follow takes True or False"),
        ({"task_ids": A, "skip_blocked": "no"}, BadFilterError, "skip_blocked takes True or"),
        ({"task_ids": A, "ignore_unreadable_bundles": "no"}, BadFilterError, "takes True or False"),
        ({"task_ids": 5}, BadFilterError, "task_ids takes a string or a list of strings"),
        ({"task_ids": A.encode()}, BadFilterError, "not bytes"),
        ({"task_ids": [A, 5]}, BadFilterError, "not list of int"),
        ({"task_ids": f"{A}\0"}, UnknownTasksError, "1 / 1 task does not exist"),
        ({"task_ids": A, "keep": 5}, BadFilterError, "keep takes a string or a list of strings"),
        ({"task_ids": A, "keep": [A, C]}, UnknownTasksError, "1 / 2 tasks do not exist"),
        ({"in_bundle": ["mine", None]}, BadFilterError, "in_bundle takes a string or"),
        ({"in_bundle": "mine\0"}, BadFilterError, "No bundle matches 'mine␀'"),
        ({"with_status": [1]}, BadFilterError, "with_status takes a string or"),
        ({"with_status": ["failed", "done"]}, BadFilterError, "'done': use one of"),
        ({"finished_before": b"9 days"}, BadFilterError, "can't be of type bytes"),
        ({"finished_before": 9}, BadFilterError, "can't be of type int"),
        ({"finished_before": "9\0 days"}, BadFilterError, "is not a time"),
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_refusals_are_purge_errors_and_delete_nothing(
    root: Path, arguments: dict[str, Any], error: type[PurgeError], message: str, dry_run: bool
) -> None:
    before = tree(root)
    with pytest.raises(error, match=message):
        purge(**arguments, dry_run=dry_run, root=root)
    assert tree(root) == before


def test_an_empty_list_is_a_filter_that_no_task_passes(root: Path) -> None:
    before = tree(root)
    assert purge([], root=root) == purge(A, with_status=[], root=root) == []
    assert purge(with_status=["failure"], in_bundle=[], root=root) == []
    assert tree(root) == before


def test_dry_run_that_is_not_a_bool_is_refused(root: Path) -> None:
    before = tree(root)
    for wrong in ("no", 0, None):
        with pytest.raises(BadFilterError, match="dry_run takes True or False, not"):
            purge(A, dry_run=wrong, root=root)  # type: ignore[arg-type]
    assert tree(root) == before


@pytest.mark.parametrize("root", ["a\0b", b"bytes", 5, ["x"], "\ud800", "x" * 5000, True])
def test_a_root_that_is_not_a_path_is_a_root_error(root: Any) -> None:
    for act in (lambda: hipercow_tui.scan(root), lambda: purge(A, root=root)):
        with pytest.raises(RootError, match="look for a hipercow root") as caught:
            act()
        assert escape_controls(str(caught.value)) == str(caught.value)


def test_a_missing_root_is_a_root_error(tmp_path: Path) -> None:
    with pytest.raises(RootError, match="Couldn't find hipercow root"):
        purge(with_status="failure", root=tmp_path)


def test_a_folder_without_data_is_purged_only_by_its_id(root: Path) -> None:
    bare = task_id(99)
    (root / "hipercow" / "tasks" / bare[:2] / bare[2:]).mkdir(parents=True)
    assert purge(with_status=["created", "failure"], in_bundle=None, root=root) == [A]
    assert purge(bare, root=root) == [bare]
    assert ids_in(root) == {B}


def test_a_root_that_cannot_be_purged_is_refused(root: Path) -> None:
    real = root / "elsewhere"
    (root / "hipercow" / "bundles").rename(real)
    (root / "hipercow" / "bundles").symlink_to(real)
    with pytest.raises(PurgeError, match="symbolic link"):
        purge(A, root=root)
    assert A in hipercow_tui.scan(root).tasks


def test_times_are_those_in_the_files(root: Path) -> None:
    task = hipercow_tui.scan(root).tasks[A]
    assert task.created is not None and task.finished is not None
    assert task.started == task.created + 60 and task.created < task.finished < NOW


def test_purge_keeps_whole_chains_and_returns_their_ids(tmp_path: Path) -> None:
    root = tmp_path
    for identity in (A, B, C):
        write_task(root, identity, "failure")
    write_retries(root, [(B, A, A)])
    write_bundle(root, "both", [A, C])
    write_bundle(root, "first", [A])
    before = tree(root)
    for keep in (A, [B], (A, B)):
        planned = purge([A, C], keep=keep, dry_run=True, root=root)
        assert planned == [C] and tree(root) == before
    purged = purge([A, C], keep=B, root=root)
    assert purged == [C]
    left = hipercow_tui.scan(root)
    assert {A, B} <= left.tasks.keys() and C not in left.tasks
    assert [bundle.name for bundle in left.bundles] == ["first"]


def test_running_task_that_is_kept_does_not_block(root: Path) -> None:
    with pytest.raises(BlockedError):
        purge([A, B], dry_run=True, root=root)
    assert purge([A, B], keep=B, dry_run=True, root=root) == [A]
