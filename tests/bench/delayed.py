"""A file system that takes a millisecond more for each call, as one behind a network may.

The calls that Python makes of the kernel are counted as strace shows them: a listing is openat,
fstat, two getdents and close. strace can delay calls itself, but looks at them one at a time, and
is then what is waited for.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

DELAY = 0.001


def install() -> None:
    """From now on, this process sees such a file system."""
    for name in ("open", "read", "close", "stat", "lstat", "fstat"):
        setattr(os, name, _late(getattr(os, name)))
    real = os.scandir
    setattr(os, "scandir", lambda path: _Scanned(real(path)))  # noqa: B010


def _late(real: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **more: Any) -> Any:
        time.sleep(DELAY)
        return real(*arguments, **more)

    return call


class _Scanned:
    def __init__(self, entries: Any) -> None:
        self._entries = entries

    def __enter__(self) -> _Scanned:
        return self

    def __exit__(self, *_: object) -> None:
        self._entries.close()

    def __iter__(self) -> Iterator[Any]:
        time.sleep(5 * DELAY)
        return map(_Entry, self._entries)


class _Entry:
    def __init__(self, entry: os.DirEntry[str]) -> None:
        self._entry = entry
        self.name, self.path = entry.name, entry.path
        self.inode, self.is_dir = entry.inode, entry.is_dir
        self.is_file, self.is_symlink = entry.is_file, entry.is_symlink
        self.stat = _late(entry.stat)


def main(root: str, whose: str) -> None:
    """Print the seconds that our scan, or the leanest loop, takes on such a file system."""
    from hipercow_tui.formats.root import find_root
    from hipercow_tui.scanning.scanner import read_root
    from hipercow_tui.support import worker_process

    place = str(Path(__file__).parent)
    worker_process.PROGRAM = f"""
import sys
_, module, lang, *sys.path = sys.argv
from hipercow_tui.scanning.batch_reader import serve
sys.path.append({place!r})
import delayed
delayed.install()
sys.stdout.buffer.write(b"hipercow-tui reads\\n")
sys.stdout.buffer.flush()
serve(sys.stdin.buffer, sys.stdout.buffer, lang)
"""
    found = find_root(root)
    install()
    began = time.perf_counter()
    if whose == "ours":
        read_root(found)
    else:
        from lean import lean_loop  # type: ignore[import-not-found]

        lean_loop(str(found.tasks))
    sys.stdout.write(f"{time.perf_counter() - began}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
