"""The temporary folder of a demo: removed at its end, or by a later demo if its process was killed.

hipercow-demo-XXXXXXXX/
    demo.json                the marker: the process that made the folder
    sir-model/               the root
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from hipercow_tui.formats.safe_open import open_folder, read_file
from hipercow_tui.purging.process_identity import ProcessIdentity, current_process

_PREFIX = "hipercow-demo-"
_NAME = re.compile(rf"{_PREFIX}[a-z0-9_]{{8}}\Z")  # as ``tempfile`` makes them
_MARKER = "demo.json"
_KIND = "hipercow-tui demo"
_LIMIT = 10_000  # bytes of a marker


def make_demo_folder() -> Path:
    """Make a folder for the demo of this process, with the marker."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    (folder / _MARKER).write_text(json.dumps({_KIND: current_process().as_json()}), "ascii")
    return folder


def remove_demo_folder(path: Path) -> None:
    """Remove the folder of a demo. Raises OSError if something in it can't be removed."""
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
            for name in filter(_NAME.match, os.listdir(parent)):
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
    os.rmdir(name, dir_fd=parent)


def _is_abandoned(folder: int) -> bool:
    """Return whether an open folder belongs to this user alone and was made by a demo whose process
    has ended. Raises OSError if there is no marker."""
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
    for name in sorted(os.listdir(folder), key=lambda name: name == _MARKER):
        if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            shutil.rmtree(name, dir_fd=folder)
        else:
            os.unlink(name, dir_fd=folder)
