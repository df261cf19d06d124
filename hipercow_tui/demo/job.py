"""One task of the demo, and the RDS files that say what it is and how it went."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from hipercow_tui.demo.r_builders import (
    NULL,
    chars,
    data_frame,
    flags,
    ints,
    named,
    reals,
    time_point,
)
from hipercow_tui.demo.rds_writer import Filling, Hole, Template
from hipercow_tui.demo.studies import Study, Values
from hipercow_tui.formats.rlang.values import Attributes, RList, RValue, RVector

KEY = "//qdrive.dide.ic.ac.uk/homes/epi/.hipercow/key"
EnvVar = tuple[str, str, bool]


@dataclass(frozen=True, slots=True)
class Job:
    """A task: its id, what it runs and with which values, when it was created (seconds since the
    epoch). ``bulk`` tells ``task_create_bulk_expr`` from ``task_create_expr``, ``driver`` whether
    it goes through the cluster. A retry has the ids of ``retries``: its parent and its base.
    ``base_created`` is when the base was created. ``cipher`` is the secret variable as stored.
    """

    id: str
    study: Study
    values: Values = field(default_factory=dict)
    created: float = 0.0
    bulk: bool = True
    driver: bool = True
    retries: tuple[str, str] | None = None
    base_created: float | None = None
    cipher: str = ""

    def envvars(self) -> tuple[EnvVar, ...]:
        """Name, value and secrecy of each environment variable."""
        return _envvars(self.driver, self.cipher)

    def data(self) -> bytes:
        """The file ``data``, as hipercow's ``task_create`` saves it."""
        filled: dict[str, Filling] = {"id": self.id, "time": self.created, "cipher": self.cipher}
        if self.retries:
            filled["parent"], filled["base"] = self.retries
            return _retry_template().rds(filled)
        filled.update(self.values)
        template = _data_template(self.study, self.bulk, self.driver, bool(self.cipher))
        return template.rds(filled)

    def renviron(self) -> bytes:
        """The file ``Renviron``: the variables that are not secret."""
        return "".join(
            f"{name}={value}\n" for name, value, secret in self.envvars() if not secret
        ).encode()

    def info(
        self, status: str, started: float | None, finished: float, *, evaluated: bool = True
    ) -> bytes:
        """The file ``info``, as ``task_eval`` saves it at the end; a retry's has the base's
        creation. Without ``evaluated``, as ``task_cancel`` and ``fix_status`` do: no figures."""
        filled: dict[str, Filling] = {
            "status": status,
            "created": self.created if self.base_created is None else self.base_created,
            "started": started,
            "finished": finished,
        }
        if evaluated and started is not None:
            elapsed = round(finished - started, 3)
            filled["elapsed"] = elapsed
            filled["user"] = round(elapsed * 0.94, 3)
            filled["sys"] = round(elapsed * 0.03, 3)
        return _info_template(evaluated).rds(filled)


def _envvars(driver: bool, cipher: str) -> tuple[EnvVar, ...]:
    keys = (("USER_KEY", KEY, False), ("USER_PUBKEY", f"{KEY}.pub", False)) if driver else ()
    secret = (("DASHBOARD_TOKEN", cipher, True),) if cipher else ()
    return (*keys, ("R_GC_MEM_GROW", "3", False), *secret)


@cache
def resources() -> bytes:
    """The file ``resources``: one core in the default queue."""
    asked: tuple[tuple[str, RValue], ...] = (
        ("cores", ints(1)),
        ("exclusive", flags(False)),
        ("max_runtime", NULL),
        ("hold_until", NULL),
        ("memory_per_node", NULL),
        ("memory_per_process", NULL),
        ("requested_nodes", NULL),
        ("priority", NULL),
        ("queue", chars("AllNodes")),
    )
    marks: Attributes = (
        ("class", chars("hipercow_resources")),
        ("validated", chars("dide-windows")),
    )
    return Template(named(*asked, extra=marks)).rds({})


@cache
def _data_template(study: Study, bulk: bool, driver: bool, secret: bool) -> Template:
    what = study.what if bulk else tuple(_with_globals(name, held) for name, held in study.what)
    variables = _envvars(driver, "secret" if secret else "")
    return _template(
        study.type, chars("."), chars("default"), _envvars_frame(variables), NULL, *what
    )


@cache
def _retry_template() -> Template:
    ends = (("parent", chars(Hole("parent"))), ("base", chars(Hole("base"))))
    return _template("retry", NULL, NULL, NULL, NULL, *ends)


def _template(
    type_: str,
    path: RValue,
    environment: RValue,
    envvars: RValue,
    parallel: RValue,
    *what: tuple[str, RValue],
) -> Template:
    head: tuple[tuple[str, RValue], ...] = (
        ("type", chars(type_)),
        ("id", chars(Hole("id"))),
        ("time", time_point(Hole("time"))),
        ("path", path),
        ("environment", environment),
        ("envvars", envvars),
        ("parallel", parallel),
    )
    return Template(named(*head, *what))


def _with_globals(name: str, held: RValue) -> tuple[str, RValue]:
    """``task_create_expr`` saves ``globals`` beside the locals, ``task_create_bulk_expr`` does
    not."""
    if name == "variables" and isinstance(held, RList):
        return name, named(("locals", held.values[0]), ("globals", NULL))
    return name, held


def _envvars_frame(variables: tuple[EnvVar, ...]) -> RList:
    secret = any(variable[2] for variable in variables)
    columns: tuple[tuple[str, RValue], ...] = (
        ("name", chars(*(name for name, _, _ in variables))),
        ("value", chars(*(Hole("cipher") if hidden else v for _, v, hidden in variables))),
        ("secret", flags(*(hidden for _, _, hidden in variables))),
    )
    frame = data_frame(columns, len(variables), chars("hipercow_envvars", "data.frame"))
    key: Attributes = (("key", chars(KEY)),) if secret else ()
    return RList(frame.values, (*frame.attributes, *key))


@cache
def _info_template(evaluated: bool) -> Template:
    moments = time_point(
        Hole("created"), Hole("started"), Hole("finished"), names=("created", "started", "finished")
    )
    cpu: RValue = NULL
    memory: RValue = NULL
    if evaluated:
        columns = ("user.self", "sys.self", "elapsed", "user.child", "sys.child")
        named_class: Attributes = (("class", chars("proc_time")), ("names", chars(*columns)))
        cpu = reals(Hole("user"), Hole("sys"), Hole("elapsed"), 0.0, 0.0, attributes=named_class)
        memory = _memory()
    fields: tuple[tuple[str, RValue], ...] = (
        ("status", chars(Hole("status"))), ("times", moments), ("cpu", cpu), ("memory", memory)
    )  # fmt: skip
    return Template(named(*fields))


def _memory() -> RVector:
    """What R's ``gc()`` gives: a matrix of two kinds of cells by six figures."""
    rows = chars("Ncells", "Vcells")
    columns = chars("used", "(Mb)", "gc trigger", "(Mb)", "max used", "(Mb)")
    shape: Attributes = (("dim", ints(2, 6)), ("dimnames", RList((rows, columns))))
    figures = (589124.0, 1108462.0, 31.5, 8.5, 1240000.0, 8388608.0, 66.3, 64.0, 1010211.0,
               1843102.0, 54.0, 14.1)  # fmt: skip
    return reals(*figures, attributes=shape)
