"""JSON from disk, decoded with bounded work."""

from __future__ import annotations

import json
from typing import Any, NoReturn

_NESTED_WORK = 8  # the work of an object, a list or a key, where another value takes 1


def load_json(raw: bytes, *, work: int) -> Any:
    """The value that the bytes hold.

    ``work`` bounds the decoding: 1 for each value in a list, 8 for each object, list and key,
    some 0.1 microseconds each. A file that would take more is refused before it is decoded. Other
    threads get their turn at each object, for the whole is one call.

    Raises ValueError with a text that continues a sentence on the file.
    """
    nested = raw.count(b"{") + raw.count(b"[") + raw.count(b":")
    if raw.count(b",") + _NESTED_WORK * nested > work:
        raise ValueError("is too large to read: it holds too many values")
    try:
        return json.loads(raw, object_hook=_yield_to_threads, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ValueError("is not valid JSON") from None


def _refuse_constant(constant: str) -> NoReturn:
    """NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(constant)


def _yield_to_threads(value: dict[str, Any]) -> dict[str, Any]:
    """Python lets other threads in where one of its functions begins, and never while C decodes."""
    return value
