"""Tasks that fail in the real R package, in many ways: ``tests/data/r/frames``."""

from __future__ import annotations

import shutil
from pathlib import Path

from real_r import run_r

FRAMES = Path(__file__).parents[1] / "data" / "r" / "frames"


def run_failing_tasks(folder: Path) -> dict[str, Path]:
    """Run the tasks in a new root, and return the ``result`` of each by its name.

    Skips the test where the package is not installed.
    """
    for name in ("source.R", "run.R"):
        shutil.copyfile(FRAMES / name, folder / name)
    run_r('source("run.R")', folder)
    tasks = folder / "hipercow" / "tasks"
    lines = [line.split() for line in (folder / "ids.txt").read_text().splitlines()]
    return {name: tasks / task_id[:2] / task_id[2:] / "result" for name, task_id in lines}
