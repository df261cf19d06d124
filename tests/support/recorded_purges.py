"""Repeat the purges that the real ``hipercow_purge()`` made, and compare.

python recorded_purges.py FOLDER NUMBER...: repeat cases by their numbers, each in a copy of its
root, FOLDER/NUMBER.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hipercow_tui import BadFilterError, BlockedError, FilterError, PurgeError, purge

DATA = Path(__file__).resolve().parents[1] / "data" / "purge_cases"
CASES: list[dict[str, Any]] = json.loads((DATA / "cases.json").read_text("utf-8"))


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


def check_case(case: dict[str, Any], root: Path) -> None:
    """Purge a copy of the root of a case, and compare."""
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


if __name__ == "__main__":
    folder, *numbers = sys.argv[1:]
    for number in map(int, numbers):
        check_case(CASES[number], Path(folder, str(number)))
    sys.stdout.write(f"{len(numbers)} purges")
