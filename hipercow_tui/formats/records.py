"""Read what users wrote about chains and bundles: pins in ``hipercow/tui/pins`` and notes in
``hipercow/tui/notes``, a JSON file each (docs/spec.md, rules 18 and 20).

The folders are read on each scan: two calls if there is no folder ``tui``; nine for pins, four for
notes, and two for each file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from hipercow_tui.domain.notes import Note, Notes
from hipercow_tui.domain.pins import Pin, Pins
from hipercow_tui.domain.records import Record, RecordTarget, TargetKind
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.json_fields import (
    JsonFields,
    one_of,
    seconds,
    shown_text,
    task_id,
    text,
    whole_number,
)
from hipercow_tui.formats.json_reader import load_json
from hipercow_tui.formats.root import TUI_FOLDER, Root
from hipercow_tui.formats.safe_open import open_folder, read_file
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import os_error_text
from hipercow_tui.support.text import escape_controls

ENDING = ".json"
NOTE_LIMIT = 500  # characters
_FORMAT = 1
_LIMIT = 1 << 16  # bytes of a file
_WORK = 10_000  # limit for load_json
_MAX_FILES = 100_000
_Stamp = tuple[int, int, int]

_R = TypeVar("_R", bound=Record)
_C = TypeVar("_C", bound=Pins | Notes)


@dataclass(frozen=True, slots=True)
class RecordKind(Generic[_R, _C]):
    """Pins or notes: the folder in ``tui``, the class of one, and the one of all."""

    folder: str
    one: type[_R]
    all: Callable[[tuple[_R, ...], str], _C]


PINS = RecordKind("pins", Pin, Pins)
NOTES = RecordKind("notes", Note, Notes)


def record_file_name(target: RecordTarget) -> str:
    """Return the name of the file on a chain or a bundle. The name of a bundle can be too long for
    it, or contain ``/``, so a digest of it is used."""
    if target.kind is TargetKind.CHAIN:
        return f"{target.kind}-{target.name}{ENDING}"
    digest = hashlib.sha256(os.fsencode(target.name)).hexdigest()
    return f"{target.kind}-{digest[:32]}{ENDING}"


def record_as_bytes(record: Record) -> bytes:
    """Encode a pin or a note as JSON."""
    value = {
        "format": _FORMAT,
        "kind": record.target.kind,
        "lang": record.target.lang,
        "name": record.target.name,
        "note": record.note,
        "user": record.user,
        "host": record.host,
        "when": record.time,
    }
    return json.dumps(value, separators=(",", ":")).encode("ascii")


class RecordReader(Generic[_R, _C]):
    """Reads the pins or the notes of the root of one language repeatedly; an unchanged file is not
    read again.

    If a file can't be read, the sentence ``unread`` of the result says so, and its last known
    content is used.
    """

    def __init__(self, kind: RecordKind[_R, _C], lang: Lang) -> None:
        self._kind = kind
        self._lang = lang
        self._known: dict[str, tuple[_Stamp, _R]] = {}
        self.latest: _C = kind.all((), "")

    def read_root(self, root: Root) -> _C:
        """Return what a root has now; the same object as long as nothing changed."""
        read_records(root, self)
        return self.latest

    def read(self, hipercow: int) -> _C:
        """Return what the root with the open folder ``hipercow`` has now, as ``read_root`` does."""
        read_records_in(hipercow, self)
        return self.latest

    def read_in(self, tui: int) -> None:
        """Update ``latest`` from the open folder ``tui``."""
        try:
            folder = open_folder(self._kind.folder, dir_fd=tui)
            try:
                self._read(folder)
            finally:
                os.close(folder)
        except (OSError, ValueError) as error:
            self.failed(error)

    def failed(self, error: OSError | ValueError) -> None:
        """Update ``latest`` after an error; a folder that does not exist is empty."""
        if isinstance(error, FileNotFoundError):
            self._known = {}
            self._set("")
        else:
            self._set(os_error_text(error) if isinstance(error, OSError) else str(error))

    def _set(self, problem: str) -> None:
        name = self._kind.folder
        unread = f"{name} in 'tui/{name}' can't be read: {problem}" if problem else ""
        latest = self._kind.all(tuple(one for _, one in self._known.values()), unread)
        if latest != self.latest:
            self.latest = latest

    def _read(self, folder: int) -> None:
        """Read the files. Raises OSError and ValueError if they can't be listed."""
        names = sorted(name for name in filesystem.list_names(folder) if name.endswith(ENDING))
        if len(names) > _MAX_FILES:
            raise ValueError("there are too many")
        problem = ""
        read: dict[str, tuple[_Stamp, _R]] = {}
        for name in names:
            try:
                read[name] = self._read_file(name, folder)
            except FileNotFoundError:  # it was removed meanwhile
                continue
            except (OSError, ValueError) as error:
                why = os_error_text(error) if isinstance(error, OSError) else str(error)
                problem = problem or f"'{escape_controls(name)}': {why}"
                if name in self._known:
                    read[name] = self._known[name]
        self._known = read
        self._set(problem)

    def _read_file(self, name: str, folder: int) -> tuple[_Stamp, _R]:
        """Return the content of a file with its stamp. Raises OSError and ValueError."""
        status = filesystem.stat_in(name, folder)
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        known = self._known.get(name)
        if known is not None and known[0] == stamp:
            return known
        raw = read_file(name, limit=_LIMIT, dir_fd=folder)
        return stamp, _parse(load_json(raw, work=_WORK), name, self._lang, self._kind.one)


class PinReader(RecordReader[Pin, Pins]):
    """Reads pins. One that can't be read may hold any task."""

    def __init__(self, lang: Lang) -> None:
        super().__init__(PINS, lang)


class NoteReader(RecordReader[Note, Notes]):
    """Reads notes."""

    def __init__(self, lang: Lang) -> None:
        super().__init__(NOTES, lang)


_AnyReader: TypeAlias = RecordReader[Any, Any]


def read_records(root: Root, *readers: _AnyReader) -> None:
    """Update what the readers know of a root."""
    try:
        hipercow = open_folder(root.hipercow)
    except OSError:  # the scan of the tasks reports it
        return
    try:
        read_records_in(hipercow, *readers)
    finally:
        os.close(hipercow)


def read_records_in(hipercow: int, *readers: _AnyReader) -> None:
    """Update what the readers know of the root with the open folder ``hipercow``."""
    try:
        tui = open_folder(TUI_FOLDER, dir_fd=hipercow)
    except OSError as error:
        for reader in readers:
            reader.failed(error)
        return
    try:
        for reader in readers:
            reader.read_in(tui)
    finally:
        os.close(tui)


def _parse(data: Any, file: str, lang: Lang, one: type[_R]) -> _R:
    """Decode the values of ``record_as_bytes``. Raises ValueError for others, and if they do not
    belong to the file."""
    fields = JsonFields(data, f"the {one.__name__.lower()}")
    number = fields.take("format", whole_number)
    if number != _FORMAT:
        raise ValueError(f"its format is {number}, not {_FORMAT}: a newer version made it")
    kind = TargetKind(fields.take("kind", one_of(TargetKind)))
    name = fields.take("name", task_id if kind is TargetKind.CHAIN else text)
    record = one(
        RecordTarget(kind, Lang(fields.take("lang", one_of(Lang))), name),
        fields.take("note", shown_text),
        fields.take("user", shown_text),
        fields.take("host", shown_text),
        fields.take("when", seconds),
    )
    fields.end()
    if record.target.lang is not lang or record_file_name(record.target) != file:
        raise ValueError("its content belongs to another file")
    return record
