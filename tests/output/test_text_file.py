"""An export is written completely or not at all, and never below the root's own folder."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from inputs_case import real, write_inputs
from small_root import task_id

from hipercow_tui.domain.task import Task
from hipercow_tui.formats.root import find_root
from hipercow_tui.output.inputs_export.writers import Format
from hipercow_tui.output.text_file import write_lines
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support.errors import ExportError
from hipercow_tui.ui.workers.inputs_job import InputsTarget, _join, export_inputs


@pytest.fixture
def hipercow(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / "hipercow"
    (folder / "tasks").mkdir(parents=True)
    return folder


def test_write_lines_makes_a_new_file(hipercow: Path) -> None:
    path = hipercow.parent / "a.csv"
    assert write_lines(path, ["é", "b"], hipercow, replace=False) == 5
    assert path.read_bytes() == b"\xc3\xa9\nb\n"


def test_write_lines_replaces_a_file_only_if_told(hipercow: Path) -> None:
    path = hipercow.parent / "a.csv"
    path.write_text("before")
    with pytest.raises(ExportError, match="exists already and is not replaced"):
        write_lines(path, ["after"], hipercow, replace=False)
    assert path.read_text() == "before"
    write_lines(path, ["after"], hipercow, replace=True)
    assert path.read_text() == "after\n"
    assert sorted(hipercow.parent.iterdir()) == [path, hipercow]


@pytest.mark.parametrize("replace", [False, True])
def test_write_lines_that_fails_leaves_the_folder_as_it_was(hipercow: Path, replace: bool) -> None:
    path = hipercow.parent / "a.csv"
    if replace:
        path.write_text("before")

    def lines() -> Iterator[str]:
        yield "first"
        raise OSError(28, "No space left on device")

    before = sorted(hipercow.parent.iterdir())
    with pytest.raises(ExportError, match="can't be written: No space left on device"):
        write_lines(path, lines(), hipercow, replace=replace)
    assert sorted(hipercow.parent.iterdir()) == before
    assert not replace or path.read_text() == "before"


@pytest.mark.parametrize("name", ["hipercow/a.csv", "hipercow/tasks/a.csv", "link/a.csv"])
def test_write_lines_refuses_the_folder_of_the_root(hipercow: Path, name: str) -> None:
    (hipercow.parent / "link").symlink_to(hipercow / "tasks")
    with pytest.raises(ExportError, match="in the root's own folder"):
        write_lines(hipercow.parent / name, ["a"], hipercow, replace=False)
    assert not list(hipercow.rglob("*.csv"))


@pytest.mark.parametrize(("name", "said"), [("gone/a.csv", "No such file"), ("", "is a folder")])
def test_write_lines_names_what_is_wrong_with_a_path(hipercow: Path, name: str, said: str) -> None:
    with pytest.raises(ExportError, match=said):
        write_lines(hipercow.parent / name, ["a"], hipercow, replace=True)


def test_export_that_is_stopped_writes_no_file(tmp_path: Path) -> None:
    for number in range(3):
        write_inputs(tmp_path, task_id(number), "success", {"x": real(0.5)})
    root, path, stop = find_root(tmp_path), tmp_path / "a.csv", threading.Event()
    tasks = list(read_root(root).tasks.values())

    class Stopping(list[Task]):
        def __iter__(self) -> Iterator[Task]:
            yield from tasks
            stop.set()
            yield tasks[0]

    target = InputsTarget(Format.CSV, path)
    assert export_inputs(root, Stopping(tasks), target, print, stop) is None
    assert not path.exists()
    stop.clear()
    result = export_inputs(root, tasks, target, print, stop)
    assert result is not None
    assert (result.rows, result.columns, result.text) == (3, 8, "")
    assert result.size == path.stat().st_size


def test_a_text_that_is_too_large_for_the_clipboard_is_not_kept() -> None:
    whole = _join(["a", "ä"], 5)
    assert whole == ("a\nä\n", 5)
    assert _join(["a", "ä"], 4) == ("", 5)
