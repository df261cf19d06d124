"""What stands in ``hipercow/tui/``: the trash, and purges that broke off or are under way."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from hipercow_tui.errors import PurgeError
from hipercow_tui.model import Lang
from hipercow_tui.purging.heart import is_alive
from hipercow_tui.purging.lot import ROOMS
from hipercow_tui.purging.manifest import Aim, read_manifest
from hipercow_tui.purging.names import TUI, LotName, State, bundle_name, parse
from hipercow_tui.purging.places import opened
from hipercow_tui.purging.who import Who
from hipercow_tui.purging.without_lot import Aside, aside
from hipercow_tui.roots import Root
from hipercow_tui.roots.files import open_folder
from hipercow_tui.roots.sizes import Size, measure_folder

_WAITING = (State.TRASH, State.KEPT)


@dataclass(frozen=True, slots=True)
class TrashLot:
    """A lot in ``hipercow/tui/``, or a single task aside where there was no room for a lot.

    ``tasks`` are the ids that are whole in it, ``bundles`` the names, ``remains`` the ids whose
    erasing began. ``when`` it was made is in seconds since the epoch, ``who`` made it; both None
    where its manifest can't be read. ``alive`` says that someone works in it right now.
    """

    name: LotName
    tasks: tuple[str, ...]
    bundles: tuple[str, ...]
    remains: tuple[str, ...]
    when: float | None
    who: Who | None
    aim: Aim | None
    alive: bool
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
        """Whether something was begun in it that nobody works on any more."""
        return not self.alive and self.state not in _WAITING


def trash(root: Root, states: Collection[State] = tuple(State)) -> tuple[TrashLot, ...]:
    """Every lot of the root that is in one of these states, the oldest first.

    A look writes nothing, so who is alive is told by this machine's clock here; whoever takes a lot
    over asks the file server's, and leaves alone what is alive by that.
    Raises PurgeError if they can't be read.
    """
    with ExitStack() as stack:
        hipercow = opened(stack, root.hipercow)
        found = [_as_lot(task, time.time()) for task in aside(hipercow)]
        with suppress(FileNotFoundError):
            tui = opened(stack, root.hipercow / TUI, hipercow)
            lots = filter(None, map(parse, os.listdir(tui)))
            names = sorted((name for name in lots if name.state in states), key=str)
            found += filter(None, (_seen(name, tui, time.time()) for name in names))
        return tuple(found)


def interrupted(root: Root) -> tuple[TrashLot, ...]:
    """The lots in which something broke off, for ``finish`` or ``restore``. Raises PurgeError."""
    if root.purge_refusal:
        return ()
    underway = [state for state in State if state not in _WAITING]
    return tuple(lot for lot in trash(root, underway) if lot.interrupted)


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
    """Whether someone works in that lot still, at the cost of six calls; False if it is gone."""
    with ExitStack() as stack:
        try:
            hipercow = opened(stack, root.hipercow)
            for task in aside(hipercow):
                if task.stamp == lot.stamp:
                    return task.is_alive(time.time())
            folder = opened(stack, root.hipercow / TUI, hipercow)
            return is_alive(opened(stack, root.hipercow / TUI / str(lot.name), folder), time.time())
        except (OSError, PurgeError):
            return False


def _time_of(folder: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(folder, follow_symlinks=False)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _seen(name: LotName, tui: int, now: float) -> TrashLot | None:
    """A lot as it stands; None if it vanishes meanwhile, or is no folder."""
    try:
        folder = open_folder(str(name), dir_fd=tui)
    except OSError:
        return None
    try:
        manifest = read_manifest(folder)
        alive = name.state not in _WAITING and is_alive(folder, now)
        tasks, bundles, remains = (_names_in(room, folder) for room in ROOMS)
    except OSError:
        return None
    finally:
        os.close(folder)
    return TrashLot(
        name,
        tasks,
        tuple(map(bundle_name, bundles)),
        remains,
        when=manifest.when if manifest else None,
        who=manifest.who if manifest else None,
        aim=manifest.aim if manifest else None,
        alive=alive,
    )


def _names_in(room: str, folder: int) -> tuple[str, ...]:
    try:
        fd = open_folder(room, dir_fd=folder)
    except OSError:
        return ()
    try:
        return tuple(sorted(os.listdir(fd)))
    finally:
        os.close(fd)


def _as_lot(task: Aside, now: float) -> TrashLot:
    name = LotName(task.stamp, state=State.MOVING if task.whole else State.ERASING)
    whole, remains = ((task.id,), ()) if task.whole else ((), (task.id,))
    return TrashLot(name, whole, (), remains, None, None, Aim.PURGE, alive=task.is_alive(now))
