from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from small_py_root import write_py_task
from small_root import task_id, tree, write_bundle, write_retries, write_task

from hipercow_tui.cli.main import main
from hipercow_tui.demo.r_builders import chars, flags, named
from hipercow_tui.demo.rds_writer import serialize
from hipercow_tui.domain.task import Status
from hipercow_tui.formats.rlang.values import RNull
from hipercow_tui.settings.saved_filters import FilterFile, SavedFilter

A, B, C, D = map(task_id, range(1, 5))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_task(tmp_path, A, "failure")
    write_task(tmp_path, B, "success")
    write_task(tmp_path, C, "running")
    write_bundle(tmp_path, "sweep_1", [A, C])
    return tmp_path


def run(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


def test_a_dry_run_prints_the_plan_and_changes_nothing(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(root)
    assert run("purge", root, "--with-status", "failure", "--dry-run") == 0
    output = capsys.readouterr().out
    assert "1 task · 1 bundle" in output and "would go" in output
    assert A in output and "sweep_1" in output and B not in output
    assert tree(root) == before


def test_the_json_of_a_dry_run_has_the_documented_keys(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("purge", root, "--with-status", "failure", "--dry-run", "--json") == 0
    output = json.loads(capsys.readouterr().out)
    assert set(output) == {
        "root",
        "dry_run",
        "tasks",
        "bundles",
        "kept",
        "goal",
        "blocked",
        "warnings",
    } | {
        "pinned",
        "bytes",
        "files",
        "disk_bytes",
    }
    (task,) = output["tasks"]
    assert task["id"] == A and task["reason"] == "matched" and task["of"] is None
    folder = root / "hipercow" / "tasks" / A[:2] / A[2:]
    assert task["files"] == len(list(folder.iterdir())) == output["files"]
    assert task["bytes"] == sum(p.stat().st_size for p in folder.iterdir()) == output["bytes"]
    assert output["bundles"] == [
        {"name": "sweep_1", "lang": "r", "tasks": 2, "deleted": 1, "surviving": 1}
    ]


def test_yes_purges_and_json_lists_the_tasks(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("purge", root, "--with-status", "failure", "--yes", "--json") == 0
    output = json.loads(capsys.readouterr().out)
    assert [task["id"] for task in output["tasks"]] == [A] and not output["dry_run"]
    assert not (root / "hipercow" / "tasks" / A[:2] / A[2:]).exists()
    assert not (root / "hipercow" / "bundles" / "sweep_1").exists()


def test_a_purge_without_yes_and_terminal_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(root)
    assert run("purge", root, "--with-status", "failure") == 1
    assert "--yes" in capsys.readouterr().err
    assert tree(root) == before


def test_blocked_tasks_are_listed_and_can_be_left_out(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(root)
    for dry in ("--dry-run", "--yes"):
        assert run("purge", root, "--in-bundle", "*", dry, "--json") == 1
        out, err = capsys.readouterr()
        output = json.loads(out)
        assert [one["id"] for one in output["blocked"]] == [C] and output["tasks"] == []
        assert "task_info" in err
        assert tree(root) == before
    assert run("purge", root, "--in-bundle", "*", "--yes", "--skip-blocked") == 0
    assert (root / "hipercow" / "tasks" / C[:2] / C[2:]).exists()
    assert not (root / "hipercow" / "tasks" / A[:2] / A[2:]).exists()


def test_a_refused_plan_begins_with_the_blocked_tasks(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (("--dry-run",), ("--yes",), ("--json",)):
        assert run("purge", root, "--in-bundle", "*", *words) == 1
        out, err = capsys.readouterr()
        shown = err if "--json" in words else out
        first, _, blocked, reason, held, *_ = shown.splitlines()
        assert first == "Refused, because 1 task is blocked"
        assert blocked == "blocked 1" and C in reason and "task_info" in reason
        assert held == "the plan has 2 tasks · 1 bundle"
        assert "would go" not in shown and shown.count(C) == (2 if shown is out else 3)


def test_list_masks_variables_with_names_of_secrets(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """R marks only registered variables as secret, Python marks none."""
    data = named(
        ("type", chars("script")),
        ("id", chars(A)),
        ("time", RNull()),
        ("path", chars(".")),
        ("environment", chars("default")),
        (
            "envvars",
            named(
                ("name", chars("API_TOKEN", "HIDDEN", "LEVEL")),
                ("value", chars("hunter2", "hunter3", "4")),
                ("secret", flags(False, True, False)),
            ),
        ),
        ("script", chars("run.R")),
    )
    (root / "hipercow" / "tasks" / A[:2] / A[2:] / "data").write_bytes(serialize(data))
    write_py_task(root, D, "success", envvars={"db_password": "hunter4", "LEVEL": "5"})
    for words in (("--json",), ()):
        assert run("list", root, "--details", "--task-id", A, "--task-id", D, *words) == 0
        out, err = capsys.readouterr()
        assert "hunter" not in out + err
        if words:
            lines = {line["id"]: line for line in map(json.loads, out.splitlines())}
            stars = "********"
            assert lines[A]["envvars"] == {"API_TOKEN": stars, "HIDDEN": stars, "LEVEL": "4"}
            assert lines[D]["envvars"] == {"db_password": stars, "LEVEL": "5"}


def test_nothing_to_purge_is_not_an_error(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("purge", root, "--with-status", "cancelled", "--yes") == 0
    assert "Nothing to purge" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 2, "No filter selected"),
        (("--with-status", "failed"), 2, "did you mean 'failure'"),
        (("--with-status", "running"), 2, "task_cancel"),
        (("--finished-before", "soon"), 2, "is not a time"),
        (("--in-bundle", "nowhere*"), 2, "No bundle matches"),
        (("--in-bundle", "{a,b"), 2, "not closed"),
        (("--task-id", D), 1, "1 / 1 task does not exist"),
    ],
)
def test_a_refused_purge_gives_a_message(
    root: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    status: int,
    message: str,
) -> None:
    before = tree(root)
    assert run("purge", root, "--yes", *arguments) == status
    assert message in capsys.readouterr().err
    assert tree(root) == before


@pytest.fixture
def saved(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> FilterFile:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
    return FilterFile.of_user()


def test_saved_filters_are_selected_by_name(
    root: Path, saved: FilterFile, capsys: pytest.CaptureFixture[str]
) -> None:
    saved.save("old failures", SavedFilter(frozenset({Status.FAILURE}), "2090-01-01", ("sweep_*",)))
    saved.save("under way", SavedFilter(frozenset({Status.RUNNING})))
    assert run("list", root, "--filter", "under way") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [C]
    assert run("purge", root, "--filter", "under way", "--yes") == 2
    assert "task_cancel" in capsys.readouterr().err
    assert run("purge", root, "--filter", "old failures", "--json", "--yes") == 0
    assert json.loads(capsys.readouterr().out)["tasks"][0]["id"] == A


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("list", "--filter", "nothing"), "No filter 'nothing' in"),
        (("--filter", "nothing"), "No filter 'nothing' in"),
        (("--filter", "bad"), "filters.toml, filter 'bad': 'x' is not a filter: use status"),
        (
            ("purge", "--filter", "good", "--with-status", "failure"),
            "combined with --with-status",
        ),
        (
            ("list", "--filter", "good", "--no-follow"),
            "can't be combined with --no-follow",
        ),
        (("purge", "--filter", "good"), "No filter selected"),
    ],
)
def test_an_invalid_saved_filter_gives_a_message(
    root: Path,
    saved: FilterFile,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    saved.path.parent.mkdir()
    saved.path.write_text('[good]\nlang = "r"\n[bad]\nx = 1\n')
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.chdir(root)
    assert run(*arguments) == 2
    assert message in capsys.readouterr().err


def test_a_missing_root_gives_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", tmp_path) == 1
    assert "Couldn't find hipercow root" in capsys.readouterr().err


def test_a_file_as_root_gives_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data.csv").touch()
    assert run("list", tmp_path / "data.csv") == 1
    assert f"{tmp_path / 'data.csv'} is a file, and there is no folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "command"),
    [("lst", "list"), ("histry", "history"), ("purg", "purge"), ("prune", "purge")],
)
def test_a_misspelled_command_gives_a_hint(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    word: str,
    command: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in ([word], [word, "x", "--json"]):
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == 2
        said = f"there is no command '{word}': did you mean '{command}'?"
        assert said in capsys.readouterr().err
    (tmp_path / word).mkdir()  # it may be a root
    assert run(word) == 1
    assert "needs a terminal" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["tasks", "trial"])
def test_a_folder_that_does_not_exist_is_not_taken_for_a_misspelled_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(word) == 1
    assert "did you mean" not in capsys.readouterr().err


def test_messages_of_purge_have_the_names_of_options(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("purge", root) == 2
    said = capsys.readouterr().err
    assert "at least one of --task-id, --finished-before, --in-bundle, --with-status" in said
    assert run("purge", root, "--task-id", C, "--yes") == 1
    assert "leave out the blocked retry chains (--skip-blocked)" in capsys.readouterr().err


def test_list_json_has_the_documented_keys(
    sir_model: Path, sir_model_expected: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list", sir_model, "--json", "--details") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    by_id = {line["id"]: line for line in lines}
    assert len(by_id) == len(sir_model_expected["tasks"])
    for expected in sir_model_expected["tasks"]:
        line = by_id[expected["id"]]
        assert line["status"] == expected["status"] and line["tip_status"] == expected["followed"]
        assert line["type"] == expected["runs"]
        assert line["environment"] == expected["environment"]
        if "expression" in expected:
            assert line["runs"] == expected["expression"]
        if "fn" in expected:
            assert line["runs"] == f"({expected['fn']})({expected['args']})".replace(
                f"({expected['fn']})", expected["fn"], 1
            )
        if "script" in expected:
            assert line["runs"] == expected["script"]
        if "local_values" in expected:
            assert line["inputs"] == expected["local_values"]
        assert line["envvars"] == {
            v["name"]: "********" if v["name"].endswith(("_KEY", "_SECRET")) else v["value"]
            for v in expected["envvars"]
        }
        assert line.get("error") == expected.get("error")


def test_list_filters_by_all_six_statuses(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", root, "--with-status", "running") == 0
    out = capsys.readouterr().out
    assert C in out and "running" in out and A not in out


def test_list_reports_broken_tasks_separately(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "hipercow" / "tasks" / D[:2] / D[2:]).mkdir(parents=True)
    assert run("list", root) == 0
    out, err = capsys.readouterr()
    assert D not in out and A in out
    assert D in err and "no 'data'" in err


def test_retried_tasks_show_both_statuses(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_retries(root, [(B, A, A)])
    assert run("list", root, "--task-id", A) == 0
    assert "failure → success" in capsys.readouterr().out


def test_the_app_without_a_terminal_gives_a_message(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(root) == 1
    assert "needs a terminal" in capsys.readouterr().err


def test_the_app_in_a_console_without_escape_sequences_gives_a_message(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for stream in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True, raising=False)
    monkeypatch.setattr("hipercow_tui.cli.main.supports_escape_sequences", lambda: False)
    assert run(root) == 1
    assert "doesn't interpret escape sequences" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--demo", "x"], ["--demo-tasks", "0"], ["--demo-tasks", "x"], ["--nonsense"]]
)
def test_wrong_usage_exits_with_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


COMMANDS = ("", "purge", "list", "apply", "trash", "history")


@pytest.mark.parametrize("command", COMMANDS)
def test_options_are_not_abbreviated(
    root: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """--y must not confirm a purge."""
    before = tree(root)
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    options = set(re.findall(r"--[a-z][a-z-]*", capsys.readouterr().out))
    assert options >= {"--help"}
    for option in options:
        for length in range(3, len(option)):
            if option[:length] not in options:
                filters = ["--with-status", "failure"] if command in ("purge", "list") else []
                with pytest.raises(SystemExit) as caught:
                    main([*command.split(), str(root), option[:length], *filters])
                assert caught.value.code == 2, option[:length]
    assert tree(root) == before


@pytest.mark.parametrize("words", [["--help"], ["purge", "--help"], ["list", "--help"]])
def test_help_has_a_text_and_examples(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 0
    assert "hipercow-tui purge" in capsys.readouterr().out + "hipercow-tui purge" * (
        "list" in words
    )


def test_a_reader_that_closes_the_pipe_is_not_an_error(root: Path) -> None:
    for number in range(20, 200):
        write_task(root, task_id(number), "success")
    command = f"{sys.executable} -m hipercow_tui list {root} --json | head -n 1"
    ran = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        check=False,
    )
    assert "Traceback" not in ran.stderr and "Broken pipe" not in ran.stderr
    assert len(ran.stdout.splitlines()) == 1
