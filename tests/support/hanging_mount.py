"""Mount a file system whose server can stop answering, like a file server. It uses FUSE, if that is
allowed, and shows a folder read-only.

python hanging_mount.py SOURCE WHERE
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import signal
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mounts import unmount

# <linux/fuse.h>: the requests that a reader makes.
LOOKUP, FORGET, GETATTR, OPEN, READ, RELEASE, INIT = 1, 2, 3, 14, 15, 18, 26
OPENDIR, READDIR, RELEASEDIR, INTERRUPT, BATCH_FORGET = 27, 28, 29, 36, 42
UNANSWERED = (FORGET, INTERRUPT, BATCH_FORGET)
HEADER = struct.Struct("IIQQIIII")  # length, opcode, unique, node, user, group, process, -


class HangingMount:
    """The server of a mount, in a separate process."""

    def __init__(self, server: subprocess.Popen[bytes]) -> None:
        self._server = server

    def hang(self) -> None:
        """Stop answering: as with NFS, a call ends by an answer or by SIGKILL.

        A request that the server has taken in is answered first: of that one, with FUSE, not even
        SIGKILL ends the call.
        """
        self._server.send_signal(signal.SIGUSR1)

    def answer(self) -> None:
        """Answer again."""
        self._server.send_signal(signal.SIGUSR2)


@contextmanager
def hanging_mount(source: Path, where: Path) -> Iterator[HangingMount | None]:
    """Mount ``source`` at ``where``. Yield None if that is not allowed."""
    where.mkdir(exist_ok=True)
    program = [sys.executable, __file__, str(source), str(where)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        assert server.stdout is not None
        allowed = server.stdout.readline() == b"mounted\n"
        try:
            yield HangingMount(server) if allowed else None
        finally:
            server.kill()  # which ends every call that waits, with an error
            if allowed:
                unmount(where)


def wait_for_the_other(*_: object) -> None:
    signal.sigwait({signal.SIGUSR2})


def serve(source: str, where: str) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGUSR2})
    signal.signal(signal.SIGUSR1, wait_for_the_other)
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40755,user_id={os.getuid()},group_id={os.getgid()},allow_other"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"hanging", where.encode(), b"fuse", 0, options.encode()):
        sys.exit(os.strerror(ctypes.get_errno()))
    sys.stdout.write("mounted\n")
    sys.stdout.flush()
    paths = [source]  # a node is a place in this list, counted from 1
    while True:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
        select.select([device], [], [])  # it holds no request, so it may be stopped here
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        request = os.read(device, 1 << 17)
        _, opcode, unique, node, *_ = HEADER.unpack_from(request)
        if opcode in UNANSWERED:
            continue
        code, body = 0, b""
        try:
            body = reply(opcode, paths, paths[node - 1] if node else "", request[HEADER.size :])
        except OSError as error:
            code = error.errno or errno.EIO
        os.write(device, struct.pack("IiQ", 16 + len(body), -code, unique) + body)


def reply(opcode: int, paths: list[str], path: str, body: bytes) -> bytes:
    if opcode == INIT:
        return struct.pack("4I2H2I", 7, 31, 0, 0, 12, 9, 1 << 16, 1).ljust(64, b"\0")
    if opcode == LOOKUP:
        path = os.path.join(path, os.fsdecode(body.rstrip(b"\0")))
        status = attributes(path)
        if path not in paths:
            paths.append(path)
        return struct.pack("4Q2I", paths.index(path) + 1, 0, 0, 0, 0, 0) + status
    if opcode == GETATTR:
        return bytes(16) + attributes(path)
    if opcode in (OPEN, OPENDIR):
        return bytes(16)
    if opcode in (RELEASE, RELEASEDIR):
        return b""
    if opcode == READ:
        _, start, size = struct.unpack_from("QQI", body)
        with open(path, "rb") as file:
            file.seek(start)
            return file.read(size)
    if opcode == READDIR:
        _, start, size = struct.unpack_from("QQI", body)
        return entries(path, start, size)
    raise OSError(errno.ENOSYS, "")


def attributes(path: str) -> bytes:
    found = os.lstat(path)
    times = (found.st_atime_ns, found.st_mtime_ns, found.st_ctime_ns)
    return struct.pack(
        "6Q10I",
        *(found.st_ino, found.st_size, found.st_blocks),
        *(time // 10**9 for time in times),
        *(time % 10**9 for time in times),
        *(found.st_mode, found.st_nlink, found.st_uid, found.st_gid, 0, 4096, 0),
    )


def entries(path: str, start: int, size: int) -> bytes:
    raw = b""
    for at, entry in enumerate(sorted(os.scandir(path), key=lambda entry: entry.name), 1):
        name = os.fsencode(entry.name)
        kind = stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode) >> 12
        one = struct.pack("QQII", entry.inode(), at, len(name), kind) + name
        one += bytes(-len(one) % 8)
        if at > start and len(raw) + len(one) <= size:
            raw += one
    return raw


if __name__ == "__main__":
    serve(*sys.argv[1:])
