"""Exit statuses of the command line; what a signal stopped ends with 128 and its number."""

from __future__ import annotations

DONE, REFUSED, USAGE, INTERRUPTED = 0, 1, 2, 130
