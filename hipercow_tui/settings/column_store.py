"""The file that remembers which columns of a table the user shows and hides."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import TypeAlias

from hipercow_tui.settings.config_file import ConfigFile
from hipercow_tui.support.errors import HipercowTuiError, os_error_text

# By the name of a table and the key of a column: whether it is shown. Other columns are automatic.
ColumnChoices: TypeAlias = Mapping[str, Mapping[str, bool]]


class ColumnFile(ConfigFile):
    """``columns.toml`` in the config folder: a table such as ``[tasks]`` with ``id = true``."""

    __slots__ = ()
    NAME = "columns.toml"

    def read(self) -> ColumnChoices:
        """Return the choices; none if the file does not exist or is damaged."""
        try:
            document = tomllib.loads(self.read_text())
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
            self.write_text(tomlkit.dumps(document))
        except OSError as error:
            raise HipercowTuiError(
                f"The columns are set for now, but not remembered: {self} can't be written:"
                f" {os_error_text(error)}"
            ) from None
