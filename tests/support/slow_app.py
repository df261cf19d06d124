"""Run the app on a slow file system: each call that changes something waits. One call while moving
and one while erasing wait long enough for a test to see it.

python slow_app.py ARGUMENTS…
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from hipercow_tui.cli.main import main


def slowed(real: Callable[..., Any], seconds: float, middle: int) -> Callable[..., Any]:
    calls = count(1)

    def call(*args: Any, **kwargs: Any) -> Any:
        time.sleep(STALL if next(calls) == middle else seconds)
        return real(*args, **kwargs)

    return call


STALL = 3.0  # seconds; with two a test on busy cores missed it
WAITS = {"rename": (0.005, 12), "unlink": (0.001, 60)}  # seconds, and which call stalls

if __name__ == "__main__":
    for name, (seconds, middle) in WAITS.items():
        slow = slowed(getattr(os, name), seconds, middle)
        setattr(os, name, slow)
        os.supports_dir_fd.add(slow)
    sys.exit(main(sys.argv[1:]))
