"""The manifest of a batch: the confirmed plan, written into the batch before anything is moved.

A later process reads it to restore or finish a batch.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.formats.json_reader import load_json
from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.purging.access import create_file
from hipercow_tui.purging.file_changes import check_exists, rename
from hipercow_tui.purging.plan_format import LIMIT, WORK, plan_from_dict, plan_to_dict
from hipercow_tui.purging.process_identity import ProcessIdentity, current_process
from hipercow_tui.support import filesystem

MANIFEST = "manifest.json"
DRAFT = "manifest.json.new"
_MAX_TIME = 1e15  # seconds since the epoch


class PurgeMode(StrEnum):
    """What happens to the items of a batch after they were moved: erased, or kept in the trash."""

    PURGE = "purge"
    TRASH = "trash"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The plan of a purge and its mode. The plan covers both languages, the batch only one.

    ``confirmed_at`` is in seconds since the epoch, ``confirmed_by`` the process in which the plan
    was confirmed. If ``confirmed`` is false, there is no record of that, and the plan is never
    carried out.
    """

    plan: PurgePlan
    mode: PurgeMode
    confirmed_at: float
    confirmed_by: ProcessIdentity | None
    confirmed: bool


def manifest_bytes(plan: PurgePlan, mode: PurgeMode, when: float) -> bytes:
    """Return the manifest as bytes, for a plan that was confirmed in this process at ``when``, in
    seconds since the epoch."""
    confirmation = {
        "aim": mode,
        "when": when,
        "who": current_process().as_json(),
        "confirmed": True,
    }
    return json.dumps(plan_to_dict(plan) | confirmation, separators=(",", ":")).encode("ascii")


def write_manifest(plan: PurgePlan, mode: PurgeMode, folder: int, when: float) -> None:
    """Write the manifest into an open folder and to the disk, completely or not at all.

    ``when`` is in seconds since the epoch. Raises OSError.
    """
    write_atomic(MANIFEST, DRAFT, manifest_bytes(plan, mode, when), folder)


def read_manifest(folder: int) -> Manifest | None:
    """Read the manifest of an open batch; None if it is missing, unreadable or invalid."""
    try:
        return load_manifest(folder)
    except OSError:
        return None


def load_manifest(folder: int) -> Manifest | None:
    """Read the manifest of an open batch; None if it is missing or invalid. Raises OSError if it
    can't be read: it may hold a confirmed plan."""
    try:
        raw = read_file(MANIFEST, limit=LIMIT, dir_fd=folder)
    except FileNotFoundError:
        return None
    try:
        data = load_json(raw, work=WORK)
        if not isinstance(data, dict):
            return None
        when, process, mode = (data.pop(key, None) for key in ("when", "who", "aim"))
        if not abs(float(when)) < _MAX_TIME:
            return None
        confirmed = data.pop("confirmed", False) is True
        plan = plan_from_dict(data)
        return Manifest(
            plan, PurgeMode(mode), float(when), ProcessIdentity.from_json(process), confirmed
        )
    except (ValueError, TypeError, OverflowError):
        return None


def write_draft(name: str, data: bytes, folder: int) -> None:
    """Write a new file into an open folder and to the disk. Raises OSError, and leaves nothing
    then."""
    try:
        with open(create_file(name, folder), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            filesystem.unlink(name, folder)
        raise


def write_atomic(name: str, draft: str, data: bytes, folder: int) -> None:
    """Write a new file into an open folder: under the name ``draft`` first, then by a rename.
    Raises OSError."""
    write_draft(draft, data, folder)
    try:
        rename(draft, name, folder, folder)
        check_exists(name, folder)
        filesystem.sync_folder(folder)
    except OSError:
        with suppress(OSError):
            filesystem.unlink(draft, folder)
        raise
