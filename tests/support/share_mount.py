"""Mount a folder as a share of a file server that is no POSIX system (SMB), for several clients at
once. It uses FUSE, if that is allowed.

A rename of a folder in which a client has a file open fails with EACCES. A file that another client
has open can't be removed or renamed: EBUSY. Times have coarse steps, each lookup gives another
inode number, names are folded by case, there are no links, modes and owners can't be changed,
folders can't be synced, and ``utime`` without a time sets the time of the client's clock.

python share_mount.py SOURCE LASTING_INODES STEP DELAY WHERE=SHIFT...
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import stat
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from hanging_mount import HEADER, UNANSWERED
from mounts import unmount

# <linux/fuse.h>
LOOKUP, GETATTR, SETATTR, READLINK, SYMLINK, MKNOD, MKDIR = 1, 3, 4, 5, 6, 8, 9
UNLINK, RMDIR, RENAME, LINK, OPEN, READ, WRITE, STATFS = 10, 11, 12, 13, 14, 15, 16, 17
RELEASE, FSYNC, FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR = 18, 20, 25, 26, 27, 28, 29
FSYNCDIR, ACCESS, CREATE, RENAME2 = 30, 34, 35, 45
SIZE, MTIME, MTIME_NOW = 1 << 3, 1 << 5, 1 << 8
DIRECT_IO = 1  # no cache in the kernel, where several clients write
FAT_STEP, NTFS_STEP = 2_000_000_000, 100  # nanoseconds between two times that can be stored


@contextmanager
def mounted_share(
    source: Path,
    clients: Mapping[Path, float],
    *,
    lasting_inodes: bool = False,
    step: int = FAT_STEP,
    delay: float = 0.0,
) -> Iterator[bool]:
    """Mount ``source`` at each place of ``clients``, which gives the seconds by which the clock of
    that client is fast. Yield whether that was allowed.

    Times are multiples of ``step``, in nanoseconds. Each rename takes ``delay`` seconds longer.
    """
    for where in clients:
        where.mkdir(exist_ok=True)
    places = [f"{where}={shift}" for where, shift in clients.items()]
    options = [str(int(lasting_inodes)), str(step), str(delay)]
    program = [sys.executable, __file__, str(source), *options, *places]
    with subprocess.Popen(program, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        allowed = server.stdout.readline() == b"mounted\n"
        try:
            yield allowed
        finally:
            server.kill()  # which ends every call that waits, with an error
            for where in clients if allowed else ():
                unmount(where)


class Share:
    """The files of the server, and which client has which file open."""

    def __init__(self, source: str, *, lasting_inodes: bool, step: int, delay: float) -> None:
        self.source = source
        self.lasting_inodes = lasting_inodes
        self.step = step
        self.delay = delay
        self.lock = threading.Lock()
        self.clients: list[Client] = []
        self.inodes = itertools.count(1000)

    def inode_of(self, real: int) -> int:
        """Return the inode number to show, a new one in each call if they don't last."""
        return real if self.lasting_inodes else next(self.inodes)

    def real_path(self, folder: str, name: str) -> str:
        """Return the path of an entry: another name if only the case differs."""
        path = os.path.join(folder, name)
        if not os.path.lexists(path):
            for found in os.listdir(folder):
                if found.casefold() == name.casefold():
                    return os.path.join(folder, found)
        return path

    def check_unused(self, path: str, client: Client) -> None:
        """Raise OSError if a client has a file open that must not be for this change."""
        for other in self.clients:
            for node in other.opened.values():
                held = other.paths[node]
                if held.startswith(path + "/"):
                    raise OSError(errno.EACCES, "")
                if held == path and other is not client:
                    raise OSError(errno.EBUSY, "")

    def moved(self, path: str, target: str | None) -> None:
        """Give the nodes at and below a path their new paths; None if it was removed."""
        for client in self.clients:
            for known in [one for one in client.nodes if f"{one}/".startswith(f"{path}/")]:
                node = client.nodes.pop(known)
                client.paths[node] = target + known[len(path) :] if target else ""
                if target:
                    client.nodes[client.paths[node]] = node


class Client:
    """One mount of a share. ``paths`` are those of its nodes, ``nodes`` the nodes by path, and
    ``opened`` the nodes of its open files by descriptor."""

    def __init__(self, share: Share, where: str, shift: float) -> None:
        self.share = share
        self.shift = shift
        self.paths = ["", share.source]  # node 1 is the root
        self.nodes = {share.source: 1}
        self.opened: dict[int, int] = {}
        self.device = os.open("/dev/fuse", os.O_RDWR)
        user = f"user_id={os.getuid()},group_id={os.getgid()}"
        options = f"fd={self.device},rootmode=40755,{user},allow_other"
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"share", where.encode(), b"fuse", 0, options.encode()):
            sys.exit(os.strerror(ctypes.get_errno()))

    def serve(self) -> None:
        while True:
            request = os.read(self.device, (1 << 17) + 4096)
            _, opcode, unique, node, *_ = HEADER.unpack_from(request)
            if opcode in UNANSWERED:
                continue
            code, body = 0, b""
            try:
                with self.share.lock:
                    body = self.reply(opcode, node, request[HEADER.size :])
            except OSError as error:
                code = error.errno or errno.EIO
            with suppress(FileNotFoundError):  # the caller was killed
                os.write(self.device, struct.pack("IiQ", 16 + len(body), -code, unique) + body)

    def reply(self, opcode: int, node: int, body: bytes) -> bytes:
        path = self.paths[node] if node else ""
        if opcode == INIT:
            return struct.pack("4I2H2I", 7, 31, 0, 0, 12, 9, 1 << 16, 1).ljust(64, b"\0")
        if opcode in (READ, WRITE, RELEASE, FLUSH, FSYNC):
            return self.use_file(opcode, body)
        if opcode == STATFS:
            found = os.statvfs(self.share.source)
            numbers = (found.f_blocks, found.f_bfree, found.f_bavail, found.f_files, found.f_ffree)
            return struct.pack("5Q4I24x", *numbers, found.f_bsize, 255, found.f_frsize, 0)
        if opcode in (OPENDIR, RELEASEDIR, ACCESS):
            return bytes(16) if opcode == OPENDIR else b""
        if not path:
            raise OSError(errno.ESTALE, "")
        if opcode == GETATTR:
            return bytes(16) + self.attributes(path, node)
        if opcode == SETATTR:
            self.set_attributes(path, body)
            return bytes(16) + self.attributes(path, node)
        if opcode == OPEN:
            flags = struct.unpack_from("I", body)[0]
            return self.open_file(path, flags & ~(os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW), node)
        if opcode == READDIR:
            _, start, size = struct.unpack_from("QQI", body)
            return self.entries(path, start, size)
        return self.change_entry(opcode, path, body)

    def change_entry(self, opcode: int, folder: str, body: bytes) -> bytes:
        if opcode in (RENAME, RENAME2):
            self.rename(opcode, folder, body)
            return b""
        skipped = {MKDIR: 8, CREATE: 16}.get(opcode, 0)
        path = self.share.real_path(folder, os.fsdecode(body[skipped:].rstrip(b"\0")))
        if opcode == LOOKUP:
            return self.entry(path)
        if opcode == MKDIR:
            os.mkdir(path)
            return self.entry(path)
        if opcode == CREATE:
            flags = struct.unpack_from("I", body)[0] & ~os.O_NOFOLLOW
            os.close(os.open(path, flags | os.O_CREAT, 0o666))
            return self.entry(path) + self.open_file(
                path, flags & ~(os.O_CREAT | os.O_EXCL), self.nodes[path]
            )
        if opcode in (UNLINK, RMDIR):
            self.share.check_unused(path, self)
            os.unlink(path) if opcode == UNLINK else os.rmdir(path)
            self.share.moved(path, None)
            return b""
        if opcode == FSYNCDIR:
            raise OSError(errno.EINVAL, "")
        unsupported = {LINK: errno.EOPNOTSUPP, SYMLINK: errno.EOPNOTSUPP, MKNOD: errno.EPERM}
        raise OSError(unsupported.get(opcode, errno.ENOSYS), "")

    def rename(self, opcode: int, folder: str, body: bytes) -> None:
        (target_node,) = struct.unpack_from("Q", body)
        source, target = map(os.fsdecode, body[16 if opcode == RENAME2 else 8 :].split(b"\0")[:2])
        path = self.share.real_path(folder, source)
        new = self.share.real_path(self.paths[target_node], target)
        if new == path:  # only the case changes
            new = os.path.join(self.paths[target_node], target)
        self.share.check_unused(path, self)
        self.share.check_unused(new, self)
        time.sleep(self.share.delay)
        os.rename(path, new)
        self.share.moved(new, None)
        self.share.moved(path, new)

    def entry(self, path: str) -> bytes:
        node = self.nodes.get(path)
        if node is None:
            os.lstat(path)
            node = self.nodes[path] = len(self.paths)
            self.paths.append(path)
        return struct.pack("4Q2I", node, 0, 0, 0, 0, 0) + self.attributes(path, node)

    def attributes(self, path: str, node: int) -> bytes:
        found = os.lstat(path)
        if stat.S_ISLNK(found.st_mode):
            raise FileNotFoundError(errno.ENOENT, "")
        times = (found.st_mtime_ns, found.st_mtime_ns, found.st_ctime_ns)
        seconds = [divmod(ns // self.share.step * self.share.step, 10**9) for ns in times]
        inode = self.share.inode_of(found.st_ino)
        return struct.pack(
            "6Q10I",
            *(inode, found.st_size, found.st_blocks),
            *(whole for whole, _ in seconds),
            *(rest for _, rest in seconds),
            *(stat.S_IFMT(found.st_mode) | 0o755, 1, os.getuid(), os.getgid(), 0, 4096, 0),
        )

    def set_attributes(self, path: str, body: bytes) -> None:
        valid, _, _, size, _, _, mtime, _, _, nanoseconds = struct.unpack_from("2I6Q2I", body)
        if valid & SIZE:
            os.truncate(path, size)
        if valid & MTIME_NOW:
            now = time.time_ns() + int(self.shift * 1e9)
            os.utime(path, ns=(now, now))
        elif valid & MTIME:
            then = mtime * 10**9 + nanoseconds
            os.utime(path, ns=(then, then))

    def open_file(self, path: str, flags: int, node: int) -> bytes:
        fd = os.open(path, flags & ~os.O_NONBLOCK)
        self.opened[fd] = node
        return struct.pack("QII", fd, DIRECT_IO, 0)

    def use_file(self, opcode: int, body: bytes) -> bytes:
        (fd,) = struct.unpack_from("Q", body)
        if opcode in (READ, WRITE):
            start, size = struct.unpack_from("QI", body, 8)
            if opcode == READ:
                return os.pread(fd, size, start)
            return struct.pack("II", os.pwrite(fd, body[40 : 40 + size], start), 0)
        if opcode == FSYNC:
            os.fsync(fd)
        if opcode == RELEASE:
            del self.opened[fd]
            os.close(fd)
        return b""

    def entries(self, path: str, start: int, size: int) -> bytes:
        raw = b""
        for at, found in enumerate(sorted(os.scandir(path), key=lambda one: one.name), 1):
            name = os.fsencode(found.name)
            kind = stat.S_IFMT(found.stat(follow_symlinks=False).st_mode) >> 12
            inode = self.share.inode_of(found.inode())
            one = struct.pack("QQII", inode, at, len(name), kind) + name
            one += bytes(-len(one) % 8)
            if at > start:
                if len(raw) + len(one) > size:
                    break
                raw += one
        return raw


def main(source: str, lasting_inodes: str, step: str, delay: str, *places: str) -> None:
    share = Share(source, lasting_inodes=lasting_inodes == "1", step=int(step), delay=float(delay))
    for place in places:
        where, _, shift = place.rpartition("=")
        share.clients.append(Client(share, where, float(shift)))
    threads = [threading.Thread(target=client.serve, daemon=True) for client in share.clients]
    for thread in threads:
        thread.start()
    sys.stdout.write("mounted\n")
    sys.stdout.flush()
    while all(thread.is_alive() for thread in threads):  # after an error, every call fails
        threads[0].join(0.5)


if __name__ == "__main__":
    main(*sys.argv[1:])
