"""The heartbeat of a batch: a file in it that its owner rewrites every few seconds.

The clock of a machine may be hours wrong, and some file servers store the time of the client: a
write sets that of the server, ``utime`` that of the client. So times are not compared. An owner is
dead if it ran on this machine and its process is gone, if it released the batch, or if its
heartbeat did not change while this process watched it, by a clock that no one can set.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.purging.access import create_file
from hipercow_tui.purging.process_identity import ProcessIdentity, current_process
from hipercow_tui.purging.progress import ProgressReporter
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import escape_controls

ALIVE = "alive"
INTERVAL = 5.0  # seconds
DEAD_AFTER = 60.0  # seconds without a change; a network file system may stall for some of them
WATCH_TIME = 30.0  # seconds, six intervals, to wait for the first change of a heartbeat
_READ_INTERVAL = 1.0  # seconds
_LIMIT = 10_000  # bytes
_RELEASED = 0  # seconds since the epoch
_FIRST_TIME = 946_684_800_000_000_000  # in the year 2000; FAT can't keep a time before 1980


@dataclass(frozen=True, slots=True)
class HeartbeatReading:
    """A heartbeat at one moment: its owner if known, its counter, and its time in nanoseconds since
    the epoch, by the clock of the file server or of the owner.

    ``of_previous_owner`` means that a process took over the batch, and has not written itself into
    the heartbeat yet.
    """

    owner: ProcessIdentity | None
    count: int
    time_ns: int
    of_previous_owner: bool = False

    @property
    def is_owner_gone(self) -> bool:
        """Whether it is certain that no owner works in the batch: it released the batch, or its
        process ran on this machine and has ended."""
        if self.of_previous_owner:
            return False
        return self.time_ns < _FIRST_TIME or (self.owner is not None and self.owner.is_gone)

    def age(self, now: float) -> float:
        """Return the seconds since the heartbeat was written. It is wrong if the clocks differ."""
        return now - self.time_ns / 1e9


class Heartbeat:
    """Calls ``update`` in a thread every ``INTERVAL`` seconds, until it is ended."""

    def __init__(self, update: Callable[[], None]) -> None:
        self._update = update
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    @classmethod
    def of_batch(cls, folder: int, generation: int) -> Heartbeat:
        """Create the heartbeat of an open batch, owned by this process. ``generation`` is that of
        its name. Raises OSError."""
        owner = current_process()
        flags = os.O_RDWR | os.O_TRUNC
        try:
            fd = create_file(ALIVE, folder, flags)
        except PermissionError:  # the file of another user, a previous owner
            filesystem.unlink(ALIVE, folder)
            fd = create_file(ALIVE, folder, flags)
        try:
            os.write(fd, _to_bytes(owner, generation, 0))
        except OSError:  # a full disk: the time alone serves as the heartbeat
            touch(folder)
        finally:
            os.close(fd)
        count = 0

        def update() -> None:
            nonlocal count
            count += 1
            _rewrite(folder, owner, generation, count)

        return cls(update)

    def end(self) -> None:
        """End the heartbeat. It is not updated after this returns."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(INTERVAL):
            with suppress(OSError):
                self._update()


def _to_bytes(owner: ProcessIdentity, generation: int, count: int) -> bytes:
    """Return the contents of the file. Their length is fixed for one owner, so that rewriting them
    needs no space on a full disk."""
    numbers = {"beat": f"{count:010}", "generation": generation}
    return json.dumps(owner.as_json() | numbers).encode("ascii")


def _rewrite(folder: int, owner: ProcessIdentity, generation: int, count: int) -> None:
    """Rewrite the heartbeat in place, unless another owner has taken over the batch. If the file is
    gone, it is not created again. Raises OSError."""
    fd = filesystem.open_to_write(ALIVE, folder, os.O_RDWR)
    try:
        held = filesystem.read_at(fd, _LIMIT, 0)
        if held and _parsed(held)[0] not in (owner, None):
            return
        try:
            filesystem.write_at(fd, _to_bytes(owner, generation, count), 0)
        except OSError:
            filesystem.touch_fd(fd)
    finally:
        os.close(fd)


def touch(folder: int) -> None:
    """Set the time of the heartbeat of an open batch to now. Raises OSError."""
    filesystem.touch(ALIVE, folder)


def release(folder: int) -> None:
    """Mark an open batch as released by its owner, so that other processes need not watch it."""
    with suppress(OSError):
        filesystem.touch(ALIVE, folder, _RELEASED)


def read_heartbeat(folder: int, generation: int) -> HeartbeatReading:
    """Read the heartbeat of an open batch. If it can't be read, the time of the batch itself is
    used. ``generation`` is that of the name of the batch.

    Raises OSError if the batch can't be examined.
    """
    try:
        raw = read_file(ALIVE, limit=_LIMIT, dir_fd=folder)  # to open it makes NFS ask the server
        status = filesystem.stat_in(ALIVE, folder)
    except OSError:
        return HeartbeatReading(None, 0, filesystem.stat_fd(folder).st_mtime_ns)
    owner, count, written_for = _parsed(raw)
    return HeartbeatReading(owner, count, status.st_mtime_ns, written_for < generation)


def _parsed(raw: bytes) -> tuple[ProcessIdentity | None, int, int]:
    """Return the owner, the counter and the generation; the highest one if none is known, as in
    heartbeats of earlier versions."""
    try:
        data = json.loads(raw)
        count = int(data.pop("beat", 0))
        generation = int(data.pop("generation", sys.maxsize))
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None, 0, sys.maxsize
    return ProcessIdentity.from_json(data), count, generation


@dataclass(frozen=True, slots=True)
class _Observation:
    """The latest reading of a heartbeat. ``since`` is when this process first saw it, in seconds of
    ``_clock``; ``changed`` is true if an earlier reading differed."""

    reading: HeartbeatReading
    since: float
    changed: bool


# By the path of a batch without its state. A process may list a batch many times before it takes it
# over.
_observed: dict[Path, _Observation] = {}
_observing = threading.Lock()


def _observe(batch: Path, reading: HeartbeatReading) -> _Observation:
    with _observing:
        seen = _observed.get(batch)
        if seen is None or seen.reading != reading:
            seen = _observed[batch] = _Observation(reading, _clock(), changed=seen is not None)
        return seen


def is_alive(batch: Path, reading: HeartbeatReading, now: float) -> bool:
    """Return whether an owner seems to work in a batch, for a list. The first reading of a
    heartbeat is compared with ``now`` (seconds since the epoch), which is only a guess."""
    seen = _observe(batch, reading)
    if reading.is_owner_gone:
        return False
    unchanged = _clock() - seen.since
    if seen.changed:
        return unchanged < DEAD_AFTER
    return unchanged < WATCH_TIME and reading.age(now) < DEAD_AFTER


def is_guess(batch: Path, reading: HeartbeatReading) -> bool:
    """Return whether ``is_alive`` only compares clocks of two machines: the owner may be on another
    one, it is not certain that it is gone, and this process has not watched the heartbeat yet."""
    seen = _observe(batch, reading)
    watched = seen.changed or _clock() - seen.since >= WATCH_TIME
    here = reading.owner is not None and reading.owner.host == socket.gethostname()
    return not (reading.is_owner_gone or watched or here)


def ensure_dead(
    batch: Path, read: Callable[[], HeartbeatReading], progress: ProgressReporter
) -> None:
    """Return once no owner works in a batch: at once if that is certain, otherwise after the
    heartbeat, which ``read`` reads, was watched.

    Raises PurgeError if an owner works in it, or if this is stopped, and OSError.
    """
    while True:
        reading = read()
        seen = _observe(batch, reading)
        if reading.is_owner_gone:
            return
        unchanged = _clock() - seen.since
        if unchanged >= (DEAD_AFTER if seen.changed else WATCH_TIME):
            return
        if seen.changed:
            _raise_in_use(batch, reading.owner)
        if progress.stopped:
            raise PurgeError(f"Stopped while the heartbeat of {batch.stem} was watched")
        progress.report_wait(unchanged, WATCH_TIME)
        time.sleep(_READ_INTERVAL)


def _raise_in_use(batch: Path, owner: ProcessIdentity | None) -> NoReturn:
    by = f" by {escape_controls(str(owner))}" if owner else ""
    raise PurgeError(
        f"{batch.stem} is in use{by}: its heartbeat changed within the last minute. Stop that"
        " process, or wait until its heartbeat has not changed for a minute."
    )


def _clock() -> float:
    """Return seconds of a clock that stops while the machine sleeps, except on Windows: an owner on
    the same machine sleeps too, and must not seem to have missed its heartbeats."""
    return time.monotonic()
