"""Purge roots on Windows, and let the process die at a call that changes something.

python windows_killer.py steps FOLDER ACTION: in the roots FOLDER/0, FOLDER/1, … everything ends
after no change, after one, … until an action ends by itself. The number of its root is printed. The
process goes on, but the action can change nothing any more.
python windows_killer.py die ROOT ACTION STEP: this process is terminated there.
python windows_killer.py recover FOLDER: restore what died in FOLDER/0, FOLDER/2, …, and finish what
died in the others. Prints as JSON a list for each: the ids of the tasks that were erased before.

ACTION is purge, restore or empty. The last two act on roots with their tasks in the trash.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

from purge_stage import age_heartbeats, plan_of

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import empty, execute, finish, list_trash, restore

nt: Any = import_module("hipercow_tui.support.filesystem.nt")


class Death(BaseException):
    """Ends an action at each call that changes something, from one of them on."""


def die_after(step: int, die: Callable[[], object]) -> Any:
    """Call ``die`` after ``step`` changes, and then instead of every further one. Returns a context
    manager."""
    made = 0

    def dying(real: Callable[..., int], failed: Callable[..., bool]) -> Callable[..., int]:
        def call(*args: Any, **kwargs: Any) -> int:
            nonlocal made
            opens = real is open_handle and kwargs.get("disposition", nt.FILE_OPEN) == nt.FILE_OPEN
            if made >= step and not opens:
                die()
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


@cache
def _plan_of_first(path: Path) -> PurgePlan:
    """Return the plan for the first root: it is that of its copies too."""
    return plan_of(find_root(path))


def prepare_action(action: str, root: Root) -> Callable[[], object]:
    if action == "purge":
        plan = replace(_plan_of_first(root.path.parent / "0"), root=root.path)
        return lambda: execute(plan, root)
    (entry,) = list_trash(root)
    if action == "restore":
        return lambda: restore(root, entry.batch_id)
    return lambda: empty(root, [entry])


def by_steps(where: Path, action: str) -> int:
    """Return the number of the root in which the action ended by itself."""
    for step in count():
        act = prepare_action(action, find_root(where / str(step)))
        try:
            with die_after(step, raise_death):
                act()
        except Death:
            continue
        return step
    raise AssertionError("there is no end")


def raise_death() -> None:
    raise Death


def recover(where: Path) -> list[list[str]]:
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
    if what == "steps":
        sys.stdout.write(str(by_steps(Path(where), *more)))
    elif what == "die":
        action, step = more
        act = prepare_action(action, find_root(where))
        with die_after(int(step), lambda: os.kill(os.getpid(), signal.SIGTERM)):
            act()
    else:
        sys.stdout.write(json.dumps(recover(Path(where))))
