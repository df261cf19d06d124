"""How tasks failed, remembered from one start to the next: a file beside the index of the root.

Reading a failure takes half a millisecond, and a second where a trace of megabytes stands before
the message. A final task never changes, so it is read once. A task is known again by its folder:
its inode and times. A file that is damaged, of another root or of another version is as good as
none, and is written anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TypeAlias

from hipercow_tui.alike import Wording
from hipercow_tui.failures import Failure, Sharing
from hipercow_tui.index import Index
from hipercow_tui.model import TASK_ID
from hipercow_tui.roots.files import read_file

_MAGIC = b"hipercow-tui errors 2\n"
_LIMIT = 1 << 30  # bytes
_DIGEST = 16  # bytes

# A task's folder: inode, time of modification and of change, in nanoseconds.
Identity: TypeAlias = tuple[int, int, int]


def identity(tasks: Path, task_id: str) -> Identity | None:
    """Which folder a task is, below ``tasks``: another one if it was deleted and made anew, or if
    anything in it came or went. None where there is none. Costs one stat.

    Raises ValueError where ``task_id`` is no task id.
    """
    if not TASK_ID.match(task_id):
        raise ValueError(f"not a task id: {task_id!r}")
    try:
        found = os.stat(f"{tasks}/{task_id[:2]}/{task_id[2:]}", follow_symlinks=False)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns


@dataclass(frozen=True, slots=True)
class Remembered:
    """How a task failed, and which folder said so."""

    folder: Identity
    failure: Failure


@dataclass(frozen=True, slots=True)
class ErrorMemory:
    """The file of one root. ``key`` is what makes that root itself."""

    path: Path
    key: bytes

    @classmethod
    def beside(cls, index: Index) -> ErrorMemory:
        """That of the root of an index, whether there is a file yet or not."""
        return cls(index.path.with_suffix(".errors"), index.key)

    def load(self) -> dict[str, Remembered]:
        """What the file says, by task; nothing where it is not exactly what we wrote."""
        try:
            raw = read_file(self.path, limit=_LIMIT)
        except OSError:
            return {}
        body = raw[len(_MAGIC) + _DIGEST :]
        if raw[: len(_MAGIC) + _DIGEST] != self._head(body):
            return {}
        texts, tasks = json.loads(zlib.decompress(body))
        sharing = Sharing()
        found = {}
        for task_id, row in tasks.items():
            one = _decoded(row, texts)
            found[task_id] = Remembered(one.folder, sharing.shared(one.failure))
        return found

    def save(self, known: Mapping[str, Remembered]) -> None:
        """Write the file anew, in one step; where that can't be done, there is none. What could
        not be read is left out, to be tried again."""
        texts: dict[str, int] = {}
        rows = {
            task_id: _encoded(one, texts)
            for task_id, one in known.items()
            if one.failure.problem is None
        }
        body = zlib.compress(json.dumps([list(texts), rows]).encode(), 1)
        with suppress(OSError):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.path.parent, delete=False) as file:
                try:
                    file.write(self._head(body))
                    file.write(body)
                    file.close()
                    os.replace(file.name, self.path)
                except BaseException:
                    os.unlink(file.name)
                    raise

    def _head(self, body: bytes) -> bytes:
        digest = hashlib.blake2b(self.key, digest_size=_DIGEST)
        digest.update(body)
        return _MAGIC + digest.digest()


_Row: TypeAlias = tuple[list[int], int, int, int, list[int], list[list[int]]]


def _encoded(one: Remembered, texts: dict[str, int]) -> _Row:
    """The folder, and the failure with each text as its number among ``texts``, where it is added:
    messages, code and inputs are much the same in thousands of tasks."""

    def number(text: str) -> int:
        return texts.setdefault(text, len(texts))

    failure = one.failure
    inputs = [number(part) for pair in failure.inputs for part in pair]
    said = number(failure.message), number(failure.warnings), number(failure.what)
    wording = [[number(text) for text in texts] for texts in astuple(failure.wording)]
    return list(one.folder), *said, inputs, wording


def _decoded(row: _Row, texts: list[str]) -> Remembered:
    (inode, modified, changed), message, warnings, what, inputs, wording = row
    parts = [texts[number] for number in inputs]
    pairs = tuple(zip(parts[::2], parts[1::2], strict=True))
    taken_apart = Wording(*(tuple([texts[number] for number in part]) for part in wording))
    said = texts[message], texts[warnings], texts[what]
    failure = Failure(*said, pairs, wording=taken_apart)
    return Remembered((inode, modified, changed), failure)
