"""The file that remembers the theme."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.support.errors import HipercowTuiError, os_error_text
from hipercow_tui.support.text import escape_controls
from hipercow_tui.support.user_files import config_folder, replace_file

_LIMIT = 1 << 16  # bytes


@dataclass(frozen=True, slots=True)
class ThemeFile:
    """``theme.toml`` in the config folder: ``theme = "nord"``."""

    path: Path

    @classmethod
    def of_user(cls) -> ThemeFile | None:
        """Return the file in the user's config folder; None if there is no such folder."""
        try:
            return cls(config_folder() / "theme.toml")
        except RuntimeError:
            return None

    def read(self) -> str:
        """Return the name of the theme; "" if none is saved or the file is damaged."""
        try:
            theme = tomllib.loads(read_file(os.path.realpath(self.path), limit=_LIMIT).decode())
        except (OSError, ValueError, RecursionError):
            return ""
        name = theme.get("theme")
        return name if isinstance(name, str) else ""

    def save(self, name: str) -> None:
        """Remember a theme. Raises HipercowTuiError."""
        text = f'# Chosen in hipercow-tui: ctrl+p, Theme.\ntheme = "{name}"\n'
        try:
            replace_file(Path(os.path.realpath(self.path)), text.encode())
        except OSError as error:
            raise HipercowTuiError(
                f"The theme is set for now, but not remembered:"
                f" {escape_controls(str(self.path))} can't be written: {os_error_text(error)}"
            ) from None
