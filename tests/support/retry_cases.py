"""Tasks with resources in a root of the real package for R, and what retries of them have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from real_r import run_r

from hipercow_tui.formats.resources import parse_resources
from hipercow_tui.output.r_retry import RetryGroup, Shortage, repeatable

# Each field, with each type that R can store.
CREATED = {
    "default": "NULL",
    "cores": "hipercow_resources(cores = 4)",
    "whole_node": "hipercow_resources(cores = Inf)",
    "exclusive": "hipercow_resources(exclusive = TRUE)",
    "runtime_number": "hipercow_resources(max_runtime = 90)",
    "runtime_text": 'hipercow_resources(max_runtime = "1h30m")',
    "held_minutes": "hipercow_resources(hold_until = 60)",
    "held_time": "hipercow_resources(hold_until = .POSIXct(4102444801, tz = 'UTC'))",
    "node_memory": "hipercow_resources(memory_per_node = 2)",
    "node_memory_text": 'hipercow_resources(memory_per_node = "2G")',
    "process_memory": "hipercow_resources(memory_per_process = 1L)",
    "nodes": 'hipercow_resources(requested_nodes = c("node-1", "gpu-3"))',
    "priority": 'hipercow_resources(priority = "low")',
    "queue": 'hipercow_resources(queue = "bigmem")',
    "everything": """hipercow_resources(2, TRUE, 30, 5, "1G", 2, "node-2", "normal", "fast")""",
}

_CREATE = """
suppressMessages({
  library(hipercow)
  hipercow_init('.')
  hipercow_configure('example')
  ids <- c(%s)
  cancelled <- task_cancel(ids)
})
writeLines(ids)
"""
# Prints the names of the fields that differ, for each pair of ids.
_COMPARE = """
pairs <- read.table('pairs')
read <- function(id)
  unclass(readRDS(file.path('hipercow/tasks', substr(id, 1, 2), substr(id, 3, 32), 'resources')))
for (i in seq_len(nrow(pairs))) {
  one <- read(pairs[i, 1]); other <- read(pairs[i, 2])
  same <- function(name) {
    a <- one[[name]]; b <- other[[name]]
    if (inherits(a, 'POSIXt')) as.numeric(a) == as.numeric(b) else identical(a, b)
  }
  stopifnot(identical(attributes(one), attributes(other)))
  different <- Filter(Negate(same), names(one))
  show <- function(name) sprintf('%s %s -> %s', name, deparse(one[[name]]), deparse(other[[name]]))
  cat('differs:', vapply(different, show, ''), '\\n')
}
"""


def create_tasks(folder: Path) -> dict[str, str]:
    """Return the ids of cancelled tasks, by the name of their case."""
    calls = (
        f"task_create_expr(sqrt({number}), resources = {call})"
        for number, call in enumerate(CREATED.values())
    )
    printed = run_r(_CREATE % ",\n".join(calls), folder)
    return dict(zip(CREATED, printed.split(), strict=True))


def differences(folder: Path, pairs: list[tuple[str, str]]) -> list[str]:
    """Return for each pair of tasks the fields of their resources that are not identical."""
    (folder / "pairs").write_text("".join(f"{one} {other}\n" for one, other in pairs))
    lines = run_r(_COMPARE, folder).splitlines()
    return [line.removeprefix("differs:").strip() for line in lines]


def recorded_groups(folder: Path, ids: Mapping[str, str]) -> dict[str, RetryGroup]:
    """Return a group for each task with its resources, by case, and the same with more of what can
    be too little."""
    groups = {}
    for case, task_id in ids.items():
        raw = (folder / "hipercow/tasks" / task_id[:2] / task_id[2:] / "resources").read_bytes()
        group = RetryGroup((task_id,), repeatable(parse_resources(raw), 0.0))
        groups[case] = group
        for shortage in Shortage:
            more = replace(group, shortage=shortage).with_more()
            if more.resources != group.resources:
                groups[f"{case}: more {shortage}"] = more
    return groups
