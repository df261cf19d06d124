"""Write and remove pins and notes atomically: one file each in ``hipercow/tui/pins`` and
``hipercow/tui/notes``.

Separate files need no lock: two users who pin at the same time write two files, or the same pin, of
which the last one remains.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from hipercow_tui.domain.notes import Note
from hipercow_tui.domain.pins import Pin
from hipercow_tui.domain.records import Record, RecordTarget
from hipercow_tui.formats.records import (
    NOTE_LIMIT,
    NOTES,
    PINS,
    RecordKind,
    record_as_bytes,
    record_file_name,
)
from hipercow_tui.formats.root import TUI_FOLDER, Root
from hipercow_tui.purging.access import ensure_folder
from hipercow_tui.purging.file_changes import exists, replace, unlink
from hipercow_tui.purging.manifest import write_draft
from hipercow_tui.purging.process_identity import current_process
from hipercow_tui.purging.root_dirs import open_dir
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import PurgeError, os_error_text
from hipercow_tui.support.text import escape_controls

_R = TypeVar("_R", bound=Record)


def add_pin(root: Root, target: RecordTarget, note: str = "") -> Pin:
    """Pin a chain or a bundle, or replace its pin. ``note`` says why; it is cut at 500 characters.

    Returns the pin. Raises PurgeError if the root can't be written.
    """
    return _write(PINS, root, target, note)


def remove_pin(root: Root, target: RecordTarget) -> bool:
    """Remove the pin of a chain or a bundle.

    Returns whether there was one. Raises PurgeError if the root can't be written.
    """
    return _remove(PINS, root, target)


def write_note(root: Root, target: RecordTarget, text: str) -> Note | None:
    """Write a note on a chain or a bundle, or replace it. It is cut at 500 characters.

    Returns the note. An empty text removes it, and returns None. Raises PurgeError if the root
    can't be written.
    """
    if text.strip():
        return _write(NOTES, root, target, text)
    _remove(NOTES, root, target)
    return None


def _write(kind: RecordKind[_R, Any], root: Root, target: RecordTarget, note: str) -> _R:
    process = current_process()
    record = kind.one(target, note.strip()[:NOTE_LIMIT], process.user, process.host, time.time())
    with _open_folder(kind, root.part(target.lang), make=True) as folder:
        name = record_file_name(target)
        draft = f"{name}.{secrets.token_hex(4)}.new"
        write_draft(draft, record_as_bytes(record), folder)
        replace(draft, name, folder)  # another user may remove it right afterwards
        filesystem.sync_folder(folder)
    return record


def _remove(kind: RecordKind[Any, Any], root: Root, target: RecordTarget) -> bool:
    try:
        with _open_folder(kind, root.part(target.lang), make=False) as folder:
            name = record_file_name(target)
            existed = exists(name, folder)
            unlink(name, folder)
            filesystem.sync_folder(folder)
            return existed
    except FileNotFoundError:
        return False


@contextmanager
def _open_folder(kind: RecordKind[Any, Any], root: Root, *, make: bool) -> Iterator[int]:
    """Open the folder of pins or notes.

    Raises PurgeError, and FileNotFoundError unless ``make``.
    """
    what = kind.folder.capitalize()
    if root.purge_refusal:
        raise PurgeError(f"{what} can't be changed: {root.purge_refusal}")
    path = root.hipercow
    try:
        with ExitStack() as stack:
            folder = open_dir(stack, path)
            for name in (TUI_FOLDER, kind.folder):
                path /= name
                if make:
                    ensure_folder(name, folder)
                folder = open_dir(stack, path, folder)
            yield folder
    except FileNotFoundError:
        raise
    except OSError as error:
        shown = escape_controls(os.fspath(path))
        raise PurgeError(
            f"{what} can't be changed in {shown}: {os_error_text(error)}. Nothing was changed."
        ) from None
