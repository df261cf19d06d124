"""Purge roots on Windows in special conditions, and print the results as JSON.

python windows_purges.py ROOT CONDITION. CONDITION is open (another program has a bundle, the folder
of a task, or a log open), junctions (a folder of the root is one, or becomes one), python (a root
of Python), long (the path has more than 260 characters) or case (names of bundles differ only by
case).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

from purge_stage import BASE, LONE, OTHER, bundles, folder_of, plan_of
from small_root import write_bundle

from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import empty, execute, file_changes, list_trash, move_to_trash, restore
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support.errors import HipercowTuiError

nt: Any = import_module("hipercow_tui.support.filesystem.nt")
JUNCTION = 0xA0000003  # IO_REPARSE_TAG_MOUNT_POINT

# Opens a file or a folder as most programs do: no one else may remove or rename it.
HOLD = """
import ctypes, sys
opened = ctypes.WinDLL("kernel32").CreateFileW
opened.restype = ctypes.c_void_p
handle = opened(sys.argv[1], 0x80000000, 3, None, 3, 0x02000000, None)
print(handle, flush=True)
sys.stdin.read()
"""


@contextmanager
def held_open(path: Path) -> Iterator[None]:
    """Let another program have a file or a folder open."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as program:
        assert program.stdout is not None
        program.stdout.readline()
        yield
        program.communicate()


@contextmanager
def junction_at(is_junction: Callable[[str], object]) -> Iterator[None]:
    """Report a junction to the program at some paths. Wine can't make any."""
    really_tag, really_inform = nt.reparse_tag, nt.information

    def is_one(handle: int) -> bool:
        return bool(is_junction(nt.path_of(handle).replace("\\", "/")))

    def tag(handle: int) -> int:
        return JUNCTION if is_one(handle) else really_tag(handle)

    def information(handle: int) -> Any:
        found = really_inform(handle)
        return found._replace(tag=JUNCTION) if is_one(handle) else found

    with patch.multiple(nt, reparse_tag=tag, information=information):
        yield


def outcome(act: Callable[[], Any]) -> list[Any]:
    try:
        report = act()
    except HipercowTuiError as error:
        return [str(error)]
    stayed = (*getattr(report, "put_back", ()), *report.failed)
    return [sorted(report.removed), sorted((one.name, one.reason) for one in stayed)]


def open_elsewhere(root: Root) -> Iterator[list[Any]]:
    file_changes.BUSY_TIME = 0.2
    with held_open(root.bundles / "solo"):
        yield outcome(lambda: execute(plan_of(root, [OTHER]), root))
    with held_open(folder_of(root, BASE)):
        yield outcome(lambda: execute(plan_of(root, [BASE]), root))
    with held_open(folder_of(root, LONE) / "result"):
        yield outcome(lambda: execute(plan_of(root, [LONE]), root))
    file_changes.BUSY_TIME = 20.0
    with held_open(folder_of(root, BASE)):
        plan = plan_of(root, [BASE])
    yield outcome(lambda: execute(plan, root))


def junctions(root: Root) -> Iterator[list[Any]]:
    plan = plan_of(root, [LONE])
    move_to_trash(plan_of(root, [OTHER]), root)  # makes tui
    # Each of them was a folder when the plan was made.
    places = ("hipercow/tasks", "hipercow/bundles", "hipercow/tui", f"tasks/{LONE[:2]}")
    for end in (*places, f"tasks/{LONE}", f"erasing/{LONE}"):
        with junction_at(partial(re.search, f"{end}$")):
            yield outcome(lambda: execute(plan, root))


def python_root(root: Root) -> Iterator[list[Any]]:
    recent = root.hipercow / "py" / "recent"
    batch_id = str(move_to_trash(plan_of(root), root).trash)
    yield recent.read_text().split()
    restore(root, batch_id)
    yield sorted(recent.read_text().split())
    yield outcome(lambda: execute(plan_of(root), root))
    yield recent.read_text().split()


def long_path(root: Root) -> Iterator[list[Any]]:
    batch_id = str(move_to_trash(plan_of(root), root).trash)
    yield [len(str(folder_of(root, LONE))), sorted(read_root(root).tasks)]
    yield list(restore(root, batch_id).restored)
    move_to_trash(plan_of(root), root)
    yield outcome(lambda: empty(root, list_trash(root)))


def names_by_case(root: Root) -> Iterator[list[Any]]:
    """Write the bundle SOLO, which is the file of solo there, and put another one in its place."""
    (root.bundles / "SOLO").write_bytes((root.bundles / "solo").read_bytes())
    yield sorted(bundles(root))
    yield [task.bundles for task in read_root(root).tasks.values() if task.id == OTHER]
    moved = move_to_trash(plan_of(root, [OTHER]), root)
    yield list(moved.removed_bundles)
    write_bundle(root.path, "Solo", [LONE])
    report = restore(root, str(moved.trash))
    yield [(one.name, one.reason) for one in report.failed]
    yield sorted(bundles(root).items())
    (root.bundles / "SOLO").unlink()
    yield list(restore(root, str(moved.trash)).restored_bundles)
    yield sorted(bundles(root).items())
    yield outcome(lambda: execute(plan_of(root, [OTHER]), root))


CONDITIONS: dict[str, Callable[[Root], Iterator[list[Any]]]] = {
    "open": open_elsewhere,
    "junctions": junctions,
    "python": python_root,
    "long": long_path,
    "case": names_by_case,
}

if __name__ == "__main__":
    where, condition = sys.argv[1:]
    sys.stdout.write(json.dumps(list(CONDITIONS[condition](find_root(where)))))
