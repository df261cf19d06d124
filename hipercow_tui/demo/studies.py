"""What the demo's group works on: its studies, and what their tasks run, need and fail at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from hipercow_tui.demo.failures import Failure
from hipercow_tui.demo.r_builders import (
    NULL,
    assign,
    block,
    call,
    chars,
    flags,
    function,
    ints,
    named,
    reals,
    symbol,
)
from hipercow_tui.demo.rds_writer import Filling, Hole
from hipercow_tui.formats.rlang.values import RList, RValue

Values: TypeAlias = dict[str, Filling]

REGIONS = (
    "London", "North West", "North East", "South West", "South East", "East of England",
    "Midlands", "Yorkshire", "Scotland", "Wales", "Northern Ireland",
)  # fmt: skip
SCENARIOS = ("no booster", "autumn booster", "spring + autumn", "over 65 only", "school closure")
ADJECTIVES = ("grim", "exotic", "placid", "verbose", "unpaid", "candid", "mauve", "brisk", "wry")
ANIMALS = ("woodlouse", "ibex", "dunlin", "hammerhead", "axolotl", "pangolin", "stoat", "gecko")


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """One kind of work: what its tasks run, what varies between them, how they go.

    ``type`` is hipercow's type of task. ``runs`` is its text and ``what`` the elements of ``data``
    that say so, with holes for what varies; ``inputs`` names the locals or arguments. ``vary``
    gives the values of task number i of n. ``bundle`` is a format over ``{n}`` and ``{week}``.
    ``seconds`` is the median running time, ``risk`` the chance to fail given the values,
    ``says`` its output and ``warns`` what it warns of where it succeeds, ``share`` how often it is
    done and ``largest`` the size of its largest bundle. ``secret`` work needs a token in a
    secret environment variable.
    """

    type: str
    runs: str
    what: tuple[tuple[str, RValue], ...]
    inputs: tuple[str, ...]
    vary: Callable[[Random, int, int], Values]
    bundle: str
    seconds: float
    failures: tuple[Failure, ...]
    message: tuple[str, ...]
    risk: Callable[[Values], float] = lambda values: 0.15
    warns: tuple[str, ...] = ()
    share: int = 1
    largest: int = 60
    secret: bool = False


def noise(rng: Random) -> Values:
    """What errors and logs mention besides a task's own values."""
    return {
        "step": rng.randrange(3, 400),
        "size": round(rng.uniform(1.1, 9.8), 1),
        "rhat": round(rng.uniform(1.12, 2.4), 2),
        "small": f"{rng.uniform(1, 9):.4g}e-{rng.randrange(17, 21)}",
        "node": f"wpia-{rng.randrange(1, 70):03d}",
        "file": rng.randrange(1, 43),
        "week": rng.randrange(1, 53),
    }


def _expression(
    expr: RValue, **local_values: RValue
) -> tuple[tuple[tuple[str, RValue], ...], tuple[str, ...]]:
    names = tuple(local_values)
    if not names:
        return (("expr", expr), ("variables", NULL)), ()
    held = named(("locals", named(*local_values.items())))
    return (("expr", expr), ("variables", held)), names


def _call(
    name: RValue, namespace: RValue, run: RValue, args: RValue
) -> tuple[tuple[str, RValue], ...]:
    return (
        ("fn", named(("name", name), ("namespace", namespace), ("value", run))),
        ("args", args),
    )


def _real(name: str) -> RValue:
    return reals(Hole(name))


def _text(name: str) -> RValue:
    return chars(Hole(name))


MEMORY = Failure("cannot allocate vector of size {size} Gb", call("matrix", symbol("x")))
TIMEOUT = Failure(
    "Timeout was reached: [api.ukhsa-dashboard.data.gov.uk] Connection timed out after 10001"
    " milliseconds",
    call("curl::curl_fetch_memory", symbol("url")),
)
MISSING_FILE = Failure(
    "cannot open file 'data/region_{file}.rds': No such file or directory",
    call("read_region", symbol("region")),
)
CONNECTION = Failure(
    "cannot open the connection",
    call("gzfile", symbol("file"), "rb"),
    warning="cannot open compressed file 'data/region_{file}.rds', probable reason"
    " 'No such file or directory'",
)
NO_PACKAGE = Failure("there is no package called ‘odin2’", call("loadNamespace", symbol("x")))
SINGULAR = Failure(
    "system is computationally singular: reciprocal condition number = {small}",
    call("solve.default", symbol("vcv")),
)
STEP_SIZE = Failure(
    "step size too small: beta = {beta}", call("run_sir", symbol("beta"), symbol("gamma"))
)
NEGATIVE = Failure(
    "negative population in compartment 'S' at step {step} (beta = {beta}, gamma = {gamma})",
    call("run_sir", symbol("beta"), symbol("gamma")),
)
NOT_CONVERGED = Failure(
    "Model did not converge",
    call("fit", symbol("data"), chains=4),
    bullets=(("x", "Rhat is {rhat} after 2000 iterations"), ("i", "Increase `n_steps`")),
)
DIVERGED = Failure(
    "{step} of 4000 transitions ended with a divergence",
    call("fit", symbol("data"), chains=4),
    bullets=(("!", "Seed was {seed}"), ("i", "Try a larger `adapt_delta`")),
)
NO_PARTICLES = Failure(
    "Failed to fit region '{region}'",
    call("mcstate::pmcmc", symbol("pars"), symbol("filter")),
    bullets=(("x", "Chain 2 stopped at step {step}"),),
    parent="all particles have zero likelihood at step {step}",
)
SUBSCRIPT = Failure("subscript out of bounds", call("[[", symbol("doses"), symbol("scenario")))
NOT_FOUND = Failure("object 'serial_interval' not found", call("estimate_rt", symbol("cases")))
COLUMNS = Failure(
    "Can't join on columns that are missing",
    call("dplyr::left_join", symbol("deaths"), symbol("cases")),
    bullets=(("x", "`area_code` is not a column of `y`"), ("i", "Week {week} has {file} columns")),
)


def _sweep(rng: Random, i: int, n: int) -> Values:
    beta = round(0.2 + 0.8 * (i + 1) / max(n, 1), 3)
    return {"beta": beta, "gamma": rng.choice((0.1, 0.2, 0.25))}


def _stiff(values: Values) -> float:
    beta = values["beta"]
    return 0.75 if isinstance(beta, float) and beta > 0.9 else 0.05


def _seeds(rng: Random, i: int, n: int) -> Values:
    return {"seed": i + 1}


def _regions(rng: Random, i: int, n: int) -> Values:
    return {"region": REGIONS[i % len(REGIONS)], "n_steps": 1000 * (1 + i // len(REGIONS))}


def _weeks(rng: Random, i: int, n: int) -> Values:
    return {"region": REGIONS[i % len(REGIONS)], "week": 1 + i // len(REGIONS)}


def _scenarios(rng: Random, i: int, n: int) -> Values:
    return {"scenario": SCENARIOS[i % len(SCENARIOS)], "doses": 10_000 * (1 + i // len(SCENARIOS))}


def _sizes(rng: Random, i: int, n: int) -> Values:
    return {"n": 100 * (i + 1)}


def _nothing(rng: Random, i: int, n: int) -> Values:
    return {}


_sir, _sir_inputs = _expression(
    call("run_sir", symbol("beta"), symbol("gamma")), beta=_real("beta"), gamma=_real("gamma")
)
_fit, _fit_inputs = _expression(call("fit", symbol("data"), chains=4), seed=ints(Hole("seed")))
_pmcmc, _pmcmc_inputs = _expression(
    call("mcstate::pmcmc", symbol("pars"), call("filter_for", symbol("region")),
         n_steps=symbol("n_steps")),
    region=_text("region"), n_steps=_real("n_steps"),
)  # fmt: skip
_vaccinate, _vaccinate_inputs = _expression(
    call("simulate_vaccination", symbol("scenario"), doses=symbol("doses")),
    scenario=_text("scenario"), doses=_real("doses"),
)  # fmt: skip
_outbreak = block(
    assign("pars", call("readRDS", "data/pars.rds")),
    assign("out", call("simulate_outbreak", symbol("pars"), days=180)),
    call("saveRDS", symbol("out"), "outputs/outbreak.rds"),
)
_ITERATIONS = (
    "iteration 500 / 2000 [acceptance 0.31]",
    "iteration 1000 / 2000 [acceptance 0.28]",
    "iteration 1500 / 2000 [acceptance 0.24]",
    "iteration 2000 / 2000 [acceptance 0.23]",
)

STUDIES = (
    Study(
        "expression", "run_sir(beta, gamma)", _sir, _sir_inputs, _sweep, "sweep_beta_{n:02d}", 14,
        (STEP_SIZE, STEP_SIZE, STEP_SIZE, NEGATIVE), ("simulating", "1000 steps, dt = 0.25"),
        risk=_stiff, share=6, largest=400,
    ),
    Study(
        "expression", "fit(data, chains = 4)", _fit, _fit_inputs, _seeds, "fit_lancet_rev{n}", 1900,
        (NOT_CONVERGED, DIVERGED, MEMORY, SINGULAR), _ITERATIONS,
        risk=lambda values: 0.17, share=4, largest=120,
        warns=("There were 12 divergent transitions after warmup", "Bulk ESS is too low"),
    ),
    Study(
        "expression", "mcstate::pmcmc(pars, filter_for(region), n_steps = n_steps)", _pmcmc,
        _pmcmc_inputs, _regions, "pmcmc_regions_{n:02d}", 5400,
        (NO_PARTICLES, NO_PARTICLES, CONNECTION, MEMORY),
        ("\x1b[32m✔\x1b[39m read 3 chains", "\x1b[36mℹ\x1b[39m 192 particles", *_ITERATIONS),
        risk=lambda values: 0.19, share=3,
    ),
    Study(
        "call", "forecast", _call(
            chars("forecast"), NULL,
            function(("region", "week"), block(
                assign("cases", call("read_region", symbol("region"))),
                call("predict", call("fit", symbol("cases")), symbol("week")),
            )),
            named(("region", _text("region")), ("week", ints(Hole("week")))),
        ), ("region", "week"), _weeks, "forecast-{week}", 240,
        (MISSING_FILE, MISSING_FILE, TIMEOUT, COLUMNS), ("reading cases", "forecasting 4 weeks"),
        secret=True, share=3, largest=90,
    ),
    Study(
        "expression", "simulate_vaccination(scenario, doses = doses)", _vaccinate,
        _vaccinate_inputs, _scenarios, "vaccination_{n:02d}", 320,
        (SUBSCRIPT, MEMORY, NO_PACKAGE), ("loading contact matrices", "running 500 replicates"),
        share=2, largest=200,
    ),
    Study(
        "call", "EpiEstim::estimate_R", _call(
            chars("estimate_R"), chars("EpiEstim"), NULL,
            named(("incid", _text("region")), ("method", chars("parametric_si"))),
        ), ("incid", "method"), _regions, "rt_{week}", 35, (NOT_FOUND, TIMEOUT, CONNECTION),
        ("Default config will estimate R on weekly sliding windows.",),
        risk=lambda values: 0.08,
    ),
    Study(
        "call", "(anonymous)", _call(
            NULL, NULL,
            function(("n",), call("mean", call("rbinom", symbol("n"), 1000, 0.3))),
            RList((ints(Hole("n")),)),
        ), ("n",), _sizes, "", 2, (MEMORY,), (), risk=lambda values: 0.02,
    ),
)  # fmt: skip

SINGLES = (
    Study(
        "script", "analysis/report.R",
        (("script", chars("analysis/report.R")), ("chdir", flags(False)), ("echo", flags(True))),
        (), _nothing, "", 95, (CONNECTION, COLUMNS),
        ("> results <- readRDS('outputs/outbreak.rds')", "> rmarkdown::render('report.Rmd')"),
    ),
    Study(
        "script", "data-raw/clean.R",
        (("script", chars("data-raw/clean.R")), ("chdir", flags(True)), ("echo", flags(True))),
        (), _nothing, "", 40, (TIMEOUT, COLUMNS), ("> cases <- fetch_cases()",), secret=True,
    ),
    Study(
        "explicit", "{ ... }", _expression(_outbreak)[0], (), _nothing, "", 700,
        (CONNECTION, MEMORY, NO_PACKAGE), ("day 60 of 180", "day 120 of 180", "day 180 of 180"),
    ),
    Study(
        "expression", "sessionInfo()", _expression(call("sessionInfo"))[0], (), _nothing, "", 1,
        (NO_PACKAGE,), (), risk=lambda values: 0.03,
    ),
)  # fmt: skip


def bundle_name(study: Study, rng: Random, number: int, week: str) -> str:
    """A name as the group gives them, or, where nobody gave one, as hipercow makes them up."""
    if not study.bundle:
        return f"{rng.choice(ADJECTIVES)}_{rng.choice(ANIMALS)}"
    return study.bundle.format(n=number, week=week)


def as_text(values: Mapping[str, Filling]) -> str:
    """Values as a log's ``Args:`` line gives them."""
    return ", ".join(str(value) for value in values.values())
