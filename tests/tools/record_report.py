"""Record a root of the real R package for the tests of help reports.

usage: HIPERCOW_TUI_R_LIBS=… python -m tests.tools.record_report
"""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
from pathlib import Path

DATA = Path(__file__).parents[1] / "data" / "r" / "report"
HOME = Path("/tmp/ada")  # the files of the root contain this path
PROJECT = HOME / "project"
SOURCE = """
fit <- function(beta, note) {
  message("fitting with ", Sys.getenv("MY_TOKEN"))
  if (!file.exists("data.csv")) read_data("data.csv", beta)
  beta
}
read_data <- function(file, beta) {
  warning("no ", file, " yet")
  stop("can't read `", file, "` for beta = ", beta)
}
"""
CODE = """
library(hipercow)
hipercow_init(".")
hipercow_configure("example")
hipercow_environment_create("default", sources = "src.R", packages = "stats")
beta <- 0.25
note <- "```\\n# not a heading"
envvars <- hipercow_envvars(LEVEL = "3", MY_TOKEN = "correct-horse-battery")
id <- task_create_expr(fit(beta, note), envvars = envvars)
hipercow:::example_step(".", with_logging = TRUE, 0)
second <- task_retry(id)
hipercow:::example_step(".", with_logging = TRUE, 0)
file.create("data.csv")
third <- task_retry(second)
hipercow:::example_step(".", with_logging = TRUE, 0)
"""


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
    from real_r import run_r

    shutil.rmtree(HOME, ignore_errors=True)
    PROJECT.mkdir(parents=True)
    (PROJECT / "src.R").write_text(SOURCE)
    if library := os.environ.get("HIPERCOW_TUI_R_LIBS"):  # its path would be in logs and traces
        shutil.copytree(library, HOME / "R", symlinks=True)
        os.environ["HIPERCOW_TUI_R_LIBS"] = str(HOME / "R")
    run_r(CODE, PROJECT)
    shutil.rmtree(PROJECT / "hipercow" / "example")  # a private key
    DATA.mkdir(parents=True, exist_ok=True)
    with tarfile.open(DATA / "root.tar.gz", "w:gz") as tar:
        tar.add(PROJECT / "hipercow", "hipercow")
    shutil.rmtree(HOME)


if __name__ == "__main__":
    main()
