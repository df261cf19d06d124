"""RDS files for tests: files of R with their values as JSON, and helpers that make files."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from hipercow_tui.formats.rlang.values import (
    RS4,
    RBuiltin,
    RClosure,
    REnvironment,
    RLanguage,
    RList,
    RNull,
    ROpaque,
    RPairlist,
    RSymbol,
    RValue,
    RVector,
)
from hipercow_tui.support.errors import RdsError

FIXTURES = Path(__file__).parents[1] / "data" / "rds"
EXPECTED: dict[str, Any] = json.loads((FIXTURES / "expected.json").read_text("utf-8"))
HEADER = b"X\n" + struct.pack(">iiii", 3, 0x40202, 0x30500, 5) + b"UTF-8"


def fixture(name: str) -> bytes:
    return (FIXTURES / f"{name}.rds").read_bytes()


def ints(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}i", *numbers)


def char(text: str) -> bytes:
    return ints(0x40009, len(text)) + text.encode()


# Values as JSON, in the form that make.R uses.


def number(value: object) -> object:
    if value is None:
        return None
    assert isinstance(value, float)
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Inf" if value > 0 else "-Inf"
    return f"{value:.17g}"


def element_to_json(value: object) -> object:
    if isinstance(value, complex):
        return [number(value.real), number(value.imag)]
    return number(value) if isinstance(value, float) else value


def items_to_json(items: tuple[tuple[str | None, RValue], ...]) -> list[object]:
    return [[tag, to_json(value)] for tag, value in items]


def to_json(value: RValue) -> dict[str, Any]:
    out: dict[str, Any]
    match value:
        case RNull():
            return {"kind": "NULL"}
        case RSymbol(name):
            return {"kind": "symbol", "name": name}
        case RBuiltin(name):
            return {"kind": "builtin", "name": name}
        case RVector(kind, values):
            out = {"kind": kind, "values": [element_to_json(v) for v in values]}
        case RList(values=values, kind=kind):
            out = {"kind": kind, "values": [to_json(v) for v in values]}
        case RPairlist(items):
            out = {"kind": "pairlist", "values": items_to_json(items)}
        case RLanguage(function, arguments):
            out = {
                "kind": "language",
                "function": to_json(function),
                "values": items_to_json(arguments),
            }
        case RClosure(formals, body, environment):
            out = {
                "kind": "closure",
                "formals": items_to_json(formals.items),
                "body": to_json(body),
                "environment": to_json(environment),
            }
        case REnvironment(kind, name):
            out = {"kind": "environment", "which": [kind, name]}
        case RS4():
            out = {"kind": "S4"}
        case ROpaque(kind):
            out = {"kind": kind}
    attributes = {name: to_json(inner) for name, inner in value.attributes}
    return out | ({"attributes": attributes} if attributes else {})


def task_files(root: Path, name: str) -> list[bytes]:
    found = [path.read_bytes() for path in sorted(root.glob(f"hipercow/tasks/*/*/{name}"))]
    assert len(found) >= 10
    return found


def outcome(read: Any, raw: bytes) -> object:
    try:
        return read(raw)
    except RdsError as error:
        return type(error)
