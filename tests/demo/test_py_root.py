from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from demo_roots import NOW, fingerprint
from hipercow.bundle import bundle_load
from hipercow.task import task_info, task_last, task_list, task_recent

from hipercow_tui import demo, scan
from hipercow_tui.demo.py_root import write_python_root
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.py_details import read_task_details
from hipercow_tui.formats.root import find_root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_python_root(tmp_path, now=NOW)
    return tmp_path


def test_hipercow_reads_the_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    snapshot = scan(root)
    assert set(snapshot.tasks) == set(task_list()) == set(task_recent())
    assert task_last() == task_recent()[-1]
    for task_id, task in snapshot.tasks.items():
        said = task_info(task_id)
        assert (str(said.status), said.times.started) == (task.status, task.started)
        assert (said.times.created, said.times.finished) == (task.created, task.finished)
    for bundle in snapshot.bundles:
        assert bundle_load(bundle.name).task_ids == list(bundle.task_ids)


def test_the_root_has_every_status_and_bundles_in_folders(root: Path) -> None:
    snapshot = scan(root)
    statuses = Counter(task.status.value for task in snapshot.tasks.values())
    assert statuses.keys() == {"success", "failure", "running", "submitted"}
    assert statuses["failure"] >= 5 and len(snapshot.tasks) == 42
    assert {bundle.name for bundle in snapshot.bundles} > {"phylo/2026 spring", "figures"}
    shown = [read_task_details(find_root(root), task) for task in snapshot.tasks.values()]
    assert all(one.problem is None and one.envvars[1].secret for one in shown)
    errors = {one.error for one in shown if one.error}
    assert len(errors) >= 5
    assert all(re.fullmatch(r"ValueError: \w+: only \d+ sequences, 50 needed", e) for e in errors)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_python_root(tmp_path / name, seed=3, now=NOW)
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "b")
    assert all(path.stat().st_mtime <= NOW for path in tmp_path.rglob("*") if path.is_file())


def test_the_living_root_has_tasks_of_both_languages() -> None:
    with demo.living_root(60, 1) as root:
        tasks = scan(root).tasks.values()
        langs = Counter(task.lang for task in tasks)
        assert langs[Lang.PY] == 42 and langs[Lang.R] >= 60
        assert scan(root).problems == ()
