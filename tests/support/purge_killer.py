"""Purge roots in processes that are killed in the middle.

python purge_killer.py FOLDER ACTION steps: in FOLDER/0, FOLDER/1, … a process is killed before
the first system call that changes something, before the second, …, until one ends by itself.
python purge_killer.py FOLDER ACTION seconds N SEED: kills N processes at random moments.

ACTION is purge, four (of four chains at a time), full (a purge on a disk without space for a
folder), trash, check (the check before the question), restore, taken (a restore with the place of a
task taken) or empty. The last three act on a root with its tasks in the trash. With "both:" before
it, the roots are of R and Python.
"""

from __future__ import annotations

import errno
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from purge_stage import LONE, folder_of, list_entries, make_root, plan_of
from py_stage import make_both

from hipercow_tui.formats.root import Root
from hipercow_tui.purging import empty, execute, move_to_trash, preflight, recent_list, restore

CALLS = ("rename", "unlink", "rmdir", "mkdir", "link", "open", "write", "utime", "fchmod")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def die_at(step: int, *, full: bool) -> None:
    """Kill this process before call number ``step`` that changes something."""
    made, really_open = 0, os.open
    if full:
        fill_the_disk()

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal made
            if real is not really_open or args[1] & _WRITING:
                if made == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                made += 1
            return real(*args, **kwargs)

        return call

    for name in CALLS:
        setattr(os, name, dying(getattr(os, name)))


def fill_the_disk() -> None:
    def mkdir(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    os.mkdir = mkdir  # this process is killed soon


def prepare_action(action: str, root: Root) -> Callable[[], object]:
    """Return the action as a function, after all its preparations."""
    plan = plan_of(root)
    if action in ("purge", "full", "four"):
        return lambda: execute(plan, root, jobs=4 if action == "four" else 1)
    if action == "trash":
        return lambda: move_to_trash(plan, root)
    if action == "check":
        return lambda: preflight(plan, root)
    batch_id = str(move_to_trash(plan, root).trash)
    if action == "taken":
        folder_of(root, LONE).mkdir(parents=True)
        return lambda: restore(root, batch_id)
    return (
        (lambda: restore(root, batch_id))
        if action == "restore"
        else (lambda: empty(root, list_entries(root, batch_id)))
    )


def in_child(act: Callable[[], object], prepare: Callable[[], None] = lambda: None) -> int:
    child = os.fork()
    if child == 0:
        try:
            prepare()
            act()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child


def wait_for_end(child: int) -> int:
    """Wait for a child. Return 0 if it ended by itself, or the negative signal. Fail after an
    error."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL), code
    return code


def by_steps(where: Path, action: str) -> None:
    languages, _, action = action.rpartition(":")
    make = make_both if languages == "both" else make_root
    for step in range(1000):
        act = prepare_action(action, make(where / str(step)))
        child = in_child(act, partial(die_at, step, full=action == "full"))
        if wait_for_end(child) == 0:
            break


def by_seconds(where: Path, action: str, rounds: int, seed: int) -> None:
    moments = random.Random(seed)
    longest = 0.0
    for number in range(rounds + 1):
        act = prepare_action(action, make_root(where / str(number)))
        began = time.perf_counter()
        child = in_child(act)
        if number > 0:  # the first one is not killed: it shows how long the action takes
            time.sleep(moments.uniform(0, longest))
            os.kill(child, signal.SIGKILL)
        wait_for_end(child)
        longest = longest or time.perf_counter() - began


if __name__ == "__main__":
    recent_list.APPEND_GRACE = 0.0  # there are no other writers
    if sys.argv[3] == "steps":
        by_steps(Path(sys.argv[1]), sys.argv[2])
    else:
        by_seconds(Path(sys.argv[1]), sys.argv[2], int(sys.argv[4]), int(sys.argv[5]))
