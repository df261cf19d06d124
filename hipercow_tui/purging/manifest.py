"""What a purge is about to do, written into its lot before anything is moved.

Who finds a lot that a crash left behind, or wants it back, learns from it what it holds and why.
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
from hipercow_tui.purging.file_changes import check_exists, rename, sync_folder
from hipercow_tui.purging.plan_format import LIMIT, WORK, plan_from_dict, plan_to_dict
from hipercow_tui.purging.process_identity import ProcessIdentity, current_process

MANIFEST = "manifest.json"
DRAFT = "manifest.json.new"
_FAR = 1e15  # seconds: no time of a purge is beyond that


class PurgeMode(StrEnum):
    """Where what was moved into a lot is to go."""

    PURGE = "purge"
    TRASH = "trash"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A lot's plan, in full also where the lot holds the tasks of one language, and what for.

    ``when`` it was confirmed is in seconds since the epoch, ``confirmed_by`` confirmed it. Without
    ``confirmed`` nothing says that it was: then it is never carried out.
    """

    plan: PurgePlan
    mode: PurgeMode
    confirmed_at: float
    confirmed_by: ProcessIdentity | None
    confirmed: bool


def manifest_bytes(plan: PurgePlan, mode: PurgeMode, when: float) -> bytes:
    """The manifest of a plan that this process carries out because it was confirmed at ``when``, in
    seconds since the epoch."""
    made = {"aim": mode, "when": when, "who": current_process().as_json(), "confirmed": True}
    return json.dumps(plan_to_dict(plan) | made, separators=(",", ":")).encode("ascii")


def write_manifest(plan: PurgePlan, mode: PurgeMode, folder: int, when: float) -> None:
    """Write the manifest into an open folder: whole or not at all, and on the disk.

    ``when`` is in seconds since the epoch. Raises OSError.
    """
    write_atomic(MANIFEST, DRAFT, manifest_bytes(plan, mode, when), folder)


def read_manifest(folder: int) -> Manifest | None:
    """The manifest of an open lot; None where there is none that can be read and makes sense."""
    try:
        return load_manifest(folder)
    except OSError:
        return None


def load_manifest(folder: int) -> Manifest | None:
    """The same; raises OSError where there is one that can't be read: a plan that was confirmed is
    not given up for that."""
    try:
        raw = read_file(MANIFEST, limit=LIMIT, dir_fd=folder)
    except FileNotFoundError:
        return None
    try:
        data = load_json(raw, work=WORK)
        if not isinstance(data, dict):
            return None
        when, who, mode = (data.pop(key, None) for key in ("when", "who", "aim"))
        if not abs(float(when)) < _FAR:
            return None
        confirmed = data.pop("confirmed", False) is True
        plan = plan_from_dict(data)
        return Manifest(
            plan, PurgeMode(mode), float(when), ProcessIdentity.from_json(who), confirmed
        )
    except (ValueError, TypeError, OverflowError):
        return None


def write_draft(name: str, data: bytes, folder: int) -> None:
    """Write a new file in an open folder, to the disk. Raises OSError; nothing is left then."""
    try:
        with open(create_file(name, folder), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise


def write_atomic(name: str, draft: str, data: bytes, folder: int) -> None:
    """Write a new file in an open folder, under another name first. Raises OSError."""
    write_draft(draft, data, folder)
    try:
        rename(draft, name, folder, folder)
        check_exists(name, folder)
        sync_folder(folder)
    except OSError:
        with suppress(OSError):
            os.unlink(draft, dir_fd=folder)
        raise
