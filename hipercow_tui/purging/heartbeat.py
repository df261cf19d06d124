"""The heartbeat of a lot: a file in it that its owner rewrites every few seconds.

A machine's clock may be hours wrong, and some file servers store the time of the client. So a
process is never taken for dead because a time looks old. It is dead if it ran on this machine and
is gone, if it released its lot, or if its heartbeat did not change while we watched.
"""

from __future__ import annotations

import json
import os
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
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import escape_controls

ALIVE = "alive"
INTERVAL = 5.0  # seconds
DEAD_AFTER = 60.0  # seconds without a change; a network file system may stall for some of them
WATCH_TIME = 30.0  # seconds, six beats, in which a heartbeat that we never saw change may change
_LOOK_EVERY = 1.0  # seconds
# A process that takes a lot over renames it, then writes its own name into the heartbeat: for this
# long, in seconds, the name in it may be that of the owner before.
_SETTLING = 2.0
_LIMIT = 10_000  # bytes
_RELEASED = (0, 0)
_FIRST_TIME = 946_684_800_000_000_000  # in the year 2000; FAT can't keep a time before 1980
_NO_CREATE = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class HeartbeatReading:
    """What a heartbeat was at one look: its owner if known, its count, and its time in nanoseconds
    since the epoch, by the clock of the file server or of the owner."""

    owner: ProcessIdentity | None
    count: int
    time_ns: int

    @property
    def released(self) -> bool:
        """Whether the owner ended, and said so."""
        return self.time_ns < _FIRST_TIME

    def is_owner_gone(self, now: float) -> bool:
        """Whether it is certain that no owner works any more; ``now`` is the file server's time in
        seconds since the epoch, or ours."""
        if self.released:
            return True
        settled = abs(self.age(now)) > _SETTLING
        return settled and self.owner is not None and self.owner.is_gone

    def age(self, now: float) -> float:
        """Seconds since the beat, as far as clocks agree."""
        return now - self.time_ns / 1e9


class Heartbeat:
    """Beats in a thread, until ended."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat = beat
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    @classmethod
    def of_batch(cls, folder: int) -> Heartbeat:
        """A heart that beats in this open lot. Raises OSError."""
        owner = current_process()
        flags = _NO_CREATE | os.O_TRUNC
        try:
            fd = create_file(ALIVE, folder, flags)
        except PermissionError:  # another user's, an owner before us
            os.unlink(ALIVE, dir_fd=folder)
            fd = create_file(ALIVE, folder, flags)
        try:
            os.write(fd, _written(owner, 0))
        except OSError:  # a full disk: a new time shows that we are alive
            touch(folder)
        finally:
            os.close(fd)
        count = 0

        def beat() -> None:
            nonlocal count
            count += 1
            _rewrite(folder, owner, count)

        return cls(beat)

    def end(self) -> None:
        """Stop beating."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(INTERVAL):
            with suppress(OSError):
                self._beat()


def _written(owner: ProcessIdentity, count: int) -> bytes:
    """The contents, of one length for one owner, so that rewriting them takes no room."""
    return json.dumps(owner.as_json() | {"beat": f"{count:010}"}).encode("ascii")


def _rewrite(folder: int, owner: ProcessIdentity, count: int) -> None:
    """One beat: rewrite the heartbeat in its place, unless it is another owner's by now. It is not
    made again where it is gone. Raises OSError."""
    fd = os.open(ALIVE, _NO_CREATE, dir_fd=folder)
    try:
        held = os.pread(fd, _LIMIT, 0)
        if held and _parsed(held)[0] not in (owner, None):
            return
        try:
            os.pwrite(fd, _written(owner, count), 0)
        except OSError:
            os.utime(fd)
    finally:
        os.close(fd)


def touch(folder: int) -> None:
    """Set the heartbeat of an open lot to the present time. Raises OSError."""
    os.utime(ALIVE, dir_fd=folder, follow_symlinks=False)


def release(folder: int) -> None:
    """Say that the owner of this open lot ended, so that others need not watch it."""
    with suppress(OSError):
        os.utime(ALIVE, _RELEASED, dir_fd=folder, follow_symlinks=False)


def read_heartbeat(folder: int) -> HeartbeatReading:
    """The heartbeat of an open lot; the time of the lot itself where there is none yet.

    Raises OSError if the lot can't be examined.
    """
    try:
        raw = read_file(ALIVE, limit=_LIMIT, dir_fd=folder)  # an open makes NFS ask the server
        status = os.stat(ALIVE, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return HeartbeatReading(None, 0, os.fstat(folder).st_mtime_ns)
    owner, count = _parsed(raw)
    return HeartbeatReading(owner, count, status.st_mtime_ns)


def _parsed(raw: bytes) -> tuple[ProcessIdentity | None, int]:
    try:
        data = json.loads(raw)
        count = int(data.pop("beat", 0))
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None, 0
    return ProcessIdentity.from_json(data), count


def server_time(folder: int) -> float:
    """The file server's time in seconds since the epoch, found by writing to an open folder; our
    own where that may not be written."""
    try:
        os.utime(folder)
        return os.fstat(folder).st_mtime
    except OSError:
        return time.time()


@dataclass(frozen=True, slots=True)
class _Observation:
    """The latest sign of a heartbeat, since when on our clock it is like that, and whether it was
    another before."""

    sign: HeartbeatReading
    since: float
    changed: bool


# By the path of a lot without its state: this process may look at a lot many times before it takes
# it over.
_observed: dict[Path, _Observation] = {}
_observing = threading.Lock()


def _observe(batch: Path, sign: HeartbeatReading) -> _Observation:
    with _observing:
        seen = _observed.get(batch)
        if seen is None or seen.sign != sign:
            seen = _observed[batch] = _Observation(sign, _clock(), changed=seen is not None)
        return seen


def is_alive(batch: Path, sign: HeartbeatReading, now: float) -> bool:
    """Whether an owner seems to work in a lot, for a list: at the first look at a sign of another
    machine this is a guess, by ``now``, in seconds since the epoch."""
    seen = _observe(batch, sign)
    if sign.is_owner_gone(now):
        return False
    unchanged = _clock() - seen.since
    if seen.changed:
        return unchanged < DEAD_AFTER
    return unchanged < WATCH_TIME and sign.age(now) < DEAD_AFTER


def ensure_dead(
    batch: Path, read: Callable[[], HeartbeatReading], now: float, progress: ProgressReporter
) -> None:
    """Return once no owner works in a lot: at once where that is certain, else after watching its
    heartbeat. ``read`` looks at it; ``now`` is the file server's time.

    Raises PurgeError if an owner works in it, or if we are asked to stop, and OSError.
    """
    began = _clock()
    while True:
        sign = read()
        seen = _observe(batch, sign)
        waited = _clock() - began
        if sign.is_owner_gone(now + waited):
            return
        unchanged = _clock() - seen.since
        if unchanged >= (DEAD_AFTER if seen.changed else WATCH_TIME):
            return
        if seen.changed or 0 <= sign.age(now + waited) < DEAD_AFTER:
            _refuse_alive(batch, sign.owner)
        if progress.stopped:
            raise PurgeError(f"Stopped while {batch.stem} was watched for a sign of life")
        progress.waiting(unchanged, WATCH_TIME)
        time.sleep(_LOOK_EVERY)


def _refuse_alive(batch: Path, owner: ProcessIdentity | None) -> NoReturn:
    by = f" by {escape_controls(str(owner))}" if owner else ""
    raise PurgeError(
        f"{batch.stem} is being worked on{by}: it gave a sign of life within the last minute. Stop it"
        " there, or wait until a minute has passed without one."
    )


def _clock() -> float:
    """Seconds that also pass while the machine sleeps, where it can tell."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
