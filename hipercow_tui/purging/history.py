"""What was done in a root: one file for each purge, undo and emptying, in ``tui/history/``.

A file each, because appending to one from two machines is not atomic on NFS.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hipercow_tui.formats.json_reader import load_json
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.purging.access import ensure_folder
from hipercow_tui.purging.batch_name import HISTORY, STAMP, TUI, new_stamp
from hipercow_tui.purging.manifest import write_whole
from hipercow_tui.purging.process_identity import Who, whoami
from hipercow_tui.purging.results import EmptyReport, Outcome, PurgeReport, RestoreReport
from hipercow_tui.purging.root_dirs import Places, opened
from hipercow_tui.support.errors import PurgeError

_FORMAT = 1
_LIMIT = 256 << 20  # bytes of one entry: a million ids have 36 million
_WORK = 32_000_000  # as load_json counts it: that of a million tasks that all failed
_ENDING = ".json"


class Kind(StrEnum):
    """What was done."""

    PURGE = "purge"
    TRASH = "trash"
    RESTORE = "restore"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that was done: when (seconds since the epoch), by whom.

    ``stamps`` are the lots that were filled, restored or emptied. ``tasks`` and ``bundles`` are
    what went, to the trash or for good, or came back. ``kept`` is what stayed or failed against
    the plan, each with its reason. ``bytes`` and ``files`` are what was freed.
    """

    kind: Kind
    when: float
    who: Who | None
    stamps: tuple[str, ...]
    filters: str = ""
    tasks: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()
    bytes: int = 0
    files: int = 0
    seconds: float = 0.0
    stopped: bool = False

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "format": _FORMAT,
            "kind": self.kind,
            "when": self.when,
            "who": self.who.as_json() if self.who else None,
            "stamps": self.stamps,
            "filters": self.filters,
            "tasks": self.tasks,
            "bundles": self.bundles,
            "kept": self.kept,
            "bytes": self.bytes,
            "files": self.files,
            "seconds": self.seconds,
            "stopped": self.stopped,
        }


def history(root: Root) -> tuple[HistoryEntry, ...]:
    """What was done in the root, the latest first; what makes no sense is left out.

    Raises PurgeError if the history can't be read.
    """
    with ExitStack() as stack:
        try:
            folder = opened(stack, root.hipercow)
            folder = opened(stack, root.hipercow / TUI, folder)
            folder = opened(stack, root.hipercow / TUI / HISTORY, folder)
        except FileNotFoundError:
            return ()
        names = [name for name in os.listdir(folder) if name.endswith(_ENDING)]
        entries = [entry for name in names if (entry := _read(name, folder))]
    return tuple(sorted(entries, key=lambda entry: entry.when, reverse=True))


def remember_purge(places: Places, kind: Kind, report: PurgeReport) -> None:
    """Write down a purge or a move to the trash. Never fails: it is over already."""
    _remember(
        places,
        HistoryEntry(
            kind,
            time.time(),
            whoami(),
            (report.trash,) if report.trash else (),
            str(report.plan.filters),
            report.removed,
            report.removed_bundles,
            _reasons((*report.put_back, *report.vanished, *report.failed)),
            report.bytes,
            report.files,
            report.seconds,
            report.stopped,
        ),
    )


def remember_restore(places: Places, report: RestoreReport) -> None:
    """Write down that a lot was brought back. Never fails."""
    _remember(
        places,
        HistoryEntry(
            Kind.RESTORE,
            time.time(),
            whoami(),
            (report.stamp,),
            tasks=report.restored,
            bundles=report.restored_bundles,
            kept=_reasons(report.failed),
            seconds=report.seconds,
        ),
    )


def remember_empty(places: Places, report: EmptyReport) -> None:
    """Write down that lots were erased. Never fails."""
    _remember(
        places,
        HistoryEntry(
            Kind.EMPTY,
            time.time(),
            whoami(),
            report.stamps,
            tasks=report.removed,
            bundles=report.removed_bundles,
            kept=_reasons(report.failed),
            bytes=report.bytes,
            files=report.files,
            seconds=report.seconds,
            stopped=report.stopped,
        ),
    )


def _reasons(outcomes: Sequence[Outcome]) -> tuple[tuple[str, str], ...]:
    return tuple((one.name, one.reason) for one in outcomes)


def _remember(places: Places, entry: HistoryEntry) -> None:
    """What was done is done: a full disk, or a link in the history's place, must not undo it."""
    name = f"{new_stamp(entry.when)}-{entry.kind}-{secrets.token_hex(4)}{_ENDING}"
    data = json.dumps(entry.as_json(), separators=(",", ":")).encode("ascii")
    with suppress(OSError, PurgeError), ExitStack() as stack:
        folder = places.hipercow
        for path in (places.path / TUI, places.path / TUI / HISTORY):
            ensure_folder(path.name, folder)
            folder = opened(stack, path, folder, places.mount)
        write_whole(name, f"{name}.new", data, folder)


def _read(name: str, folder: int) -> HistoryEntry | None:
    try:
        return entry_from_json(load_json(read_file(name, limit=_LIMIT, dir_fd=folder), work=_WORK))
    except (OSError, ValueError):
        return None


def entry_from_json(data: Any) -> HistoryEntry:
    """What ``as_json`` gave. Raises ValueError for anything else."""
    kinds: dict[str, type | tuple[type, ...]] = {
        "kind": str,
        "when": (int, float),
        "filters": str,
        "bytes": int,
        "files": int,
        "seconds": (int, float),
        "stopped": bool,
    }
    if not isinstance(data, dict) or data.get("format") != _FORMAT:
        raise ValueError("it is of no format we know")
    if not all(isinstance(data.get(key), kind) for key, kind in kinds.items()):
        raise ValueError("a field is missing or of another kind")
    if not all(abs(data[key]) < 1 << 62 for key in ("when", "bytes", "files", "seconds")):
        raise ValueError("a number is out of all proportion")
    kept = data.get("kept")
    if not isinstance(kept, list) or not all(len(_words(pair)) == 2 for pair in kept):
        raise ValueError("'kept' is no list of pairs")
    stamps = _words(data.get("stamps"))
    if not all(map(STAMP.match, stamps)):
        raise ValueError("it names what is no batch")
    return HistoryEntry(
        kind=Kind(data["kind"]),
        who=Who.from_json(data.get("who")),
        stamps=stamps,
        tasks=_words(data.get("tasks")),
        bundles=_words(data.get("bundles")),
        kept=tuple((pair[0], pair[1]) for pair in kept),
        **{key: data[key] for key in kinds if key != "kind"},
    )


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ValueError("a list of words is none")
    return tuple(value)
