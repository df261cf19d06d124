"""A root with a stuck task of each kind, made with the real hipercow for R.

What the example driver says about each task is in a file of the root, because that driver itself
knows only submitted and running tasks.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from real_r import r_environment, run_r

from hipercow_tui.domain.task import Status
from hipercow_tui.formats.root import find_root
from hipercow_tui.output.r_calls import ask_call, marker_call
from hipercow_tui.output.r_programs import RECONCILE, id_lines
from hipercow_tui.output.r_runner import run
from hipercow_tui.scanning.scanner import read_root

# In the project's folder R reads this at its start. A task that the file does not name is unknown
# to the cluster.
_PROFILE = """\
utils::assignInNamespace("example_info", function(id, config, path_root) {
  said <- utils::read.csv(file.path(path_root, "driver-says.csv"), header = FALSE,
                          col.names = c("id", "status"), colClasses = "character")
  status <- said$status[match(id, said$id)]
  if (is.na(status)) stop("the cluster does not know this job")
  if (status == "no dide_id") readLines(file.path("hipercow", "tasks", substr(id, 1, 2),
                                                  substr(id, 3, 32), "dide_id"))
  list(status = status, time_started = .POSIXct(1.8e9))
}, "hipercow")
"""

_MAKE = """
suppressMessages({
  hipercow::hipercow_init(".")
  hipercow::hipercow_configure("example")
})
folder <- function(id) file.path("hipercow", "tasks", substr(id, 1, 2), substr(id, 3, 32))
made <- list()
make <- function(name, says, running = TRUE) {
  id <- suppressMessages(hipercow::task_create_expr(sqrt(2)))
  if (running) file.create(file.path(folder(id), "status-running"))
  if (!is.na(says)) cat(id, ",", says, "\\n", sep = "", file = "driver-says.csv", append = TRUE)
  made[[name]] <<- id
  folder(id)
}
record_end <- function(folder, status) {
  times <- c(created = .POSIXct(1.8e9), started = .POSIXct(1.8e9) + 1,
             finished = .POSIXct(1.8e9) + 2)
  saveRDS(list(status = status, times = times, cpu = NULL, memory = NULL),
          file.path(folder, "info"))
}
make("running lost", "failure")
make("running cancelled", "cancelled")
make("running alive", "running")
make("running unknown", NA)
make("dide_id missing", "no dide_id")
make("submitted lost", "failure", FALSE)
make("submitted alive", "submitted", FALSE)
make("finished without info", "success")
record_end(make("info, cluster says failure", "failure"), "success")
record_end(make("info, cluster says success", "success"), "success")
record_end(make("info, cluster says running", "running"), "failure")
unlink(file.path(make("data missing", "failure"), "data"))
writeLines("no RDS", file.path(make("data damaged", "failure"), "data"))
unlink(file.path(make("not submitted", "failure"), "status-submitted"))
writeLines("dide-linux", file.path(make("driver not installed", "failure"), "status-submitted"))
writeLines("frob", file.path(make("driver unknown", "failure"), "status-submitted"))
writeLines(character(), file.path(make("driver empty", "failure"), "status-submitted"))
first <- make("earlier attempt lost", "failure")
record_end(first, "failure")
file.create(file.path(first, "status-failure"))
later <- suppressMessages(hipercow::task_retry(made[["earlier attempt lost"]]))
record_end(folder(later), "success")
file.create(file.path(folder(later), "status-success"))
unlink(file.path(first, c("status-failure", "info")))
cat(paste0("made ", made, " ", names(made), "\\n"), sep = "")
"""


def make_stuck_root(folder: Path) -> dict[str, str]:
    """Make the root; returns the ids of its stuck tasks by kind."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".Rprofile").write_text(_PROFILE)
    printed = run_r(_MAKE, folder)
    lines = [line.split(" ", 2) for line in printed.splitlines() if line.startswith("made ")]
    return {kind: task_id for _, task_id, kind in lines}


def ask(folder: Path, made: Mapping[str, str]) -> list[bytes]:
    """Ask about these tasks as the app does; returns the lines that R prints."""
    lines: list[bytes] = []
    with pytest.MonkeyPatch.context() as patch:
        for name, value in r_environment().items():
            patch.setenv(name, value)
        root, ids = find_root(folder), id_lines([*made.values()])
        ended = run(RECONCILE, ids, root, lines.append, threading.Event())
    assert ended.succeeded, b"".join(lines).decode()
    return lines


def copied_calls(folder: Path, made: Mapping[str, str]) -> dict[str, Any]:
    """Run the calls that users copy, each on a copy of the root; returns the text of each call, and
    the markers that are new afterwards, by kind of task."""
    found = {}
    tasks = [
        task for task in read_root(find_root(folder)).tasks.values() if task.id in made.values()
    ]
    for name, call in {
        "ask": ask_call(sorted(tasks)),
        "mark": marker_call({made["info, cluster says success"]: Status.SUCCESS}),
    }.items():
        copy = folder.with_name(name)
        shutil.copytree(folder, copy)
        before = set(copy.rglob("status-*"))
        run_r(f"options(hipercow.auto_install_missing_packages = FALSE); {call}", copy)
        kinds = {task_id: kind for kind, task_id in made.items()}
        new = {
            kinds[path.parent.parent.name + path.parent.name]: path.name
            for path in set(copy.rglob("status-*")) - before
        }
        found[name] = {"call": call, "new": dict(sorted(new.items()))}
    return found
