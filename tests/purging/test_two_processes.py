"""Two processes work in the same root at the same time."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from purge_checks import assert_purged_once
from purge_stage import (
    ALL,
    LONE,
    OTHER,
    bundles,
    folder_of,
    has_no_batches,
    in_place,
    paused_purge,
    plan_of,
    root_contents,
    run_script,
)
from purge_together import MORE, prepared
from small_root import tree

from hipercow_tui.cli.main import main
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import execute, finish, list_interrupted, list_trash, restore
from hipercow_tui.support.errors import PurgeError

ROUNDS = 24  # two for each pair of plans and modes


def test_two_concurrent_purges_take_each_item_once_and_lose_nothing(tmp_path: Path) -> None:
    model = prepared(tmp_path / "model")
    before = root_contents(model)
    contents = {identity: tree(folder_of(model, identity)) for identity in (*ALL, *MORE)}
    run_script("purge_together.py", str(tmp_path / "roots"), str(ROUNDS))
    shared = 0
    for number in range(ROUNDS):
        root = find_root(tmp_path / "roots" / str(number))
        reports = json.loads((tmp_path / "roots" / f"{number}.json").read_text())
        shared += assert_purged_once(root, reports, before, contents)
    assert shared > 0


@pytest.fixture
def at_work(root: Root) -> Iterator[subprocess.Popen[str]]:
    """A process that waits in the middle of a purge until its input is closed."""
    with paused_purge(root) as child:
        yield child


def test_a_purge_of_another_process_is_not_touched_and_offered_after_its_death(
    root: Root, at_work: subprocess.Popen[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (batch,) = list_trash(root)
    assert batch.in_use and not list_interrupted(root)
    for act in (restore, finish):
        with pytest.raises(PurgeError, match=rf"in use by .* process {at_work.pid}"):
            act(root, batch.batch_id)
    assert main(["list", str(root.path)]) == 0
    assert main(["trash", str(root.path)]) == 0
    assert main(["trash", str(root.path), "--empty", "--yes"]) == 0
    said = capsys.readouterr()
    assert "interrupted" not in said.out + said.err and batch.batch_id in said.out
    assert main(["trash", str(root.path), "--restore", batch.batch_id]) == 1
    assert "Stop that process" in capsys.readouterr().err
    assert len(list_trash(root)[0].tasks) == len(batch.tasks)

    at_work.send_signal(signal.SIGKILL)
    at_work.wait()
    assert [one.batch_id for one in list_interrupted(root)] == [batch.batch_id]
    main(["list", str(root.path)])
    assert f"trash --restore {batch.batch_id}" in capsys.readouterr().err
    assert main(["trash", str(root.path), "--restore", batch.batch_id]) == 0
    assert in_place(root) == set(ALL) and has_no_batches(root)


def test_a_purge_beside_a_suspended_one_harms_neither(
    root: Root, at_work: subprocess.Popen[str]
) -> None:
    moved = {identity for batch in list_trash(root) for identity in batch.tasks}
    report = execute(plan_of(root), root)
    assert LONE not in moved and LONE in report.removed and not moved & set(report.removed)
    at_work.communicate()
    assert at_work.returncode == 0
    assert in_place(root) == set() and has_no_batches(root)
    assert bundles(root) == {"solo": [OTHER]}  # the first purge took no task of it
