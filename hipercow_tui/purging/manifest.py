"""What a purge is about to do, written into its lot before anything is moved.

Who finds a lot that a crash left behind, or wants it back, learns from it what it holds and why.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hipercow_tui.plan import PurgePlan
from hipercow_tui.purging.access import create_file
from hipercow_tui.purging.who import Who, whoami
from hipercow_tui.roots.files import read_file
from hipercow_tui.saved_plan import LIMIT, plan_as_saved, plan_from_saved

MANIFEST = "manifest.json"
DRAFT = "manifest.json.new"


class Aim(StrEnum):
    """Where what was moved into a lot is to go."""

    PURGE = "purge"
    TRASH = "trash"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A lot's plan, who made the lot, when (seconds since the epoch), and what for."""

    plan: PurgePlan
    aim: Aim
    when: float
    who: Who | None


def write_manifest(plan: PurgePlan, aim: Aim, folder: int, when: float) -> None:
    """Write the plan's manifest into an open folder: whole or not at all, and on the disk.

    ``when`` is in seconds since the epoch. Raises OSError.
    """
    values = plan_as_saved(plan) | {"aim": aim, "when": when, "who": whoami().as_json()}
    data = json.dumps(values, separators=(",", ":")).encode("ascii")
    write_whole(MANIFEST, DRAFT, data, folder)


def read_manifest(folder: int) -> Manifest | None:
    """The manifest of an open lot; None where there is none that makes sense."""
    try:
        data: Any = json.loads(read_file(MANIFEST, limit=LIMIT, dir_fd=folder))
        if not isinstance(data, dict):
            return None
        when, who, aim = (data.pop(key, None) for key in ("when", "who", "aim"))
        return Manifest(plan_from_saved(data), Aim(aim), float(when), Who.from_json(who))
    except (OSError, ValueError, TypeError, OverflowError, RecursionError):
        return None


def write_whole(name: str, draft: str, data: bytes, folder: int) -> None:
    """Write a new file in an open folder, under another name first. Raises OSError."""
    try:
        with open(create_file(draft, folder), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)
    except OSError:
        with suppress(OSError):
            os.unlink(draft, dir_fd=folder)
        raise
