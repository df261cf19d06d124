"""Purge a root by the command line, step by step, and print the files after each step as JSON.

python purge_journey.py ROOT BUNDLE: the bundle is pinned in between. Linux and Windows must print
the same.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from hipercow_tui.cli.main import main
from hipercow_tui.formats.root import find_root
from hipercow_tui.purging import list_trash, read_history

_BATCH_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4}")
_DIFFER = ("manifest.json", "alive")  # they name the process


def steps(root: str, bundle: str) -> Iterator[list[str]]:
    by_status = ["purge", root, "--with-status", "failure"]
    yield [*by_status, "--dry-run", "--json"]
    yield ["purge", root, "--in-bundle", "*", "--yes"]  # refused: a task of it is running
    yield ["purge", root, "--in-bundle", "*", "--skip-blocked", "--trash", "--yes"]
    yield ["trash", root]
    yield ["trash", root, "--restore", list_trash(find_root(root))[0].batch_id]
    yield ["pin", root, "--bundle", bundle, "--note", "figure"]
    yield [*by_status, "--yes"]
    yield ["unpin", root, "--bundle", bundle]
    yield [*by_status, "--trash", "--yes"]
    yield ["trash", root, "--empty", "--yes"]
    yield ["history", root]


def held(hipercow: Path) -> Iterator[tuple[str, str]]:
    """Yield what the root holds, without what differs from one run to the next."""
    for where, folders, files in os.walk(hipercow):
        for name in (*folders, *files):
            path = Path(where, name)
            shown = _BATCH_ID.sub("BATCH", path.relative_to(hipercow).as_posix())
            if shown.startswith("tui/history/"):
                continue
            same = path.is_file() and name not in _DIFFER and not shown.startswith("tui/pins/")
            yield shown, hashlib.sha256(path.read_bytes()).hexdigest() if same else ""


def run(argv: list[str]) -> tuple[int, str]:
    printed = io.StringIO()
    with redirect_stdout(printed):
        status = main(argv)
    return status, printed.getvalue()


def journey(where: str, bundle: str) -> dict[str, Any]:
    """Return what each step gave, and the history at the end."""
    root = find_root(where)
    taken = []
    for step in steps(where, bundle):
        status, printed = run(step)
        ids = [task["id"] for task in json.loads(printed)["tasks"]] if "--json" in step else []
        taken.append((step[0], status, ids, sorted(held(root.hipercow))))
    history = [(one.kind, one.tasks, one.bundles, one.bytes) for one in read_history(root)]
    return {"steps": taken, "history": history}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(journey(*sys.argv[1:])))
