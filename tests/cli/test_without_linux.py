"""The commands give the same without what only Linux has (see ``without_linux``)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from purge_stage import (
    ALL,
    has_no_batches,
    in_place,
    make_root,
    paused_purge,
    root_contents,
    run_script,
)

from hipercow_tui.formats.root import Root
from hipercow_tui.purging import list_trash

WITHOUT = Path(run_script.__code__.co_filename).with_name("without_linux.py")


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return make_root(tmp_path)


def run(*words: object, without: bool = True) -> str:
    program = [WITHOUT] if without else ["-m", "hipercow_tui"]
    done = subprocess.run(
        [sys.executable, *map(str, (*program, *words)), "--json"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_purge_an_undo_and_all_that_reads_are_the_same_without_linux(root: Root) -> None:
    for words in (("list", root.path, "--details"), ("space", root.path), ("errors", root.path)):
        assert run(*words) == run(*words, without=False)
    before = root_contents(root)
    purged = run("purge", root.path, "--with-status", "failure", "--trash", "--yes")
    assert len(json.loads(purged)["tasks"]) == len(ALL)
    (batch,) = list_trash(root)
    assert batch.confirmed_by is not None and batch.confirmed_by.space.startswith("1C5A7E4B-")
    run("trash", root.path, "--restore", batch.batch_id)
    assert root_contents(root) == before and has_no_batches(root)


def test_a_dead_owner_is_detected_at_once_without_linux(root: Root) -> None:
    with paused_purge(root, "purge_paused_without_linux.py") as child:
        child.send_signal(signal.SIGKILL)
        child.wait()
    (batch,) = list_trash(root)
    run("trash", root.path, "--restore", batch.batch_id)
    assert in_place(root) == set(ALL) and has_no_batches(root)
