"""Read the pins of a root: a JSON file each in ``hipercow/tui/pins`` (docs/spec.md, rule 18).

The folder is read on each scan: two calls if there are no pins, else nine, and two for each pin.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import ExitStack, suppress
from typing import Any

from hipercow_tui.domain.pins import Pin, PinKind, Pins, PinTarget
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

PINS_FOLDER = "pins"
ENDING = ".json"
NOTE_LIMIT = 500  # characters
_FORMAT = 1
_LIMIT = 1 << 16  # bytes of a pin
_WORK = 10_000  # limit for load_json
_MAX_PINS = 100_000
_Stamp = tuple[int, int, int]


def pin_file_name(target: PinTarget) -> str:
    """Return the name of the file of a pin. The name of a bundle can be too long for it, or
    contain ``/``, so a digest of it is used."""
    if target.kind is PinKind.CHAIN:
        return f"{target.kind}-{target.name}{ENDING}"
    digest = hashlib.sha256(os.fsencode(target.name)).hexdigest()
    return f"{target.kind}-{digest[:32]}{ENDING}"


def pin_as_bytes(pin: Pin) -> bytes:
    """Encode a pin as JSON."""
    value = {
        "format": _FORMAT,
        "kind": pin.target.kind,
        "lang": pin.target.lang,
        "name": pin.target.name,
        "note": pin.note,
        "user": pin.user,
        "host": pin.host,
        "when": pin.time,
    }
    return json.dumps(value, separators=(",", ":")).encode("ascii")


class PinReader:
    """Reads the pins of the root of one language repeatedly; an unchanged file is not read again.

    A pin that can't be read may hold any task: ``Pins.unread`` says so.
    """

    def __init__(self, lang: Lang) -> None:
        self._lang = lang
        self._known: dict[str, tuple[_Stamp, Pin]] = {}
        self._pins = Pins()

    def read_root(self, root: Root) -> Pins:
        """Return the pins of a root as they are now; the same object as long as nothing changed."""
        try:
            hipercow = open_folder(root.hipercow)
        except OSError:  # the scan of the tasks reports it
            return self._pins
        try:
            return self.read(hipercow)
        finally:
            os.close(hipercow)

    def read(self, hipercow: int) -> Pins:
        """Return the pins in the open folder ``hipercow``, as ``read_root`` does."""
        try:
            pins = self._read(hipercow)
        except FileNotFoundError:
            pins = Pins()
        except (OSError, ValueError) as error:
            why = os_error_text(error) if isinstance(error, OSError) else str(error)
            pins = Pins(self._pins.pins, f"pins in 'tui/{PINS_FOLDER}' can't be read: {why}")
        if pins != self._pins:
            self._pins = pins
        return self._pins

    def _read(self, hipercow: int) -> Pins:
        """Read the folder. Raises OSError and ValueError."""
        with ExitStack() as stack:
            folder = hipercow
            for name in (TUI_FOLDER, PINS_FOLDER):
                folder = open_folder(name, dir_fd=folder)
                stack.callback(os.close, folder)
            names = sorted(name for name in filesystem.list_names(folder) if name.endswith(ENDING))
            if len(names) > _MAX_PINS:
                raise ValueError("there are too many")
            read = {name: self._read_file(name, folder) for name in names}
        self._known = {name: found for name, found in read.items() if found is not None}
        return Pins(tuple(pin for _, pin in self._known.values()))

    def _read_file(self, name: str, folder: int) -> tuple[_Stamp, Pin] | None:
        """Return a pin with the stamp of its file; None if it was removed meanwhile."""
        with suppress(FileNotFoundError):
            status = filesystem.stat_in(name, folder)
            stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
            known = self._known.get(name)
            if known is not None and known[0] == stamp:
                return known
            try:
                raw = read_file(name, limit=_LIMIT, dir_fd=folder)
                return stamp, _parse(load_json(raw, work=_WORK), name, self._lang)
            except ValueError as error:
                raise ValueError(f"'{escape_controls(name)}': {error}") from None
        return None


def _parse(data: Any, file: str, lang: Lang) -> Pin:
    """Decode the values of ``pin_as_bytes``. Raises ValueError for others, and if the pin does not
    belong to the file."""
    fields = JsonFields(data, "the pin")
    number = fields.take("format", whole_number)
    if number != _FORMAT:
        raise ValueError(f"its format is {number}, not {_FORMAT}: a newer version made it")
    kind = PinKind(fields.take("kind", one_of(PinKind)))
    name = fields.take("name", task_id if kind is PinKind.CHAIN else text)
    pin = Pin(
        PinTarget(kind, Lang(fields.take("lang", one_of(Lang))), name),
        fields.take("note", shown_text),
        fields.take("user", shown_text),
        fields.take("host", shown_text),
        fields.take("when", seconds),
    )
    fields.end()
    if pin.target.lang is not lang or pin_file_name(pin.target) != file:
        raise ValueError("its content belongs to another file")
    return pin
