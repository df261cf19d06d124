"""A report of an unexpected error, in a file that a user can attach to an issue.

It has the versions, the platform, the traceback and the last log lines. It has no input of a task,
no environment variable, no text of a task's log, and so no message of an error that may quote
such data.
"""

from __future__ import annotations

import logging
import platform
import secrets
import sys
import time
import traceback
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from hipercow_tui.support.log_setup import last_lines
from hipercow_tui.support.text import escape_controls
from hipercow_tui.support.user_files import cache_folder, state_folder

# Errors whose message is about code. That of a ValueError or KeyError quotes data.
_ABOUT_CODE = (
    AssertionError, AttributeError, ImportError, IndexError, MemoryError, NameError,
    NotImplementedError, RecursionError, TypeError,
)  # fmt: skip
_PACKAGES = ("hipercow-tui", "textual", "rich", "humanize", "wcmatch", "platformdirs")
_MAX_FRAMES = 50  # of one error, the innermost: a recursion has a thousand
_LOGGER = logging.getLogger(__name__)


def write_report(error: BaseException) -> Path | None:
    """Write the report of an error into the user's state folder, else into the cache folder;
    returns its path, or None if neither can be written."""
    _LOGGER.error("unexpected error: %s", type(error).__name__)
    text = "\n".join(report_lines(error)) + "\n"
    name = time.strftime("crash-%Y%m%dT%H%M%SZ-", time.gmtime()) + f"{secrets.token_hex(2)}.txt"
    for find_folder in (state_folder, cache_folder):
        try:
            folder = find_folder()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8")
        except (OSError, RuntimeError):  # a full disk; the home folder is unknown
            continue
        return folder / name
    return None


def what_happened(error: BaseException, report: Path | None) -> str:
    """The sentences for the user about an unexpected error and where its report is."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    attach = (
        f"Please report it, and attach the file '{escape_controls(str(report))}'"
        if report
        else "Please report it; the file for the details can't be written"
    )
    return (
        f"hipercow-tui stopped because of an unexpected error: {type(error).__name__}{place}. What"
        f" was purged stays purged, and nothing else was changed. {attach}."
    )


def report_lines(error: BaseException) -> Iterator[str]:
    """The lines of the report of an error."""
    yield f"Python {platform.python_version()} ({sys.implementation.name}), {platform.platform()}"
    yield ", ".join(f"{name} {_version(name)}" for name in _PACKAGES)
    for one in _with_causes(error):
        yield ""
        yield f"{type(one).__module__}.{type(one).__qualname__}: {_message(one)}"
        for frame in traceback.extract_tb(one.__traceback__)[-_MAX_FRAMES:]:
            yield f"  {_short_path(frame.filename)}:{frame.lineno} {frame.name}"
    yield ""
    yield "Last log lines:"
    yield from (f"  {line}" for line in last_lines())


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that were being handled when it was raised."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _message(error: BaseException) -> str:
    if isinstance(error, OSError):
        return f"[Errno {error.errno}] {escape_controls(error.strerror or '')}"
    if isinstance(error, _ABOUT_CODE):
        return escape_controls(str(error))[:500]
    return "(message left out: it may quote data)"


def _short_path(filename: str) -> str:
    """The path from the package's name on: what is above may name a person."""
    parts = Path(filename).parts
    for name in ("site-packages", "lib"):
        if name in parts:
            return "/".join(parts[parts.index(name) + 1 :])
    return "/".join(parts[parts.index("hipercow_tui") :] if "hipercow_tui" in parts else parts[-1:])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
