"""Read what an environment of hipercow loads: a file in ``hipercow/environments`` (R), or a
``config`` in ``hipercow/py/env/NAME``."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass

from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.json_reader import load_json
from hipercow_tui.formats.rlang.rds import files
from hipercow_tui.formats.rlang.values import RList, RVector, element
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import open_folder, read_file
from hipercow_tui.support.errors import RdsError, os_error_text

_LIMIT = 1 << 20  # bytes
_WORK = 10_000  # limit for load_json
_MAX_NAMES = 200  # packages or files that are kept


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment: the R packages that it attaches, the files that it runs, or the ``engine``
    of a Python environment, such as ``pip``.

    ``problem`` says why it can't be read; empty if it could be.
    """

    packages: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    engine: str = ""
    problem: str = ""


def read_environment(root: Root, name: str) -> Environment:
    """Read an environment of the root of one language. ``empty``, and ``default`` before it is
    created, have no file and load nothing."""
    if "/" in name or name in ("", ".", ".."):
        return Environment(problem="its name can't be that of a file")
    try:
        return _read_python(root, name) if root.lang is Lang.PY else _read_r(root, name)
    except FileNotFoundError:
        exists = name in ("default", "empty")
        return Environment(problem="" if exists else "it does not exist any more")
    except OSError as error:
        return Environment(problem=os_error_text(error))
    except (RdsError, ValueError) as error:
        return Environment(problem=str(error))


def _read_r(root: Root, name: str) -> Environment:
    value = files.read(_read(root, ("environments", name)))
    if not isinstance(value, RList):
        raise ValueError("it is not a list")
    return Environment(_texts(element(value, "packages")), _texts(element(value, "sources")))


def _read_python(root: Root, name: str) -> Environment:
    value = load_json(_read(root, ("env", name, "config")), work=_WORK)
    engine = value.get("engine") if isinstance(value, dict) else None
    return Environment(engine=engine if isinstance(engine, str) else "")


def _read(root: Root, steps: tuple[str, ...]) -> bytes:
    """Read a file below the folder of the root; no step may be a link. Raises OSError."""
    with ExitStack() as stack:
        folder = open_folder(root.hipercow)
        stack.callback(os.close, folder)
        for step in steps[:-1]:
            folder = open_folder(step, dir_fd=folder)
            stack.callback(os.close, folder)
        return read_file(steps[-1], limit=_LIMIT, dir_fd=folder)


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, RVector) or value.kind != "character":
        return ()
    return tuple(str(text) for text in value.values[:_MAX_NAMES] if text is not None)
