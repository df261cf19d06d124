"""Failed tasks on disk, for tests of what tells why."""

from __future__ import annotations

from pathlib import Path

from small_root import NOW, write_task

from hipercow_tui.demo.r_builders import chars, named, reals
from hipercow_tui.demo.rds_writer import serialize
from hipercow_tui.formats.rlang.values import RList, RNull, RValue, RVector


def result_file(message: str, *bullets: tuple[str, str], warning: str | None = None) -> bytes:
    """The ``result`` of a task that failed with this; with bullets, by an error of rlang."""
    parts: list[tuple[str, RValue]] = [("message", chars(message))]
    if bullets:
        marks = ("names", chars(*(mark for mark, _ in bullets)))
        body = RVector("character", tuple(text for _, text in bullets), (marks,))
        parts += [("body", body), ("use_cli_format", RVector("logical", (True,)))]
    if warning is not None:
        warned = _condition([("message", chars(warning)), ("call", RNull())], "simpleWarning")
        parts.append(("warnings", RList((warned,))))
    return serialize(_condition(parts, "rlang_error" if bullets else "simpleError"))


def _condition(parts: list[tuple[str, RValue]], kind: str) -> RList:
    general = "warning" if kind == "simpleWarning" else "error"
    return named(*parts, extra=(("class", chars(kind, general, "condition")),))


def write_failed(
    root: Path,
    identity: str,
    result: bytes | None,
    *,
    beta: float | None = None,
    method: str | None = None,
    ended: float = NOW,
) -> Path:
    """A failed task that ran ``run_sir(beta)``, or with a ``method`` too. It has a ``result``, or
    none."""
    folder = write_task(root, identity, "failure", created=ended - 600, finished=ended)
    if result is not None:
        (folder / "result").write_bytes(result)
    if beta is not None:
        values: list[tuple[str, RValue]] = [("beta", reals(beta))]
        if method is not None:
            values.append(("method", chars(method)))
        held = named(("locals", named(*values)))
        head: list[tuple[str, RValue]] = [
            ("type", chars("expression")),
            ("id", chars(identity)),
            ("time", reals(ended - 600, attributes=(("class", chars("POSIXct", "POSIXt")),))),
            ("path", chars(".")),
            ("environment", chars("default")),
            ("envvars", RNull()),
            ("parallel", RNull()),
            ("expr", chars("run")),
            ("variables", held),
        ]
        (folder / "data").write_bytes(serialize(named(*head)))
    return folder
