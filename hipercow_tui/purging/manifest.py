"""What a purge is about to do, written into its lot before anything is moved.

Who finds a lot that a crash left behind, or wants it back, learns from it what it holds and why.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from hipercow_tui.plan import PurgePlan
from hipercow_tui.purging.who import Who, whoami
from hipercow_tui.roots.files import read_file
from hipercow_tui.roots.json_reader import load_json
from hipercow_tui.saved_plan import LIMIT, WORK, plan_as_saved, plan_from_saved

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
        data = load_json(read_file(MANIFEST, limit=LIMIT, dir_fd=folder), work=WORK)
        if not isinstance(data, dict):
            return None
        when, who, aim = (data.pop(key, None) for key in ("when", "who", "aim"))
        return Manifest(plan_from_saved(data), Aim(aim), float(when), Who.from_json(who))
    except (OSError, ValueError, TypeError, OverflowError):
        return None


def write_whole(name: str, draft: str, data: bytes, folder: int) -> None:
    """Write a new file in an open folder, under another name first. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(draft, flags, 0o666, dir_fd=folder), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)
    except OSError:
        with suppress(OSError):
            os.unlink(draft, dir_fd=folder)
        raise
