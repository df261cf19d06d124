"""The studies of the demo's research group: what their tasks run, how long, and how they fail."""

from __future__ import annotations

from collections.abc import Callable
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
from hipercow_tui.formats.rlang.values import RList, RValue

Value: TypeAlias = str | int | float
Values: TypeAlias = dict[str, Value]
Elements: TypeAlias = tuple[tuple[str, RValue], ...]

REGIONS = (
    "London", "North West", "North East", "South West", "South East", "East of England",
    "Midlands", "Yorkshire", "Scotland", "Wales", "Northern Ireland",
)  # fmt: skip
SCENARIOS = ("no booster", "autumn booster", "spring + autumn", "over 65 only", "school closure")
ADJECTIVES = ("grim", "exotic", "placid", "verbose", "unpaid", "candid", "mauve", "brisk", "wry")
ANIMALS = ("woodlouse", "ibex", "dunlin", "hammerhead", "axolotl", "pangolin", "stoat", "gecko")
ANONYMOUS = "(anonymous)"  # what runs for a function without a name


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """One kind of work.

    Attributes:
        type: hipercow's type of task: expression, explicit, call or script.
        runs: What a task runs, as text: an expression, a function or the path of a script.
        code: What a task runs, as an R value: the expression, or the function of a call. NULL for
            a script and for a function of a package.
        vary: Returns the local variables or arguments of task ``i`` of ``n``.
        bundle: A format of bundle names over ``{n}`` and ``{week}``; "" for random names.
        seconds: The median running time.
        failures: The ways to fail.
        output: The lines that a task prints.
        risk: Returns the probability of a failure for the values of a task.
        warnings: The warnings of a successful task.
        share: How often this study occurs, relative to others.
        largest: The number of tasks of its largest bundle.
        secret: Whether its tasks have a secret environment variable.
        cores: The cores that its tasks ask for.
        busy: How many cores they keep busy.
    """

    type: str
    runs: str
    code: RValue
    vary: Callable[[Random, int, int], Values]
    bundle: str
    seconds: float
    failures: tuple[Failure, ...]
    output: tuple[str, ...]
    risk: Callable[[Values], float] = lambda values: 0.15
    warnings: tuple[str, ...] = ()
    share: int = 1
    largest: int = 60
    secret: bool = False
    cores: int = 1
    busy: float = 0.97

    def data_elements(self, values: Values, *, bulk: bool) -> Elements:
        """Return the elements of ``data`` that depend on the type of the task.

        Tasks of ``task_create_bulk_expr`` (``bulk``) have no element ``globals``.
        """
        inputs = [(name, _r_value(value)) for name, value in values.items()]
        if self.type == "script":
            options = (("chdir", flags(False)), ("echo", flags(True)))
            return (("script", chars(self.runs)), *options)
        if self.type == "call":
            package, _, name = self.runs.rpartition("::")
            is_anonymous = self.runs == ANONYMOUS
            fn = named(
                ("name", NULL if is_anonymous else chars(name)),
                ("namespace", chars(package) if package else NULL),
                ("value", self.code),
            )
            args = RList(tuple(value for _, value in inputs)) if is_anonymous else named(*inputs)
            return ("fn", fn), ("args", args)
        if not inputs:
            return ("expr", self.code), ("variables", NULL)
        of_globals: Elements = () if bulk else (("globals", NULL),)
        return ("expr", self.code), ("variables", named(("locals", named(*inputs)), *of_globals))


def _r_value(value: Value) -> RValue:
    match value:
        case str():
            return chars(value)
        case int():
            return ints(value)
    return reals(value)


def noise(rng: Random) -> Values:
    """Return random values that errors and logs mention besides the values of the task."""
    return {
        "step": rng.randrange(3, 400),
        "size": round(rng.uniform(1.1, 9.8), 1),
        "rhat": round(rng.uniform(1.12, 2.4), 2),
        "small": f"{rng.uniform(1, 9):.4g}e-{rng.randrange(17, 21)}",
        "node": f"wpia-{rng.randrange(1, 70):03d}",
        "file": rng.randrange(1, 43),
        "week": rng.randrange(1, 53),
    }


def _item(items: tuple[str, ...], i: int) -> str:
    """Return item ``i`` of a list that repeats."""
    return items[i % len(items)]


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

_SIR = call("run_sir", symbol("beta"), symbol("gamma"))
_FIT = call("fit", symbol("data"), chains=4)
_PMCMC = call(
    "mcstate::pmcmc", symbol("pars"), call("filter_for", symbol("region")),
    n_steps=symbol("n_steps"),
)  # fmt: skip
_FORECAST = function(("region", "week"), block(
    assign("cases", call("read_region", symbol("region"))),
    call("predict", call("fit", symbol("cases")), symbol("week")),
))  # fmt: skip
_VACCINATE = call("simulate_vaccination", symbol("scenario"), doses=symbol("doses"))
_MEAN = function(("n",), call("mean", call("rbinom", symbol("n"), 1000, 0.3)))
_OUTBREAK = block(
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
        "expression", "run_sir(beta, gamma)", _SIR,
        lambda rng, i, n: {
            "beta": round(0.2 + 0.8 * (i + 1) / n, 3), "gamma": rng.choice((0.1, 0.2, 0.25)),
        },
        "sweep_beta_{n:02d}", 14,
        (STEP_SIZE, STEP_SIZE, STEP_SIZE, NEGATIVE), ("simulating", "1000 steps, dt = 0.25"),
        risk=lambda values: 0.75 if float(values["beta"]) > 0.9 else 0.05, share=6, largest=400,
    ),
    Study(
        "expression", "fit(data, chains = 4)", _FIT, lambda rng, i, n: {"seed": i + 1},
        "fit_lancet_rev{n}", 1900,
        (NOT_CONVERGED, DIVERGED, MEMORY, SINGULAR), _ITERATIONS,
        risk=lambda values: 0.17, share=4, largest=120, cores=4, busy=3.7,
        warnings=("There were 12 divergent transitions after warmup", "Bulk ESS is too low"),
    ),
    Study(
        "expression", "mcstate::pmcmc(pars, filter_for(region), n_steps = n_steps)", _PMCMC,
        lambda rng, i, n: {
            "region": _item(REGIONS, i), "n_steps": 1000.0 * (1 + i // len(REGIONS)),
        },
        "pmcmc_regions_{n:02d}", 5400,
        (NO_PARTICLES, NO_PARTICLES, CONNECTION, MEMORY),
        ("\x1b[32m✔\x1b[39m read 3 chains", "\x1b[36mℹ\x1b[39m 192 particles", *_ITERATIONS),
        risk=lambda values: 0.19, share=3, cores=8, busy=1.1,
    ),
    Study(
        "call", "forecast", _FORECAST,
        lambda rng, i, n: {"region": _item(REGIONS, i), "week": 1 + i // len(REGIONS)},
        "forecast-{week}", 240,
        (MISSING_FILE, MISSING_FILE, TIMEOUT, COLUMNS), ("reading cases", "forecasting 4 weeks"),
        secret=True, share=3, largest=90,
    ),
    Study(
        "expression", "simulate_vaccination(scenario, doses = doses)", _VACCINATE,
        lambda rng, i, n: {
            "scenario": _item(SCENARIOS, i), "doses": 10_000.0 * (1 + i // len(SCENARIOS)),
        },
        "vaccination_{n:02d}", 320,
        (SUBSCRIPT, MEMORY, NO_PACKAGE), ("loading contact matrices", "running 500 replicates"),
        share=2, largest=200,
    ),
    Study(
        "call", "EpiEstim::estimate_R", NULL,
        lambda rng, i, n: {"incid": _item(REGIONS, i), "method": "parametric_si"},
        "rt_{week}", 35,
        (NOT_FOUND, TIMEOUT, CONNECTION),
        ("Default config will estimate R on weekly sliding windows.",),
        risk=lambda values: 0.08,
    ),
    Study(
        "call", ANONYMOUS, _MEAN, lambda rng, i, n: {"n": 100 * (i + 1)},
        "", 2, (MEMORY,), (), risk=lambda values: 0.02,
    ),
)  # fmt: skip

SINGLES = (
    Study(
        "script", "analysis/report.R", NULL, lambda rng, i, n: {}, "", 95, (CONNECTION, COLUMNS),
        ("> results <- readRDS('outputs/outbreak.rds')", "> rmarkdown::render('report.Rmd')"),
    ),
    Study(
        "script", "data-raw/clean.R", NULL, lambda rng, i, n: {}, "", 40, (TIMEOUT, COLUMNS),
        ("> cases <- fetch_cases()",), secret=True,
    ),
    Study(
        "explicit", "{ ... }", _OUTBREAK, lambda rng, i, n: {}, "", 700,
        (CONNECTION, MEMORY, NO_PACKAGE), ("day 60 of 180", "day 120 of 180", "day 180 of 180"),
    ),
    Study(
        "expression", "sessionInfo()", call("sessionInfo"), lambda rng, i, n: {}, "", 1,
        (NO_PACKAGE,), (), risk=lambda values: 0.03,
    ),
)  # fmt: skip


def bundle_name(study: Study, rng: Random, number: int, week: str) -> str:
    """Return a name for a bundle: by the study's format, or a random one as hipercow makes it."""
    if not study.bundle:
        return f"{rng.choice(ADJECTIVES)}_{rng.choice(ANIMALS)}"
    return study.bundle.format(n=number, week=week)
