"""A scan of a file system with a millisecond more per system call, like a network file system.

A listing counts as five system calls, as in strace: openat, fstat, two getdents, close. strace can
delay calls too, but it handles the calls of all threads one after another.
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
    """Delay the file system calls of this process from now on."""
    for name in ("open", "read", "close", "stat", "lstat", "fstat"):
        setattr(os, name, _delayed(getattr(os, name)))
    real = os.scandir
    setattr(os, "scandir", lambda path: _Listing(real(path)))  # noqa: B010


def _delayed(real: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        time.sleep(DELAY)
        return real(*args, **kwargs)

    return call


class _Listing:
    def __init__(self, entries: Any) -> None:
        self._entries = entries

    def __enter__(self) -> _Listing:
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
        self.stat = _delayed(entry.stat)


def main(root: str, which: str) -> None:
    """Print the seconds of a scan ("ours"), or of the smallest loop ("lean"), with delays."""
    from hipercow_tui.formats.root import find_root
    from hipercow_tui.scanning.scanner import read_root
    from hipercow_tui.support import worker_process

    folder = str(Path(__file__).parent)
    worker_process.PROGRAM = f"""
import sys
_, module, lang, *sys.path = sys.argv
from hipercow_tui.scanning.batch_reader import serve
sys.path.append({folder!r})
import delayed
delayed.install()
sys.stdout.buffer.write(b"hipercow-tui reads\\n")
sys.stdout.buffer.flush()
serve(sys.stdin.buffer, sys.stdout.buffer, lang)
"""
    found = find_root(root)
    install()
    began = time.perf_counter()
    if which == "ours":
        read_root(found)
    else:
        from lean import lean_loop  # type: ignore[import-not-found]

        lean_loop(str(found.tasks))
    sys.stdout.write(f"{time.perf_counter() - began}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
