"""The project folder without tasks: R code, hipercow's folders, environments."""

from __future__ import annotations

import base64
from pathlib import Path
from random import Random

from hipercow_tui.demo import task_lifecycle
from hipercow_tui.demo.r_builders import NULL, chars, named
from hipercow_tui.demo.rds_writer import serialize

_FILES = {
    "functions.R": """\
run_sir <- function(beta, gamma, steps = 1000) {
  message("simulating")
  state <- c(S = 1e5 - 10, I = 10, R = 0)
  for (i in seq_len(steps)) {
    state <- step_sir(state, beta, gamma, dt = 0.25)
    if (any(diff(state) > 1e5)) stop("step size too small: beta = ", beta)
  }
  state
}
""",
    "analysis/report.R": "rmarkdown::render('report.Rmd')\n",
    "data-raw/clean.R": "saveRDS(fetch_cases(), 'data/cases.rds')\n",
}


def write_project(folder: Path, now: float) -> None:
    """Write R code, environments and empty folders for tasks and bundles, two years ago.

    ``now`` is in seconds since the epoch. Raises FileExistsError if the folder has a root already.
    """
    written = now - 735 * 86_400.0
    for name, content in _FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        task_lifecycle.put(str(path.parent), path.name, content.encode(), written)
    for name in ("tasks", "bundles", "environments"):
        (folder / "hipercow" / name).mkdir(parents=True)
    environments = str(folder / "hipercow" / "environments")
    task_lifecycle.put(
        environments, "default", _environment("default", "dplyr", "mcstate"), written
    )
    task_lifecycle.put(environments, "report", _environment("report", "rmarkdown"), written)


def draw_cipher(rng: Random) -> str:
    """Return a secret variable as hipercow stores it: 2,048 bits of RSA, in base64."""
    return base64.b64encode(rng.randbytes(256)).decode()


def _environment(name: str, *packages: str) -> bytes:
    fields = named(
        ("name", chars(name)),
        ("packages", chars(*packages)),
        ("sources", chars("functions.R")),
        ("globals", NULL),
        extra=(("class", chars("hipercow_environment")),),
    )
    return serialize(fields)
