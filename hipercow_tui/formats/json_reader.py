"""Decode JSON from a file with bounded work."""

from __future__ import annotations

import json
from typing import Any, NoReturn

_NESTED_WORK = 8  # the work of an object, a list or a key; another value has 1


def load_json(raw: bytes, *, work: int) -> Any:
    """Decode JSON.

    ``work`` limits the time: 1 for each value in a list, 8 for each object, list and key; a unit is
    about 0.1 µs. A larger file is refused before it is decoded. Other threads can run at each
    object.

    Raises ValueError with the end of a sentence on the file.
    """
    nested = raw.count(b"{") + raw.count(b"[") + raw.count(b":")
    if raw.count(b",") + _NESTED_WORK * nested > work:
        raise ValueError("is too large to read: it has too many values")
    try:
        return json.loads(raw, object_hook=_yield_to_threads, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ValueError("is not valid JSON") from None


def _refuse_constant(constant: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python accepts although JSON does not have them."""
    raise ValueError(constant)


def _yield_to_threads(value: dict[str, Any]) -> dict[str, Any]:
    """Return the object. Calling a Python function lets other threads run, unlike the C decoder."""
    return value
