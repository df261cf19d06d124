"""The project around the tasks: the group's own files, hipercow's folders and environments."""

from __future__ import annotations

import base64
import struct
from functools import cache
from pathlib import Path
from random import Random

from hipercow_tui.demo import task_lifecycle
from hipercow_tui.demo.r_builders import NULL, chars, named
from hipercow_tui.demo.rds_writer import rds, rds_of_doubles

FUNCTIONS = """\
library(dplyr)

run_sir <- function(beta, gamma, steps = 1000) {
  message("simulating")
  state <- c(S = 1e5 - 10, I = 10, R = 0)
  for (i in seq_len(steps)) {
    state <- step_sir(state, beta, gamma, dt = 0.25)
    if (any(diff(state) > 1e5)) {
      stop("step size too small: beta = ", beta)
    }
  }
  state
}

fit <- function(data, chains = 4, n_steps = 2000) {
  mcstate::pmcmc(pars, filter_for(data), n_steps = n_steps, n_chains = chains)
}

read_region <- function(region) {
  readRDS(sprintf("data/region_%02d.rds", match(region, regions)))
}

forecast <- function(region, week) {
  cases <- read_region(region)
  predict(fit(cases), week)
}
"""

FILES = {
    "functions.R": FUNCTIONS,
    "analysis/report.R": "results <- readRDS('outputs/outbreak.rds')\n"
    "rmarkdown::render('report.Rmd')\n",
    "data-raw/clean.R": "source('functions.R')\ncases <- fetch_cases()\n"
    "saveRDS(cases, 'data/cases.rds')\n",
    "README.md": "# sir-model\n\nTransmission model, fits and weekly forecasts.\n",
}


def write(where: Path, now: float) -> None:
    """The project's files, the empty folders ``tasks`` and ``bundles``, the environments."""
    written = now - 735 * 86_400.0
    for name, content in FILES.items():
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        task_lifecycle.put(str(path.parent), path.name, content.encode(), written)
    for folder in ("tasks", "bundles", "environments"):
        (where / "hipercow" / folder).mkdir(parents=True)
    environments = str(where / "hipercow" / "environments")
    task_lifecycle.put(
        environments, "default", _environment("default", "dplyr", "mcstate"), written
    )
    task_lifecycle.put(environments, "report", _environment("report", "rmarkdown"), written)


def cipher(rng: Random) -> str:
    """A secret variable as hipercow stores it: 2,048 bits of RSA in base64."""
    return base64.b64encode(rng.randbytes(256)).decode()


def large_result(rng: Random, size: int) -> bytes:
    """A success's posterior samples, about so many bytes."""
    draws = _draws()
    count = size // 8
    start = 8 * rng.randrange(len(draws) // 8 - count)
    return rds_of_doubles(draws[start : start + 8 * count])


@cache
def _draws() -> bytes:
    rng = Random(7)
    return struct.pack(">40000d", *(rng.random() for _ in range(40_000)))


def _environment(name: str, *packages: str) -> bytes:
    fields = named(
        ("name", chars(name)),
        ("packages", chars(*packages)),
        ("sources", chars("functions.R")),
        ("globals", NULL),
        extra=(("class", chars("hipercow_environment")),),
    )
    return rds(fields)
