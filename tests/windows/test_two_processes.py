"""Two processes on Windows work in the same root at the same time."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from subprocess import Popen

from purge_checks import assert_purged_once
from purge_stage import ALL, folder_of, root_contents
from purge_together import MORE, SOME_PAIRS, prepared
from small_root import tree
from windows_rig import Windows

from hipercow_tui.formats.root import find_root

SCRIPT = Path(__file__).parents[1] / "support" / "purge_together.py"


def line_of(process: Popen[str]) -> str:
    assert process.stdout is not None and process.stderr is not None
    return process.stdout.readline() or process.stderr.read()


def start_round(process: Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def test_two_concurrent_purges_take_each_item_once_and_lose_nothing(
    windows: Windows, tmp_path: Path
) -> None:
    model = prepared(tmp_path / "model")
    before = root_contents(model)
    contents = {identity: tree(folder_of(model, identity)) for identity in (*ALL, *MORE)}
    for number in range(len(SOME_PAIRS)):
        shutil.copytree(model.path, tmp_path / str(number), copy_function=shutil.copy2)
    words = (windows.path(SCRIPT), windows.path(tmp_path))
    shared = 0
    with windows.start(*words, "first") as first, windows.start(*words, "second") as second:
        for number in range(len(SOME_PAIRS)):
            assert [line_of(one) for one in (first, second)] == ["ready\n"] * 2
            start_round(first)
            start_round(second)
            reports = [json.loads(line_of(one)) for one in (first, second)]
            root = find_root(tmp_path / str(number))
            shared += assert_purged_once(root, reports, before, contents)
    assert shared > 0
