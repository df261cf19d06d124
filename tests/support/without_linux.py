"""Run a command without what only Linux has, as on macOS: python without_linux.py ARGUMENTS."""

from __future__ import annotations

import builtins
import ctypes
import io
import os
import sys
from collections.abc import Callable
from typing import Any

GONE = ("O_PATH", "sched_getaffinity", "posix_fadvise", "pidfd_open", "O_TMPFILE", "memfd_create")


def without_proc(real: Callable[..., Any]) -> Callable[..., Any]:
    def call(path: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(path, str | os.PathLike) and os.fspath(path).startswith("/proc"):
            raise FileNotFoundError(2, "No such file or directory", path)
        return real(path, *args, **kwargs)

    return call


class NoSymbols:
    """A C library without the functions of glibc, but with that of macOS for the boot."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name != "sysctlbyname":
            raise AttributeError(name)
        return self._sysctl

    def _sysctl(self, name: bytes, value: Any, *_: object) -> int:
        value.value = b"1C5A7E4B-0000-4000-8000-1234567890AB"
        return 0 if name == b"kern.bootsessionuuid" else -1


def take_away() -> None:
    """Take all of that away from this process."""
    for name in GONE:
        if hasattr(os, name):
            delattr(os, name)
    for module, name in ((builtins, "open"), (io, "open"), (os, "open"), (os, "readlink")):
        setattr(module, name, without_proc(getattr(module, name)))
    supported = {os.open, os.readlink}
    setattr(os, "supports_dir_fd", os.supports_dir_fd | supported)  # noqa: B010
    setattr(ctypes, "CDLL", NoSymbols)  # noqa: B010 - of this process alone


if __name__ == "__main__":
    take_away()
    from hipercow_tui.cli.main import main

    sys.exit(main(sys.argv[1:]))
