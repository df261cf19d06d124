"""Purge, trash, undo and recovery on Windows: the same as on Linux."""

from __future__ import annotations

import json
import shutil
import signal
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from conftest import unpack
from purge_checks import Contents, assert_nothing_lost, assert_restored
from purge_journey import journey
from purge_stage import (
    ALL,
    BASE,
    CHAIN,
    LONE,
    OTHER,
    folder_of,
    has_no_batches,
    in_place,
    make_root,
    plan_of,
    root_contents,
)
from py_stage import FAILED, R_TASK, RECENT, make_both
from recorded_purges import CASES, DATA
from small_root import task_id, tree, write_bundle, write_task
from windows_rig import Windows

from hipercow_tui.formats.root import find_root
from hipercow_tui.purging import BatchState, list_trash, move_to_trash

Files: TypeAlias = dict[str, bytes | None]

SUPPORT = Path(__file__).parents[1] / "support"


def run(windows: Windows, script: str, *arguments: str | Path) -> str:
    """Run a script of ``tests/support`` on Windows. Return its output."""
    shown = [windows.path(one) if isinstance(one, Path) else one for one in arguments]
    done = windows.run(windows.path(SUPPORT / script), *shown, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def copy_root(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=shutil.copy2)


def make_root_with_running_task(where: Path) -> Path:
    make_root(where)
    write_task(where, task_id(7), "running")
    write_task(where, task_id(8), "success")
    write_bundle(where, "busy", [task_id(7), task_id(8)])
    return where


def unpack_recorded_root(where: Path) -> Path:
    """Unpack the root that hipercow recorded, with a running task in its bundle mybundle."""
    unpack(DATA.parent / "sir-model.tar.gz", where)
    root = find_root(where / "sir-model")
    first = (root.bundles / "mybundle").read_text().split()[0]
    (folder_of(root, first) / "status-success").unlink()
    return root.path


@pytest.mark.parametrize("bundle", ["sweep", "mybundle"])
def test_each_step_leaves_the_same_files_as_on_linux(
    windows: Windows, tmp_path: Path, bundle: str
) -> None:
    """In a small root and in the recorded one, both with a running task."""
    on_linux, on_windows = tmp_path / "linux", tmp_path / "windows"
    if bundle == "mybundle":
        on_linux = unpack_recorded_root(on_linux)
    else:
        make_root_with_running_task(on_linux)
    copy_root(on_linux, on_windows)
    expected = json.loads(json.dumps(journey(str(on_linux), bundle)))
    found = json.loads(run(windows, "purge_journey.py", on_windows, bundle))
    assert found == expected and len(expected["steps"]) > 10


@pytest.mark.parametrize("first", range(2))
def test_recorded_purges_remove_the_same_tasks(
    windows: Windows, tmp_path: Path, first: int
) -> None:
    """All of them, in two halves that can run at the same time."""
    unpack(DATA / "roots.tar.gz", tmp_path)
    numbers = range(first, len(CASES), 2)
    for number in numbers:
        copy_root(tmp_path / "roots" / CASES[number]["root"], tmp_path / str(number))
    printed = run(windows, "recorded_purges.py", tmp_path, *map(str, numbers))
    assert printed == f"{len(numbers)} purges"


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return root_contents(make_root(tmp_path_factory.mktemp("before")))


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    root = make_root(tmp_path_factory.mktemp("model"))
    return {i: tree(folder_of(root, i)) for i in ALL}


@pytest.mark.parametrize("action", ["purge", "restore", "empty"])
def test_an_action_whose_process_is_terminated_after_any_change_is_recovered(
    windows: Windows, tmp_path: Path, before: Files, contents: Contents, action: str
) -> None:
    template = make_root(tmp_path / "template")
    if action != "purge":
        move_to_trash(plan_of(template), template)
    for last in count():
        path = tmp_path / "roots" / str(last)
        copy_root(template.path, path)
        arguments = ("die", windows.path(path), action, str(last))
        done = windows.run(windows.path(SUPPORT / "windows_killer.py"), *arguments)
        if done.returncode == 0:  # it has ended by itself
            break
        assert done.returncode == signal.SIGTERM, done.stderr
    paths = [tmp_path / "roots" / str(step) for step in range(last + 1)]
    states = [assert_nothing_lost(path, contents) for path in paths]
    erased = json.loads(run(windows, "windows_killer.py", "recover", tmp_path / "roots"))
    for step, (path, state, gone) in enumerate(zip(paths, states, erased, strict=True)):
        root = find_root(path)
        restored = root_contents(root) == before
        if step % 2:  # finished, if there was anything to finish
            in_trash = [one.state for one in list_trash(root)] == [BatchState.TRASH]
            assert restored or not in_place(root)
            assert has_no_batches(root) or (in_trash and state == "whole")
        elif gone:
            assert_restored(root, before, set(gone))
        else:
            assert (restored or state == "finished") and has_no_batches(root)
    assert last > 15


def purges_in(windows: Windows, where: Path, condition: str) -> list[Any]:
    """Return the results of the purges in a condition; see windows_purges.py."""
    found: list[Any] = json.loads(run(windows, "windows_purges.py", where, condition))
    return found


def test_what_another_program_has_open_stays_and_is_reported(
    windows: Windows, tmp_path: Path, contents: Contents
) -> None:
    root = make_root(tmp_path)
    bundle, folder, file, later = purges_in(windows, tmp_path, "open")
    reason = "it is open in another program"
    assert [name for name, _ in bundle[1]] == [OTHER, "solo"] and not bundle[0]
    assert bundle[1][1] == ["solo", f"it can't be moved: {reason}"]
    assert not folder[0] and [BASE, f"it can't be moved: {reason}"] in folder[1]
    assert not file[0] and file[1][0][1].endswith(reason)  # Windows refuses to move it before
    assert later == [list(CHAIN), []]
    assert tree(folder_of(root, OTHER)) == contents[OTHER]


def test_no_junction_is_followed(windows: Windows, tmp_path: Path, contents: Contents) -> None:
    root = make_root(tmp_path)
    tasks, bundles, tui, shard, task, erasing = purges_in(windows, tmp_path, "junctions")
    for (sentence,), name in ((tasks, "tasks"), (bundles, "bundles"), (tui, "tui")):
        assert f"hipercow\\{name} is a symbolic link or not a folder" in sentence
    link = "is a link or a junction, which is not followed"
    assert shard == [[], [[LONE, f"it can't be moved: {link}"], ["sweep", "all of its tasks stay"]]]
    assert task == [[], [[LONE, "it is not a folder"], ["sweep", "all of its tasks stay"]]]
    ((name, reason),) = erasing[1]
    assert not erasing[0] and name == LONE and reason.endswith(link)
    (left,) = root.hipercow.glob(f"tui/*/erasing/{LONE}")
    assert tree(left) == contents[LONE]


def test_the_list_of_recent_tasks_of_python_follows(windows: Windows, tmp_path: Path) -> None:
    make_both(tmp_path)
    in_trash, restored, purged, left = purges_in(windows, tmp_path, "python")
    assert set(in_trash) == set(RECENT) - set(FAILED) and restored == sorted(RECENT)
    assert purged == [sorted((R_TASK, *FAILED)), []] and left == in_trash


def test_paths_of_more_than_260_characters(windows: Windows, tmp_path: Path) -> None:
    where = tmp_path / ("x" * 80) / ("y" * (135 - len(str(tmp_path))))
    make_root(where)
    (length, in_place), restored, emptied = purges_in(windows, where, "long")
    assert length > 260 and in_place == [] and restored == list(ALL)
    assert emptied == [list(ALL), []]


def test_bundles_with_names_that_differ_only_by_case_are_one_file(
    windows: Windows, tmp_path: Path
) -> None:
    make_root(tmp_path)
    shown, of_task, moved, refused, kept, restored, after, purged = purges_in(
        windows, tmp_path, "case"
    )
    sweep = ["sweep", [BASE, LONE]]
    assert shown == ["solo", "sweep"] and of_task == [["solo"]] and moved == ["solo"]
    assert refused == [["solo", "it can't be put back: something else already exists there"]]
    assert kept == [["Solo", [LONE]], sweep] and restored == ["solo"]
    assert after == [["solo", [OTHER]], sweep] and purged == [[OTHER], []]


def test_file_functions(windows: Windows, tmp_path: Path) -> None:
    assert len(json.loads(run(windows, "windows_files.py", tmp_path))) == 12
