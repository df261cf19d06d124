"""A lot: the folder in ``hipercow/tui/`` that one purge moves everything into.

    20261123T231205Z-3f2a/      its name ends in its state, see names.py
        alive                   the heartbeat of its owner, the process that works in it
        manifest.json           the plan that was confirmed; written before anything moves
        bundles/NAME            whole; of Python a folder in NAME is written %2F
        tasks/<id>              whole
        erasing/<id>            no longer whole

What could not be put back, because its place is taken, is kept in a folder beside it, which is
erased only by its own name.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count as count_from
from pathlib import Path

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.purging.access import ensure_folder, make_folder
from hipercow_tui.purging.batch_name import AT_REST, TUI, LotName, State, new_stamp, parse
from hipercow_tui.purging.file_changes import (
    check_exists,
    exists,
    remove_folder,
    rename,
    sync_folder,
    unlink,
)
from hipercow_tui.purging.heartbeat import (
    ALIVE,
    Heart,
    ensure_dead,
    release,
    server_time,
    sign_of,
    touch,
)
from hipercow_tui.purging.manifest import (
    DRAFT,
    MANIFEST,
    Aim,
    manifest_bytes,
    write_draft,
    write_manifest,
)
from hipercow_tui.purging.progress import Watch
from hipercow_tui.purging.root_dirs import Places, because, opened
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import visible

NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_DAY = 86400.0  # seconds
ROOMS = ("tasks", "bundles", "erasing")


class TakenOverError(PurgeError):
    """Another process took our lot over."""


class LotGoneError(PurgeError):
    """Our lot was moved away or removed, and no other process works in it."""


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
        """Where it is, for messages."""
        return self.places.path / TUI / str(self.name)

    @property
    def kept(self) -> Path:
        """Where what could not be put back is, for messages."""
        return self.places.path / TUI / str(LotName(self.stamp, state=State.KEPT))

    def mark(self, state: State) -> None:
        """Change its state, by one rename. Raises OSError, and as ``make_sure`` does."""
        name = LotName(self.stamp, self.name.turn, state)
        try:
            rename(str(self.name), str(name), self.tui, self.tui)
        except FileNotFoundError:
            raise self._lost() from None
        check_exists(str(name), self.tui)
        self.name = name

    def make_sure(self) -> None:
        """Check that the lot is still ours, for one call: before each step that can't be undone.
        Raises TakenOverError, LotGoneError, and OSError if that can't be found out.

        On NFS a look may be answered from a cache of up to a minute. No process takes a lot over
        that gave a sign of life within that time.
        """
        try:
            os.stat(str(self.name), dir_fd=self.tui, follow_symlinks=False)
        except FileNotFoundError:
            raise self._lost() from None

    def refuse_taken_over(self) -> None:
        """As ``make_sure``, before a step that is safe where the lot was only moved away: what is
        still in it can be put back through its open folders."""
        with suppress(LotGoneError):
            self.make_sure()

    def _lost(self) -> PurgeError:
        others = {name for name in _all_names(self.tui) if name.stamp == self.stamp}
        if any(one.turn > self.name.turn and one.state is not State.KEPT for one in others):
            return TakenOverError(
                f"Another process took over {self.stamp} because this one gave no sign of life:"
                " see 'hipercow-tui trash' and 'hipercow-tui history'"
            )
        return LotGoneError(f"{visible(str(self.path))} was moved away or removed meanwhile")

    def keep_aside(self, room: str, name: str) -> Path:
        """Move a task or bundle (``room`` is one of ROOMS) to where no purge erases it; returns
        where it is now. If it can't be moved it stays in the lot."""
        source = {"tasks": self.tasks, "bundles": self.bundles, "erasing": self.erasing}[room]
        try:
            return self.move_aside(room, name, source, name)
        except (OSError, PurgeError):
            return self.path / room / name

    def move_aside(self, room: str, name: str, source: int, source_name: str) -> Path:
        """Move what is in the open folder ``source`` to ``room`` of what is kept aside, by one
        rename; returns where it is now. Nothing that is kept already is replaced.

        Raises OSError, and PurgeError.
        """
        for turn in count_from(0):
            kept = LotName(self.stamp, turn, State.KEPT)
            path = self.places.path / TUI / str(kept) / room
            with ExitStack() as stack:
                folder = self.tui
                for step in (path.parent, path):
                    ensure_folder(step.name, folder)
                    folder = opened(stack, step, folder, self.places.mount)
                if not exists(name, folder):
                    rename(source_name, name, source, folder)
                    check_exists(name, folder)
                    return path / name
        raise AssertionError("there is always another turn")

    def discard(self) -> bool:
        """Remove the lot, if it is empty, and then ``hipercow/tui/`` if that is; returns whether
        the lot is gone. The manifest stays as long as anything else does."""
        if not self.release():
            return False
        return _remove(self.places, self.tui, self.name, self.folder)

    def release(self) -> bool:
        """End the heartbeat; returns whether the lot was ours to the end."""
        self.heart.end()
        try:
            self.make_sure()
        except (OSError, PurgeError):
            return False
        release(self.folder)
        return True


@contextmanager
def new_lot(places: Places, plan: PurgePlan, aim: Aim, stamp: str | None = None) -> Iterator[Lot]:
    """A new lot for a plan that was confirmed. It holds the manifest and nothing else, and makes
    ``hipercow/tui/`` where there is none. It gets a ``stamp`` if none is given.

    Its name says that it is only being prepared until the manifest is on the disk. Raises
    NoRoomError, or PurgeError, if it can't be made; nothing of it is left then.
    """
    with _prepared(places, stamp) as lot:
        try:
            write_manifest(plan, aim, lot.folder, time.time())
            lot.mark(State.MOVING)
            sync_folder(lot.tui)
        except OSError as error:
            lot.discard()
            raise _unwritable(lot.path, error) from None
        yield lot


def check_room(places: Places, plan: PurgePlan, aim: Aim) -> None:
    """Check that a lot for this plan could be made: prepare one, with a file of the size of its
    manifest, and remove it. Raises NoRoomError, or PurgeError."""
    with _prepared(places, None) as lot:
        try:
            write_draft(DRAFT, bytes(len(manifest_bytes(plan, aim, time.time()))), lot.folder)
        except OSError as error:
            raise _unwritable(lot.path, error) from None
        finally:
            lot.discard()


@contextmanager
def _prepared(places: Places, stamp: str | None) -> Iterator[Lot]:
    name = LotName(stamp or new_stamp(time.time()), state=State.PREPARING)
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
            folder = opened(stack, path, tui, places.mount)
            heart = Heart.of_lot(folder)
            stack.callback(heart.end)
            rooms = _rooms(stack, places, path, folder)
            lot = Lot(places, name, tui, folder, *rooms, heart)
        except OSError as error:
            _remove(places, tui, name, folder)
            raise _unwritable(path, error) from None
        stack.callback(lot.release)
        yield lot


@contextmanager
def taken_over(places: Places, name: LotName, state: State, watch: Watch) -> Iterator[Lot]:
    """A lot without an owner, taken over by the rename that also puts it into ``state``.

    Its heartbeat is watched before, where it is not certain that its owner is gone. Raises
    PurgeError if an owner works in it, if another process was faster, or if it can't be opened.
    """
    path = places.path / TUI / str(name)
    with ExitStack() as stack:
        try:
            tui = opened(stack, places.path / TUI, places.hipercow, places.mount)
            folder = opened(stack, path, tui, places.mount)
            if name.state not in AT_REST:
                ensure_owner_gone(places, tui, name, watch)
            taken = name.taken(state, _all_names(tui))
            with suppress(OSError):
                touch(folder)  # before the rename, for after it this must not look dead
            os.rename(str(name), str(taken), src_dir_fd=tui, dst_dir_fd=tui)
            heart = Heart.of_lot(folder)
            stack.callback(heart.end)
            rooms = _rooms(stack, places, path, folder)
            lot = Lot(places, taken, tui, folder, *rooms, heart)
        except FileNotFoundError:
            raise PurgeError(
                f"{name.stamp} is gone, or another process took it over: 'hipercow-tui trash' lists"
                " what there is"
            ) from None
        except OSError as error:
            raise PurgeError(
                f"{visible(str(path))} can't be taken over: {because(error)}"
            ) from None
        stack.callback(lot.release)
        _remove_abandoned(places, tui)
        yield lot


def ensure_owner_gone(places: Places, tui: int, name: LotName, watch: Watch) -> None:
    """Return once no process works in a lot of the open ``hipercow/tui/``. Raises PurgeError if one
    does, and OSError."""
    with ExitStack() as stack:
        folder = opened(stack, places.path / TUI / str(name), tui, places.mount)
        now = server_time(tui)
        ensure_dead(places.path / TUI / name.owner, lambda: sign_of(folder), now, watch)


def lot_names(tui: int) -> list[LotName]:
    """The names of the lots in the open ``hipercow/tui/``, sorted, without those that are only
    prepared and hold nothing. Raises OSError."""
    names = _all_names(tui)
    return [name for name in names if name.state is not State.PREPARING or _is_filled(name, tui)]


def _all_names(tui: int) -> list[LotName]:
    return sorted(filter(None, map(parse, os.listdir(tui))), key=str)


def _is_filled(name: LotName, tui: int) -> bool:
    """Whether a lot holds a task or bundle, or can't be examined. Raises OSError."""
    with ExitStack() as stack, suppress(FileNotFoundError):
        folder = open_folder(str(name), dir_fd=tui)
        stack.callback(os.close, folder)
        return any(os.listdir(fd) for fd in _opened_rooms(stack, folder))
    return False


def _opened_rooms(stack: ExitStack, folder: int) -> Iterator[int]:
    for room in ROOMS:
        fd = open_folder(room, dir_fd=folder)
        stack.callback(os.close, fd)
        yield fd


def _rooms(stack: ExitStack, places: Places, path: Path, folder: int) -> tuple[int, int, int]:
    """The folders in an open batch, made where there are none. Raises OSError, and PurgeError."""
    for room in ROOMS:
        ensure_folder(room, folder)
    tasks, bundles, erasing = (opened(stack, path / room, folder, places.mount) for room in ROOMS)
    return tasks, bundles, erasing


def _remove_abandoned(places: Places, tui: int) -> None:
    """Remove what other processes prepared and left: nothing was ever moved into it. If its owner
    may be on another machine, it is kept for a day."""
    with suppress(OSError, PurgeError):
        for name in _all_names(tui):
            if name.state is State.PREPARING and _is_abandoned(places, tui, name):
                _remove_prepared(places, tui, name)


def _is_abandoned(places: Places, tui: int, name: LotName) -> bool:
    with ExitStack() as stack:
        folder = opened(stack, places.path / TUI / str(name), tui, places.mount)
        sign, now = sign_of(folder), time.time()
        return sign.is_over(now) or sign.age(now) > _DAY


def _remove_prepared(places: Places, tui: int, name: LotName) -> bool:
    with ExitStack() as stack:
        folder = opened(stack, places.path / TUI / str(name), tui, places.mount)
        return _remove(places, tui, name, folder)


def _tui_with(stack: ExitStack, places: Places, name: LotName) -> int:
    """``hipercow/tui/``, open, with a new folder in it.

    The folder must be new: what is moved into it then can't meet anything. Where a purge died
    before it began here, and is finished now, its folder is made again. Another purge that ends may
    remove ``tui`` just after we found it: then that is made again too.
    """
    while True:
        ensure_folder(TUI, places.hipercow)
        try:
            tui = opened(stack, places.path / TUI, places.hipercow, places.mount)
            _remove_abandoned(places, tui)
            make_folder(str(name), tui)
        except FileNotFoundError:
            continue
        except FileExistsError:
            if not _remove_prepared(places, tui, name):
                raise
            continue
        return tui


def _remove(places: Places, tui: int, name: LotName, folder: int) -> bool:
    try:
        for room in ROOMS:
            remove_folder(room, folder)
        for file in (DRAFT, MANIFEST, ALIVE):
            unlink(file, folder)
        remove_folder(str(name), tui)
    except OSError:
        return False
    with suppress(OSError):
        os.rmdir(TUI, dir_fd=places.hipercow)
    return True


def _unwritable(path: Path, error: OSError) -> PurgeError:
    kind = NoRoomError if error.errno in NO_ROOM else PurgeError
    return kind(f"{visible(str(path))} can't be written: {because(error)}. Nothing was changed.")
