"""File systems of their own, where mounting is allowed: decided by trying."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def mounted(where: Path, *options: str, source: str = "none") -> Iterator[bool]:
    """Mounts there until left; tells whether that was allowed."""
    where.mkdir(exist_ok=True)
    command = ["mount", *options, source, str(where)]
    try:
        allowed = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    try:
        yield allowed
    finally:
        if allowed:
            subprocess.run(["umount", "-l", str(where)], check=True)


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
    raise AssertionError("it has no end")
