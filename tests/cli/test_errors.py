"""The command ``errors`` and the function ``errors()``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from failing import result_file, write_failed
from failing_in_r import FRAMES
from small_root import DAY, task_id, write_bundle, write_retries, write_task

import hipercow_tui
from hipercow_tui.analysis import failure_reader
from hipercow_tui.analysis.error_groups import Failure
from hipercow_tui.cli.main import main
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.root import Root

NOW = 1_795_500_000.0
RULES = """
[[rule]]
pattern = "(?i)TOO large"
name = "too large"
[[rule]]
pattern = "["
name = "broken"
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two failures in check(), one in turned(), one that has no result, and a success; the first
    was repaired by a retry, and ran on a known node."""
    for name in ("CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    monkeypatch.setattr("time.time", lambda: NOW)
    project = tmp_path / "project"
    for n, name in enumerate(("fit", "nested", "turned")):
        result = (FRAMES / f"{name}.rds").read_bytes()
        write_failed(project, task_id(n), result, ended=NOW - n * DAY)
    folder = project / "hipercow" / "tasks" / task_id(0)[:2] / task_id(0)[2:]
    (folder / "log.outer").write_text("running on: node042\n")
    write_failed(project, task_id(3), None, ended=NOW - 3 * DAY)
    write_task(project, task_id(5), "success", created=NOW - DAY, finished=NOW)
    write_retries(project, [(task_id(5), task_id(0), task_id(0))])
    write_task(project, task_id(6), "success", created=NOW - DAY, finished=NOW)
    write_bundle(project, "sweep\x1b[2J", [task_id(0), task_id(1)])
    return project


def write_rules(root: Path) -> None:
    folder = root.parent / "CONFIG" / "hipercow-tui"
    folder.mkdir(parents=True)
    (folder / "errors.toml").write_text(RULES)


def printed(capsys: pytest.CaptureFixture[str], *words: str | Path, status: int = 0) -> str:
    assert main(["errors", *map(str, words)]) == status
    return capsys.readouterr().out


def groups(capsys: pytest.CaptureFixture[str], *words: str | Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(printed(capsys, *words, "--json"))["groups"]
    return found


def test_groups_have_number_times_bundles_frames_and_an_example(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printed(capsys, root, "--limit", "1").splitlines() == [
        f"{root}: 4 failed tasks, 3 errors",
        "",
        "      2  too large: 1",
        "         first 1 day ago, last just now; 1 succeeded after a retry",
        "         in bundle sweep␛[2J (2)",
        "         failed in check() (2)",
        f"         such as {task_id(0)}",
        "",
        "      2  in 2 more groups",
    ]


def test_json_has_the_ids_of_each_group(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known, turned, unknown = groups(capsys, root, "--by", "frame")
    assert (known["label"], known["ids"]) == ("check()", [task_id(0), task_id(1)])
    assert known["messages"] == {"too large: <n>": 2}
    assert (turned["label"], turned["known"]) == ("turned()", True)
    assert (unknown["label"], unknown["known"]) == ("no frame known", False)
    node, other = sorted(groups(capsys, root, "--by", "node"), key=lambda group: group["tasks"])
    assert (node["label"], node["ids"]) == ("node042", [task_id(0)])
    assert (other["tasks"], other["known"]) == (3, False)


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["--with-status", "success"], {task_id(0)}),
        (["--in-bundle", "sweep*"], {task_id(0), task_id(1)}),
        (["--finished-before", "36 h"], {task_id(2), task_id(3)}),
        (["--task-id", task_id(6)], set()),
    ],
)
def test_filters_select_failed_tasks(
    root: Path, capsys: pytest.CaptureFixture[str], words: list[str], ids: set[str]
) -> None:
    found = groups(capsys, root, *words)
    assert {task_id for group in found for task_id in group["ids"]} == ids


def test_failures_are_read_once_and_those_of_other_filters_stay_in_the_cache(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = groups(capsys, root)
    read: list[str] = []
    read_failure = failure_reader.read_failure

    def record(root: Root, task: Task) -> Failure:
        read.append(task.id)
        return read_failure(root, task)

    monkeypatch.setattr(failure_reader, "read_failure", record)
    (root / "hipercow" / "tasks" / task_id(2)[:2] / task_id(2)[2:] / "new").touch()
    groups(capsys, root, "--task-id", task_id(2))
    assert read == [task_id(2)]
    assert groups(capsys, root) == first
    assert read == [task_id(2), task_id(3)]  # a failure with a problem is read again


def test_rules_name_groups_and_bad_ones_give_a_message(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rules(root)
    main(["errors", str(root), "--json"])
    out, err = capsys.readouterr()
    first = json.loads(out)["groups"][0]
    assert (first["label"], first["rule"], first["tasks"]) == ("too large", True, 2)
    assert first["messages"] == {"too large: <n>": 2}
    assert "errors.toml, rule 2: its pattern is not a regular expression" in err
    assert "      2  too large\n" in printed(capsys, root)
    assert hipercow_tui.errors(root)["groups"] == json.loads(out)["groups"]


def test_explain_says_why_a_task_is_in_its_group(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printed(capsys, root, "--explain", task_id(0)).splitlines() == [
        f"task        {task_id(0)}",
        "message     too large: 1",
        "frame       check()",
        "node        node042",
        "rule        none matches",
        "group       too large: <n>",
        "why         values such as numbers, paths and quoted names may differ between the tasks of"
        " a group",
    ]
    write_rules(root)
    text = printed(capsys, root, "--explain", task_id(0))
    assert "errors.toml, rule 1: the pattern '(?i)TOO large' is in the message\n" in text
    assert "group       too large\n" in text
    text = printed(capsys, root, "--explain", task_id(3))
    assert "no message  'result'" in text and "frame       not known\n" in text


def test_explain_of_a_task_that_has_not_failed_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["errors", str(root), "--explain", task_id(6)]) == 1
    assert "has not failed: its status is success" in capsys.readouterr().err
    assert main(["errors", str(root), "--explain", "ab"]) == 1
    assert "does not exist" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("--by", "age"), ("--limit", "0"), ("--explain", "a", "--json")])
def test_wrong_options_are_refused(root: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["errors", str(root), *words])
    assert exit_.value.code == 2


def test_function_refuses_an_unknown_grouping(root: Path) -> None:
    with pytest.raises(hipercow_tui.BadFilterError, match="by takes one of message, frame, node"):
        hipercow_tui.errors(root, by="age")


def test_root_without_failures_has_no_groups(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_task(tmp_path, task_id(0), "success", created=NOW, finished=NOW)
    assert printed(capsys, tmp_path) == f"{tmp_path}: 0 failed tasks\n"


def test_control_characters_of_a_message_are_escaped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_failed(tmp_path, task_id(0), result_file("\x1b]0;title\x07 no"))
    for words in ([], ["--explain", task_id(0)]):
        assert "\x1b" not in printed(capsys, tmp_path, *words)
