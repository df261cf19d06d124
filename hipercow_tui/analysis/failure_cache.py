"""A cache file with the errors of failed tasks, for the next start.

Reading an error takes half a millisecond, and a second if there are megabytes of a trace before
the message. A final task never changes, so it is read once. A task is recognised by its folder:
its inode and times.
"""

from __future__ import annotations

import marshal
import zlib
from collections.abc import Mapping
from pathlib import Path
from struct import Struct
from typing import ClassVar

from hipercow_tui.analysis.error_groups import Failure, Interner
from hipercow_tui.domain.task import TASK_ID
from hipercow_tui.scanning.cache_file import CacheFile
from hipercow_tui.support import filesystem

_CHUNK = 500  # failures that are encoded at once, which keeps other threads waiting
_MARSHAL = 4  # a version that writes shared objects once
_FINGERPRINT = Struct("<3Q")
_FETCHED = Struct("<Q")
_UINT64 = (1 << 64) - 1


def folder_fingerprint(tasks: Path, task_id: str, fetched: int | None = None) -> bytes:
    """Inode, modification time and change time of the folder of a task below ``tasks``, and when
    its outer log was fetched, if it was (see ``FetchedLogs.times``).

    Another fingerprint means that the task was replaced, that a file was added or removed, or that
    the outer log was fetched. Empty if there is no folder. Costs one stat.

    Raises ValueError if ``task_id`` is not a task id.
    """
    if not TASK_ID.match(task_id):
        raise ValueError(f"not a task id: {task_id!r}")
    try:
        found = filesystem.lstat(f"{tasks}/{task_id[:2]}/{task_id[2:]}")
    except OSError:
        return b""
    numbers = found.st_ino, found.st_mtime_ns, found.st_ctime_ns
    folder = _FINGERPRINT.pack(*[number & _UINT64 for number in numbers])
    return folder if fetched is None else folder + _FETCHED.pack(fetched & _UINT64)


class FailureCache(CacheFile):
    """The failures of one root."""

    __slots__ = ()
    SUFFIX: ClassVar[str] = ".errors"
    MAGIC: ClassVar[bytes] = b"hipercow-tui errors 5\n"

    def load(self) -> dict[str, Failure]:
        """Read the file, by task id; the result is empty if there is no valid one."""
        data = self.read()
        interner = Interner()
        found: dict[str, Failure] = {}
        for chunk in marshal.loads(data) if data is not None else ():
            for task_id, *row in marshal.loads(zlib.decompress(chunk)):
                failure = Failure._make(row)
                found[task_id] = interner.intern_failure(failure, failure.folder)
        return found

    def save(self, known: Mapping[str, Failure]) -> None:
        """Replace the file, if that is possible. Failures with a problem are left out, so that
        they are read again."""
        rows = [(i, *failure) for i, failure in known.items() if failure.problem is None]
        chunks = [
            zlib.compress(marshal.dumps(rows[start : start + _CHUNK], _MARSHAL), 1)
            for start in range(0, len(rows), _CHUNK)
        ]
        self.write(marshal.dumps(chunks))
