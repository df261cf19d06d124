"""The user's own files: their folders, and writing them in one step."""

from __future__ import annotations

import os
from pathlib import Path

_NAME = "hipercow-tui"


def config_folder() -> Path:
    """Return the folder of the user's settings.

    ``XDG_CONFIG_HOME`` applies on every platform if it is absolute. Raises RuntimeError if the home
    folder is unknown.
    """
    named = os.environ.get("XDG_CONFIG_HOME", "")
    if os.path.isabs(named):
        return Path(named) / _NAME
    from platformdirs import PlatformDirs  # imported late: listing tasks does not need it

    folder = PlatformDirs(_NAME, appauthor=False, roaming=True).user_config_path
    return folder if folder.is_absolute() else Path.home() / ".config" / _NAME


def cache_folder() -> Path:
    """Return the folder of the user's caches. Raises RuntimeError if the home folder is unknown."""
    from platformdirs import PlatformDirs

    # opinion=False: without the subfolder Cache on Windows
    folder = PlatformDirs(_NAME, appauthor=False, opinion=False).user_cache_path
    # A relative XDG_CACHE_HOME is ignored, as the XDG specification demands.
    return folder if folder.is_absolute() else Path.home() / ".cache" / _NAME


def state_folder() -> Path:
    """Return the folder of the program's logs and crash reports. Raises RuntimeError if the home
    folder is unknown."""
    from platformdirs import PlatformDirs

    folder = PlatformDirs(_NAME, appauthor=False).user_state_path
    return folder if folder.is_absolute() else Path.home() / ".local" / "state" / _NAME


def replace_file(path: Path, *parts: bytes | bytearray) -> None:
    """Write the parts to a file, completely or not at all.

    Makes missing folders, which only the user can enter. Raises OSError; then the file is as it
    was.
    """
    import tempfile  # imported late: it takes 10 ms

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        try:
            for part in parts:
                file.write(part)
            file.close()
            os.replace(file.name, path)
        except BaseException:
            file.close()  # else Windows does not remove it
            os.unlink(file.name)
            raise
