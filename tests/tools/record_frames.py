"""Record how tasks of the real R package fail: ``tests/data/r/frames/NAME.rds`` for each way.

usage: PYTHONPATH=tests/support python tests/tools/record_frames.py, with HIPERCOW_TUI_R_LIBS as for
the tests. The files are the ``result`` of tasks that ``hipercow:::task_eval()`` ran.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from failing_in_r import FRAMES, run_failing_tasks


def record() -> None:
    """Replace the recorded files."""
    with tempfile.TemporaryDirectory() as folder:
        results = run_failing_tasks(Path(folder))
        for path in FRAMES.glob("*.rds"):
            path.unlink()
        for name, result in results.items():
            shutil.copyfile(result, FRAMES / f"{name}.rds")


if __name__ == "__main__":
    record()
