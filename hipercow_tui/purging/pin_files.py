"""Add and remove pins: one file each in ``hipercow/tui/pins``, written and removed atomically.

Separate files need no lock: two users who pin at the same time write two files, or the same pin, of
which the last one remains.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from hipercow_tui.domain.pins import Pin, PinTarget
from hipercow_tui.formats.pins import NOTE_LIMIT, PINS_FOLDER, pin_as_bytes, pin_file_name
from hipercow_tui.formats.root import TUI_FOLDER, Root
from hipercow_tui.purging.access import ensure_folder
from hipercow_tui.purging.file_changes import exists, replace, unlink
from hipercow_tui.purging.manifest import write_draft
from hipercow_tui.purging.process_identity import current_process
from hipercow_tui.purging.root_dirs import open_dir
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import PurgeError, os_error_text
from hipercow_tui.support.text import escape_controls


def add_pin(root: Root, target: PinTarget, note: str = "") -> Pin:
    """Pin a chain or a bundle, or replace its pin. ``note`` says why; it is cut at 500 characters.

    Returns the pin. Raises PurgeError if the root can't be written.
    """
    process = current_process()
    pin = Pin(target, note.strip()[:NOTE_LIMIT], process.user, process.host, time.time())
    with _pins_folder(root.part(target.lang), make=True) as folder:
        name = pin_file_name(target)
        draft = f"{name}.{secrets.token_hex(4)}.new"
        write_draft(draft, pin_as_bytes(pin), folder)
        replace(draft, name, folder)  # another user may remove the pin right afterwards
        filesystem.sync_folder(folder)
    return pin


def remove_pin(root: Root, target: PinTarget) -> bool:
    """Remove the pin of a chain or a bundle.

    Returns whether there was one. Raises PurgeError if the root can't be written.
    """
    try:
        with _pins_folder(root.part(target.lang), make=False) as folder:
            name = pin_file_name(target)
            existed = exists(name, folder)
            unlink(name, folder)
            filesystem.sync_folder(folder)
            return existed
    except FileNotFoundError:
        return False


@contextmanager
def _pins_folder(root: Root, *, make: bool) -> Iterator[int]:
    """Open the folder of the pins. Raises PurgeError, and FileNotFoundError unless ``make``."""
    if root.purge_refusal:
        raise PurgeError(f"Pins can't be changed: {root.purge_refusal}")
    path = root.hipercow
    try:
        with ExitStack() as stack:
            folder = open_dir(stack, path)
            for name in (TUI_FOLDER, PINS_FOLDER):
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
            f"Pins can't be changed in {shown}: {os_error_text(error)}. Nothing was changed."
        ) from None
