"""Checked fields of a JSON object: the file that it comes from may be edited or hostile.

A check takes a decoded value and returns it as the type it names. It raises ValueError, with the
end of a sentence about the value.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import PureWindowsPath
from typing import Any, TypeVar

from hipercow_tui.domain.task import TASK_ID
from hipercow_tui.support.text import escape_controls

_T = TypeVar("_T")
_INTEGER_LIMIT = 1 << 53  # larger integers are not exact in all JSON readers
_SECONDS_LIMIT = 1e15


class JsonFields:
    """Takes the fields of a JSON object one by one; a field that is never taken is an error.

    ``what`` names the object in messages. Raises ValueError if ``data`` is not an object.
    """

    def __init__(self, data: Any, what: str) -> None:
        if not isinstance(data, dict):
            raise ValueError(f"{what} is not an object")
        self._left: dict[str, Any] = dict(data)
        self._what = what

    def take(self, name: str, check: Callable[[Any], _T]) -> _T:
        """Return the checked value of a field; an absent field has the value None.

        Raises ValueError, which names the field.
        """
        try:
            return check(self._left.pop(name, None))
        except ValueError as error:
            raise ValueError(f"'{name}' of {self._what}: {error}") from None

    def end(self) -> None:
        """Raise ValueError if there are fields that were not taken."""
        if self._left:
            name = escape_controls(next(iter(self._left)))
            raise ValueError(f"'{name}' of {self._what} is unknown")


def text(value: Any) -> str:
    """Check a string."""
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def shown_text(value: Any) -> str:
    """Check a string that is only displayed, and escape its control characters."""
    return escape_controls(text(value))


def absolute_path(value: Any) -> str:
    """Check an absolute path, of this system or another."""
    path = text(value)
    if "\0" in path or not (path.startswith("/") or PureWindowsPath(path).is_absolute()):
        raise ValueError("not an absolute path")
    return path


def task_id(value: Any) -> str:
    """Check a task id."""
    identifier = text(value)
    if not TASK_ID.match(identifier):
        raise ValueError(f"not a task id: '{escape_controls(identifier[:40])}'")
    return identifier


def whole_number(value: Any) -> int:
    """Check an integer of less than 54 bits; True and False are none."""
    if type(value) is not int or abs(value) >= _INTEGER_LIMIT:
        raise ValueError("not a whole number")
    return value


def seconds(value: Any) -> float:
    """Check a time in seconds since the epoch."""
    if type(value) not in (int, float) or not abs(value) < _SECONDS_LIMIT:
        raise ValueError("not a time")
    return float(value)


def flag(value: Any) -> bool:
    """Check True or False."""
    if type(value) is not bool:
        raise ValueError("neither true nor false")
    return value


def optional(check: Callable[[Any], _T]) -> Callable[[Any], _T | None]:
    """Return a check that also accepts null and absent fields, as None."""
    return lambda value: None if value is None else check(value)


def list_of(check: Callable[[Any], _T]) -> Callable[[Any], tuple[_T, ...]]:
    """Return a check for a list of such values."""

    def checked(value: Any) -> tuple[_T, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError("not a list")
        return tuple(map(check, value))

    return checked


def one_of(words: type[StrEnum]) -> Callable[[Any], str]:
    """Return a check for the values of an enumeration."""
    known = [word.value for word in words]

    def checked(value: Any) -> str:
        if value not in known:
            raise ValueError(f"none of {', '.join(known)}")
        return str(value)

    return checked
