"""A purge on Windows that is stopped, or whose process is terminated."""

from __future__ import annotations

from pathlib import Path

from purge_stage import ALL, batches, has_no_batches, in_place, make_root, root_contents
from windows_rig import Windows

SCRIPT = Path(__file__).parents[1] / "support" / "windows_interrupted.py"


def test_ctrl_break_puts_everything_back(windows: Windows, tmp_path: Path) -> None:
    root = make_root(tmp_path)
    before = root_contents(root)
    done = windows.run(windows.path(SCRIPT), "break", windows.path(tmp_path))
    assert done.returncode == 128 + 21 and "topped" in done.stdout, done.stderr
    assert root_contents(root) == before and has_no_batches(root)


def test_a_new_start_of_the_app_restores_a_purge_that_was_terminated(
    windows: Windows, tmp_path: Path
) -> None:
    """Nothing waits for the heartbeat: Windows knows that the process has ended."""
    root = make_root(tmp_path)
    before = root_contents(root)
    done = windows.run(windows.path(SCRIPT), "die", windows.path(tmp_path))
    assert done.returncode == 15, done.stderr
    assert in_place(root) < set(ALL) and len(batches(root)) == 1
    app = Path(__file__).with_name("app_recovery.py")
    done = windows.run(windows.path(app), windows.path(tmp_path))
    assert done.returncode == 0, done.stderr
    assert root_contents(root) == before and has_no_batches(root)
