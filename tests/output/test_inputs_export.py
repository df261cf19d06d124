"""Exported inputs: the cells of R values, and what Python and R read of CSV, JSON and R code."""

from __future__ import annotations

import csv
import io
import json
import math
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inputs_case import (
    RECORDED,
    calls_for,
    day,
    factor,
    moment,
    parse_printed,
    printing_code,
    random_rows,
    real,
    run_r_code,
    special_rows,
    table_of,
    task,
    text,
    text_of,
    vector,
    whole,
)

from hipercow_tui.domain.task import Status
from hipercow_tui.formats.input_values import InputValues
from hipercow_tui.formats.rlang.values import REnvironment, RList, RNull, ROpaque, RValue
from hipercow_tui.output.inputs_export.cells import (
    Cell,
    Kind,
    common_kind,
    input_cell,
    number_text,
)
from hipercow_tui.output.inputs_export.table import column_name, make_row
from hipercow_tui.output.inputs_export.writers import Format, read_call

DOUBLES = st.floats()
NO_LEVEL = 'structure(3L, levels = c("low", "high"), class = "factor")'
NAMES = st.text(st.characters(blacklist_categories=["Cs"]), max_size=8)
SCALARS = st.one_of(
    DOUBLES.map(real),
    st.integers(-(2**31) + 1, 2**31 - 1).map(whole),
    st.booleans().map(lambda value: vector("logical", value)),
    NAMES.map(text),
    st.just(RNull()),
)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (real(0.1), Cell(Kind.DOUBLE, "0.1")),
        (real(3.0), Cell(Kind.DOUBLE, "3.0")),
        (real(math.inf), Cell(Kind.DOUBLE, "Inf")),
        (whole(3), Cell(Kind.INTEGER, "3")),
        (vector("logical", False), Cell(Kind.LOGICAL, "FALSE")),
        (vector("complex", 1 - 2j), Cell(Kind.COMPLEX, "1.0-2.0i")),
        (text("a\nb"), Cell(Kind.TEXT, "a\nb")),
        (factor(2), Cell(Kind.TEXT, "high")),
        (day(-1.0), Cell(Kind.DATE, "1969-12-31")),
        (moment(0.25), Cell(Kind.TIME, "0.25")),
        (real(1.0, 2.0), Cell(Kind.TEXT, "c(1, 2)")),
        (whole(*range(1, 11)), Cell(Kind.TEXT, "1:10")),
        (vector("double", 1.0, names=text("a")), Cell(Kind.TEXT, "c(a = 1)")),
        (vector("raw", 31), Cell(Kind.TEXT, "as.raw(0x1f)")),
        (RList((whole(1),)), Cell(Kind.TEXT, "list(1L)")),
        (REnvironment("local"), Cell(Kind.TEXT, "<environment>")),
        (factor(3), Cell(Kind.TEXT, NO_LEVEL)),
    ],
)
def test_input_cell_of_a_value_has_its_type(value: RValue, cell: Cell) -> None:
    assert input_cell(value) == cell


@pytest.mark.parametrize(
    "missing", [RNull(), real(None), text(None), factor(None), day(None), moment(math.nan)]
)
def test_input_cell_of_a_missing_value_is_none(missing: RValue) -> None:
    assert input_cell(missing) is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (ROpaque("double", length=1_000_000), "numeric vector of 1,000,000 values, 8.0 MB"),
        (real(*[0.5] * 10_000), "numeric vector of 10,000 values, 80.0 kB"),
        (text("é" * 40_000), "character vector of 1 value, 80.0 kB"),
        (RList((whole(1),) * 20_000), "list of 20,000 values"),
    ],
)
def test_input_cell_of_a_large_value_says_its_size(value: RValue, message: str) -> None:
    assert input_cell(value) == Cell(Kind.TOO_LARGE, f"<{message}: too large>")


@given(DOUBLES)
def test_number_text_of_any_double_gives_the_same_double(number: float) -> None:
    shown = number_text(number)
    again = float(shown)
    assert again == number or (math.isnan(again) and math.isnan(number))
    assert math.copysign(1, again) == math.copysign(1, number) or math.isnan(number)


def test_common_kind_of_mixed_cells_is_text_except_for_numbers() -> None:
    assert common_kind([]) is Kind.LOGICAL
    assert common_kind([Kind.INTEGER, Kind.DOUBLE]) is Kind.DOUBLE
    assert common_kind([Kind.INTEGER, Kind.LOGICAL]) is Kind.TEXT
    assert common_kind([Kind.TEXT, Kind.TOO_LARGE]) is Kind.TEXT


@given(st.sets(NAMES | st.sampled_from(["id", "input.id", "input.input.id", "row.names"])))
def test_column_names_of_different_inputs_differ(names: set[str]) -> None:
    columns = {column_name(name) for name in names}
    assert len(columns) == len(names)
    assert not columns & {"id", "status", "row.names"}


def test_make_row_names_unnamed_and_repeated_inputs() -> None:
    values = InputValues((("", whole(1)), ("a", whole(2)), ("a", whole(3)), ("1", whole(4))))
    assert list(make_row(task(0), values).inputs) == ["1", "a", "a.", "1."]


@given(st.lists(st.dictionaries(NAMES.filter(bool), SCALARS, max_size=4), max_size=4))
def test_csv_has_the_text_of_each_cell(rows: list[dict[str, RValue]]) -> None:
    given_rows = [(task(n), InputValues(tuple(row.items()))) for n, row in enumerate(rows)]
    with table_of(given_rows) as table:
        columns = list(table.columns)
        read = list(csv.reader(io.StringIO(text_of(table, Format.CSV), newline="")))
        names = table.names
    assert len(read) == len(rows) + 1
    assert [len(cells) for cells in read] == [len(columns)] * len(read)
    for row, cells in zip(rows, read[1:], strict=True):
        for name, cell in zip(names, cells[7:], strict=True):
            made = input_cell(row.get(name, RNull()))
            expected = "NA" if made is None else made.text
            if expected.isascii() and expected.isprintable():
                assert cell == expected


@given(st.dictionaries(NAMES.filter(bool), SCALARS, max_size=6))
def test_json_line_has_each_input_with_its_type(inputs: dict[str, RValue]) -> None:
    with table_of([(task(1), InputValues(tuple(inputs.items()), "why"))]) as table:
        line = json.loads(text_of(table, Format.JSON))
    assert line["error"] == "why"
    assert line["status"] == "success"
    assert list(line["inputs"]) == list(inputs)
    for name, found in line["inputs"].items():
        (single,) = getattr(inputs[name], "values", (None,))
        if isinstance(single, float) and not math.isfinite(single):
            assert found in ("NaN", "Inf", "-Inf")
        else:
            assert found == single
            assert type(found) is type(single)


@pytest.mark.parametrize("repeated", [" ", "1"])
def test_long_texts_that_begin_as_numbers_take_a_bounded_time(repeated: str) -> None:
    value = vector("character", repeated * 32_000 + "x")
    began = time.process_time()
    with table_of([(task(0), InputValues((("x", value),)))]) as table:
        assert "x" not in table.number_like
    assert time.process_time() - began < 2


def test_table_without_rows_has_the_fixed_columns() -> None:
    with table_of([]) as table:
        assert text_of(table, Format.CSV).count(",") == 6
        assert text_of(table, Format.JSON) == ""
        assert "created = .POSIXct(numeric(0)" in text_of(table, Format.R)


def test_control_characters_are_shown_or_escaped() -> None:
    hostile = "\x1b]0;x\x07 \u202e \x00\r"
    rows = [(task(1, Status.FAILURE), InputValues(((hostile, text(hostile)),), hostile))]
    with table_of(rows) as table:
        for form in Format:
            shown = text_of(table, form)
            assert not {"\x1b", "\x07", "\u202e", "\x00", "\r"} & set(shown)


def test_remarks_say_what_is_missing() -> None:
    rows = [
        (task(0xAB), InputValues((("x", ROpaque("double", length=10**7)), ("y", whole(1))))),
        (task(2), InputValues((("x", ROpaque("double", length=10**7)),), problem="'data': gone")),
    ]
    with table_of(rows) as table:
        assert table.remarks == [
            "2 values too large, replaced by their type and size: x (2)",
            "1 task could not be read completely",
        ]
        assert read_call(table, Format.CSV, "a.csv") == 'read.csv("a.csv", check.names = FALSE)'
        assert read_call(table, Format.R, "a.R") == 'source("a.R", encoding = "UTF-8")$value'
        assert read_call(table, Format.JSON, "a.jsonl") == ""


def test_export_is_as_recorded(tmp_path: Path) -> None:
    with table_of(special_rows()) as table:
        calls = calls_for(tmp_path, "special", table)
    for name in ("special.csv", "special.R"):
        assert (tmp_path / name).read_bytes() == (RECORDED / name).read_bytes()
    check_against_values((RECORDED / "printed.txt").read_text("utf-8"), calls)


def check_against_values(printed: str, calls: dict[str, str]) -> None:
    """Check that R read the types and the values of ``special_rows`` from both files."""
    frames = parse_printed(printed)
    assert list(frames) == list(calls)
    literal = frames["special literal"]
    assert {name: literal[name][0] for name in TYPES} == TYPES
    with table_of(special_rows()) as table:
        columns = table.columns
        rows = [{**row.inputs} for row in table.rows]
    assert list(literal) == list(columns) == list(frames["special csv"])
    for name in ("real", "whole", "flag", "digits", "level", "text", "moment"):
        expected = [r_text(row.get(name)) for row in rows]
        assert literal[name][1] == expected
    for name, kind in columns.items():
        if kind not in (Kind.DATE, Kind.TIME):
            # In CSV the text NA is a missing value, as read.csv() has it.
            known = ["missing" if value == "4e41" else value for value in literal[name][1]]
            assert (frames["special csv"][name][1], name) == (known, name)
            assert frames["special csv"][name][0] == literal[name][0]


TYPES = {
    "created": "POSIXct", "real": "numeric", "text": "character", "whole": "integer",
    "flag": "logical", "complex": "complex", "level": "character", "day": "Date",
    "moment": "POSIXct", "code": "character", "mixed": "numeric", "odd": "character",
    "digits": "character", "nothing": "logical", "huge": "character", "started": "POSIXct",
}  # fmt: skip


def r_text(cell: Cell | None) -> str:
    """Return the text that ``printing_code`` prints for a cell."""
    if cell is None:
        return "missing"
    if cell.kind in (Kind.DOUBLE, Kind.TIME):
        return r_hex(float(cell.text))
    return cell.text.encode().hex() if cell.kind is Kind.TEXT else cell.text


def r_hex(number: float) -> str:
    """Return a double as R's ``sprintf("%a")`` prints it."""
    if not math.isfinite(number):
        return number_text(number)
    if number == 0:
        return "-0x0p+0" if math.copysign(1, number) < 0 else "0x0p+0"
    mantissa, exponent = number.hex().split("p")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}p{exponent}"


def test_r_reads_the_values_of_every_type(tmp_path: Path) -> None:
    with table_of(special_rows()) as table:
        calls = calls_for(tmp_path, "special", table)
    check_against_values(run_r_code(printing_code(calls), tmp_path), calls)


def test_r_reads_random_values_as_they_were(tmp_path: Path) -> None:
    calls: dict[str, str] = {}
    expected = {}
    for seed in range(60):
        with table_of(random_rows(seed)) as table:
            calls |= calls_for(tmp_path, f"case{seed}", table)
            expected[f"case{seed}"] = table.columns, [row.inputs for row in table.rows]
    frames = parse_printed(run_r_code(printing_code(calls), tmp_path))
    for case, (columns, rows) in expected.items():
        literal, read = frames[f"{case} literal"], frames[f"{case} csv"]
        assert list(literal) == list(columns)
        for name, kind in columns.items():
            if kind in (Kind.DOUBLE, Kind.INTEGER, Kind.LOGICAL, Kind.TEXT) and name in rows[0]:
                assert literal[name][1] == [r_text(row.get(name)) for row in rows]
            if kind in (Kind.DOUBLE, Kind.INTEGER, Kind.LOGICAL, Kind.COMPLEX):
                assert read[name] == literal[name]
