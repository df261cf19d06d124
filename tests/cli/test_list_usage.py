"""``list --usage``: cores, CPU time and memory, requested and used."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from recorded_resources import info_file, resources_file
from small_root import task_id, write_task

from hipercow_tui.cli.main import main
from hipercow_tui.demo.r_builders import named, reals
from hipercow_tui.demo.rds_writer import serialize

BUSY, IDLE, WHOLE, OLD = map(task_id, range(1, 5))
KEYS = ["cores", "cpu", "used_cores", "memory", "used_memory", "efficiency"]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two measured tasks, one that asked for a whole node and was cancelled, one without files."""
    for identity, resources, info in (
        (BUSY, "everything", "child"),
        (IDLE, "default", "windows"),
        (WHOLE, "whole_node", "cancelled"),
    ):
        folder = write_task(tmp_path, identity, "success")
        (folder / "resources").write_bytes(resources_file(resources))
        (folder / "info").write_bytes(info_file(info))
    write_task(tmp_path, OLD, "success")
    return tmp_path


def output(capsys: Capture, root: Path, *words: str) -> str:
    assert main(["list", str(root), *words]) == 0
    return capsys.readouterr().out


def test_json_has_numbers_and_null_for_what_is_not_known(root: Path, capsys: Capture) -> None:
    lines = output(capsys, root, "--usage", "--json").splitlines()
    found = {line["id"]: [line[key] for key in KEYS] for line in map(json.loads, lines)}
    assert found[BUSY] == [4, 0.138, 0.9718, 2_000_000_000, 69_940_019, 0.243]
    assert found[IDLE] == [1, 0.001, 0.007, None, 69_940_019, 0.007]
    assert found[WHOLE] == ["Inf", None, None, None, None, None]
    assert found[OLD] == [None] * 6
    plain = json.loads(output(capsys, root, "--json").splitlines()[0])
    assert not plain.keys() & set(KEYS)
    both = json.loads(output(capsys, root, "--usage", "--details", "--json").splitlines()[0])
    assert both.keys() > {"runs", *KEYS}


def test_csv_has_the_same_columns(root: Path, capsys: Capture) -> None:
    rows = csv.DictReader(io.StringIO(output(capsys, root, "--usage", "--csv")))
    found = {row["id"]: [row[key] for key in KEYS] for row in rows}
    assert found[BUSY] == ["4", "0.138", "0.9718", "2000000000", "69940019", "0.243"]
    assert found[WHOLE] == ["Inf", "", "", "", "", ""]


def test_the_table_has_units_and_is_sorted_by_a_column(root: Path, capsys: Capture) -> None:
    lines = output(capsys, root, "--usage", "--sort", "-cores").splitlines()
    assert [line.split()[0] for line in lines] == [WHOLE, BUSY, IDLE, OLD]
    assert "  node         -            -            -            -            -" in lines[0]
    assert "  4            0.1 seconds  1.0          2.0 GB       69.9 MB      24 %" in lines[1]
    sorted_only = output(capsys, root, "--sort", "-efficiency", "--limit", "1")
    assert sorted_only.split()[0] == BUSY
    assert sorted_only.rstrip().endswith("24 %")


def test_a_number_that_is_no_usage_changes_nothing(root: Path, capsys: Capture) -> None:
    folder = root / "hipercow" / "tasks" / BUSY[:2] / BUSY[2:]
    (folder / "resources").write_bytes(serialize(named(("cores", reals(-1.0)))))
    (folder / "info").write_bytes(b"\0")
    (line,) = output(capsys, root, "--usage", "--json", "--task-id", BUSY).splitlines()
    assert [json.loads(line)[key] for key in KEYS] == [None] * 6


def test_usage_and_inputs_are_different_outputs(root: Path, capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["list", str(root), "--usage", "--inputs", "--json"])
    assert "--usage can't be combined with --inputs" in capsys.readouterr().err
