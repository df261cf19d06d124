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
from hipercow_tui.purging.batch_name import BATCH_ID, HISTORY, TUI_FOLDER, new_batch_id
from hipercow_tui.purging.manifest import write_atomic
from hipercow_tui.purging.process_identity import ProcessIdentity, current_process
from hipercow_tui.purging.results import EmptyReport, ItemResult, PurgeReport, RestoreReport
from hipercow_tui.purging.root_dirs import RootDirs, open_dir
from hipercow_tui.support.errors import PurgeError

_FORMAT = 1
_LIMIT = 256 << 20  # bytes of one entry: a million ids have 36 million
_WORK = 32_000_000  # as load_json counts it: that of a million tasks that all failed
_ENDING = ".json"


class HistoryKind(StrEnum):
    """What was done."""

    PURGE = "purge"
    TRASH = "trash"
    RESTORE = "restore"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that was done: when (seconds since the epoch), by whom.

    ``batch_ids`` are the lots that were filled, restored or emptied. ``tasks`` and ``bundles`` are
    what went, to the trash or for good, or came back. ``kept_back`` is what stayed or failed against
    the plan, each with its reason. ``bytes`` and ``files`` are what was freed.
    """

    kind: HistoryKind
    time: float
    process: ProcessIdentity | None
    batch_ids: tuple[str, ...]
    filters: str = ""
    tasks: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()
    kept_back: tuple[tuple[str, str], ...] = ()
    bytes: int = 0
    files: int = 0
    seconds: float = 0.0
    stopped: bool = False

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "format": _FORMAT,
            "kind": self.kind,
            "when": self.time,
            "who": self.process.as_json() if self.process else None,
            "stamps": self.batch_ids,
            "filters": self.filters,
            "tasks": self.tasks,
            "bundles": self.bundles,
            "kept": self.kept_back,
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
            folder = open_dir(stack, root.hipercow)
            folder = open_dir(stack, root.hipercow / TUI_FOLDER, folder)
            folder = open_dir(stack, root.hipercow / TUI_FOLDER / HISTORY, folder)
        except FileNotFoundError:
            return ()
        names = [name for name in os.listdir(folder) if name.endswith(_ENDING)]
        entries = [entry for name in names if (entry := _read(name, folder))]
    return tuple(sorted(entries, key=lambda entry: entry.time, reverse=True))


def record_purge(dirs: RootDirs, kind: HistoryKind, report: PurgeReport) -> None:
    """Write down a purge or a move to the trash. Never fails: it is over already."""
    _record(
        dirs,
        HistoryEntry(
            kind,
            time.time(),
            current_process(),
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


def record_restore(dirs: RootDirs, report: RestoreReport) -> None:
    """Write down that a lot was brought back. Never fails."""
    _record(
        dirs,
        HistoryEntry(
            HistoryKind.RESTORE,
            time.time(),
            current_process(),
            (report.batch_id,),
            tasks=report.restored,
            bundles=report.restored_bundles,
            kept_back=_reasons(report.failed),
            seconds=report.seconds,
        ),
    )


def record_empty(dirs: RootDirs, report: EmptyReport) -> None:
    """Write down that lots were erased. Never fails."""
    _record(
        dirs,
        HistoryEntry(
            HistoryKind.EMPTY,
            time.time(),
            current_process(),
            report.batch_ids,
            tasks=report.removed,
            bundles=report.removed_bundles,
            kept_back=_reasons(report.failed),
            bytes=report.bytes,
            files=report.files,
            seconds=report.seconds,
            stopped=report.stopped,
        ),
    )


def _reasons(outcomes: Sequence[ItemResult]) -> tuple[tuple[str, str], ...]:
    return tuple((one.name, one.reason) for one in outcomes)


def _record(dirs: RootDirs, entry: HistoryEntry) -> None:
    """What was done is done: a full disk, or a link in the history's place, must not undo it."""
    name = f"{new_batch_id(entry.time)}-{entry.kind}-{secrets.token_hex(4)}{_ENDING}"
    data = json.dumps(entry.as_json(), separators=(",", ":")).encode("ascii")
    with suppress(OSError, PurgeError), ExitStack() as stack:
        folder = dirs.hipercow
        for path in (dirs.path / TUI_FOLDER, dirs.path / TUI_FOLDER / HISTORY):
            ensure_folder(path.name, folder)
            folder = open_dir(stack, path, folder, dirs.mount)
        write_atomic(name, f"{name}.new", data, folder)


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
    batch_ids = _words(data.get("stamps"))
    if not all(map(BATCH_ID.match, batch_ids)):
        raise ValueError("it names what is no batch")
    return HistoryEntry(
        kind=HistoryKind(data["kind"]),
        process=ProcessIdentity.from_json(data.get("who")),
        batch_ids=batch_ids,
        tasks=_words(data.get("tasks")),
        bundles=_words(data.get("bundles")),
        kept_back=tuple((pair[0], pair[1]) for pair in kept),
        time=data["when"],
        **{key: data[key] for key in kinds if key not in ("kind", "when")},
    )


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ValueError("a list of words is none")
    return tuple(value)
