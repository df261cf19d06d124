"""A lot: the folder in ``hipercow/tui/`` that one purge moves everything into.

    20261123T231205Z-3f2a/      its time in UTC, and something random
        manifest.json           what the purge is about to do; written first
        bundles/NAME            whole
        tasks/<id>              whole
        erasing/<id>            no longer whole

Its name ends in ``.erasing`` from the moment something in it may no longer be whole. What could not
be put back, because something else stands there now, is kept in a folder beside it, whose name ends
in ``.kept`` and that no purge erases.
"""

from __future__ import annotations

import errno
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hipercow_tui.errors import PurgeError
from hipercow_tui.plan import PurgePlan
from hipercow_tui.purging.manifest import remove_manifest, write_manifest
from hipercow_tui.purging.places import Places, because, opened
from hipercow_tui.text import visible

TUI = "tui"  # our only folder in a root
ERASING = ".erasing"
KEPT = ".kept"
_ROOMS = ("tasks", "bundles", "erasing")


@dataclass(slots=True)
class Lot:
    """One lot, with its folders and ``hipercow/tui/`` open. ``name`` is its present name there."""

    places: Places
    stamp: str
    name: str
    tui: int
    folder: int
    tasks: int
    bundles: int
    erasing: int

    @property
    def path(self) -> Path:
        """Where it is, for words."""
        return self.places.path / TUI / self.name

    @property
    def kept(self) -> Path:
        """Where what could not be put back is, for words."""
        return self.places.path / TUI / (self.stamp + KEPT)

    def begin_erasing(self) -> None:
        """Mark it, by one rename, as no longer restorable as a whole. Raises OSError."""
        os.rename(self.name, self.stamp + ERASING, src_dir_fd=self.tui, dst_dir_fd=self.tui)
        self.name = self.stamp + ERASING

    def keep_aside(self, room: str, name: str) -> Path:
        """Move a task or bundle (``room`` is ``tasks`` or ``bundles``) to where no purge erases
        it; returns where it is now. If it can't be moved it stays in the lot."""
        source = self.tasks if room == "tasks" else self.bundles
        try:
            with ExitStack() as stack:
                folder = self.tui
                for step in (self.stamp + KEPT, room):
                    with suppress(FileExistsError):
                        os.mkdir(step, dir_fd=folder)
                    folder = opened(stack, self.kept / step, folder)
                os.rename(name, name, src_dir_fd=source, dst_dir_fd=folder)
        except (OSError, PurgeError):
            return self.path / room / name
        return self.kept / room / name

    def discard(self) -> bool:
        """Remove the lot, if it is empty, and then ``hipercow/tui/`` if that is; tells whether the
        lot is gone. The manifest stays as long as anything else does."""
        return _remove(self.places, self.tui, self.name, self.folder)


@contextmanager
def new_lot(places: Places, plan: PurgePlan) -> Iterator[Lot]:
    """A fresh lot that holds the plan's manifest and nothing else; makes ``hipercow/tui/`` where
    there is none.

    Raises PurgeError if it can't be made; nothing of it is left then.
    """
    when = time.time()
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(when)) + f"-{secrets.token_hex(2)}"
    path = places.path / TUI / stamp
    with ExitStack() as stack:
        try:
            tui = _tui_with(stack, places, stamp)
            folder = opened(stack, path, tui)
        except OSError as error:
            raise PurgeError(_unwritable(path, error)) from None
        try:
            for room in _ROOMS:
                os.mkdir(room, dir_fd=folder)
            tasks, bundles, erasing = (opened(stack, path / room, folder) for room in _ROOMS)
            write_manifest(plan, folder, when)
        except OSError as error:
            _remove(places, tui, stamp, folder)
            raise PurgeError(_unwritable(path, error)) from None
        yield Lot(places, stamp, stamp, tui, folder, tasks, bundles, erasing)


def _tui_with(stack: ExitStack, places: Places, stamp: str) -> int:
    """``hipercow/tui/``, open, with a new folder in it.

    The folder must be new: what is moved into it then can't meet anything. Another purge that ends
    may remove ``tui`` just after we found it: then we make it anew.
    """
    while True:
        with suppress(FileExistsError):
            os.mkdir(TUI, dir_fd=places.hipercow)
        try:
            tui = opened(stack, places.path / TUI, places.hipercow, places.device)
            os.mkdir(stamp, dir_fd=tui)
        except FileNotFoundError:
            continue
        return tui


def _remove(places: Places, tui: int, name: str, folder: int) -> bool:
    try:
        for room in _ROOMS:
            with suppress(FileNotFoundError):
                os.rmdir(room, dir_fd=folder)
        remove_manifest(folder)
        os.rmdir(name, dir_fd=tui)
    except OSError:
        return False
    with suppress(OSError):
        os.rmdir(TUI, dir_fd=places.hipercow)
    return True


def _unwritable(path: Path, error: OSError) -> str:
    sentence = f"{visible(str(path))} can't be written: {because(error)}. Nothing was changed."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        sentence += (
            " A purge writes down what it will do before it moves anything:"
            " free a few megabytes by hand first."
        )
    return sentence
