"""A file in the user's cache folder, never in the root. Nothing is lost if it is deleted."""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.support.user_files import cache_folder, replace_file

_LOGGER = logging.getLogger(__name__)

_LIMIT = 4 << 30  # bytes: an index of some 40 million tasks
_DIGEST = 16  # bytes
_UNUSED = 180 * 86400  # seconds after which the file of another root is deleted
# Of each kind; a share without lasting inode numbers has a new file after each mount.
_MOST_FILES = 20
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class CacheFile:
    """A cache of one root. ``key`` identifies the root by the device and inode of ``hipercow/``, so
    a root with several paths has one cache.

    A subclass has a ``SUFFIX`` for the file's name, and ``MAGIC``, the first line of the file with
    the version of its format. The caches hold ``marshal`` data, which is fast and simple, but is
    not safe against data that someone made on purpose. So a file is read only if no other user
    can write to it or to its folder, and a digest shows damage.
    """

    SUFFIX: ClassVar[str]
    MAGIC: ClassVar[bytes]

    path: Path
    key: bytes

    @classmethod
    def of(cls, root: Root) -> Self | None:
        """The cache of a root, with or without a file; None if there can't be a file."""
        try:
            folder = cache_folder()
            key = b"%d %d" % (root.identity or _identity(root))
        except (OSError, RuntimeError):
            return None
        return cls(folder / f"{_digest(key)}{cls.SUFFIX}", key)

    def read(self) -> memoryview | None:
        """The data of the last ``write``; None if there is no file, or if it is damaged, of
        another root or of another version."""
        try:
            if not (_is_private(self.path.parent) and _is_private(self.path)):
                return None
            raw = memoryview(read_file(self.path, limit=_LIMIT))
        except OSError:
            return None
        size = len(self.MAGIC) + _DIGEST
        valid = raw[:size] == self._header(raw[size:])
        _LOGGER.debug("cache %s: %d bytes, valid: %s", self.path.name, len(raw), valid)
        return raw[size:] if valid else None

    def write(self, data: bytes) -> None:
        """Replace the file in one step, or leave it as it is if that is impossible."""
        try:
            replace_file(self.path, self._header(data), data)
            self._delete_unused()
        except OSError as error:
            _LOGGER.warning("cache %s can't be written: %s", self.path.name, error.strerror)

    def _header(self, data: bytes | memoryview) -> bytes:
        digest = hashlib.blake2b(self.key, digest_size=_DIGEST)
        digest.update(data)
        return self.MAGIC + digest.digest()

    def _delete_unused(self) -> None:
        with os.scandir(self.path.parent) as entries:
            files = [
                (entry.stat(follow_symlinks=False).st_mtime, entry.path)
                for entry in entries
                if entry.name.endswith(self.SUFFIX)
            ]
        for place, (changed, path) in enumerate(sorted(files, reverse=True)):
            if place >= _MOST_FILES or changed < time.time() - _UNUSED:
                os.unlink(path)


def cache_name(root: Root) -> str:
    """Return a name for what is kept of a root at this path: hex digits."""
    return _digest(os.fsencode(root.hipercow))


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=_DIGEST).hexdigest()


def _identity(root: Root) -> tuple[int, int]:
    status = os.stat(root.hipercow)
    return status.st_dev, status.st_ino


def _is_private(path: Path) -> bool:
    """Whether only this user can write to a file or a folder; raises OSError."""
    if sys.platform == "win32":
        return True
    status = path.stat()
    return status.st_uid == os.geteuid() and not status.st_mode & _WRITABLE_BY_OTHERS
