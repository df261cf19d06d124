"""A task of the demo, and the files that describe it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from random import Random
from typing import TypeAlias

from hipercow_tui.demo.r_builders import NULL, chars, data_frame, flags, ints, named, posixct, reals
from hipercow_tui.demo.rds_writer import serialize
from hipercow_tui.demo.studies import Elements, Study, Values
from hipercow_tui.formats.rlang.values import Attributes, RList, RValue, RVector

EnvVar: TypeAlias = tuple[str, str, bool]

_KEY = "//qdrive.dide.ic.ac.uk/homes/epi/.hipercow/key"
_ENVVARS: tuple[EnvVar, ...] = (("R_GC_MEM_GROW", "3", False),)
_ENVVARS_OF_DRIVER = (("USER_KEY", _KEY, False), ("USER_PUBKEY", f"{_KEY}.pub", False), *_ENVVARS)


@dataclass(frozen=True, slots=True)
class Job:
    """A task.

    Attributes:
        id: 32 hex digits.
        study: The kind of work.
        values: Its local variables or arguments.
        created: When it was created, in seconds since the epoch.
        bulk: Whether ``task_create_bulk_expr`` created it, and not ``task_create_expr``.
        driver: Whether it was submitted to the cluster.
        retry_of: For a retry, the ids of its parent and of its base; else None.
        base_created: For a retry, when its base was created.
        cipher: Its secret environment variable as hipercow stores it; "" if it has none.
    """

    id: str
    study: Study
    values: Values = field(default_factory=dict)
    created: float = 0.0
    bulk: bool = True
    driver: bool = True
    retry_of: tuple[str, str] | None = None
    base_created: float | None = None
    cipher: str = ""

    def folder(self, hipercow: str) -> str:
        """Return its folder. ``hipercow`` is the folder of that name in the root."""
        return f"{hipercow}/tasks/{self.id[:2]}/{self.id[2:]}"

    def retry(self, retry_id: str, created: float) -> Job:
        """Return a retry of this task, created at ``created``."""
        base = self.retry_of[1] if self.retry_of else self.id
        base_created = self.created if self.base_created is None else self.base_created
        return replace(
            self, id=retry_id, created=created, retry_of=(self.id, base), base_created=base_created
        )

    def retry_line(self) -> str:
        """Return the line of a retry for the file ``retry``."""
        assert self.retry_of is not None
        return f"{self.id},{','.join(self.retry_of)}\n"

    def envvars(self) -> tuple[EnvVar, ...]:
        """Return name, value and secrecy of each environment variable."""
        secret = (("DASHBOARD_TOKEN", self.cipher, True),) if self.cipher else ()
        return (*(_ENVVARS_OF_DRIVER if self.driver else _ENVVARS), *secret)

    def data(self) -> bytes:
        """Return the file ``data``, as hipercow's ``task_create_*`` and ``task_retry`` write it."""
        if self.retry_of is not None:
            parent, base = self.retry_of
            links = (("parent", chars(parent)), ("base", chars(base)))
            return self._data("retry", NULL, NULL, NULL, links)
        return self._data(
            self.study.type,
            chars("."),
            chars("default"),
            self._envvars_frame(),
            self.study.data_elements(self.values, bulk=self.bulk),
        )

    def _data(
        self, type_: str, path: RValue, environment: RValue, envvars: RValue, rest: Elements
    ) -> bytes:
        first: Elements = (
            ("type", chars(type_)),
            ("id", chars(self.id)),
            ("time", posixct(self.created)),
            ("path", path),
            ("environment", environment),
            ("envvars", envvars),
            ("parallel", NULL),
        )
        return serialize(named(*first, *rest))

    def _envvars_frame(self) -> RList:
        variables = self.envvars()
        columns: Elements = (
            ("name", chars(*(name for name, _, _ in variables))),
            ("value", chars(*(value for _, value, _ in variables))),
            ("secret", flags(*(secret for _, _, secret in variables))),
        )
        frame = data_frame(columns, len(variables), chars("hipercow_envvars", "data.frame"))
        key: Attributes = (("key", chars(_KEY)),) if self.cipher else ()
        return RList(frame.values, (*frame.attributes, *key))

    def renviron(self) -> bytes:
        """Return the file ``Renviron``, which has the variables that are not secret."""
        return "".join(
            f"{name}={value}\n" for name, value, secret in self.envvars() if not secret
        ).encode()

    def info(
        self, status: str, started: float | None, finished: float, *, evaluated: bool = True
    ) -> bytes:
        """Return the file ``info`` of a task that ended. Times are in seconds since the epoch.

        ``task_eval`` also records CPU time and memory; ``task_cancel`` and ``task_info`` don't
        (``evaluated`` is False). For a retry, hipercow records the creation of its base.
        """
        created = self.created if self.base_created is None else self.base_created
        names = ("created", "started", "finished")
        cpu: RValue = NULL
        memory: RValue = NULL
        if evaluated and started is not None:
            spread = int(self.id[-4:], 16) / 0xFFFF  # from 0 to 1, and the same in each demo
            busy = self.study.busy * (0.8 + 0.2 * spread)
            cpu = _cpu_times(round(finished - started, 3), busy)
            memory = _memory(round(14.1 + 900 * self.study.cores * spread**3, 1))
        fields: Elements = (
            ("status", chars(status)),
            ("times", posixct(created, started, finished, names=names)),
            ("cpu", cpu),
            ("memory", memory),
        )
        return serialize(named(*fields))


def new_id(rng: Random) -> str:
    """Return a random task id."""
    return f"{rng.getrandbits(128):032x}"


@cache
def resources(cores: int) -> bytes:
    """Return the file ``resources``: cores in the default queue."""
    optional = ("max_runtime", "hold_until", "memory_per_node", "memory_per_process",
                "requested_nodes", "priority")  # fmt: skip
    requested: Elements = (
        ("cores", ints(cores)),
        ("exclusive", flags(False)),
        *((name, NULL) for name in optional),
        ("queue", chars("AllNodes")),
    )
    attributes: Attributes = (
        ("class", chars("hipercow_resources")),
        ("validated", chars("dide-windows")),
    )
    return serialize(named(*requested, extra=attributes))


def _cpu_times(elapsed: float, busy: float) -> RVector:
    """The value of R's ``proc.time``, in seconds, of a task that kept ``busy`` cores busy."""
    columns = ("user.self", "sys.self", "elapsed", "user.child", "sys.child")
    attributes: Attributes = (("class", chars("proc_time")), ("names", chars(*columns)))
    user, system = round(elapsed * busy * 0.97, 3), round(elapsed * busy * 0.03, 3)
    return reals(user, system, elapsed, 0.0, 0.0, attributes=attributes)


def _memory(most: float) -> RVector:
    """The value of R's ``gc()``: a matrix of two kinds of cells by six numbers. ``most`` are the
    megabytes that vectors took."""
    rows = chars("Ncells", "Vcells")
    columns = chars("used", "(Mb)", "gc trigger", "(Mb)", "max used", "(Mb)")
    shape: Attributes = (("dim", ints(2, 6)), ("dimnames", RList((rows, columns))))
    numbers = (589124.0, 1108462.0, 31.5, 8.5, 1240000.0, 8388608.0, 66.3, 64.0, 1010211.0,
               round(most * 131072), 54.0, most)  # fmt: skip
    return reals(*numbers, attributes=shape)
