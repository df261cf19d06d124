from __future__ import annotations

import logging
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_root import task_id, write_task

from hipercow_tui.cli.main import main
from hipercow_tui.support.errors import HipercowTuiError
from hipercow_tui.support.log_setup import last_lines, start_logging

LOGGER = logging.getLogger("hipercow_tui.tests")


@pytest.fixture(autouse=True)
def _restore(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("HIPERCOW_TUI_LOG", raising=False)
    yield
    monkeypatch.delenv("HIPERCOW_TUI_LOG", raising=False)
    start_logging(None)


def test_log_file_gets_a_line_a_record_and_belongs_to_the_user_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "log.txt"
    start_logging(str(file))
    LOGGER.info("read %d tasks", 3)
    LOGGER.debug("not logged by default")
    LOGGER.warning("two\nlines \x1b[31m")
    lines = file.read_text().splitlines()
    assert len(lines) == 2 and "\x1b" not in lines[1]
    pattern = (
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO MainThread hipercow_tui.tests: read 3 tasks"
    )
    assert re.fullmatch(pattern, lines[0])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_level_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIPERCOW_TUI_LOG", "Debug")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    start_logging(None)
    LOGGER.debug("detail")
    assert "detail" in (tmp_path / "hipercow-tui" / "hipercow-tui.log").read_text()


def test_unknown_level_is_refused_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIPERCOW_TUI_LOG", "loud\x1b")
    with pytest.raises(HipercowTuiError, match="use debug, info, warning, error") as error:
        start_logging(None)
    assert "\x1b" not in str(error.value)


def test_log_file_that_cannot_be_written_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["history", str(tmp_path), "--log-file", str(tmp_path)]) == 1
    assert f"The log file '{tmp_path}' can't be written: Is a directory" in capsys.readouterr().err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_full_disk_of_the_log_file_does_not_disturb_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_task(tmp_path, task_id(1), "failure")
    command = ["purge", str(tmp_path), "--with-status", "failure", "--yes"]
    assert main([*command, "--log-file", "/dev/full"]) == 0
    assert capsys.readouterr().err == ""


def test_only_the_last_lines_are_kept_in_memory() -> None:
    start_logging(None)
    for number in range(300):
        LOGGER.info("line %d", number)
    assert len(last_lines()) == 200 and last_lines()[-1].endswith("line 299")


@pytest.mark.parametrize("command", ["list", "purge", "trash", "history"])
def test_commands_log_what_they_do(tmp_path: Path, command: str) -> None:
    write_task(tmp_path, task_id(1), "failure")
    more = ["--with-status", "failure", "--yes"] if command == "purge" else []
    log = tmp_path / "log"
    assert main([command, str(tmp_path), *more, "--log-file", str(log)]) == 0
    assert f"hipercow-tui {command}" in log.read_text()


def test_a_purge_is_logged_with_its_numbers_and_without_inputs(tmp_path: Path) -> None:
    folder = write_task(tmp_path, task_id(1), "failure")
    (folder / "log").write_text("secret")
    log = tmp_path / "log"
    command = ["purge", str(tmp_path), "--with-status", "failure", "--yes", "--log-file", str(log)]
    assert main(command) == 0
    text = log.read_text()
    assert re.search(r"purge of 1 tasks and 0 bundles of \S+, batch \d{8}T\d{6}Z-\w{4}", text)
    assert ": 1 removed, 0 put back, 0 missing, 0 failed" in text and "secret" not in text


def test_unknown_home_folder_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> Path:
        raise RuntimeError("no home")

    monkeypatch.setenv("HIPERCOW_TUI_LOG", "debug")
    monkeypatch.setattr("hipercow_tui.support.log_setup.state_folder", unknown)
    with pytest.raises(HipercowTuiError, match="name a file with --log-file"):
        start_logging(None)


def test_package_used_from_python_prints_no_log_lines() -> None:
    code = "import logging, hipercow_tui; logging.getLogger('hipercow_tui.x').error('no')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout + ran.stderr == ""
