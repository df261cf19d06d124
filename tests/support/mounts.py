"""Mount file systems, if that is allowed, which is found out by trying."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def mount(*arguments: str | Path) -> bool:
    """Mount; return whether that was allowed."""
    try:
        return (
            subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0
        )
    except FileNotFoundError:
        return False


def unmount(where: Path) -> None:
    subprocess.run(["umount", "-l", where], check=True)


def mount_points(below: Path) -> list[Path]:
    """Return the mounts below a folder, the last one first."""
    lines = Path("/proc/self/mounts").read_text("utf-8").splitlines()
    points = [Path(line.split()[1]) for line in reversed(lines)]
    return [point for point in points if point.is_relative_to(below)]


@contextmanager
def mounted(where: Path, *options: str) -> Iterator[bool]:
    """Mount a disk at ``where`` until the context ends. Yield whether that was allowed; otherwise
    it is a folder."""
    where.mkdir(exist_ok=True)
    allowed = mount(*options, "none", where)
    try:
        yield allowed
    finally:
        if allowed:
            unmount(where)


SMALL = ("-t", "tmpfs", "-o", "size=2m,nr_inodes=200")


def fill(where: Path, what: str) -> None:
    """Fill the disk to its last byte or inode."""
    where.mkdir()
    for number in range(10_000):
        try:
            (where / str(number)).write_bytes(bytes(4096) if what == "bytes" else b"")
        except OSError as error:
            assert error.errno == errno.ENOSPC
            return
    raise AssertionError("the disk is never full")


def fill_with(file: Path) -> None:
    """Fill the disk of a new file to the last byte with it."""
    with file.open("wb", buffering=0) as opened:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    opened.write(bytes(size))
            except OSError as error:
                assert error.errno == errno.ENOSPC
