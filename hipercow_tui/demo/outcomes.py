"""How a task goes: whether and at what it fails, what it gives, how long it waits."""

from __future__ import annotations

from functools import cache
from random import Random

from hipercow_tui.demo.failures import Failure
from hipercow_tui.demo.job import Job
from hipercow_tui.demo.r_builders import NULL, chars, data_frame, reals
from hipercow_tui.demo.rds_writer import rds
from hipercow_tui.demo.studies import Study, noise
from hipercow_tui.formats.rlang.values import RValue


def attempt(rng: Random, job: Job, risk: float) -> tuple[Failure, tuple[str, ...]] | None:
    """The failure and its texts, or None for a success."""
    if rng.random() >= risk:
        return None
    failure = rng.choice(job.study.failures)
    return failure, failure.texts(noise(rng) | dict(job.values))


def median_wait(driver: bool) -> float:
    """Seconds between creation and start: a queue's, or none to speak of."""
    return 240.0 if driver else 3.0


def result_of(rng: Random, study: Study) -> bytes:
    """The ``result`` of a success: one of a few values, packed once each."""
    return _result(study, rng.randrange(8))


@cache
def _result(study: Study, variant: int) -> bytes:
    rng = Random(f"{study.runs} {variant}")
    held: RValue
    if study.type == "script":
        held = NULL
    elif study.seconds < 60:
        held = reals(*(round(rng.gammavariate(4, 2), 6) for _ in range(1 + variant)))
    else:
        rows = 12
        columns: tuple[tuple[str, RValue], ...] = (
            ("parameter", chars(*(f"theta[{row + 1}]" for row in range(rows)))),
            ("mean", reals(*(round(rng.gauss(0, 1), 4) for _ in range(rows)))),
            ("sd", reals(*(round(rng.gammavariate(2, 0.2), 4) for _ in range(rows)))),
        )
        held = data_frame(columns, rows, chars("data.frame"))
    return rds(held)
