"""The user's own keys: ``keys.toml`` in the config folder, written by hand::

    plan = "P"
    next_hit = ["n", "f3"]
    "log.follow" = "f"

A name is the id of a key, as ``hipercow-tui keys`` lists them. Which ids and keys exist is checked
by ``ui.key_catalog``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hipercow_tui.settings.config_file import ConfigFile
from hipercow_tui.support.errors import os_error_text
from hipercow_tui.support.text import escape_controls


@dataclass(frozen=True, slots=True)
class ChosenKeys:
    """The content of the file.

    ``keys`` are the keys of each id. ``problems`` are sentences on what could not be understood.
    """

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


class KeyFile(ConfigFile):
    """The file of the user's keys."""

    __slots__ = ()
    NAME = "keys.toml"

    def read(self) -> ChosenKeys:
        """Read the file; errors are part of the result."""
        try:
            document = tomllib.loads(self.read_text())
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
