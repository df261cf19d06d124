"""A file system with a millisecond more per system call, like a network file system.

A listing counts as five system calls, as in strace: openat, fstat, two getdents, close; one of an
open folder as three. strace can delay calls too, but it handles the calls of all threads one after
another.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

DELAY = 0.001


def install() -> None:
    """Delay the file system calls of this process from now on."""
    for name in ("open", "read", "close", "stat", "lstat", "fstat"):
        setattr(os, name, _delayed(getattr(os, name)))
    scandir, listdir = os.scandir, os.listdir
    setattr(os, "scandir", lambda path: _Listing(scandir(path)))  # noqa: B010

    def delayed_listdir(path: str | int) -> list[Any]:
        time.sleep((3 if isinstance(path, int) else 5) * DELAY)
        return listdir(path)

    setattr(os, "listdir", delayed_listdir)  # noqa: B010


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
    """Print the seconds of some work with delays.

    ``scan`` and ``measure`` are ours. ``lean`` is the smallest loop that scans, ``du`` the system
    calls of ``du`` for the same folders.
    """
    from hipercow_tui.formats.root import find_root
    from hipercow_tui.scanning.scanner import read_root
    from hipercow_tui.scanning.usage_reader import UsageReader
    from hipercow_tui.support import worker_process

    begin = "serve = import_module(module).serve\n"
    assert begin in worker_process.PROGRAM
    folder = str(Path(__file__).parent)
    worker_process.PROGRAM = worker_process.PROGRAM.replace(
        begin, f"{begin}sys.path.append({folder!r})\nimport delayed\ndelayed.install()\n"
    )
    found = find_root(root)
    snapshot = read_root(found)
    usages: dict[str, Any] = {}
    install()
    began = time.perf_counter()
    match which:
        case "scan":
            assert read_root(found).tasks.keys() == snapshot.tasks.keys()
        case "measure":
            deque(
                UsageReader(found, None).read(snapshot, usages.__setitem__, now=time.time()),
                maxlen=0,
            )
            assert usages.keys() == snapshot.tasks.keys()
        case "lean":
            from lean import lean_loop  # type: ignore[import-not-found]

            lean_loop(str(found.tasks))
        case "du":
            _disk_usage(str(found.tasks))
    sys.stdout.write(f"{time.perf_counter() - began}\n")


def _disk_usage(folder: str) -> int:
    """Return the allocated bytes of a folder, with the calls of ``du``: one for each file, six for
    each folder."""
    total = os.lstat(folder).st_blocks * 512
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                total += _disk_usage(entry.path)
            else:
                total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total


if __name__ == "__main__":
    main(*sys.argv[1:])
