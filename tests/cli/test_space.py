"""The text that ``space`` prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_root import task_id, write_bundle, write_task

from hipercow_tui.cli import progress_lines, space
from hipercow_tui.cli.main import main


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = tmp_path / "project"
    sizes = {0: ("failure", 3_100_000), 1: ("success", 1_000_000), 2: ("running", 2_000_000)}
    for number, (status, size) in sizes.items():
        folder = write_task(project, task_id(number), status)
        (folder / "result").write_bytes(bytes(size))
    write_bundle(project, "large\x1b[2J", [task_id(0)])
    for name in ("lib", "mine"):
        (project / "hipercow" / name).mkdir()
        (project / "hipercow" / name / "file").write_bytes(bytes(500_000))
    return project


def printed(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    assert main(["space", *map(str, words)]) == 0
    return capsys.readouterr().out


def test_groups_have_size_share_and_what_stays(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(capsys, root).splitlines()
    assert lines[0] == f"{root}: 7.1 MB"
    assert lines[1:3] == [
        "can be purged: 4.1 MB of 2 tasks",
        "can't be purged: 2.0 MB of 1 task, submitted or running, or in a retry chain with such a"
        " task",
    ]
    assert lines[4:7] == [
        "     size    share  tasks by bundle",
        "   3.1 MB   43.7 %  bundle large␛[2J: 1 task",
        "   3.0 MB   42.3 %  in no bundle: 2 tasks, 2.0 MB can't go",
    ]
    assert "   6.1 MB   85.9 %  3 tasks" in lines
    assert " 500.0 kB    7.0 %  lib" in lines
    assert " 500.0 kB    7.0 %  mine (not of hipercow)" in lines
    assert any(line.endswith("<0.1 %  bundles") for line in lines), "as the app shows it"


def test_a_terminal_shows_bars(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    lines = printed(capsys, root, "--by", "status").splitlines()
    rows = [line for line in lines if ": 1 task" in line]
    assert [row.count("█") for row in rows] == [16, 10, 5]


def test_bars_of_ages_are_split_by_status(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    lines = printed(capsys, root, "--by", "age").splitlines()
    (unfinished,) = (line for line in lines if "not finished: 1 task" in line)
    (ended,) = (line for line in lines if ": 2 tasks" in line)
    assert "█" * 12 + "▒" * 4 in ended and "░" * 8 in unfinished
    assert any(line.startswith("bars: █ failure") for line in lines)


def test_limit_sums_up_the_other_groups(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, root, "--by", "task", "--limit", "1").splitlines()
    assert lines[4] == "     size    share  task"
    assert lines[5] == f"   3.1 MB   43.7 %  {task_id(0)}: x"
    assert lines[6] == "   3.0 MB   42.3 %  … 2 more: --limit 3 prints all"


def test_a_terminal_shows_only_the_first_groups_and_a_pipe_all(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "_TERMINAL_LIMIT", 2)
    assert "more" not in printed(capsys, root, "--by", "task")
    assert "runs" not in json.loads(printed(capsys, root, "--by", "task", "--json"))["groups"][0]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    lines = printed(capsys, root, "--by", "task").splitlines()
    assert lines[6].endswith(f"{task_id(2)}: can't go, x")
    assert "… 1 more: --limit 3 prints all" in lines[7]
    assert "more" not in printed(capsys, root, "--by", "task", "--limit", "3")
    groups = json.loads(printed(capsys, root, "--by", "task", "--json"))["groups"]
    assert len(groups) == 3 and "runs" not in groups[0], "JSON does not depend on the terminal"
    one = printed(capsys, root, "--by", "task", "--json", "--limit", "1")
    assert json.loads(one)["groups"][0]["runs"] == "x"


def test_files_compares_numbers_of_files(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, root, "--by", "kind", "--files").splitlines()
    assert lines[0] == f"{root}: 19 files"
    assert "        3   15.8 %  result" in lines and "        3   15.8 %  data" in lines
    assert "2 tasks, 4 files can't go" in printed(capsys, root, "--files")


def test_a_terminal_sees_the_progress_of_measuring_and_reading(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_lines, "_INTERVAL", 0.0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    main(["space", str(root), "--by", "environment"])
    shown = capsys.readouterr()
    assert "measured 3 of 3 tasks" in shown.err and "read 2 of 3 tasks" in shown.err
    assert "   6.1 MB   85.9 %  default: 3 tasks" in shown.out


def test_a_root_without_tasks_is_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "hipercow").mkdir()
    assert printed(capsys, tmp_path).startswith(f"{tmp_path}: 0 B\ncan be purged: 0 B of 0 tasks\n")


@pytest.mark.parametrize("words", [("--by", "colour"), ("--limit", "0")])
def test_wrong_usage_is_refused(root: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["space", str(root), *words])
