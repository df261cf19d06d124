"""Commands that read, on Windows. Those of one test run in one process."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from small_root import NOW, task_id, write_bundle, write_retries, write_task
from windows.run_commands import run_commands
from windows_rig import Windows

from hipercow_tui import __version__

SCRIPT = Path(__file__).with_name("run_commands.py")
READING = (
    ("list", "--details", "--json"),
    ("list",),
    ("list", "--with-status", "failure", "--json"),
    ("list", "--in-bundle", "data_*"),
    ("space", "--json"),
    ("space", "--by", "status"),
    ("wait", "--with-status", "failure", "--json"),
    ("wait", "--with-status", "running", "--timeout", "0s"),
    ("trash", "--json"),
    ("history", "--json"),
    ("pins", "--json"),
    ("notes", "--json"),
    ("keys", "--json"),
    ("purge", "--with-status", "failure", "--dry-run"),
    ("purge", "--with-status", "running", "--dry-run"),
    ("list", "--task-id", "f" * 32),
    ("list", "--no-such-option"),
)


def answers_on(windows: Windows, commands: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    done = windows.run(windows.path(SCRIPT), text=json.dumps(commands))
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def listed_ids(answer: dict[str, Any]) -> list[str]:
    assert answer["status"] == 0, answer
    return sorted(json.loads(line)["id"] for line in answer["out"].splitlines())


def test_the_program_starts(windows: Windows) -> None:
    done = windows.run("-m", "hipercow_tui", "--version")
    assert (done.stdout, done.stderr) == (f"hipercow-tui {__version__}\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="compares Windows with this system")
def test_each_command_answers_as_on_this_system(windows: Windows, sir_model: Path) -> None:
    """The recorded root has every status, retry chains, bundles, and tasks of each type."""
    place = windows.path(sir_model)
    there = answers_on(windows, [(place, *words) for words in READING])
    here = run_commands([(str(sir_model), *words) for words in READING])
    for words, answer, expected in zip(READING, there, here, strict=True):
        for stream in ("out", "err"):
            text = answer[stream].replace(json.dumps(place)[1:-1], place)
            answer[stream] = text.replace(place, str(sir_model))
        for one in (answer, expected):  # Windows counts no space for folders
            one["out"] = re.sub(r'("disk_bytes":) \d+', r"\1 …", one["out"])
        assert answer == expected, words
    assert len(listed_ids(here[0])) == 37


@pytest.fixture
def drive(windows: Windows, tmp_path: Path) -> Iterator[Path]:
    """A folder that Windows knows as ``R:\\`` and as ``\\\\server\\share``."""
    if windows.wine is None:
        pytest.skip("maps a drive by the files of Wine")
    devices = windows.wine / "prefix" / "dosdevices"
    links = devices / "r:", devices / "unc" / "server" / "share"
    links[1].parent.mkdir(parents=True, exist_ok=True)
    folder = tmp_path / "drive"
    folder.mkdir()
    for link in links:
        link.unlink(missing_ok=True)
        link.symlink_to(folder)
    yield folder
    for link in links:
        link.unlink()


def test_roots_are_found_on_drives_shares_and_long_paths(windows: Windows, drive: Path) -> None:
    first, second = task_id(1), task_id(2)
    write_task(drive / "project", first, "failure", finished=NOW)
    (drive / "project" / "sub" / "folder").mkdir(parents=True)
    long = drive / ("x" * 120) / ("y" * 120) / "project"
    write_task(long, second, "success", finished=NOW)
    details = ("list", "--details", "--json")
    space = ("space", "--json")
    names = windows.path(long).replace(windows.path(drive), "R:")
    answers = answers_on(
        windows,
        [
            ("R:\\project\\sub\\folder", *details),
            ("\\\\server\\share\\project\\sub", *details),
            ("R:\\", *details, "\\\\server\\share\\project"),
            ("R:\\", *details, "\\\\?\\R:\\project"),
            ("R:\\", *details, "r:/PROJECT/sub"),
            ("R:\\", *details, names),
            ("R:\\project\\sub", *space),
            ("R:\\", "list", "R:\\nowhere"),
            ("R:\\", "list"),
        ],
    )
    *found, through_long, measured, missing, no_root = answers
    assert [listed_ids(answer) for answer in found] == [[first]] * 5
    assert listed_ids(through_long) == [second]
    assert json.loads(measured["out"].splitlines()[0])
    assert "R:\\nowhere" in missing["err"] and missing["status"] == 1
    assert "no folder 'hipercow' in R:\\" in no_root["err"]


def test_files_with_line_ends_of_windows_are_read(windows: Windows, tmp_path: Path) -> None:
    """``writeLines`` of R ends lines with CRLF there; one line of each file ends with LF."""
    first, second, third = map(task_id, (1, 2, 3))
    for identity in (first, second, third):
        write_task(tmp_path, identity, "failure", finished=NOW)
    write_bundle(tmp_path, "Sweep", [first, second])
    write_retries(tmp_path, [(second, first, first), (third, second, first)])
    for file in (tmp_path / "hipercow" / "retry", tmp_path / "hipercow" / "bundles" / "Sweep"):
        start, _, rest = file.read_bytes().partition(b"\n")
        file.write_bytes(start + b"\n" + rest.replace(b"\n", b"\r\n"))
    command = (str(windows.path(tmp_path)), "list", "--json")
    (answer,) = answers_on(windows, [command])
    tasks = [json.loads(line) for line in answer["out"].splitlines()]
    assert [task["chain"] for task in tasks] == [[first, second, third]] * 3
    assert [task["bundles"] for task in tasks] == [["Sweep"], ["Sweep"], []]


def test_a_reader_that_closes_the_pipe_is_no_error(windows: Windows) -> None:
    with windows.start("-m", "hipercow_tui", "keys", "--json") as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0
