"""Write lines to a file of the user: never below the root's own folder, never half of it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from hipercow_tui.support.errors import ExistingFileError, ExportError, os_error_text
from hipercow_tui.support.text import escape_controls


def check_path(path: Path, hipercow: Path) -> None:
    """Raise ExportError if a file at this path would be in the folder ``hipercow`` of a root, or
    if its folder does not exist."""
    shown = escape_controls(str(path))
    try:
        folder = path.parent.resolve(strict=True)
        inside = any(os.path.samefile(each, hipercow) for each in (folder, *folder.parents))
    except OSError as error:
        raise ExportError(f"{shown} can't be written: {os_error_text(error)}") from None
    if inside:
        raise ExportError(f"{shown} is in the root's own folder: choose a folder outside of it")
    if path.is_dir():
        raise ExportError(f"{shown} is a folder: add the name of a file")


def write_lines(path: Path, lines: Iterable[str], hipercow: Path, *, replace: bool) -> int:
    """Write lines to a file in UTF-8, each with a newline; return the number of bytes.

    With ``replace`` an existing file is replaced in one step. Raises ExistingFileError if the file
    exists, and ExportError if the path is not allowed or the file can't be written. Then there is
    no new file.
    """
    check_path(path, hipercow)
    target = path.with_name(f".{path.name}.{os.getpid()}") if replace else path
    shown = escape_controls(str(path))
    try:
        # Windows removes only closed files, so it is closed before the handler below.
        file = open(target, "x", encoding="utf-8", errors="backslashreplace", newline="")  # noqa: SIM115
        try:
            with file:
                file.writelines(f"{line}\n" for line in lines)
            size = os.stat(target).st_size
            if replace:
                os.replace(target, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(target)
            raise
    except FileExistsError:
        raise ExistingFileError(f"{shown} exists already and is not replaced") from None
    except OSError as error:
        raise ExportError(f"{shown} can't be written: {os_error_text(error)}") from None
    return size
