"""A file in the user's config folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.support.text import escape_controls
from hipercow_tui.support.user_files import config_folder, replace_file

_LIMIT = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file of settings, which need not exist yet. A subclass gives ``NAME`` and the meaning.

    If the user has put a link in its place, the target is read and written.
    """

    NAME: ClassVar[str]
    path: Path

    @classmethod
    def of_user(cls) -> Self | None:
        """Return the file in the user's config folder; None if there is no such folder."""
        try:
            return cls(config_folder() / cls.NAME)
        except RuntimeError:
            return None

    def __str__(self) -> str:
        return escape_controls(str(self.path))

    @property
    def _target(self) -> Path:
        return Path(os.path.realpath(self.path))

    def read_text(self) -> str:
        """Return the text. Raises OSError, and UnicodeDecodeError if it is not UTF-8."""
        return read_file(self._target, limit=_LIMIT).decode()

    def write_text(self, text: str) -> None:
        """Replace the text, completely or not at all. Raises OSError."""
        replace_file(self._target, text.encode())
