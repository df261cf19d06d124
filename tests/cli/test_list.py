"""The order, the size and the formats of a list."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_py_root import write_py_task
from small_root import task_id, write_bundle, write_retries, write_task

from hipercow_tui.cli.main import main
from hipercow_tui.domain.notes import Note
from hipercow_tui.domain.records import RecordTarget, TargetKind
from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.formats.folder_size import measure_many
from hipercow_tui.formats.root import find_root
from hipercow_tui.output.csv_output import csv_lines
from hipercow_tui.output.json_output import json_lines, listed_task_as_json

A, B, C, D = map(task_id, range(1, 5))
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A, B and C have one, two and three files more than the others; D was never finished."""
    for size, identity in enumerate((C, A, B), 1):
        write_task(tmp_path, identity, "failure" if identity == A else "success")
        folder = tmp_path / "hipercow" / "tasks" / identity[:2] / identity[2:]
        (folder / "log").write_bytes(b"x" * 10_000 * size)
    write_task(tmp_path, D, "running")
    write_bundle(tmp_path, "sweep_2", [B, C])
    write_bundle(tmp_path, "sweep_1", [A, B])
    return tmp_path


def listed(capsys: Capture, root: Path, *words: str) -> list[str]:
    """Return the ids that a list prints, in order."""
    assert main(["list", str(root), *words]) == 0
    return [line.split()[0] for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["--sort", "size"], [D, C, A, B]),
        (["--sort", "-size"], [B, A, C, D]),
        (["--sort=-size"], [B, A, C, D]),
        (["--sort", "size", "--reverse"], [B, A, C, D]),
        (["--sort", "-size", "--reverse"], [D, C, A, B]),
        (["--sort", "id"], [A, B, C, D]),
        (["--sort", "-id", "--limit", "2"], [D, C]),
        (["--sort", "id", "--with-status", "success"], [B, C]),
        (["--sort", "-id", "--with-status", "success", "--limit", "1"], [C]),
        (["--sort", "bundle"], [D, A, B, C]),
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]])
def test_a_list_is_sorted_and_cut(
    root: Path, capsys: Capture, words: list[str], ids: list[str], form: list[str]
) -> None:
    assert main(["list", str(root), *words, *form]) == 0
    out = capsys.readouterr().out
    if form == ["--json"]:
        found = [json.loads(line)["id"] for line in out.splitlines()]
    elif form == ["--csv"]:
        found = [row["id"] for row in csv.DictReader(io.StringIO(out, newline=""))]
    else:
        found = [line.split()[0] for line in out.splitlines()]
    assert found == ids


@pytest.mark.parametrize("key", ["what", "inputs", "created", "waited", "ran", "attempts", "lang"])
def test_every_column_can_be_sorted_by_in_both_directions(
    root: Path, capsys: Capture, key: str
) -> None:
    assert sorted(listed(capsys, root, "--sort", key)) == [A, B, C, D]
    assert sorted(listed(capsys, root, "--sort", f"-{key}")) == [A, B, C, D]


def test_reverse_alone_reverses_the_usual_order(root: Path, capsys: Capture) -> None:
    usual = listed(capsys, root)
    assert listed(capsys, root, "--reverse") == usual[::-1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--sort", "siz"], "'siz' is not a column: did you mean 'size'?"),
        (["--sort", "zzz"], "'zzz' is not a column: use one of status, what,"),
        (["--limit", "0"], "must be a whole number of at least 1"),
        (["--limit", "x"], "must be a whole number of at least 1"),
        (["--csv", "--json"], "--csv can't be combined with --json"),
        (["--jsn"], "unrecognized arguments: --jsn: did you mean --json?"),
        (["--with-state=x"], "unrecognized arguments: --with-state=x: did you mean --with-status?"),
        (["more", "words"], "unrecognized arguments: words: --help lists the arguments"),
    ],
)
def test_wrong_arguments_give_a_hint(capsys: Capture, words: list[str], said: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["list", *words])
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


def test_a_header_is_printed_on_a_terminal_only(
    root: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["list", str(root), "--sort", "size"]) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split() == ["id", "status", "finished", "size", "bundle"]
    for row in rows:
        assert row[header.index("status") :].startswith(("success", "failure", "running"))
        assert row[header.index("size") :].split()[0][0].isdigit()
    write_retries(root, [(B, A, A)])
    assert main(["list", str(root)]) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert "failure → success" in "\n".join(rows)
    assert {row[header.index("finished") :].split()[0] for row in rows} == {"just", "-"}
    write_py_task(root, task_id(9), "success")
    assert main(["list", str(root), "--details"]) == 0
    header = capsys.readouterr().out.splitlines()[0]
    assert header.split() == ["id", "lang", "status", "finished", "bundle", "what", "inputs"]
    for form in ("--json", "--csv"):
        assert main(["list", str(root), form]) == 0
        assert not capsys.readouterr().out.startswith("id ")


@pytest.mark.parametrize("key", ["size", "disk", "files"])
def test_the_size_to_sort_by_is_shown_and_csv_has_all_sizes(
    root: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    assert main(["list", str(root), "--sort", key, "--csv"]) == 0
    out = capsys.readouterr().out
    for row in csv.DictReader(io.StringIO(out, newline="")):
        size = measure_many(find_root(root), [row["id"]])[row["id"]]
        sizes = [row[name] for name in ("bytes", "disk_bytes", "files")]
        assert sizes == list(map(str, (size.bytes, size.disk_bytes, size.files)))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["list", str(root), "--sort", key]) == 0
    header = capsys.readouterr().out.splitlines()[0]
    assert header.split() == ["id", "status", "finished", key, "bundle"]


def test_a_terminal_shows_how_much_of_the_list_is_missing(
    root: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["list", str(root), "--limit", "3"]) == 0
    assert "the first 3 of 4 tasks" in capsys.readouterr().err
    assert main(["list", str(root), "--limit", "4"]) == 0
    assert not capsys.readouterr().err
    assert main(["list", str(root), "--with-status", "cancelled"]) == 0
    assert "none of 4 tasks passes the filters" in capsys.readouterr().err


def test_a_list_in_a_pipe_has_no_remarks(root: Path, capsys: Capture) -> None:
    for words in (["--limit", "3"], ["--with-status", "cancelled"]):
        assert main(["list", str(root), *words]) == 0
        assert not capsys.readouterr().err


def test_an_empty_root_is_named(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "hipercow").mkdir()
    assert main(["list", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert not out and f"{tmp_path} has no tasks yet. task_create_expr() in R" in err


def test_csv_has_the_values_of_json(root: Path, capsys: Capture) -> None:
    write_retries(root, [(B, A, A)])
    assert main(["list", str(root), "--json", "--details"]) == 0
    records = list(map(json.loads, capsys.readouterr().out.splitlines()))
    assert main(["list", str(root), "--csv", "--details"]) == 0
    out = capsys.readouterr().out
    assert out.endswith("\r\n") and "\n" not in out.replace("\r\n", "")
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    assert [row["id"] for row in rows] == [record["id"] for record in records]
    for row, record in zip(rows, records, strict=True):
        assert row.keys() == {*record, "error", "problem"}
        assert row["bundles"] == ";".join(record["bundles"])
        assert row["chain"] == ";".join(record["chain"])
        assert row["tip_status"] == (record["tip_status"] or "")
        assert (row["finished"] == "") == (record["finished"] is None)


def test_csv_quotes_cells_and_shows_control_characters() -> None:
    record = {"runs": 'f("a, b")', "error": "one\ntwo \x1b[31m", "created": 0.0, "started": None}
    header, line = csv_lines(list(record), [record])
    assert header == "runs,error,created,started"
    assert line == '"f(""a, b"")",one␊two ␛[31m,1970-01-01T00:00:00Z,'
    assert next(csv.reader([line])) == ['f("a, b")', "one␊two ␛[31m", "1970-01-01T00:00:00Z", ""]


def test_csv_of_a_time_beyond_the_calendar_is_its_number() -> None:
    assert list(csv_lines(["created"], [{"created": 1e300}]))[1] == "1e+300"


times = st.none() | st.floats() | st.integers(0, 2**40).map(float)
statuses = st.sampled_from(Status)
tasks = st.builds(
    Task,
    id=st.integers(0, 16**32 - 1).map("{:032x}".format),
    status=statuses,
    created=times,
    started=times,
    finished=times,
    finished_estimated=st.booleans(),
    latest_status=st.none() | statuses,
    bundles=st.lists(st.text(), max_size=3).map(tuple),
    chain=st.lists(st.integers(0, 9).map(task_id), max_size=3).map(tuple),
    lang=st.sampled_from(Lang),
)


@given(st.lists(tasks, max_size=5))
def test_lines_of_json_are_those_of_the_json_module(some: list[Task]) -> None:
    note = Note(RecordTarget(TargetKind.CHAIN, Lang.R, task_id(0)), 'a "note"', "ada", "node1", 0.0)
    notes = {task.id: note for task in some[::2]}
    lines = list(json_lines(some, notes))
    assert lines == [json.dumps(listed_task_as_json(task, notes)) for task in some]
    for line, task in zip(lines, some, strict=True):
        created = json.loads(line)["created"]
        assert created == task.created or (task.created is not None and math.isnan(task.created))
