"""``wait`` while the real hipercow of R runs tasks, and what ``hipercow_bundle_wait()`` says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from real_r import run_r

_SUBMIT = """
suppressMessages({
  library(hipercow)
  hipercow_init(".")
  hipercow_configure("example")
  invisible(task_create_bulk_expr(if (x > 1) stop("no") else x, data.frame(x = 1:3),
                                  bundle_name = "sweep", driver = "example"))
})
"""
_STEP = 'library(hipercow); for (i in 1:2) hipercow:::example_step(".", FALSE, 0)'
# A failed task is retried before the last one ends, so four attempts are needed.
_RETRY = """
library(hipercow)
bundle <- hipercow_bundle_load("sweep")
failed <- bundle$ids[hipercow_bundle_status(bundle) == "failure"][[1]]
task_retry(failed, driver = "example")
for (i in 1:2) hipercow:::example_step(".", FALSE, 0)
cat("\\n", hipercow_bundle_status(bundle), hipercow_bundle_wait(bundle, fail_early = FALSE))
"""


def test_wait_ends_with_the_statuses_of_r(tmp_path: Path) -> None:
    run_r(_SUBMIT, tmp_path)
    command = [sys.executable, "-m", "hipercow_tui", "wait", str(tmp_path), "--in-bundle", "sweep"]
    words = ["--json", "--fail-on-failure", "--timeout", "2 min"]
    waiting = subprocess.Popen([*command, *words], stdout=-1, stderr=-1, text=True)
    assert waiting.stderr is not None and "0 of 3 tasks ended" in waiting.stderr.readline()
    run_r(_STEP, tmp_path)
    *statuses, succeeded = run_r(_RETRY, tmp_path).splitlines()[-1].split()
    out, _ = waiting.communicate(timeout=60)
    assert (waiting.returncode, succeeded) == (3, "FALSE")
    assert sorted(one["status"] for one in json.loads(out)["tasks"]) == sorted(statuses)
    assert statuses.count("failure") == 2
