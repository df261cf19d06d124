"""What ``hipercow/tui/`` holds: the trash, and purges that run or were interrupted."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.folder_size import Size, measure_folder
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.purging.batch import ROOMS, lot_names
from hipercow_tui.purging.batch_name import AT_REST, TUI, LotName, State, bundle_name
from hipercow_tui.purging.file_changes import exists
from hipercow_tui.purging.full_disk import Aside, aside
from hipercow_tui.purging.heartbeat import Sign, is_alive, sign_of
from hipercow_tui.purging.manifest import Aim, Manifest, read_manifest
from hipercow_tui.purging.process_identity import Who
from hipercow_tui.purging.root_dirs import because, opened
from hipercow_tui.support.errors import PurgeError

# Ids that are whole, names of bundles, ids whose erasing began.
Contents: TypeAlias = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class TrashLot:
    """A lot in ``hipercow/tui/``, or a single task aside where there was no room for a lot.

    ``tasks`` are the ids that are whole in it, ``bundles`` the names, ``remains`` the ids whose
    erasing began. ``when`` its plan was confirmed is in seconds since the epoch, ``who`` confirmed
    it; both None where its manifest can't be read. ``confirmed`` says that its plan may be carried
    out. ``alive`` says that a process seems to work in it. ``problem`` is a sentence on what of it
    can't be read, or empty.
    """

    name: LotName
    tasks: tuple[str, ...]
    bundles: tuple[str, ...]
    remains: tuple[str, ...]
    when: float | None
    who: Who | None
    aim: Aim | None
    alive: bool
    confirmed: bool = False
    problem: str = ""
    lang: Lang = Lang.R

    @property
    def stamp(self) -> str:
        """What people call it by."""
        return self.name.stamp

    @property
    def state(self) -> State:
        """What is happening, or happened, to it."""
        return self.name.state

    @property
    def interrupted(self) -> bool:
        """Whether something was begun in it that no process works on any more."""
        return not self.alive and self.state not in AT_REST

    @property
    def resumable(self) -> bool:
        """Whether what was interrupted in it can be brought to its end: it was confirmed."""
        if not self.interrupted or self.state is State.PREPARING:
            return False
        return self.confirmed or self.state is not State.MOVING

    @property
    def erasable(self) -> bool:
        """Whether it can be erased as it is; else it is to be finished or restored first."""
        return self.state in (State.ERASING, *AT_REST)

    @property
    def contents(self) -> Contents:
        """What is in it."""
        return self.tasks, self.bundles, self.remains


def trash(root: Root, states: Collection[State] = tuple(State)) -> tuple[TrashLot, ...]:
    """Every lot of the root that is in one of these states, the oldest first. What is only being
    prepared is left out unless it holds something.

    Nothing is written, so whether a process works in a lot may be a guess by this machine's clock.
    Raises PurgeError if they can't be read, and OSError.
    """
    with ExitStack() as stack:
        hipercow = opened(stack, root.hipercow)
        found = [_as_lot(root, task, hipercow) for task in aside(hipercow)]
        with suppress(FileNotFoundError):
            tui = opened(stack, root.hipercow / TUI, hipercow)
            names = [name for name in lot_names(tui) if name.state in states]
            found += filter(None, (_seen(root, name, tui) for name in names))
        return tuple(found)


def interrupted(root: Root) -> tuple[TrashLot, ...]:
    """The lots in which something was interrupted, for ``finish`` or ``restore``. Raises
    PurgeError, and OSError."""
    if root.purge_refusal:
        return ()
    underway = [state for state in State if state not in AT_REST]
    return tuple(lot for lot in trash(root, underway) if lot.interrupted)


def manifest_in(root: Root, name: LotName) -> Manifest | None:
    """The manifest of a lot; None if there is none that makes sense. Raises PurgeError."""
    with ExitStack() as stack, suppress(FileNotFoundError):
        parent = opened(stack, root.hipercow)
        tui = opened(stack, root.hipercow / TUI, parent)
        return read_manifest(opened(stack, root.hipercow / TUI / str(name), tui))
    return None


def trash_size(root: Root, lot: TrashLot) -> Size | None:
    """How much a lot holds; None if it is gone or can't all be read. Costs a stat a file."""
    with ExitStack() as stack:
        parent = opened(stack, root.hipercow)
        for task in aside(parent):
            if task.stamp == lot.stamp:
                return measure_folder(task.name, parent)
        with suppress(FileNotFoundError):
            return measure_folder(str(lot.name), opened(stack, root.hipercow / TUI, parent))
        return None


def trash_signs(root: Root) -> tuple[tuple[int, int] | None, ...]:
    """What differs once anything came, went or changed its state, for two calls a part of the root:
    the times of the folders that hold the lots. It does not tell who at work has died."""
    folders = [path for part in root.parts for path in (part.hipercow, part.hipercow / TUI)]
    return tuple(map(_time_of, folders))


def is_at_work(root: Root, lot: TrashLot) -> bool:
    """Whether a process seems to work in that lot still, for six calls; False if it is gone."""
    with ExitStack() as stack:
        try:
            hipercow = opened(stack, root.hipercow)
            for task in aside(hipercow):
                if task.stamp == lot.stamp:
                    return _is_alive(root, task.stamp, task.sign, time.time())
            tui = opened(stack, root.hipercow / TUI, hipercow)
            folder = opened(stack, root.hipercow / TUI / str(lot.name), tui)
            return _is_alive(root, lot.name.owner, sign_of(folder), time.time())
        except (OSError, PurgeError):
            return False


def contents_of(folder: int) -> Contents:
    """What an open lot holds: ids that are whole, names of bundles, ids whose erasing began; each
    sorted by its file. Raises OSError."""
    tasks, bundles, remains = (_names_in(room, folder) for room in ROOMS)
    return tasks, tuple(map(bundle_name, bundles)), remains


def _is_alive(root: Root, name: str, sign: Sign, now: float) -> bool:
    return is_alive(root.hipercow / TUI / name, sign, now)


def _time_of(folder: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(folder, follow_symlinks=False)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _seen(root: Root, name: LotName, tui: int) -> TrashLot | None:
    """A lot as it is now; None if it vanishes meanwhile, or is no folder."""
    lot = TrashLot(name, (), (), (), when=None, who=None, aim=None, alive=False)
    try:
        folder = open_folder(str(name), dir_fd=tui)
    except OSError as error:
        gone = error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
        return None if gone else replace(lot, problem=_unreadable(error))
    try:
        manifest = read_manifest(folder)
        if manifest is not None:
            lot = replace(
                lot,
                when=manifest.when,
                who=manifest.who,
                aim=manifest.aim,
                confirmed=manifest.confirmed,
            )
        at_rest = name.state in AT_REST
        alive = not at_rest and _is_alive(root, name.owner, sign_of(folder), time.time())
        tasks, bundles, remains = contents_of(folder)
        return replace(lot, tasks=tasks, bundles=bundles, remains=remains, alive=alive)
    except OSError as error:
        return replace(lot, problem=_unreadable(error))
    finally:
        os.close(folder)


def _unreadable(error: OSError) -> str:
    return f"what it holds can't be read: {because(error)}"


def _names_in(room: str, folder: int) -> tuple[str, ...]:
    try:
        fd = open_folder(room, dir_fd=folder)
    except FileNotFoundError:
        return ()
    try:
        return tuple(sorted(os.listdir(fd)))
    finally:
        os.close(fd)


def _as_lot(root: Root, task: Aside, hipercow: int) -> TrashLot:
    """A task aside; one that is whole is only ever put back, for it was not compared."""
    name = LotName(task.stamp, state=State.MOVING if task.whole else State.ERASING)
    whole, remains = ((task.id,), ()) if task.whole else ((), (task.id,))
    alive = _is_alive(root, task.stamp, task.sign, time.time())
    half = task.whole and not exists(f"{task.name}/data", hipercow)
    return TrashLot(name, whole, (), remains, None, None, Aim.PURGE, alive, confirmed=half)
