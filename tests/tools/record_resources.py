"""Record what the real package hipercow for R writes into ``resources`` and ``info``.

    python -m tests.tools.record_resources

writes tests/data/r/resources again. It needs R with the package (tests/support/real_r.py).
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from real_r import run_r

OUT = Path(__file__).parents[1] / "data" / "r" / "resources"

# Each becomes a file NAME.resources, and if the task ended a file NAME.info.
CASES = {
    "none": "NULL",
    "default": "hipercow_resources()",
    "everything": """hipercow_resources(cores = 4, max_runtime = "1h30m", hold_until = 60,
        memory_per_node = "4G", memory_per_process = 2, requested_nodes = c("node-1", "gpu-3"),
        priority = "low", queue = "bigmem")""",
    "whole_node": 'hipercow_resources(cores = Inf, exclusive = TRUE, max_runtime = "90")',
    "held_time": """hipercow_resources(
        hold_until = .POSIXct(4102444800.5, tz = "Pacific/Auckland"))""",
    "held_date": 'hipercow_resources(hold_until = as.Date("2100-01-01"))',
    "held_clock": """hipercow_resources(
        hold_until = as.POSIXlt("2100-01-01 12:30:15", tz = "America/New_York"))""",
    "tonight": 'hipercow_resources(hold_until = "tonight")',
}

CODE = """
suppressMessages(library(hipercow))
init <- function() { hipercow_init('.'); hipercow_configure('example') }
suppressMessages(init())
folder <- function(id) file.path('hipercow/tasks', substr(id, 1, 2), substr(id, 3, 32))
keep <- function(id, name, files = c('resources', 'info')) for (file in files)
  if (file.exists(file.path(folder(id), file)))
    file.copy(file.path(folder(id), file), paste0(name, '.', file))
create <- function(...) suppressMessages(task_create_expr(...))
step <- function() hipercow:::example_step('.', FALSE, 0)
ids <- list(CASES)
for (id in ids) { step(); keep(id, names(ids)[[match(id, ids)]]) }
failed <- create(stop('no')); step(); keep(failed, 'failed', 'info')
child <- create({system("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"); 1})
step(); keep(child, 'child', 'info')
cancelled <- create(sqrt(1)); suppressMessages(task_cancel(cancelled))
keep(cancelled, 'cancelled', 'info')
# As R for Windows writes it, where times of children are not known.
info <- readRDS('child.info'); info$cpu[4:5] <- NA; saveRDS(info, 'windows.info')
# With a limit of memory, gc() has one more column.
info <- readRDS('child.info')
limit <- c(NA, 16384)
info$memory <- cbind(info$memory[, 1:4], 'limit (Mb)' = limit, info$memory[, 5:6])
saveRDS(info, 'limit.info')
odd <- structure(
  list(cores = 2L, exclusive = NA, gpus = c(1, 2), queue = c('a', 'b'), priority = 'high',
       memory_per_node = -1, max_runtime = 'x', requested_nodes = NA_character_,
       hold_until = as.POSIXlt(NA), memory_per_process = 1.5),
  class = 'hipercow_resources')
saveRDS(odd, 'odd.resources')
"""


def main() -> None:
    """Run R in a new root, and copy the files."""
    creations = (f"{name} = create(sqrt(1), resources = {call})" for name, call in CASES.items())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run_r(CODE.replace("CASES", ",\n".join(creations)), folder)
        shutil.rmtree(OUT, ignore_errors=True)
        OUT.mkdir(parents=True)
        for path in [*folder.glob("*.resources"), *folder.glob("*.info")]:
            shutil.copy(path, OUT / path.name)


if __name__ == "__main__":
    main()
