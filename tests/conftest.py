"""Fixtures of several packages: the recorded roots, unpacked where a test may change them."""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

DATA = Path(__file__).parent / "data"
MEMORY = Path("/dev/shm")
ENOUGH = 2**31  # bytes, several times what a run holds at once


def has_room(folder: Path) -> bool:
    """Whether this is a file system in memory where tests can write files and execute them."""
    if sys.platform == "win32":
        return False
    if not (os.path.ismount(folder) and os.access(folder, os.W_OK)):
        return False
    held = os.statvfs(folder)
    return held.f_bavail * held.f_frsize > ENOUGH and not held.f_flag & os.ST_NOEXEC


# Tests make and delete a hundred thousand small files, which takes minutes on a disk. Killed
# processes leave the same files on any file system, and power cuts are simulated, so memory is as
# good. TMPDIR overrides it. It is set here so that started processes and xdist workers inherit it.
DISK = os.environ.setdefault("HIPERCOW_TUI_TESTS_DISK", tempfile.gettempdir())
if "TMPDIR" not in os.environ and has_room(MEMORY):
    os.environ["TMPDIR"] = str(MEMORY)
    tempfile.tempdir = None  # look again


# Compiled modules are stored, also if the environment says otherwise, as containers often do: else
# each worker would rewrite the assertions of all tests, and each started process compile the app.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


# A busy machine must not fail a test. The rules of a plan are tried with more examples.
settings.register_profile(
    "few", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("few")


def pytest_collection_finish() -> None:
    """Exempt modules and collected tests from garbage collections, a tenth of the time of tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5000, 20, 50)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """``-n auto``: tests of screens and terminals wait half of their time, so twice the cores."""
    return 2 * len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Idle workers take tests from busy ones; else the last tests of screens wait for one."""
    if config.getoption("dist") != "load":  # chosen on the command line
        return None
    from xdist.scheduler import WorkStealingScheduling  # type: ignore[import-untyped]

    return WorkStealingScheduling(config, log)


def unpack(archive: Path, into: Path) -> None:
    # Python 3.11 before 3.11.4 has no filters; what we recorded ourselves needs none.
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extractall(into, filter="data")
        else:
            tar.extractall(into)


# Their modules import what only POSIX has.
ONLY_POSIX = {"bench": "strace and pseudo-terminals", "terminal": "pseudo-terminals"}


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """On Windows, leave out folders of tests that can't be imported there."""
    if sys.platform != "win32" or collection_path.parent != Path(__file__).parent:
        return None
    return collection_path.name in ONLY_POSIX or None


def pytest_report_header() -> list[str]:
    """List the folders that are left out on Windows."""
    if sys.platform != "win32":
        return []
    return [f"left out: tests/{name}, which needs {what}" for name, what in ONLY_POSIX.items()]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    with skip_without_posix():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    with skip_without_posix():
        yield


@contextmanager
def skip_without_posix() -> Iterator[None]:
    """On Windows, skip a test that itself uses what Windows does not have, such as ``os.mkfifo``.

    If code of the package uses it, the test fails.
    """
    try:
        yield
    except AttributeError as error:
        if sys.platform != "win32" or error.obj not in (os, signal, socket, time):
            raise
        *_, innermost = traceback.extract_tb(error.__traceback__)
        if not Path(innermost.filename).is_relative_to(Path(__file__).parent):
            raise
        pytest.skip(f"needs {error.obj.__name__}.{error.name}, which Windows does not have")


@pytest.fixture
def disk_path() -> Iterator[Path]:
    """A folder where temporary ones are by default: on a disk, on most machines."""
    with tempfile.TemporaryDirectory(prefix="hipercow-tui-", dir=DISK) as where:
        yield Path(where)


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that every user may enter, which those of pytest are not."""
    where = Path(tempfile.mkdtemp(prefix="hipercow-tui-"))
    where.chmod(0o777)
    yield where
    for path in where.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o777)
    shutil.rmtree(where)


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The programs that are started from here on, in their order; they are started for real."""
    programs: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def popen(*arguments: Any, **more: Any) -> subprocess.Popen[bytes]:
        programs.append(real(*arguments, **more))
        return programs[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)
    return programs


@pytest.fixture(scope="session")
def recorded_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``sir_model`` as it was recorded, for all tests together: to be read and copied only."""
    where = tmp_path_factory.mktemp("recorded")
    unpack(DATA / "sir-model.tar.gz", where)
    return where / "sir-model"


@pytest.fixture
def sir_model(recorded_model: Path, tmp_path: Path) -> Path:
    """The root that the real hipercow wrote: every task type and status, chains, bundles."""
    return Path(shutil.copytree(recorded_model, tmp_path / "sir-model", symlinks=True))


@pytest.fixture(scope="session")
def sir_model_expected() -> dict[str, Any]:
    """What the real hipercow says of each task of ``sir_model``."""
    loaded: dict[str, Any] = json.loads((DATA / "sir-model.expected.json").read_text("utf-8"))
    return loaded
