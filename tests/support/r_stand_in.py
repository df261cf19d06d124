"""An ``Rscript`` for tests: R itself with a tiny package hipercow, or a program that acts like it.

Both write the ids they are given to a file in the root, named like the function that was called,
and print what the real ones would: a message, and the new ids of a retry. The program also writes
the lines that it read to ``lines``, and the package the resources of a retry to ``resources.rds``.
The program answers for ``task_info()`` too, with the statuses in the file ``driver-says`` of the
root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NEW_ID = "f" * 32

_STUB = """#!{python}
import os, re, sys, time
program = sys.argv[-1]
if "packageVersion" in program:
    if os.path.exists("no-hipercow"):
        sys.exit("there is no package called 'hipercow'")
    print("0.0.1")
    sys.exit(0)
lines = sys.stdin.read()
ids = re.findall("[0-9a-f]{{32}}", lines)
open("lines", "w").write(lines)
if "task_info" in program:
    says = dict(line.split() for line in open("driver-says"))
    for one in ids:
        said = says.get(one, "unknown")
        if said in ("failure", "cancelled"):
            print("! Fixing status of '%s'" % one)
            open("hipercow/tasks/%s/%s/status-%s" % (one[:2], one[2:], said), "w").close()
        errors = {{
            "unknown": "the%20cluster%20does%20not%20know%20it",
            "success": "I%20don%27t%20know%20how%20to%20deal%20with%20this",
        }}
        error = errors.get(said, "")
        print("reconciled", one, "error" if error else said, error, "", flush=True)
        if os.path.exists("sleep"):
            time.sleep(60)
    sys.exit(0)
name = "task_cancel" if "task_cancel" in program else "task_retry"
open(name, "w").write("\\n".join(ids))
sys.stderr.write("\\x1b[32m\\u2714\\x1b[39m called for %d\\x1b]0;owned\\x07\\n" % len(ids))
sys.stderr.flush()
if os.path.exists("sleep"):
    time.sleep(60)
if os.path.exists("fail"):
    sys.exit("Error: no")
if name == "task_retry":
    print("{new}")
"""

_FUNCTIONS = f'''
act <- function(name, ids) {{
  cat(paste0(ids, "\\n"), sep = "", file = name, append = TRUE)
  message("\\u2714 called for ", length(ids), "\\033]0;owned\\007")
  if (file.exists("sleep")) Sys.sleep(60)
  if (file.exists("fail")) stop("no")
}}
task_cancel <- function(ids) act("task_cancel", ids)
hipercow_resources <- function(...) list(...)
task_retry <- function(ids, resources = NULL) {{
  act("task_retry", ids)
  saveRDS(resources, "resources.rds")
  "{NEW_ID}"
}}
'''

_DESCRIPTION = """Package: hipercow
Version: 0.0.1
Title: Stands in for hipercow
Description: Stands in for hipercow in the tests of hipercow-tui.
License: MIT
Author: hipercow-tui
Maintainer: hipercow-tui <none@example.org>
Encoding: UTF-8
"""


def stub(folder: Path) -> Path:
    """A folder for the PATH, with a program ``Rscript`` that needs no R."""
    program = folder / "Rscript"
    program.write_text(_STUB.format(python=sys.executable, new=NEW_ID), encoding="utf-8")
    program.chmod(0o755)
    return folder


def library(folder: Path) -> Path | None:
    """A library of R that holds the tiny package; None where there is no R."""
    program = shutil.which("R")
    if program is None or shutil.which("Rscript") is None:
        return None
    source, where = folder / "hipercow", folder / "library"
    (source / "R").mkdir(parents=True)
    where.mkdir()
    (source / "DESCRIPTION").write_text(_DESCRIPTION)
    (source / "NAMESPACE").write_text("export(task_cancel, task_retry, hipercow_resources)\n")
    (source / "R" / "tasks.R").write_text(_FUNCTIONS)
    subprocess.run(
        [program, "CMD", "INSTALL", "--no-docs", "--no-test-load", "-l", where, source],
        check=True,
        capture_output=True,
    )
    return where


def use_stub(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """From now on ``Rscript`` is the program."""
    patch.setenv("PATH", f"{stub(folder)}{os.pathsep}{os.environ['PATH']}")
