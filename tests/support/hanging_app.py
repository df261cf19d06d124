"""Run the app on a file system that hangs: while a file FLAG exists, every call on ROOT waits, as
with a hard mount of NFS. A handled signal does not end the wait; the end of the process does.

python hanging_app.py FLAG ROOT ARGUMENTS…
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from hipercow_tui.cli.main import main

LIBC = ctypes.CDLL(None)
CALLS = ("stat", "lstat", "open", "scandir", "listdir", "readlink", "rename", "unlink", "rmdir")


class Hang:
    """A lock that C code waits for, so that Python can't interrupt it."""

    def __init__(self, flag: str, root: str) -> None:
        self._flag, self._root = flag, root
        self._mutex = ctypes.create_string_buffer(128)  # zeros are a free lock
        self._held = False
        threading.Thread(target=self._watch, daemon=True).start()
        self._take_or_free()

    def hooked(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            at = args[0] if args else "."
            folders = [kwargs.get(name) for name in ("dir_fd", "src_dir_fd", "dst_dir_fd")]
            opened = isinstance(at, int) or any(one is not None for one in folders)
            if opened or os.path.abspath(os.fsdecode(at)).startswith(self._root):
                LIBC.pthread_mutex_lock(self._mutex)
                LIBC.pthread_mutex_unlock(self._mutex)
            return real(*args, **kwargs)

        return call

    def _watch(self) -> None:
        while True:
            time.sleep(0.01)
            self._take_or_free()

    def _take_or_free(self) -> None:
        wanted = os.access(self._flag, os.F_OK)
        if wanted is not self._held:
            change = LIBC.pthread_mutex_lock if wanted else LIBC.pthread_mutex_unlock
            change(self._mutex)
            self._held = wanted


if __name__ == "__main__":
    flag, root, *arguments = sys.argv[1:]
    hang = Hang(flag, root)
    for name in CALLS:
        hook = hang.hooked(getattr(os, name))
        setattr(os, name, hook)
        for known in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
            known.add(hook)
    sys.exit(main(arguments))
