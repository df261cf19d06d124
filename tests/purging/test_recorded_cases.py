"""Ten random roots that the real ``hipercow_purge()`` purged: this app takes the same tasks."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import DATA, unpack

from hipercow_tui import BadFilterError, BlockedError, FilterError, PurgeError, purge

CASES: list[dict[str, Any]] = json.loads((DATA / "purge_cases" / "cases.json").read_text("utf-8"))
NAMES = sorted({case["root"] for case in CASES})


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("recorded")
    unpack(DATA / "purge_cases" / "roots.tar.gz", where)
    return where / "roots"


def tasks_in(root: Path) -> set[str]:
    return {path.parent.name + path.name for path in (root / "hipercow/tasks").glob("??/*")}


def bundles_in(root: Path) -> set[str]:
    return {path.name for path in (root / "hipercow/bundles").glob("*")}


def asked(args: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of ``purge`` for a recorded call of R. R follows retries only in some
    calls, and its times are in seconds."""
    kwargs = dict(args)
    if "finished_before" in kwargs:
        kwargs["finished_before"] = datetime.fromtimestamp(kwargs["finished_before"], UTC)
    kwargs["follow"] = not (kwargs.keys() & {"task_ids", "in_bundle"})
    return kwargs


def attempt(args: dict[str, Any], root: Path, *, dry_run: bool) -> list[str] | PurgeError:
    try:
        return purge(**asked(args), dry_run=dry_run, root=root)
    except BadFilterError as error:
        # R purges nothing, without an error, if no bundle matches.
        return [] if "No bundle matches" in str(error) else error
    except PurgeError as error:
        return error


def test_recorded_cases_exist() -> None:
    assert len(CASES) == 240


@pytest.mark.parametrize("name", NAMES)
def test_a_purge_removes_the_recorded_tasks_and_bundles(
    name: str, recorded: Path, tmp_path: Path
) -> None:
    for number, case in enumerate(case for case in CASES if case["root"] == name):
        root = tmp_path / f"{number}"
        shutil.copytree(recorded / name, root, copy_function=shutil.copy2)
        tasks, bundles = tasks_in(root), bundles_in(root)

        foretold = attempt(case["args"], root, dry_run=True)
        assert (tasks_in(root), bundles_in(root)) == (tasks, bundles), case
        done = attempt(case["args"], root, dry_run=False)

        gone, bundles_gone = tasks - tasks_in(root), bundles - bundles_in(root)
        if case["error"]:
            assert isinstance(foretold, BlockedError | FilterError), case
            assert type(done) is type(foretold), case
            assert not gone and not bundles_gone, case
        else:
            assert gone == set(case["deleted"]), case
            assert bundles_gone == set(case["bundles"]), case
            assert isinstance(foretold, list) and isinstance(done, list), case
            assert set(foretold) == set(done) == gone, case
        shutil.rmtree(root)
