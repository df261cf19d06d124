"""``list`` with the inputs of tasks, and the inputs of roots that the real hipercow made."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from inputs_case import day, factor, real, text, whole, write_inputs
from real_r import run_r
from small_py_root import write_py_task
from small_root import task_id, write_bundle

from hipercow_tui.cli.main import main
from hipercow_tui.formats.rlang.values import RNull

A, B, C, D = map(task_id, range(10, 14))
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A and B have inputs, C is a retry of B, and D is a Python task."""
    write_inputs(tmp_path, A, "success", {"beta": real(0.1), "region": text("a\tb\nc")})
    write_inputs(tmp_path, B, "failure", {"beta": real(2.0), "id": whole(7), "code": text("007")})
    write_inputs(tmp_path, C, "success", {}, base=B)
    write_py_task(tmp_path, D, "success")
    write_bundle(tmp_path, "sweep", [A, B])
    return tmp_path


def printed(capsys: Capture, *words: object, status: int = 0) -> tuple[str, str]:
    """Return what ``list`` prints on standard output and standard error."""
    assert main(["list", *map(str, words)]) == status
    out, err = capsys.readouterr()
    return out, err


def test_csv_has_a_column_for_each_input(root: Path, capsys: Capture) -> None:
    out, err = printed(capsys, root, "--inputs", "--csv", "--sort", "id", "--lang", "r")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["id"] for row in rows] == [A, B, C]
    assert list(rows[0])[7:] == ["beta", "region", "input.id", "code"]
    assert [row["beta"] for row in rows] == ["0.1", "2.0", "2.0"]
    assert rows[0]["region"] == "a\tb\nc"
    assert rows[2]["input.id"] == "7"  # a retry has the inputs of its first attempt
    assert 'colClasses = c(code = "character")' in err


def test_json_has_inputs_with_their_types(root: Path, capsys: Capture) -> None:
    lines = [
        json.loads(line) for line in printed(capsys, root, "--inputs", "--json")[0].split("\n")[:-1]
    ]
    by_id = {line["id"]: line for line in lines}
    assert by_id[A]["inputs"] == {"beta": 0.1, "region": "a\tb\nc"}
    assert by_id[B]["inputs"] == {"beta": 2.0, "id": 7, "code": "007"}
    assert list(by_id[D]["inputs"]) == ["command"]
    assert isinstance(by_id[A]["created"], float)


def test_r_prints_a_data_frame(root: Path, capsys: Capture) -> None:
    out, _ = printed(capsys, root, "--r", "--in-bundle", "sweep", "--sort", "id", "--no-follow")
    assert out.startswith("data.frame(\n  id = c(\n")
    assert '    "a\\tb\\nc", NA_character_\n' in out
    assert out.endswith("  check.names = FALSE, stringsAsFactors = FALSE\n)\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--inputs"], "--inputs needs --csv, --json or --r"),
        (["--r", "--json"], "--json can't be combined with --r"),
        (["--csv", "--json"], "--csv can't be combined with --json"),
        (["--inputs", "--csv", "--details"], "--details can't be combined with --inputs"),
        (["--r", "--details"], "--details can't be combined with --r"),
    ],
)
def test_options_that_exclude_each_other_are_refused(
    root: Path, capsys: Capture, words: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["list", str(root), *words])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_unreadable_and_large_values_are_counted(tmp_path: Path, capsys: Capture) -> None:
    write_inputs(tmp_path, A, "success", {"x": real(*[0.5] * 10_000), "level": factor(1)})
    write_inputs(tmp_path, B, "success", {"x": RNull(), "day": day(0.0)})
    (tmp_path / "hipercow" / "tasks" / B[:2] / B[2:] / "data").write_bytes(b"damaged")
    out, err = printed(capsys, tmp_path, "--inputs", "--csv")
    assert "<numeric vector of 10,000 values, 80.0 kB: too large>" in out
    assert "1 value too large, replaced by their type and size: x (1)" in err
    assert "1 task could not be read completely" in err


MAKE_SWEEP = """
suppressMessages(library(hipercow))
hipercow_init("."); hipercow_configure("example")
values <- data.frame(
  n = c(1L, NA, 3L), x = c(0.1, 1/3, NaN), ok = c(TRUE, FALSE, NA),
  s = c("a", "two\\nlines", NA), level = factor(c("low", "high", NA)),
  day = as.Date(c("2024-02-29", NA, "1969-12-31")),
  at = .POSIXct(c(1.7e9, NA, 0.25), tz = "UTC"))
bundle <- task_create_bulk_expr(paste(n, x, ok, s, level, day, at), values, bundle_name = "sweep")
values$level <- as.character(values$level)
values$id <- bundle$ids
saveRDS(values, "values.rds")
for (n in 1:2) hipercow:::example_step(".", with_logging = TRUE, 0)
"""
COMPARE = """
values <- readRDS("values.rds")
frame <- eval(parse("frame.R", encoding = "UTF-8"))
frame <- frame[match(values$id, frame$id), ]
same <- vapply(names(values), function(n) identical(frame[[n]], values[[n]]), TRUE)
read <- read.csv("frame.csv", check.names = FALSE)
read <- read[match(values$id, read$id), ]
plain <- c("n", "x", "ok", "s", "level", "id")
same_csv <- vapply(plain, function(n) identical(read[[n]], values[[n]]), TRUE)
cat(c(names(which(!same)), names(which(!same_csv)), class(frame$created), nrow(frame)))
"""


def test_r_has_the_values_of_a_real_sweep_again(tmp_path: Path, capsys: Capture) -> None:
    run_r(MAKE_SWEEP, tmp_path)
    frame, _ = printed(capsys, tmp_path, "--r")
    (tmp_path / "frame.R").write_text(frame, "utf-8")
    rows, _ = printed(capsys, tmp_path, "--inputs", "--csv")
    (tmp_path / "frame.csv").write_text(rows, "utf-8", newline="")
    assert run_r(COMPARE, tmp_path) == "POSIXct POSIXt 3"
