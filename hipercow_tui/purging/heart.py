"""The heartbeat of a lot: a file in it that whoever works there touches every few seconds.

A machine's clock may be hours wrong, so only times that the file server gave are compared: that of
the heartbeat, and that of ``hipercow/tui/`` itself right after it was touched.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NoReturn

from hipercow_tui.errors import PurgeError
from hipercow_tui.purging.access import create_file
from hipercow_tui.purging.who import Who, whoami
from hipercow_tui.roots.files import read_file
from hipercow_tui.text import visible

ALIVE = "alive"
BEAT = 5.0  # seconds
DEAD_AFTER = 60.0  # seconds of silence; a network file system may stall for some of them
# Whoever takes a lot over touches it, renames it, then writes its own name: for this long the name
# in it may be that of the one before.
_SETTLING = 2.0
_DOUBTFUL = 20.0  # a process that was stopped for so long may have been taken for dead
_LIMIT = 10_000
_ENDED = (0, 0)


class Heart:
    """Beats in a thread of its own, until ended: ``touch`` sets a time on the file server."""

    def __init__(self, touch: Callable[[], None]) -> None:
        self._touch = touch
        self._last = _clock()
        self._gap = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name="heartbeat", daemon=True)
        self._thread.start()

    @classmethod
    def of_lot(cls, folder: int) -> Heart:
        """A heart that beats in this open lot. Raises OSError."""
        try:
            fd = _open_to_write(folder)
        except PermissionError:  # another user's, who worked here before us
            os.unlink(ALIVE, dir_fd=folder)
            fd = _open_to_write(folder)
        try:
            os.write(fd, json.dumps(whoami().as_json()).encode("ascii"))
        except OSError:  # a full disk: that somebody is alive can be seen all the same
            touch(folder)
        finally:
            os.close(fd)
        return cls(partial(touch, folder))

    @property
    def missed(self) -> bool:
        """Whether it was silent for so long that someone may have taken us for dead."""
        return self._gap or _clock() - self._last > _DOUBTFUL

    def beat(self) -> None:
        """One beat, now; remembers a long silence before it."""
        self._gap = self.missed
        with suppress(OSError):
            self._touch()
            self._last = _clock()

    def forgive(self) -> None:
        """Forget the silence: nobody took us for dead."""
        self._gap = False

    def end(self) -> None:
        """Stop beating."""
        self._over.set()
        self._thread.join()

    def _beat_on(self) -> None:
        while not self._over.wait(BEAT):
            self.beat()


def _open_to_write(folder: int) -> int:
    return create_file(ALIVE, folder, os.O_TRUNC | os.O_NONBLOCK)


def touch(folder: int) -> None:
    """Set the heartbeat of an open lot to the file server's time. Raises OSError."""
    os.utime(ALIVE, dir_fd=folder, follow_symlinks=False)


def let_go(folder: int) -> None:
    """Nobody works in this open lot any more: nobody is to wait until its heartbeat is old."""
    with suppress(OSError):
        os.utime(ALIVE, _ENDED, dir_fd=folder, follow_symlinks=False)


def refuse_alive(stamp: str, who: Who | None, silent: float) -> NoReturn:
    """Raises PurgeError: someone gave a sign of life so many seconds ago."""
    raise PurgeError(
        f"{stamp} is being worked on{f' by {visible(str(who))}' if who else ''}: its last"
        f" sign of life is {max(0, silent):.0f} seconds old. Stop it there, or wait until"
        " a minute has passed without one."
    )


def server_time(folder: int) -> float:
    """What time it is for the file server, in seconds since the epoch, told by writing to an open
    folder: for who is about to take something over. Our own where we may not write, for there we
    can't do that either."""
    try:
        os.utime(folder)
        return os.fstat(folder).st_mtime
    except OSError:
        return time.time()


def is_alive(folder: int, now: float) -> bool:
    """Whether someone works in an open lot; ``now`` is the file server's time."""
    who, last = last_sign(folder)
    silent = now - last
    if who is not None and who.is_gone and silent > _SETTLING:
        return False
    return silent < DEAD_AFTER


def last_sign(folder: int) -> tuple[Who | None, float]:
    """Who works or worked in an open lot, if that is known, and the time of the last heartbeat.

    A lot that has none may be in the making: then its own time counts.
    """
    try:
        raw = read_file(ALIVE, limit=_LIMIT, dir_fd=folder)  # opened anew: NFS asks the server then
        last = os.stat(ALIVE, dir_fd=folder, follow_symlinks=False).st_mtime
    except OSError:
        return None, os.fstat(folder).st_mtime
    try:
        return Who.from_json(json.loads(raw)), last
    except (ValueError, RecursionError):
        return None, last


def _clock() -> float:
    """Seconds that also pass while the machine sleeps, where it can tell."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
