"""Purge roots on Windows, and let the process die at a call that changes something.

python windows_killer.py die ROOT ACTION STEP: the process is terminated after so many changes.
python windows_killer.py recover FOLDER: restore what died in FOLDER/0, FOLDER/2, …, and finish what
died in the others. Prints as JSON a list for each: the ids of the tasks that were erased before.

ACTION is purge, restore or empty. The last two act on roots with their tasks in the trash.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hipercow_tui.domain.filters import FilterStack, WithStatus
from hipercow_tui.domain.plan import make_plan
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import empty, execute, finish, list_trash, restore
from hipercow_tui.scanning.scanner import read_root

nt: Any = import_module("hipercow_tui.support.filesystem.nt")


def die_after(step: int) -> Any:
    """Terminate this process instead of the change after ``step`` others. Returns a context
    manager."""
    made = 0

    def dying(real: Callable[..., int], failed: Callable[..., bool]) -> Callable[..., int]:
        def call(*args: Any, **kwargs: Any) -> int:
            nonlocal made
            opens = real is open_handle and kwargs.get("disposition", nt.FILE_OPEN) == nt.FILE_OPEN
            if made >= step and not opens:
                os.kill(os.getpid(), signal.SIGTERM)
            result: int = real(*args, **kwargs)
            if opens:
                return result
            made += not failed(result)
            return result

        return call

    open_handle = nt.open_handle
    return patch.multiple(
        nt,
        open_handle=dying(open_handle, lambda handle: False),
        set_information=dying(nt.set_information, bool),
    )


def prepare_action(action: str, root: Root) -> Callable[[], object]:
    if action == "purge":
        filters = FilterStack(with_status=WithStatus.for_purge(["failure"]))
        plan = make_plan(read_root(root), filters, now=time.time())
        return lambda: execute(plan, root)
    (entry,) = list_trash(root)
    if action == "restore":
        return lambda: restore(root, entry.batch_id)
    return lambda: empty(root, [entry])


def recover(where: Path) -> list[list[str]]:
    from purge_stage import age_heartbeats  # it imports pytest, which takes two seconds under Wine

    erased = []
    for step in range(len(list(where.iterdir()))):
        root = find_root(where / str(step))
        age_heartbeats(root)
        gone: list[str] = []
        for entry in list_trash(root):
            if step % 2 == 0:
                gone += restore(root, entry.batch_id).missing_ids
            elif entry.interrupted:
                finish(root, entry.batch_id)
        erased.append(gone)
    return erased


if __name__ == "__main__":
    what, where, *more = sys.argv[1:]
    if what == "die":
        action, step = more
        act = prepare_action(action, find_root(where))
        with die_after(int(step)):
            act()
    else:
        sys.stdout.write(json.dumps(recover(Path(where))))
