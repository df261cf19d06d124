"""The program on a file system that takes its time: each call that changes something waits.

python slow_app.py ARGUMENTS…
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from hipercow_tui.cli import main


def slowed(real: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        time.sleep(seconds)
        return real(*args, **kwargs)

    return call


WAITS = {"rename": 0.02, "unlink": 0.005, "rmdir": 0.005}  # seconds

if __name__ == "__main__":
    for name, seconds in WAITS.items():
        slow = slowed(getattr(os, name), seconds)
        setattr(os, name, slow)
        os.supports_dir_fd.add(slow)
    sys.exit(main(sys.argv[1:]))
