"""``purge_paused`` without what only Linux has."""

from __future__ import annotations

import runpy
from pathlib import Path

from without_linux import take_away

if __name__ == "__main__":
    take_away()
    runpy.run_path(str(Path(__file__).with_name("purge_paused.py")), run_name="__main__")
