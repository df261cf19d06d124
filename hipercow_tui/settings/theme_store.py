"""What the app keeps for its user in the config folder, beside the saved filters."""

from __future__ import annotations

import os
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.support.errors import HipercowTuiError
from hipercow_tui.support.text import escape_controls

_LIMIT = 1 << 16  # bytes


def config_folder() -> Path:
    """Where the user's settings are, by the platform's convention; raises RuntimeError where even
    the home folder is unknown."""
    named = os.environ.get("XDG_CONFIG_HOME", "")
    if os.path.isabs(named):  # a relative one is to be ignored, says the specification
        return Path(named) / "hipercow-tui"
    if sys.platform == "win32":
        base = os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path.home() / ".config"
    return Path(base) / "hipercow-tui"


def replace_file(path: Path, raw: bytes) -> None:
    """Write a file whole or not at all, in folders that are made; a link stays one. Raises
    OSError."""
    import tempfile  # 10 ms, for what happens once in a while

    target = Path(os.path.realpath(path))
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        try:
            file.write(raw)
            file.close()
            os.replace(file.name, target)
        except BaseException:
            os.unlink(file.name)
            raise


@dataclass(frozen=True, slots=True)
class ThemeFile:
    """``theme.toml``, which remembers the theme that was chosen: ``theme = "nord"``."""

    path: Path

    @classmethod
    def of_user(cls) -> ThemeFile | None:
        """The one in the user's config folder; None where there is no such folder."""
        try:
            return cls(config_folder() / "theme.toml")
        except RuntimeError:
            return None

    def read(self) -> str:
        """The name of the theme; "" if none was chosen. A damaged file is no reason to fail: it
        is written anew with the next choice."""
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
            replace_file(self.path, text.encode())
        except OSError as error:
            raise HipercowTuiError(
                f"The theme holds for now, but is not remembered:"
                f" {escape_controls(str(self.path))} can't be written: {error.strerror}"
            ) from None
