from __future__ import annotations

import math
import sys
import threading
import time
from pathlib import Path
from typing import cast

import pytest
from r_stand_in import NEW_ID, library, use_stub
from small_root import task_id, write_task

from hipercow_tui.formats.resources import Resources, resources_from
from hipercow_tui.formats.rlang.rds import files
from hipercow_tui.formats.rlang.values import RList
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.output.r_calls import RAction
from hipercow_tui.output.r_programs import ACTIONS, id_lines
from hipercow_tui.output.r_retry import RetryGroup, retry_lines
from hipercow_tui.output.r_runner import RResult, hipercow_version, run, run_command
from hipercow_tui.support.errors import RscriptError

IDS = tuple(map(task_id, range(3)))


@pytest.fixture(scope="module")
def r_library(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    return library(tmp_path_factory.mktemp("r"))


@pytest.fixture(params=["R", "program"])
def root(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    r_library: Path | None,
) -> Root:
    """A root, and an Rscript: that of R, where there is one, and a program that acts like it."""
    if request.param == "R" and r_library is not None:
        monkeypatch.setenv("R_LIBS", str(r_library))
        monkeypatch.setenv("R_LIBS_USER", str(r_library))
    else:
        (tmp_path / "bin").mkdir()
        use_stub(monkeypatch, tmp_path / "bin")
    write_task(tmp_path / "project", IDS[0], "created")
    return find_root(tmp_path / "project")


def act(
    root: Root, what: RAction, *, ids: tuple[str, ...] = IDS, stop: threading.Event | None = None
) -> tuple[RResult, str]:
    heard: list[bytes] = []
    lines = id_lines(ids) if what is RAction.CANCEL else retry_lines([RetryGroup(ids)])
    ended = run(ACTIONS[what], lines, root, heard.append, stop or threading.Event())
    return ended, b"".join(heard).decode()


def test_the_version_of_hipercow_is_read_from_r(root: Root) -> None:
    assert hipercow_version(root, threading.Event()) == "0.0.1"


@pytest.mark.parametrize("what", list(RAction))
def test_r_receives_the_ids_and_its_output_is_read(root: Root, what: RAction) -> None:
    ended, heard = act(root, what)
    assert ended == RResult(0, stopped=False)
    assert ended.succeeded
    assert (root.path / what).read_text().split() == [*IDS]
    assert "called for 3" in heard
    assert "Warning" not in heard
    assert (NEW_ID in heard) == (what is RAction.RETRY)


def test_a_hundred_thousand_ids_are_passed_to_r(root: Root) -> None:
    ids = tuple(f"{number:032x}" for number in range(100_000))
    ended, heard = act(root, RAction.CANCEL, ids=ids)
    assert ended.succeeded
    assert "called for 100000" in heard


def test_an_error_of_r_is_reported_with_its_status(root: Root) -> None:
    (root.path / "fail").touch()
    ended, heard = act(root, RAction.RETRY)
    assert ended.status == 1
    assert not ended.succeeded
    assert "Error" in heard


def test_r_is_stopped_on_request(root: Root) -> None:
    (root.path / "sleep").touch()
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    began = time.monotonic()
    ended, _ = act(root, RAction.CANCEL, stop=stop)
    assert ended.stopped
    assert not ended.succeeded
    assert time.monotonic() - began < 20


def test_only_task_ids_are_passed_to_r(root: Root) -> None:
    for wrong in ("../../x", 'x"); system("y")', "A" * 32):
        with pytest.raises(RscriptError, match="R was not started"):
            act(root, RAction.CANCEL, ids=(IDS[0], wrong))
    assert not (root.path / RAction.CANCEL).exists()


HOSTILE = ("x'); system('touch owned'); ('", '\\\\ "%41" \\n\\t\\x01', "naïve ☃ 💥", " ", "NA")


@pytest.mark.parametrize("root", ["R"], indirect=True)
def test_names_from_disk_are_data_for_r(root: Root, r_library: Path | None) -> None:
    if r_library is None:
        pytest.skip("R is not installed")
    resources = Resources(queue=HOSTILE[0], requested_nodes=HOSTILE, cores=math.inf)
    heard: list[bytes] = []
    lines = retry_lines([RetryGroup(IDS[:1]), RetryGroup(IDS[1:], resources)])
    assert run(ACTIONS[RAction.RETRY], lines, root, heard.append, threading.Event()).succeeded
    assert (root.path / "task_retry").read_text().split() == [*IDS]
    assert not (root.path / "owned").exists()
    value = files.read((root.path / "resources.rds").read_bytes())
    assert resources_from(cast("RList", value)) == resources


def test_r_without_hipercow_gives_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_stub(monkeypatch, tmp_path)
    (tmp_path / "hipercow").mkdir()
    (tmp_path / "no-hipercow").touch()
    with pytest.raises(RscriptError, match="has no package hipercow"):
        hipercow_version(find_root(tmp_path), threading.Event())


def test_a_missing_rscript_gives_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "hipercow").mkdir()
    root = find_root(tmp_path)
    with pytest.raises(RscriptError, match="no 'Rscript' on the PATH"):
        hipercow_version(root, threading.Event())
    with pytest.raises(RscriptError, match="no 'Rscript' on the PATH"):
        act(root, RAction.CANCEL)


def test_r_that_prints_no_version_gives_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Rscript").write_text("#!/bin/sh\n")  # as a profile with quit() does
    (tmp_path / "Rscript").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "hipercow").mkdir()
    with pytest.raises(RscriptError, match="has no package hipercow"):
        hipercow_version(find_root(tmp_path), threading.Event())


def test_a_program_is_stopped_if_its_lines_can_not_be_taken(tmp_path: Path) -> None:
    def fail(line: bytes) -> None:
        raise KeyError(line)

    code = "import time; print('one', flush=True); time.sleep(60)"
    root, began = Root(tmp_path, tmp_path), time.monotonic()
    with pytest.raises(KeyError, match="one"):
        run_command([sys.executable, "-c", code], (), root, fail, threading.Event())
    assert time.monotonic() - began < 20


def test_r_that_a_profile_keeps_busy_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Rscript").write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")
    (tmp_path / "Rscript").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "hipercow").mkdir()
    stop, began = threading.Event(), time.monotonic()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(RscriptError, match="R was stopped"):
        hipercow_version(find_root(tmp_path), stop)
    assert time.monotonic() - began < 20
