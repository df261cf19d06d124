"""Exit statuses of the commands. A command that a signal stops exits with 128 plus its number."""

from __future__ import annotations

DONE, REFUSED, USAGE, INTERRUPTED = 0, 1, 2, 130
FAILED, TIMED_OUT = 3, 124  # of ``wait``; 124 is also that of the command ``timeout``
