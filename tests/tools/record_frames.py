"""Record how tasks of the real R package fail: ``tests/data/r/frames/NAME.rds`` for each way.

usage: python tests/tools/record_frames.py, with HIPERCOW_TUI_R_LIBS as for the tests. The files are
the ``result`` of tasks that ``hipercow:::task_eval()`` ran.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from real_r import run_r

HERE = Path(__file__).resolve().parents[1]
FOLDER = HERE / "data" / "r" / "frames"
SOURCE = """
check <- function(beta) if (beta > 0) stop("too large: ", beta)
fit <- function(beta) { found <- check(beta); found }
nested <- function(beta) lapply(beta, function(one) check(one))
anonymous <- function(beta) lapply(beta, function(one) stop("no such beta"))
aborted <- function(beta) rlang::abort(c("Bad beta", x = "too large"), call = NULL)
caused <- function(beta) tryCatch(fit(beta), error = function(e) rlang::abort("No fit", parent = e))
reworded <- function(beta) tryCatch(fit(beta), error = function(e) stop(conditionMessage(e)))
turned <- function(beta) tryCatch(as.numeric("x"), warning = function(w) stop(conditionMessage(w)))
checked <- function(beta) stopifnot("beta must be negative" = beta < 0)
base_call <- function(beta) log("a")
no_call <- function(beta) stop("no call", call. = FALSE)
model <- list(run = function(beta) stop("diverged"))
method <- function(beta) model$run(beta)
passed <- function(beta) do.call(check, list(beta))
"""
CALLS = (
    *("fit", "nested", "anonymous", "aborted", "caused", "reworded", "turned", "checked"),
    *("base_call", "no_call", "method", "passed"),
)
EXPRESSIONS = {
    "expression": 'stop("here")',
    "expression_call": 'log("a")',
    "package": 'stats::optim(1, "no_such_function")',
    "callback": 'stats::optim(1, function(x) stop("in the callback"))',
}


def record() -> None:
    """Make a root, run the tasks, and copy their results."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "source.R").write_text(SOURCE, "utf-8")
        (root / "script.R").write_text('stop("in a script")\n', "utf-8")
        (root / "run.R").write_text(_program(), "utf-8")
        run_r('source("run.R")', root)
        FOLDER.mkdir(parents=True, exist_ok=True)
        for path in FOLDER.glob("*.rds"):
            path.unlink()
        for line in (root / "ids.txt").read_text().splitlines():
            case, task_id = line.split()
            result = root / "hipercow" / "tasks" / task_id[:2] / task_id[2:] / "result"
            shutil.copyfile(result, FOLDER / f"{case}.rds")


def _program() -> str:
    lines = [
        "library(hipercow)",
        'source("source.R")',
        'hipercow_init(".")',
        'hipercow_environment_create(sources = "source.R")',
        "run <- function(name, id) {",
        "  hipercow:::task_eval(id)",
        '  cat(name, id, "\\n", file = "ids.txt", append = TRUE)',
        "}",
    ]
    lines += [f'run("{name}", task_create_call({name}, list(beta = 1)))' for name in CALLS]
    lines += [f'run("{n}", task_create_expr({code}))' for n, code in EXPRESSIONS.items()]
    lines.append('run("script", task_create_script("script.R"))')
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    record()
