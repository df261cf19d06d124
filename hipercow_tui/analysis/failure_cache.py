"""How tasks failed, remembered from one start to the next: a file beside the index of the root.

Reading a failure takes half a millisecond, and a second where a trace of megabytes stands before
the message. A final task never changes, so it is read once. A task is known again by its folder:
its inode and times. A file that is damaged, of another root or of another version is as good as
none, and is written anew.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Any

from hipercow_tui.analysis.error_groups import Failure, Interner, pack, unpack
from hipercow_tui.domain.task import TASK_ID
from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.scanning.scan_cache import ScanCache
from hipercow_tui.support.user_files import replace_file

_MAGIC = b"hipercow-tui errors 3\n"
_LIMIT = 1 << 30  # bytes
_DIGEST = 16  # bytes

_OWN = Failure._fields.index("packed")  # up to here it is the same in many failures
_IDENTITY = Struct("<3Q")
_WORD = (1 << 64) - 1


def folder_fingerprint(tasks: Path, task_id: str) -> bytes:
    """Which folder a task is, below ``tasks``, by its inode and its times of modification and of
    change: another one if it was deleted and made anew, or if anything in it came or went. Empty
    where there is none. Costs one stat.

    Raises ValueError where ``task_id`` is no task id.
    """
    if not TASK_ID.match(task_id):
        raise ValueError(f"not a task id: {task_id!r}")
    try:
        found = os.stat(f"{tasks}/{task_id[:2]}/{task_id[2:]}", follow_symlinks=False)
    except OSError:
        return b""
    numbers = found.st_ino, found.st_mtime_ns, found.st_ctime_ns
    return _IDENTITY.pack(*[number & _WORD for number in numbers])


@dataclass(frozen=True, slots=True)
class FailureCache:
    """The file of one root. ``key`` is what makes that root itself."""

    path: Path
    key: bytes

    @classmethod
    def beside(cls, index: ScanCache) -> FailureCache:
        """That of the root of an index, whether there is a file yet or not."""
        return cls(index.path.with_suffix(".errors"), index.key)

    def load(self) -> dict[str, Failure]:
        """What the file says, by task; nothing where it is not exactly what we wrote."""
        try:
            raw = read_file(self.path, limit=_LIMIT)
        except OSError:
            return {}
        body = raw[len(_MAGIC) + _DIGEST :]
        if raw[: len(_MAGIC) + _DIGEST] != self._head(body):
            return {}
        return _read(io.BytesIO(zlib.decompress(body)))

    def save(self, known: Mapping[str, Failure]) -> None:
        """Write the file anew, in one step; where that can't be done, there is none. What could
        not be read is left out, to be tried again."""
        packer = zlib.compressobj(1)
        body = b"".join([*map(packer.compress, _written(known)), packer.flush()])
        with suppress(OSError):
            replace_file(self.path, self._head(body), body)

    def _head(self, body: bytes) -> bytes:
        digest = hashlib.blake2b(self.key, digest_size=_DIGEST)
        digest.update(body)
        return _MAGIC + digest.digest()


def _written(known: Mapping[str, Failure]) -> Iterator[bytes]:
    """The lines of the file: first what many failures have in common, then a line for each with
    the number of that and what is its own. No more than one is held at a time."""
    causes: dict[tuple[Any, ...], int] = {}
    for one in known.values():
        if one.problem is None:
            causes.setdefault(one[:_OWN], len(causes))
    yield _line(list(causes))
    for task_id, one in known.items():
        if one.problem is None:
            yield _line([task_id, causes[one[:_OWN]], one.folder.hex(), *unpack(one.packed)])


def _line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _read(lines: Iterator[bytes]) -> dict[str, Failure]:
    """What was written so."""
    same = Interner().same
    causes = []
    for template, signs, warnings, what, names, problem in json.loads(next(lines)):
        cause = template, tuple(signs), warnings, what, tuple(names), problem
        causes.append([same(part) for part in cause])
    found = {}
    for line in lines:
        task_id, number, folder, *own = json.loads(line)
        found[task_id] = Failure._make((*causes[number], pack(own), bytes.fromhex(folder)))
    return found
