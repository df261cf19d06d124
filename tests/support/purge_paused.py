"""Purge a root, and wait in the middle until standard input is closed: python purge_paused.py
ROOT."""

from __future__ import annotations

import os
import sys
from typing import Any

from purge_stage import LONE, plan_of

from hipercow_tui.formats.root import find_root
from hipercow_tui.purging import execute

CALL = "rename"
real = getattr(os, CALL)


def rename(name: str, *args: Any, **kwargs: Any) -> None:
    if name == LONE[2:]:
        sys.stdout.write("waiting\n")
        sys.stdout.flush()
        sys.stdin.read()
    real(name, *args, **kwargs)


if __name__ == "__main__":
    root = find_root(sys.argv[1])
    plan = plan_of(root)
    setattr(os, CALL, rename)
    execute(plan, root)
