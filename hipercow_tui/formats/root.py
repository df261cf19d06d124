"""Find a hipercow root, and check whether it can be purged (docs/spec.md, section 1)."""

from __future__ import annotations

import os
import re
import stat
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from hipercow_tui.domain.task import Lang
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import RootError
from hipercow_tui.support.text import escape_controls

TUI_FOLDER = "tui"  # the only folder that this app creates in a root
_SUBFOLDERS = ("tasks", "bundles", TUI_FOLDER)
PY = "py"  # the folder in ``hipercow/`` with the Python root
_LONG_PATH = 200  # characters of a folder; names of files in it are added
_OLD_LAYOUT = re.compile(r"[0-9a-fA-F]{32}\Z")


@dataclass(frozen=True, slots=True)
class Root:
    """A hipercow root of one language. A folder can be a root of R and of Python.

    Attributes:
        path: The project folder.
        hipercow: The folder of the root, with symbolic links resolved: ``hipercow/`` for R,
            ``hipercow/py/`` for Python.
        purge_refusal: Why the root can only be browsed; None if it can be purged.
        lang: The language.
        identity: The device and inode of ``hipercow``; None if they are not known.
    """

    path: Path
    hipercow: Path
    purge_refusal: str | None = None
    lang: Lang = Lang.R
    identity: tuple[int, int] | None = None

    @property
    def tasks(self) -> Path:
        """The folder of the tasks."""
        return self.hipercow / "tasks"

    @property
    def bundles(self) -> Path:
        """The folder of the bundles."""
        return self.hipercow / "bundles"

    @property
    def retry(self) -> Path:
        """The file of the retries, in R only."""
        return self.hipercow / "retry"

    def part(self, lang: Lang) -> Root:
        """Return the root of that language in the same project; it need not exist."""
        if lang is self.lang:
            return self
        folder = self.hipercow / PY if lang is Lang.PY else self.hipercow.parent
        return replace(self, hipercow=folder, lang=lang, identity=None)

    @property
    def parts(self) -> tuple[Root, ...]:
        """The R root, and the Python root if it exists now."""
        python = self.part(Lang.PY)
        first = self.part(Lang.R)
        return (first, python) if os.path.isdir(python.hipercow) else (first,)


def find_root(start: str | os.PathLike[str] | None = None) -> Root:
    """Find the root at ``start`` (default: the working directory) or above it.

    Raises RootError, with the folder where the search began, if there is no root, or if the root is
    the source of the R package or has the layout from before hipercow 0.3.0.
    """
    try:
        began = Path(start if start is not None else ".")
        where = _absolute(began)
    except (TypeError, ValueError) as error:  # not a path; NUL, or a name that can't be encoded
        raise RootError(
            f"Can't look for a hipercow root: {escape_controls(repr(start))} is not a path: {error}"
        ) from None
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "a loop of symbolic links"
        raise RootError(
            f"Couldn't look for a hipercow root at {_display(began)}: {reason}"
        ) from None
    files = []
    for folder in (where, *where.parents):
        candidate = folder / "hipercow"
        if candidate.is_dir():
            return _make_root(folder, candidate)
        if candidate.exists():
            files.append(candidate)
    if not where.is_dir():
        raise RootError(
            f"Couldn't find hipercow root: {_display(where)} is a file, and there is no folder"
            " 'hipercow' in a folder above it. Name the folder of your project."
        )
    passed = f" ({_display(files[0])} is a file, not a folder)" if files else ""
    raise RootError(
        f"Couldn't find hipercow root: no folder 'hipercow' in {_display(where)} or above"
        f" it{passed}. Start in your project folder or name it; hipercow_init() in R makes a root,"
        " 'hipercow init' in Python."
    )


def _absolute(path: Path) -> Path:
    """Return the absolute path of a file or folder. Raises OSError if there is none.

    Links are resolved, but not on Windows: the path of a mapped drive would become that of its file
    server, which R can't have as its working directory. There, a long path gets the prefix without
    which Windows accepts only 260 characters.
    """
    if sys.platform != "win32":
        return path.resolve(strict=True)
    full = os.path.abspath(path)
    if len(full) > _LONG_PATH and not full.startswith("\\\\?\\"):
        full = rf"\\?\UNC{full[1:]}" if full.startswith("\\\\") else rf"\\?\{full}"
    os.stat(full)
    return Path(full)


def _make_root(folder: Path, hipercow: Path) -> Root:
    if _is_package_source(hipercow / "DESCRIPTION"):
        raise RootError(
            f"{_display(hipercow)} is the source of the R package hipercow, not a root:"
            " name the folder of your project."
        )
    hipercow = hipercow.resolve()
    try:
        with filesystem.scan(str(hipercow / "tasks")) as entries:
            old = any(_OLD_LAYOUT.match(entry.name) for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        old = False
    except OSError as error:
        raise RootError(f"Couldn't read {_display(hipercow / 'tasks')}: {error.strerror}") from None
    if old:
        raise RootError(
            f"{_display(hipercow)} holds tasks created with hipercow earlier than 0.3.0. This"
            " layout is not supported: ask the authors of hipercow how to migrate it."
        )
    return Root(folder, hipercow, _purge_refusal(hipercow), identity=_identity(hipercow))


def _identity(hipercow: Path) -> tuple[int, int] | None:
    try:
        found = hipercow.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_package_source(description: Path) -> bool:
    try:
        if not stat.S_ISREG(description.stat().st_mode):
            return False
        with description.open("rb") as file:
            text = file.read(65536)
    except OSError:
        return False
    return re.search(rb"^Package:[ \t]*hipercow[ \t]*\r?$", text, re.MULTILINE) is not None


def _purge_refusal(hipercow: Path) -> str | None:
    """Return why a task can't be moved safely by a rename; None if it can."""
    try:
        mount = filesystem.mount_at(hipercow)
        for name in (*_SUBFOLDERS, PY, *(f"{PY}/{folder}" for folder in _SUBFOLDERS)):
            path = hipercow / name
            try:
                found = filesystem.lstat(path)
                at = filesystem.mount_at(path)
            except FileNotFoundError:
                continue
            if stat.S_ISLNK(found.st_mode):
                return f"{_display(path)} is a symbolic link: purge in the folder of its target"
            if not stat.S_ISDIR(found.st_mode):
                return f"{_display(path)} is not a folder"
            if at.device != mount.device:
                return f"{_display(path)} is on another file system than {_display(hipercow)}"
            if at != mount:
                return (
                    f"{_display(path)} is a bind mount, and nothing can be moved out of one:"
                    " unmount it, or purge where it is an ordinary folder"
                )
    except OSError as error:
        return f"{_display(hipercow)} can't be examined: {error.strerror}"
    return None


def _display(path: Path) -> str:
    return escape_controls(str(path))
