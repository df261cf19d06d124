"""A lot: the folder in ``hipercow/tui/`` that one purge moves everything into.

    20261123T231205Z-3f2a/      its name tells its state, see names.py
        alive                   a heartbeat, while someone works in it
        manifest.json           what the purge is about to do; written before anything moves
        bundles/NAME            whole; of Python a folder in NAME is written %2F
        tasks/<id>              whole
        erasing/<id>            no longer whole

What could not be put back, because something else stands there now, is kept in a folder beside it
that only those erase who name it.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hipercow_tui.errors import PurgeError
from hipercow_tui.plan import PurgePlan
from hipercow_tui.purging.heart import (
    ALIVE,
    Heart,
    is_alive,
    last_sign,
    let_go,
    refuse_alive,
    server_time,
    touch,
)
from hipercow_tui.purging.manifest import DRAFT, MANIFEST, Aim, write_manifest
from hipercow_tui.purging.names import TUI, LotName, State, new_stamp
from hipercow_tui.purging.places import Places, because, opened
from hipercow_tui.text import visible

NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
ROOMS = ("tasks", "bundles", "erasing")


class TakenOverError(PurgeError):
    """Someone took our lot over, after a silence so long that we seemed dead."""


class NoRoomError(PurgeError):
    """There is no room, on the disk or in a quota, for a lot."""


@dataclass(slots=True)
class Lot:
    """One lot, with its folders and ``hipercow/tui/`` open. ``name`` is its present name there."""

    places: Places
    name: LotName
    tui: int
    folder: int
    tasks: int
    bundles: int
    erasing: int
    heart: Heart

    @property
    def stamp(self) -> str:
        """What people call it by."""
        return self.name.stamp

    @property
    def path(self) -> Path:
        """Where it is, for words."""
        return self.places.path / TUI / str(self.name)

    @property
    def kept(self) -> Path:
        """Where what could not be put back is, for words."""
        return self.places.path / TUI / str(LotName(self.stamp, state=State.KEPT))

    def mark(self, state: State) -> None:
        """Change its state, by one rename. Raises OSError."""
        name = LotName(self.stamp, self.name.turn, state)
        os.rename(str(self.name), str(name), src_dir_fd=self.tui, dst_dir_fd=self.tui)
        self.name = name

    def make_sure(self) -> None:
        """Raises TakenOverError if we were silent, and someone took it over; else costs a look at
        the clock."""
        if not self.heart.missed:
            return
        self.heart.beat()
        with suppress(FileNotFoundError):
            there = os.stat(str(self.name), dir_fd=self.tui, follow_symlinks=False)
            if os.path.samestat(there, os.fstat(self.folder)):
                self.heart.forgive()
                return
        raise TakenOverError(
            f"Someone took this purge over while it stood still: what became of {self.stamp} is"
            " theirs to say"
        )

    def keep_aside(self, room: str, name: str) -> Path:
        """Move a task or bundle (``room`` is ``tasks`` or ``bundles``) to where no purge erases
        it; returns where it is now. If it can't be moved it stays in the lot."""
        source = self.tasks if room == "tasks" else self.bundles
        try:
            with ExitStack() as stack:
                folder = self.tui
                for step in (self.kept.name, room):
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
        _let_go(self.heart, self.folder)
        return _remove(self.places, self.tui, self.name, self.folder)


@contextmanager
def new_lot(places: Places, plan: PurgePlan, aim: Aim, stamp: str | None = None) -> Iterator[Lot]:
    """A fresh lot that holds the plan's manifest and nothing else; makes ``hipercow/tui/`` where
    there is none. It gets a ``stamp`` of its own if none is given.

    Raises NoRoomError, or PurgeError, if it can't be made; nothing of it is left then.
    """
    when = time.time()
    name = LotName(stamp or new_stamp(when))
    path = places.path / TUI / str(name)
    with ExitStack() as stack:
        try:
            tui = _tui_with(stack, places, name)
        except OSError as error:
            with suppress(OSError):
                os.rmdir(TUI, dir_fd=places.hipercow)
            raise _unwritable(path, error) from None
        folder = -1
        try:
            folder = opened(stack, path, tui)
            heart = Heart.of_lot(folder)
            stack.callback(_let_go, heart, folder)
            for room in ROOMS:
                os.mkdir(room, dir_fd=folder)
            tasks, bundles, erasing = (opened(stack, path / room, folder) for room in ROOMS)
            write_manifest(plan, aim, folder, when)
        except OSError as error:
            _remove(places, tui, name, folder)
            raise _unwritable(path, error) from None
        yield Lot(places, name, tui, folder, tasks, bundles, erasing, heart)


@contextmanager
def taken_over(places: Places, name: LotName, state: State) -> Iterator[Lot]:
    """A lot that nobody works in, taken over by the rename that also puts it into ``state``.

    Raises PurgeError if someone works in it, or was faster, or it can't be opened.
    """
    path = places.path / TUI / str(name)
    with ExitStack() as stack:
        try:
            tui = opened(stack, places.path / TUI, places.hipercow, places.device)
            folder = opened(stack, path, tui, places.device)
            _refuse_alive(name, folder, tui)
            taken = name.taken(state)
            with suppress(OSError):
                touch(folder)  # before the rename, for after it this must not look dead
            os.rename(str(name), str(taken), src_dir_fd=tui, dst_dir_fd=tui)
            heart = Heart.of_lot(folder)
            stack.callback(_let_go, heart, folder)
            for room in ROOMS:
                with suppress(FileExistsError):
                    os.mkdir(room, dir_fd=folder)
            tasks, bundles, erasing = (opened(stack, path / room, folder) for room in ROOMS)
        except FileNotFoundError:
            raise PurgeError(
                f"{name.stamp} is not there any more: someone else took it over"
            ) from None
        except OSError as error:
            raise PurgeError(
                f"{visible(str(path))} can't be taken over: {because(error)}"
            ) from None
        yield Lot(places, taken, tui, folder, tasks, bundles, erasing, heart)


def _refuse_alive(name: LotName, folder: int, tui: int) -> None:
    if name.state in (State.TRASH, State.KEPT):  # nobody works in these
        return
    now = server_time(tui)
    if is_alive(folder, now):
        who, last = last_sign(folder)
        refuse_alive(name.stamp, who, now - last)


def _let_go(heart: Heart, folder: int) -> None:
    heart.end()
    let_go(folder)


def _tui_with(stack: ExitStack, places: Places, name: LotName) -> int:
    """``hipercow/tui/``, open, with a new folder in it.

    The folder must be new: what is moved into it then can't meet anything. Another purge that ends
    may remove ``tui`` just after we found it: then we make it anew.
    """
    while True:
        with suppress(FileExistsError):
            os.mkdir(TUI, dir_fd=places.hipercow)
        try:
            tui = opened(stack, places.path / TUI, places.hipercow, places.device)
            os.mkdir(str(name), dir_fd=tui)
        except FileNotFoundError:
            continue
        return tui


def _remove(places: Places, tui: int, name: LotName, folder: int) -> bool:
    try:
        for room in ROOMS:
            with suppress(FileNotFoundError):
                os.rmdir(room, dir_fd=folder)
        for file in (DRAFT, MANIFEST, ALIVE):
            with suppress(FileNotFoundError):
                os.unlink(file, dir_fd=folder)
        os.rmdir(str(name), dir_fd=tui)
    except OSError:
        return False
    with suppress(OSError):
        os.rmdir(TUI, dir_fd=places.hipercow)
    return True


def _unwritable(path: Path, error: OSError) -> PurgeError:
    kind = NoRoomError if error.errno in NO_ROOM else PurgeError
    return kind(f"{visible(str(path))} can't be written: {because(error)}. Nothing was changed.")
