"""Purges roots in processes that die on the way.

python purge_killer.py FOLDER steps: in FOLDER/0, FOLDER/1, … dies before the first system call that
changes something, before the second, …, until one purge comes to its end.
python purge_killer.py FOLDER seconds N SEED: kills N purges at random moments.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from purge_stage import make_root, plan_of

from hipercow_tui.plan import PurgePlan
from hipercow_tui.purging import carry_out
from hipercow_tui.roots import Root

CHANGING = ("rename", "unlink", "rmdir", "mkdir", "link", "fsync")


def die_at(step: int) -> None:
    """Die before the so-many-th call that changes something, which is after the one before."""
    made = 0

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal made
            if made == step:
                os.kill(os.getpid(), signal.SIGKILL)
            made += 1
            return real(*args, **kwargs)

        return call

    for name in CHANGING:
        setattr(os, name, dying(getattr(os, name)))


def in_child(plan: PurgePlan, root: Root, prepare: Callable[[], None] = lambda: None) -> int:
    child = os.fork()
    if child == 0:
        prepare()
        carry_out(plan, root)
        os._exit(0)
    return child


def by_steps(where: Path) -> None:
    for step in range(1000):
        root = make_root(where / str(step))
        child = in_child(plan_of(root), root, lambda step=step: die_at(step))  # type: ignore[misc]
        if os.waitpid(child, 0)[1] == 0:
            break


def by_seconds(where: Path, rounds: int, seed: int) -> None:
    moments = random.Random(seed)
    longest = 0.0
    for number in range(rounds + 1):
        root = make_root(where / str(number))
        plan = plan_of(root)
        began = time.perf_counter()
        child = in_child(plan, root)
        if number > 0:  # the first is let live, to know how long a purge takes
            time.sleep(moments.uniform(0, longest))
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        longest = longest or time.perf_counter() - began


if __name__ == "__main__":
    if sys.argv[2] == "steps":
        by_steps(Path(sys.argv[1]))
    else:
        by_seconds(Path(sys.argv[1]), int(sys.argv[3]), int(sys.argv[4]))
