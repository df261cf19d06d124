"""What a purge is about to do, written into its lot before anything is moved.

Who finds a lot that a crash left behind, or wants it back, learns from it what it holds and why.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
from typing import Any

from hipercow_tui.plan import PlannedBundle, PlannedTask, PurgePlan

MANIFEST = "manifest.json"
VERSION = 1
_DRAFT = "manifest.json.new"


def write_manifest(plan: PurgePlan, folder: int, when: float) -> None:
    """Write the plan's manifest into an open folder: whole or not at all, and on the disk.

    ``when`` is in seconds since the epoch. Raises OSError.
    """
    data = json.dumps(manifest_of(plan, when), separators=(",", ":")).encode("ascii")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(_DRAFT, flags, 0o666, dir_fd=folder), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.rename(_DRAFT, MANIFEST, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)


def remove_manifest(folder: int) -> None:
    """Remove the manifest, and what a failed attempt to write it left. Raises OSError."""
    for name in (_DRAFT, MANIFEST):
        try:
            os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            continue


def manifest_of(plan: PurgePlan, when: float) -> dict[str, Any]:
    """The plan as JSON values. Names that are no UTF-8 keep their bytes as lone surrogates."""
    return {
        "format": VERSION,
        "when": when,
        "who": _who(),
        "root": str(plan.root),
        "planned": plan.made,
        "filters": str(plan.filters),
        "tasks": [_task(planned) for planned in plan.tasks],
        "bundles": [_bundle(planned) for planned in plan.bundles],
    }


def _task(planned: PlannedTask) -> dict[str, Any]:
    task = planned.task
    return {
        "id": task.id,
        "lang": task.lang,
        "status": task.status,
        "listing": task.listing,
        "reason": planned.reason,
        "of": planned.of,
        "chain": task.chain,
    }


def _bundle(planned: PlannedBundle) -> dict[str, Any]:
    bundle = planned.bundle
    return {"name": bundle.name, "lang": bundle.lang, "task_ids": bundle.task_ids}


def _who() -> dict[str, Any]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a user id without a name, as in a container
        user = str(os.getuid())
    return {"user": user, "host": socket.gethostname(), "pid": os.getpid()}
