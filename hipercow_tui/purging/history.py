"""The history of a root: one file in ``tui/history/`` for each purge, restore and emptying.

They are separate files, because two machines can't append to one file atomically on NFS.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from hipercow_tui.domain.plan_chains import number_of_chains
from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.formats.folder_size import Size, SizeKind
from hipercow_tui.formats.json_reader import load_json
from hipercow_tui.formats.root import TUI_FOLDER, Root
from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.purging.access import ensure_folder
from hipercow_tui.purging.batch_name import BATCH_ID, HISTORY, new_batch_id
from hipercow_tui.purging.manifest import write_atomic
from hipercow_tui.purging.process_identity import ProcessIdentity, current_process
from hipercow_tui.purging.results import EmptyReport, ItemResult, PurgeReport, RestoreReport
from hipercow_tui.purging.root_dirs import RootDirs, open_dir
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import PurgeError, os_error_text

_FORMAT = 1
_LIMIT = 256 << 20  # bytes of one entry: a million ids have 36 million
_WORK = 32_000_000  # limit for load_json: enough for a million tasks that all failed
_ENDING = ".json"

T = TypeVar("T")


class HistoryKind(StrEnum):
    """The kind of an action."""

    PURGE = "purge"
    TRASH = "trash"
    RESTORE = "restore"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One action. ``time`` is its end in seconds since the epoch, ``seconds`` its duration.

    ``batch_ids`` are the batches that were moved to the trash, restored or emptied. ``tasks`` and
    ``bundles`` were purged, moved to the trash, or restored. ``kept_back`` are the names of tasks
    and bundles that stayed or failed, each with the reason. ``bytes`` and ``files`` were freed.
    ``disk_bytes`` is None in entries of versions that did not count it. ``stopped`` is true if the
    user stopped it. ``kept_tasks`` are those of the ``kept_chains`` retry chains that the user took
    out of the plan of a purge. ``moved`` is the size of the tasks that were moved to the trash or
    restored from it, None if it is not known. ``goal`` is the sentence on the goal of the plan,
    empty if it had none. ``statuses`` and ``finished`` (seconds since the epoch) are those of
    ``tasks`` by the plan, None where it does not say; both are empty in entries of versions that
    did not record them. ``lang`` is the language of the root that has the entry.
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
    disk_bytes: int | None = None
    seconds: float = 0.0
    stopped: bool = False
    kept_chains: int = 0
    kept_tasks: tuple[str, ...] = ()
    moved: Size | None = None
    goal: str = ""
    statuses: tuple[Status | None, ...] = ()
    finished: tuple[float | None, ...] = ()
    lang: Lang | None = None

    def size_of(self, kind: SizeKind) -> int | None:
        """Return the bytes that were freed, moved to the trash or restored, by one of the
        definitions of size; None if that was not counted."""
        if self.kind in (HistoryKind.TRASH, HistoryKind.RESTORE):
            return self.moved.of(kind) if self.moved else None
        return self.bytes if kind is SizeKind.APPARENT else self.disk_bytes

    def as_json(self) -> dict[str, Any]:
        """Return the entry as JSON values."""
        return {
            "format": _FORMAT,
            "kind": self.kind,
            "when": self.time,
            "who": self.process.as_json() if self.process else None,
            "stamps": self.batch_ids,
            "filters": self.filters,
            "goal": self.goal,
            "tasks": self.tasks,
            "bundles": self.bundles,
            "kept": self.kept_back,
            "kept_chains": self.kept_chains,
            "kept_tasks": self.kept_tasks,
            "bytes": self.bytes,
            "files": self.files,
            "disk_bytes": self.disk_bytes,
            "moved": _size_as_json(self.moved) if self.moved else None,
            "seconds": self.seconds,
            "stopped": self.stopped,
            "statuses": self.statuses,
            "finished": self.finished,
        }


def read_history(root: Root) -> tuple[HistoryEntry, ...]:
    """Read the history of R and Python, the latest entry first. Invalid files are left out.

    A restore has the size of the move to the trash that it took back. Raises PurgeError if the
    history can't be read.
    """
    try:
        entries = [entry for part in root.parts for entry in _read_part(part)]
    except OSError as error:
        raise PurgeError(f"The history can't be read: {os_error_text(error)}") from None
    moves = {(one.lang, one.batch_ids): one for one in entries if one.kind is HistoryKind.TRASH}
    sized = (_with_moved(entry, moves.get((entry.lang, entry.batch_ids))) for entry in entries)
    return tuple(sorted(sized, key=lambda entry: entry.time, reverse=True))


def _with_moved(entry: HistoryEntry, move: HistoryEntry | None) -> HistoryEntry:
    if entry.kind is not HistoryKind.RESTORE or move is None or set(entry.tasks) != set(move.tasks):
        return entry
    return replace(entry, moved=move.moved)


def record_purge(dirs: RootDirs, kind: HistoryKind, report: PurgeReport) -> None:
    """Record a purge or a move to the trash. Errors are ignored."""
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
            report.disk_bytes,
            report.seconds,
            report.stopped,
            number_of_chains(report.plan.kept),
            tuple(one.task.id for one in report.plan.kept),
            report.moved,
            report.plan.goal,
            **_facts(report.removed, (one.task for one in report.plan.tasks)),
        ),
    )


def record_restore(dirs: RootDirs, report: RestoreReport) -> None:
    """Record a restore. Errors are ignored."""
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
            **_facts(report.restored, report.tasks),
        ),
    )


def record_empty(dirs: RootDirs, report: EmptyReport) -> None:
    """Record that batches were erased. Errors are ignored."""
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
            disk_bytes=report.disk_bytes,
            seconds=report.seconds,
            stopped=report.stopped,
        ),
    )


def _read_part(part: Root) -> list[HistoryEntry]:
    """Read the entries of one language. Raises PurgeError, and OSError."""
    with ExitStack() as stack, suppress(FileNotFoundError):
        folder = open_dir(stack, part.hipercow)
        for path in (part.hipercow / TUI_FOLDER, part.hipercow / TUI_FOLDER / HISTORY):
            folder = open_dir(stack, path, folder)
        names = [name for name in filesystem.list_names(folder) if name.endswith(_ENDING)]
        entries = (_read(name, folder) for name in names)
        return [replace(entry, lang=part.lang) for entry in entries if entry]
    return []


def _facts(ids: Sequence[str], tasks: Iterable[Task]) -> dict[str, Any]:
    """Return the fields of an entry on tasks, by what a plan says about them."""
    known = {task.id: task for task in tasks}
    if known.keys().isdisjoint(ids):
        return {}
    found = [known.get(task_id) for task_id in ids]
    return {
        "statuses": tuple(task.status if task else None for task in found),
        "finished": tuple(task.finished if task else None for task in found),
    }


def _reasons(outcomes: Sequence[ItemResult]) -> tuple[tuple[str, str], ...]:
    return tuple((one.name, one.reason) for one in outcomes)


def _record(dirs: RootDirs, entry: HistoryEntry) -> None:
    """Write an entry. Errors, such as a full disk or a link in place of the folder, are ignored:
    the action itself is complete."""
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
    """Create an entry from the values that ``as_json`` returned. Raises ValueError for others."""
    kinds: dict[str, type | tuple[type, ...]] = {
        "kind": str,
        "when": (int, float),
        "filters": str,
        "goal": str,
        "bytes": int,
        "files": int,
        "seconds": (int, float),
        "stopped": bool,
        "kept_chains": int,
    }
    if not isinstance(data, dict) or data.get("format") != _FORMAT:
        raise ValueError("the format is unknown")
    # Absent in entries that were written before a plan could keep chains or have a goal, and before
    # the statuses were recorded.
    absent = {"kept_chains": 0, "kept_tasks": [], "goal": "", "statuses": [], "finished": []}
    data = absent | data
    if not all(isinstance(data.get(key), kind) for key, kind in kinds.items()):
        raise ValueError("a field is missing or has a wrong type")
    if not all(
        abs(data[key]) < 1 << 62 for key in ("when", "bytes", "files", "seconds", "kept_chains")
    ):
        raise ValueError("a number is too large")
    disk_bytes, moved = data.get("disk_bytes"), data.get("moved")
    if disk_bytes is not None and not _is_size(disk_bytes):
        raise ValueError("'disk_bytes' is not a size")
    kept = data.get("kept")
    if not isinstance(kept, list) or not all(len(_string_tuple(pair)) == 2 for pair in kept):
        raise ValueError("'kept' is not a list of pairs")
    batch_ids = _string_tuple(data.get("stamps"))
    if not all(map(BATCH_ID.match, batch_ids)):
        raise ValueError("a stamp is not a batch id")
    tasks = _string_tuple(data.get("tasks"))
    return HistoryEntry(
        kind=HistoryKind(data["kind"]),
        process=ProcessIdentity.from_json(data.get("who")),
        batch_ids=batch_ids,
        tasks=tasks,
        statuses=_facts_from_json(data["statuses"], tasks, Status),
        finished=_facts_from_json(data["finished"], tasks, _seconds),
        bundles=_string_tuple(data.get("bundles")),
        kept_back=tuple((pair[0], pair[1]) for pair in kept),
        kept_tasks=_string_tuple(data["kept_tasks"]),
        time=data["when"],
        disk_bytes=disk_bytes,
        moved=None if moved is None else _size_from_json(moved),
        **{key: data[key] for key in kinds if key not in ("kind", "when")},
    )


def _facts_from_json(
    data: Any, tasks: Sequence[str], convert: Callable[[Any], T]
) -> tuple[T | None, ...]:
    """Return a value or None for each task, or nothing. Raises ValueError for anything else."""
    if not isinstance(data, list) or len(data) not in (0, len(tasks)):
        raise ValueError("a list with a value for each task is expected")
    return tuple(None if value is None else convert(value) for value in data)


def _seconds(value: Any) -> float:
    if not isinstance(value, (int, float)) or not abs(value) < 1 << 62:
        raise ValueError("a time is expected")
    return value


def _size_as_json(size: Size) -> dict[str, int]:
    return {"bytes": size.bytes, "files": size.files, "disk_bytes": size.disk_bytes}


def _size_from_json(data: Any) -> Size:
    keys = ("bytes", "files", "disk_bytes")
    if not isinstance(data, dict) or not all(_is_size(data.get(key)) for key in keys):
        raise ValueError("'moved' is not a size")
    return Size(*(data[key] for key in keys))


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value < 1 << 62


def _string_tuple(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("a list of strings is expected")
    return tuple(value)
