"""Rows with inputs of every type, and R code that prints what R reads of an export of them."""

from __future__ import annotations

import math
import random
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_root import write_task

from hipercow_tui.demo.rds_writer import serialize
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.input_values import InputValues
from hipercow_tui.formats.rlang.values import Element, RList, RNull, RValue, RVector
from hipercow_tui.output.inputs_export.table import InputsTable, make_row
from hipercow_tui.output.inputs_export.writers import Format, lines_of, read_call

NOW = 1_800_000_000.0
RECORDED = Path(__file__).parents[1] / "data" / "r" / "inputs"


def vector(kind: str, *values: Element, **attributes: RValue) -> RVector:
    return RVector(kind, values, tuple(attributes.items()))


def real(*values: float | None) -> RVector:
    return RVector("double", values)


def text(*values: str | None) -> RVector:
    return RVector("character", values)


def whole(*values: int | None) -> RVector:
    return RVector("integer", values)


def factor(code: int | None) -> RVector:
    return vector("integer", code, **{"levels": text("low", "high"), "class": text("factor")})


def day(number: float | None) -> RVector:
    return vector("double", number, **{"class": text("Date")})


def moment(seconds: float | None) -> RVector:
    return vector("double", seconds, **{"class": text("POSIXct", "POSIXt"), "tzone": text("UTC")})


def task(number: int, status: Status = Status.SUCCESS) -> Task:
    bundles = ("sweep", "2024")[: number % 3]
    return Task(f"{number:032x}", status, created=NOW + 0.5, finished=NOW + 60, bundles=bundles)


# Names that R or data.frame() treat in a special way, one of a fixed column, and one of a prefix.
SPECIAL_NAMES = (
    "if", "TRUE", "NA", "NULL", "function", "...", "..1", "row.names", "check.names", "T",
    "stringsAsFactors", "status", "id", "input.status", "input.input.id", "a b", "a.b", "_x", ".2",
    "é", "β", "a`b", 'a"b', "a\\b", "a,b", "1", "-", "#x", "'", "%in%", "x\ty", "x\ny",
)  # fmt: skip
TEXTS = (
    "plain", "", "NA", "TRUE", "007", "1e5", "0x1A", "Inf", " padded ", "two\nlines", "tab\there",
    'say "hi"', "it's", "a,b;c", "back\\slash", "# no comment", "=1+1", "-1", "@x", "`x`", "%d",
    "ü – 日本 😀", "NULL",
)  # fmt: skip
REALS = (
    0.1, 1.0, -0.0, 1e22, 1e-7, 1 / 3, 770.58261933, 123456789.0, 2**53 + 2.0, 1e300, 5e-324,
    math.pi * 1e-300, math.nan, math.inf, -math.inf,
)  # fmt: skip


def special_rows() -> Iterator[tuple[Task, InputValues]]:
    """Every type and special name; the same each time."""
    places = range(max(map(len, (SPECIAL_NAMES, TEXTS, REALS))))
    for place in places:
        inputs: dict[str, RValue] = {
            "real": real(REALS[place % len(REALS)]),
            "text": text(TEXTS[place % len(TEXTS)]),
            "whole": whole(place - 5 if place % 7 else None),
            "flag": vector("logical", (True, False, None)[place % 3]),
            "complex": vector("complex", complex(place, -0.5)),
            "level": factor((1, 2, None)[place % 3]),
            "day": day(19_000.0 + place),
            "moment": moment(NOW + place / 4),
            "code": (real(1, 2), RNull(), RList((whole(1), text("é"))))[place % 3],
            "mixed": (whole(1), real(2.5))[place % 2],
            "odd": (whole(1), text("a"), vector("logical", True))[place % 3],
            "digits": text(f"{place:03}"),
            "nothing": (real(None), RNull(), text(None))[place % 3],
            "huge": real(*([0.25] * 10_000)) if place == 3 else whole(place),
        }
        inputs |= {name: whole(place) for name in SPECIAL_NAMES[place : place + 3]}
        failed = place % 4 == 0
        error = f'it "failed"\nin place {place}' if failed else None
        status = Status.FAILURE if failed else Status.SUCCESS
        yield task(place, status), InputValues(tuple(inputs.items()), error)


def random_rows(seed: int) -> Iterator[tuple[Task, InputValues]]:
    """Random scalars, each name with one type, and some missing."""
    rng = random.Random(seed)

    def double() -> float:
        raw: float
        (raw,) = struct.unpack("d", rng.randbytes(8))
        return rng.choice((raw, rng.random(), rng.gauss(0, 1) * 10 ** rng.randint(-30, 30)))

    def string() -> str:
        return "".join(rng.choices("ab '\"\\,;\n\t#=-+@éß日😀01.eNA", k=rng.randint(0, 6)))

    makers: tuple[Callable[[], RValue], ...] = (
        lambda: real(double()),
        lambda: whole(rng.randint(-(2**31) + 1, 2**31 - 1)),
        lambda: vector("logical", rng.random() < 0.5),
        lambda: text(string()),
        lambda: day(float(rng.randint(-700_000, 2_900_000))),
        lambda: moment(rng.uniform(-1e9, 4e9)),
        lambda: vector("complex", complex(double(), 1.0)),
    )
    columns = {f"{string()}{n}": rng.choice(makers) for n in range(rng.randint(1, 12))}
    for number in range(rng.randint(1, 30)):
        chosen = [(n, m()) for n, m in columns.items() if rng.random() < 0.8]
        yield task(number), InputValues(tuple(chosen))


@contextmanager
def table_of(rows: Iterable[tuple[Task, InputValues]]) -> Iterator[InputsTable]:
    with InputsTable() as table:
        for one, values in rows:
            table.add(make_row(one, values))
        yield table


def text_of(table: InputsTable, form: Format) -> str:
    return "".join(f"{line}\n" for line in lines_of(table, form))


# Prints the name, the type and the exact values of each column, of the CSV file and of the literal.
_PRINT = """
hex <- function(x) vapply(x, function(s) paste(charToRaw(enc2utf8(s)), collapse = ""), "")
shown <- function(x) {
  if (inherits(x, c("POSIXct", "Date"))) x <- as.numeric(x)
  missing <- is.na(x) & !is.nan(x)
  text <- if (is.double(x)) sprintf("%a", x)
    else if (is.complex(x)) sprintf("%a %a", Re(x), Im(x))
    else if (is.character(x)) hex(x)
    else as.character(x)
  paste(ifelse(missing, "missing", text), collapse = " ")
}
print_frame <- function(d) for (n in seq_along(d))
  cat(hex(names(d)[[n]]), class(d[[n]])[[1]], shown(d[[n]]), "\\n")
"""


def printing_code(calls: Mapping[str, str]) -> str:
    """Return R code that prints the result of each call after its title."""
    code = [_PRINT]
    for title, call in calls.items():
        code.append(f'cat("## {title}\\n"); print_frame({call})')
    return "\n".join(code)


def calls_for(folder: Path, name: str, table: InputsTable) -> dict[str, str]:
    """Write the CSV file and the literal of a table, and return the calls that read them."""
    for form in (Format.CSV, Format.R):
        (folder / f"{name}.{form}").write_text(text_of(table, form), "utf-8", newline="")
    return {
        f"{name} csv": read_call(table, Format.CSV, f"{name}.csv"),
        f"{name} literal": read_call(table, Format.R, f"{name}.R"),
    }


def run_r_code(code: str, folder: Path) -> str:
    """Run R code in a folder and return its output; skip the test if there is no R."""
    program = shutil.which("Rscript")
    if program is None:
        pytest.skip("R is not installed")
    (folder / "print.R").write_text(code, "utf-8")
    done = subprocess.run(
        [program, "--encoding=UTF-8", "print.R"],
        cwd=folder,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def parse_printed(printed: str) -> dict[str, dict[str, tuple[str, Sequence[str]]]]:
    """Return for each title the class and the values of each column, as ``printing_code`` prints
    them."""
    found: dict[str, dict[str, tuple[str, Sequence[str]]]] = {}
    columns: dict[str, tuple[str, Sequence[str]]] = {}
    for line in printed.splitlines():
        if line.startswith("## "):
            columns = found[line[3:]] = {}
        else:
            name, kind, values = line.split(" ", 2)
            columns[bytes.fromhex(name).decode()] = kind, values.removesuffix(" ").split(" ")
    return found


def write_inputs(
    root: Path, identity: str, status: str, inputs: Mapping[str, RValue], base: str = ""
) -> None:
    """Write a task that evaluates an expression with these local variables; with ``base``, a retry
    of that task, which has none."""
    folder = write_task(root, identity, status, retry_of=(base, base) if base else None)
    if not base:
        variables = named({"locals": named(inputs)})
        values: dict[str, RValue] = {"type": text("expression"), "variables": variables}
        (folder / "data").write_bytes(serialize(named(values)))


def named(values: Mapping[str, RValue]) -> RList:
    return RList(tuple(values.values()), (("names", text(*values)),))
