"""The user's own keys: ``keys.toml`` in the config folder, written by hand::

    plan = "P"
    next_hit = ["n", "f3"]
    "log.follow" = "f"

A name is the id of a key, as ``hipercow-tui keys`` lists them. Which ids and keys exist is checked
by ``ui.key_catalog``.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.support.errors import os_error_text
from hipercow_tui.support.text import escape_controls
from hipercow_tui.support.user_files import config_folder

_LIMIT = 1 << 16  # bytes


@dataclass(frozen=True, slots=True)
class ChosenKeys:
    """The content of the file.

    ``keys`` are the keys of each id. ``problems`` are sentences on what could not be understood.
    """

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The file of the user's keys, which need not exist."""

    path: Path

    @classmethod
    def of_user(cls) -> KeyFile | None:
        """Return the file in the user's config folder; None if there is no such folder."""
        try:
            return cls(config_folder() / "keys.toml")
        except RuntimeError:
            return None

    def __str__(self) -> str:
        return escape_controls(str(self.path))

    def read(self) -> ChosenKeys:
        """Read the file; errors are part of the result."""
        try:
            text = read_file(os.path.realpath(self.path), limit=_LIMIT).decode()
            document = tomllib.loads(text)
        except FileNotFoundError:
            return ChosenKeys()
        except OSError as error:
            return ChosenKeys(problems=(f"{self} can't be read: {os_error_text(error)}",))
        except (ValueError, RecursionError) as error:
            return ChosenKeys(
                problems=(f"{self} is not valid TOML: {escape_controls(str(error))}",)
            )
        keys, problems = {}, []
        for name, value in _flatten(document):
            given = (value,) if isinstance(value, str) else value
            if isinstance(given, list | tuple) and given and all(isinstance(k, str) for k in given):
                keys[name] = tuple(given)
            else:
                problems.append(
                    f"{self}, '{escape_controls(name)}': give a key such as \"p\", or a list of"
                    ' keys such as ["p", "f5"]'
                )
        return ChosenKeys(keys, tuple(problems))


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield names and values; without quotes, ``log.follow`` is a table in a table."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
