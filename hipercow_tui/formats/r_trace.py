"""Read the stack trace in the ``result`` of a failed R task: hipercow adds one to each error."""

from __future__ import annotations

import os

from hipercow_tui.formats.rlang.deparse import deparse, one_line
from hipercow_tui.formats.rlang.rds import files
from hipercow_tui.formats.rlang.rds.limits import Limits
from hipercow_tui.formats.rlang.values import RList, RValue, RVector, element
from hipercow_tui.formats.safe_open import open_file

_MAX_CALL = 2000  # characters
# A trace holds the arguments of each call; a larger one is left out.
_LIMITS = Limits(
    max_bytes=64 << 20,
    max_examined=16 << 20,
    max_steps=2_000_000,
    max_elements=50_000,
    max_text=1 << 12,
)


def read_trace(folder: int) -> tuple[str, ...]:
    """Return the calls of the trace, the outermost first, from the open folder of a task.

    A call has its namespace, as in ``rlang::abort("no")``. Empty if there is no trace, or if it is
    too large. Raises OSError and RdsError.
    """
    with os.fdopen(open_file("result", dir_fd=folder), "rb") as result:
        trace = element(files.read(result, _LIMITS), "trace")
    calls = element(trace, "call")
    if not isinstance(calls, RList):
        return ()
    prefixes = zip(*(_texts(element(trace, name)) for name in ("namespace", "scope")), strict=False)
    known = [
        f"{namespace}{scope}" if scope.startswith("::") else "" for namespace, scope in prefixes
    ]
    known += [""] * (len(calls.values) - len(known))
    return tuple(
        text if text.startswith(prefix) else prefix + text
        for prefix, text in zip(known, map(_shown, calls.values), strict=False)
    )


def _shown(call: RValue) -> str:
    return one_line(deparse(call, _MAX_CALL))


def _texts(value: RValue | None) -> list[str]:
    values = value.values if isinstance(value, RVector) else ()
    return [text if isinstance(text, str) else "" for text in values]
