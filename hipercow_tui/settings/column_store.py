"""The file that remembers which columns of a table the user shows and hides."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.support.errors import HipercowTuiError, os_error_text
from hipercow_tui.support.text import escape_controls
from hipercow_tui.support.user_files import config_folder, replace_file

_LIMIT = 1 << 16  # bytes

# By the name of a table and the key of a column: whether it is shown. Other columns are automatic.
ColumnChoices: TypeAlias = Mapping[str, Mapping[str, bool]]


@dataclass(frozen=True, slots=True)
class ColumnFile:
    """``columns.toml`` in the config folder: a table such as ``[tasks]`` with ``id = true``."""

    path: Path

    @classmethod
    def of_user(cls) -> ColumnFile | None:
        """Return the file in the user's config folder; None if there is no such folder."""
        try:
            return cls(config_folder() / "columns.toml")
        except RuntimeError:
            return None

    def read(self) -> ColumnChoices:
        """Return the choices; none if the file does not exist or is damaged."""
        try:
            text = read_file(os.path.realpath(self.path), limit=_LIMIT).decode()
            document = tomllib.loads(text)
        except (OSError, ValueError, RecursionError):
            return {}
        return {
            name: {key: shown for key, shown in table.items() if isinstance(shown, bool)}
            for name, table in document.items()
            if isinstance(table, dict)
        }

    def save(self, choices: ColumnChoices) -> None:
        """Remember the choices. Raises HipercowTuiError."""
        import tomlkit  # imported late: it takes 30 ms

        document = tomlkit.document()
        document.add(tomlkit.comment("Chosen in hipercow-tui: F. Other columns are automatic."))
        for name, table in choices.items():
            if table:
                document[name] = dict(table)
        try:
            replace_file(Path(os.path.realpath(self.path)), tomlkit.dumps(document).encode())
        except OSError as error:
            raise HipercowTuiError(
                f"The columns are set for now, but not remembered:"
                f" {escape_controls(str(self.path))} can't be written: {os_error_text(error)}"
            ) from None
