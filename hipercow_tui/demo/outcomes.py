"""How tasks of the demo end: whether they fail, with which error, and with which result."""

from __future__ import annotations

from functools import cache
from random import Random

from hipercow_tui.demo.failures import Failure
from hipercow_tui.demo.job import Job
from hipercow_tui.demo.r_builders import NULL, chars, data_frame, reals
from hipercow_tui.demo.rds_writer import serialize
from hipercow_tui.demo.studies import Elements, Study, noise

_VARIANTS = 8  # different results of a study
_DRAWS = 40_000
_LARGE_RESULT = 27_500  # doubles


def draw_failure(rng: Random, job: Job, risk: float) -> tuple[Failure, tuple[str, ...]] | None:
    """Return a failure and its texts with probability ``risk``, or None for a success."""
    if rng.random() >= risk:
        return None
    failure = rng.choice(job.study.failures)
    return failure, failure.texts(noise(rng) | job.values)


def draw_result(rng: Random, study: Study) -> bytes:
    """Return the file ``result`` of a successful task."""
    return _result(study, rng.randrange(_VARIANTS))


@cache
def _result(study: Study, variant: int) -> bytes:
    rng = Random(f"{study.runs} {variant}")
    if study.type == "script":
        return serialize(NULL)
    if study.seconds < 60:
        return serialize(reals(*(round(rng.gammavariate(4, 2), 6) for _ in range(1 + variant))))
    rows = 12
    columns: Elements = (
        ("parameter", chars(*(f"theta[{row + 1}]" for row in range(rows)))),
        ("mean", reals(*(round(rng.gauss(0, 1), 4) for _ in range(rows)))),
        ("sd", reals(*(round(rng.gammavariate(2, 0.2), 4) for _ in range(rows)))),
    )
    return serialize(data_frame(columns, rows, chars("data.frame")))


def draw_large_result(rng: Random) -> bytes:
    """Return a ``result`` of posterior samples, about 220 kB."""
    start = rng.randrange(_DRAWS - _LARGE_RESULT)
    return serialize(reals(*_posterior()[start : start + _LARGE_RESULT]))


@cache
def _posterior() -> tuple[float, ...]:
    rng = Random(7)
    return tuple(rng.random() for _ in range(_DRAWS))
