"""Start an ``Rscript.exe`` by ``r_runner`` on Windows, and stop it after its first line.

python windows_stopped_r.py FOLDER ROOT: FOLDER has the program. Prints the result as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time

from hipercow_tui.formats.root import find_root
from hipercow_tui.output import r_runner

PROGRAM = 'f <- function(x) {\n  "100% of \\\\"\n}\n'  # several lines, quotes, a backslash

if __name__ == "__main__":
    folder, where = sys.argv[1:]
    os.environ["PATH"] = f"{folder};{os.environ['PATH']}"
    r_runner._PATIENCE = 1.0  # seconds
    stop, lines = threading.Event(), list[str]()

    def take(line: bytes) -> None:
        lines.append(line.decode().strip())
        stop.set()

    began = time.monotonic()
    result = r_runner.run(PROGRAM, ["one", "two"], find_root(where), take, stop)
    seconds = time.monotonic() - began
    json.dump([result.stopped, result.status, seconds, lines], sys.stdout)
