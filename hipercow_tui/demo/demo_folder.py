"""The temporary folder of a demo: removed at its end, or by a later demo if its process was killed.

hipercow-demo-XXXXXXXX/
    demo.json                the marker: the process that made the folder
    sir-model/               the root
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.purging.process_identity import ProcessIdentity, current_process
from hipercow_tui.support.filesystem import open_folder, remove_folder, scan, unlink

_PREFIX = "hipercow-demo-"
_NAME = re.compile(rf"{_PREFIX}[a-z0-9_]{{8}}\Z")  # as ``tempfile`` makes them
_MARKER = "demo.json"
_KIND = "hipercow-tui demo"
_PATIENCE = 3.0  # seconds
_LIMIT = 10_000  # bytes of a marker


def make_demo_folder() -> Path:
    """Make a folder for the demo of this process, with the marker."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    (folder / _MARKER).write_text(json.dumps({_KIND: current_process().as_json()}), "ascii")
    return folder


def remove_demo_folder(path: Path) -> None:
    """Remove the folder of a demo. Raises OSError if something in it can't be removed for
    ``_PATIENCE`` seconds: on Windows not while a thread of the app still reads it."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            _remove(path)
            return
        except OSError:
            if time.monotonic() >= end:
                raise
        time.sleep(0.05)


def _remove(path: Path) -> None:
    folder = open_folder(path)
    try:
        _remove_contents(folder)
    finally:
        os.close(folder)
    os.rmdir(path)


def remove_abandoned_folders() -> None:
    """Remove folders of this user's demos if their processes ended without removing them.

    A folder without a valid marker stays, and so does one whose process may still run. No link is
    followed. What can't be removed is left for the next demo.
    """
    with suppress(OSError):
        parent = open_folder(tempfile.gettempdir())
        try:
            with scan(parent) as entries:
                names = [entry.name for entry in entries if _NAME.match(entry.name)]
            for name in names:
                with suppress(OSError):
                    _remove_if_abandoned(name, parent)
        finally:
            os.close(parent)


def _remove_if_abandoned(name: str, parent: int) -> None:
    folder = open_folder(name, dir_fd=parent)
    try:
        if not _is_abandoned(folder):
            return
        _remove_contents(folder)
    finally:
        os.close(folder)
    remove_folder(name, parent)


def _is_abandoned(folder: int) -> bool:
    """Return whether an open folder belongs to this user alone and was made by a demo whose process
    has ended. Raises OSError if there is no marker."""
    if sys.platform != "win32":  # there, only the user can enter the temporary folder
        status = os.fstat(folder)
        if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) != stat.S_IRWXU:
            return False
    try:
        marker = json.loads(read_file(_MARKER, limit=_LIMIT, dir_fd=folder))
    except (ValueError, RecursionError):
        return False
    if not isinstance(marker, dict) or marker.keys() != {_KIND}:
        return False
    process = ProcessIdentity.from_json(marker[_KIND])
    return process is not None and process.is_gone


def _remove_contents(folder: int) -> None:
    """Remove all entries of an open folder, the marker last: if this is interrupted, the next demo
    continues. Raises OSError."""
    with scan(folder) as listing:
        entries = sorted(listing, key=lambda entry: entry.name == _MARKER)
    for entry in entries:
        if not entry.is_dir(follow_symlinks=False):
            unlink(entry.name, folder)
            continue
        inside = open_folder(entry.name, dir_fd=folder)
        try:
            _remove_contents(inside)
        finally:
            os.close(inside)
        remove_folder(entry.name, folder)
