"""Folders of demos that were killed are removed by the next demo, and nothing else is."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from small_root import tree

from hipercow_tui.demo import demo_folder
from hipercow_tui.demo.demo_folder import (
    make_demo_folder,
    remove_abandoned_folders,
    remove_demo_folder,
)
from hipercow_tui.purging.process_identity import ProcessIdentity, current_process
from hipercow_tui.support import filesystem


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder for temporary files, which is empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(scope="module")
def ended() -> ProcessIdentity:
    """Return the identity of a process of this machine that has ended."""
    script = (
        "import json; from hipercow_tui.purging.process_identity import current_process;"
        " print(json.dumps(current_process().as_json()))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    process = ProcessIdentity.from_json(json.loads(result.stdout))
    assert process is not None and process.is_gone
    return process


def left_by(process: ProcessIdentity) -> Path:
    folder = make_demo_folder()
    (folder / "sir-model/hipercow/tasks/ab").mkdir(parents=True)
    (folder / "sir-model/hipercow/tasks/ab/data").write_text("data")
    (folder / "demo.json").write_text(json.dumps({"hipercow-tui demo": process.as_json()}))
    return folder


def test_the_folder_of_a_killed_demo_is_removed(temporary: Path, ended: ProcessIdentity) -> None:
    left_by(ended)
    left_by(ended)
    remove_abandoned_folders()
    assert not list(temporary.iterdir())


def test_the_folder_of_a_running_demo_stays(temporary: Path) -> None:
    folder = left_by(current_process())
    before = tree(temporary)
    remove_abandoned_folders()
    assert tree(temporary) == before
    remove_demo_folder(folder)
    assert not list(temporary.iterdir())


def test_a_folder_that_is_read_for_a_moment_is_removed_later(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, errors = filesystem.remove_folder, [OSError(errno.ENOTEMPTY, "Directory not empty")]

    def remove_folder(name: str, folder: int) -> None:
        if errors:
            raise errors.pop()
        real(name, folder)

    monkeypatch.setattr(demo_folder, "remove_folder", remove_folder)
    remove_demo_folder(left_by(current_process()))
    assert not errors and not list(temporary.iterdir())


def test_a_removal_that_was_interrupted_is_continued(
    temporary: Path, ended: ProcessIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = left_by(ended)
    real = os.unlink
    removed: list[str] = []

    def interrupted(path: str, **kwargs: int) -> None:
        if removed:
            raise OSError("interrupted")
        removed.append(path)
        real(path, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", interrupted)
        remove_abandoned_folders()
    assert removed == ["data"] and (folder / "demo.json").exists()
    remove_abandoned_folders()
    assert not list(temporary.iterdir())


def other_machine(folder: Path) -> None:
    marker = json.loads((folder / "demo.json").read_text())
    marker["hipercow-tui demo"]["space"] = "another boot"
    (folder / "demo.json").write_text(json.dumps(marker))


def marker_is_a_link(folder: Path) -> None:
    (folder / "demo.json").rename(folder.parent / "marker")
    (folder / "demo.json").symlink_to(folder.parent / "marker")


def folder_is_a_link(folder: Path) -> None:
    folder.rename(folder.parent / "elsewhere")
    folder.symlink_to(folder.parent / "elsewhere")


ALTERATIONS: list[Callable[[Path], object]] = [
    other_machine,
    marker_is_a_link,
    folder_is_a_link,
    lambda folder: (folder / "demo.json").unlink(),
    lambda folder: (folder / "demo.json").write_text("[" * 100_000),
    lambda folder: (folder / "demo.json").write_text('{"hipercow-tui demo": {"pid": 1}}'),
    lambda folder: (folder / "demo.json").write_bytes(b"\xff\xfe"),
    lambda folder: folder.chmod(0o770),
    lambda folder: folder.rename(folder.parent / "hipercow-demo-mine"),
    lambda folder: folder.rename(folder.parent / "hipercow-demo-abcdefgh.old"),
]


@pytest.mark.parametrize("alter", ALTERATIONS)
def test_a_folder_that_is_not_certainly_abandoned_stays(
    temporary: Path, ended: ProcessIdentity, alter: Callable[[Path], object]
) -> None:
    alter(left_by(ended))
    before = tree(temporary)
    remove_abandoned_folders()
    assert tree(temporary) == before


def test_the_folder_of_another_user_stays(
    temporary: Path, ended: ProcessIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_by(ended)
    before = tree(temporary)
    monkeypatch.setattr(os, "getuid", lambda: 4242)
    remove_abandoned_folders()
    assert tree(temporary) == before


def test_links_in_a_folder_are_not_followed(
    temporary: Path, tmp_path: Path, ended: ProcessIdentity
) -> None:
    results = tmp_path / "results"
    results.mkdir()
    (results / "run.rds").write_text("precious")
    folder = left_by(ended)
    (folder / "link").symlink_to(results)
    (folder / "sir-model/link").symlink_to(results)
    remove_abandoned_folders()
    assert not list(temporary.iterdir())
    assert (results / "run.rds").read_text() == "precious"
