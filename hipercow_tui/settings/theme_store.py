"""The file that remembers the theme."""

from __future__ import annotations

import tomllib

from hipercow_tui.settings.config_file import ConfigFile
from hipercow_tui.support.errors import HipercowTuiError, os_error_text


class ThemeFile(ConfigFile):
    """``theme.toml`` in the config folder: ``theme = "nord"``."""

    __slots__ = ()
    NAME = "theme.toml"

    def read(self) -> str:
        """Return the name of the theme; "" if none is saved or the file is damaged."""
        try:
            theme = tomllib.loads(self.read_text())
        except (OSError, ValueError, RecursionError):
            return ""
        name = theme.get("theme")
        return name if isinstance(name, str) else ""

    def save(self, name: str) -> None:
        """Remember a theme. Raises HipercowTuiError."""
        text = f'# Chosen in hipercow-tui: ctrl+p, Theme.\ntheme = "{name}"\n'
        try:
            self.write_text(text)
        except OSError as error:
            raise HipercowTuiError(
                f"The theme is set for now, but not remembered: {self} can't be written:"
                f" {os_error_text(error)}"
            ) from None
