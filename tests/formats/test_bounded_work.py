"""Small files with huge contents take a limited amount of work and are an error; large files of
reasonable contents are read. The tests count work, they don't measure time."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from rds_files import HEADER, char, ints
from small_py_root import py_dir, write_py_task
from small_root import task_id

from hipercow_tui.domain.cautions import Caution, CautionKind
from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.domain.plan import PlannedTask, PurgePlan, Reason
from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.formats import details, json_reader, py_details, r_conditions
from hipercow_tui.formats.json_reader import load_json
from hipercow_tui.formats.py_layout import parse_bundle, parse_times
from hipercow_tui.formats.rlang.deparse import deparse
from hipercow_tui.formats.rlang.rds import files
from hipercow_tui.formats.rlang.rds.limits import Limits
from hipercow_tui.formats.rlang.values import (
    RLanguage,
    RList,
    RNull,
    ROpaque,
    RSymbol,
    RValue,
    RVector,
)
from hipercow_tui.purging.history import _WORK as HISTORY_WORK
from hipercow_tui.purging.history import HistoryEntry, HistoryKind, entry_from_json
from hipercow_tui.purging.plan_file import load_plan, save_plan
from hipercow_tui.purging.plan_format import WORK, plan_to_dict
from hipercow_tui.support.errors import RdsError

A = task_id(1)
MANY = 20_000_000


class Endless(io.BytesIO):
    """A file that never ends: ``beginning``, then ``rest`` again and again.

    ``read_bytes`` counts the bytes that were read.
    """

    def __init__(self, beginning: bytes, rest: bytes) -> None:
        super().__init__()
        self._parts = cycle([rest * (1 + (1 << 16) // len(rest))])
        self._unread = beginning
        self.read_bytes = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None and size > 0
        while len(self._unread) < size:
            self._unread += next(self._parts)
        chunk, self._unread = self._unread[:size], self._unread[size:]
        self.read_bytes += len(chunk)
        return chunk


# RDS

MANY_STRINGS = HEADER + ints(19, 1, 16, MANY)
BIG_MESSAGE = HEADER + ints(19, 2) + ints(16, 1) + char("no") + ints(16, MANY)


@pytest.mark.parametrize(
    ("read", "beginning", "most"),
    [
        (files.read, MANY_STRINGS, 12 << 20),
        (r_conditions.read_failure_text, BIG_MESSAGE, 24 << 20),
        (files.read_times, HEADER + ints(19, 2, 19, MANY), 1 << 18),
        (files.read_origin, HEADER + ints(19, 3, 16, 1) + char("call") + ints(19, MANY), 1 << 18),
    ],
)
def test_reading_stops_before_it_reads_millions_of_small_values(
    read: Callable[[Any], object], beginning: bytes, most: int
) -> None:
    """20 million strings take 160 MB in memory and 0.3 MB in a file."""
    file = Endless(beginning, ints(0x40009, 0))
    raw = file if read in (files.read, r_conditions.read_failure_text) else file.read(1 << 20)
    with pytest.raises(RdsError, match=r"too large to read: too (many small values|much in it)"):
        read(raw)
    assert file.read_bytes <= max(most, 1 << 20)


FEW = Limits(max_steps=10_000)


@pytest.mark.parametrize(
    ("beginning", "item", "steps"),
    [
        (ints(19, MANY), ints(0xFE), 1),
        (ints(16, MANY), ints(0x40009, 0), 3),
        (ints(19, MANY), ints(24, 0), 3),
        (b"", ints(2) + ints(0xFE), 1),
        (ints(19, MANY), ints((1 << 8) | 0xFF), 1),
        # Constants of bytecode after the first, each a reference to a shared cell.
        (ints(21, 1, 13, 0, MANY, 0xFE, 0xFE), ints(243, 0), 3),
        # The names of a namespace.
        (ints(249, 0, MANY), ints(0x40009, 0), 3),
    ],
)
def test_small_values_of_each_kind_count(beginning: bytes, item: bytes, steps: int) -> None:
    before = HEADER + ints(19, 2) + ints(1) + char("a") + beginning
    file = Endless(before, item)
    with pytest.raises(RdsError, match="too large to read: too many small values"):
        files.read(file, replace(FEW, max_elements=100))
    values = (file.read_bytes - len(before)) / len(item)
    assert values <= 10_000 / steps + (1 << 16)  # the file is read in chunks


def test_a_vector_of_ten_million_numbers_takes_few_steps() -> None:
    beginning = HEADER + ints(19, 2) + ints(14, 10_000_000)
    end = ints(13, 1, 7)
    file = io.BytesIO(beginning + bytes(80_000_000) + end)
    value = files.read(file, replace(FEW, max_elements=1000))
    assert isinstance(value, RList)
    assert value.values == (ROpaque("double"), RVector("integer", (7,)))
    assert files.read(io.BytesIO(file.getvalue())) == value


def test_cells_that_bytecode_shares_count_at_each_copy() -> None:
    """One long list of cells, and references to it, which take 8 bytes each."""
    cells = 1000
    chunk = ints(244, 0) + (ints(2) + ints(0xFE) + ints(13, 13, 1, 7)) * cells + ints(0xFE, 0xFE)
    copies = (ints(2) + ints(0xFE) + ints(243, 0)) * 5000
    tree = ints(6) + ints(0xFE) + ints(1, 1) + char("f") + ints(2) + ints(0xFE) + chunk + copies
    code = HEADER + ints(21, 2) + ints(13, 1, 0) + ints(1) + tree + ints(0xFE, 0xFE)
    with pytest.raises(RdsError, match="shared cells of bytecode are too long"):
        files.read(code, Limits(max_elements=50_000))


def named(values: list[RValue], names: list[str]) -> RList:
    return RList(tuple(values), (("names", RVector("character", tuple(names))),))


def data_with(inputs: RList) -> RList:
    kind = RVector("character", ("expression",))
    variables = named([inputs], ["locals"])
    code = RLanguage(RSymbol("f"), ())
    return named([kind, code, variables], ["type", "expr", "variables"])


def test_only_the_first_thousand_inputs_are_deparsed(monkeypatch: pytest.MonkeyPatch) -> None:
    deparsed = []

    def counted(value: RValue, *args: Any, **kwargs: Any) -> list[str]:
        deparsed.append(value)
        return deparse(value, *args, **kwargs)

    monkeypatch.setattr(details, "deparse", counted)
    inputs = named([RNull()] * 5000, [f"x{number}" for number in range(5000)])
    found = details.details_from_data(data_with(inputs), None)
    assert len(found.inputs) == len(found.short_inputs) == 1000 and len(deparsed) == 1001
    assert found.inputs[-1] == ("x999", "NULL")
    assert found.problem == "4,000 inputs too many to show"


def test_the_text_of_all_inputs_has_a_limit() -> None:
    long = RVector("character", ("x" * 300_000,))
    letters = list("abcdefghijklmnopqrst")
    found = details.details_from_data(data_with(named([long] * 20, letters)), None)
    assert [name for name, _ in found.inputs] == letters
    assert sum(len(value) for _, value in found.inputs) < (1 << 20) + 100
    assert found.inputs[0][1] == f'"{"x" * 300_000}"' and found.inputs[-1][1] == "[...]"


def test_only_the_first_thousand_variables_are_shown() -> None:
    columns = [
        RVector(kind, (value,) * 5000)
        for kind, value in (("character", "A"), ("character", "1"), ("logical", False))
    ]
    data = data_with(named([], []))
    envvars = named([*columns], ["name", "value", "secret"])
    values = [*data.values, envvars]
    found = details.details_from_data(named(values, ["type", "expr", "variables", "envvars"]), None)
    assert len(found.envvars) == 1000


# JSON


@pytest.fixture
def undecoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def loads(*args: object, **kwargs: object) -> None:
        raise AssertionError("it was decoded")

    monkeypatch.setattr(json, "loads", loads)


@pytest.mark.parametrize("item", [b"[],", b"{},", b"1,", b'"",', b'"a":1,', b"[[],{}],"])
@pytest.mark.parametrize("work", [100, 10_000])
def test_json_of_too_many_values_is_not_decoded(undecoded: None, item: bytes, work: int) -> None:
    with pytest.raises(ValueError, match="too large to read: it has too many values"):
        load_json(b"[" + item * (work + 1) + b"1]", work=work)


def test_json_within_its_limit_is_decoded() -> None:
    values: list[Any] = [1] * 100
    assert load_json(json.dumps(values).encode(), work=99 + 8) == values
    nested: Any = {"a": [{}]}
    assert load_json(json.dumps(nested).encode(), work=8 * 4) == nested


def test_other_threads_run_between_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[object] = []

    def turn(value: Any) -> Any:
        turns.append(value)
        return value

    monkeypatch.setattr(json_reader, "_yield_to_threads", turn)
    values = [{"a": {"b": 1}}, [{}]]
    assert load_json(json.dumps(values).encode(), work=1000) == values
    assert turns == [{"b": 1}, {"a": {"b": 1}}, {}]


def too_many(times: int) -> bytes:
    return b'{"task_ids": [' + b"[]," * times + b"[]]}"


def test_a_python_task_with_too_many_values_is_an_error(tmp_path: Path, undecoded: None) -> None:
    folder = write_py_task(tmp_path, A, "success")
    tasks = py_dir(tmp_path) / "tasks"
    (folder / "data").write_bytes(too_many(200_000))
    found = py_details.read_py_details(tasks, A, status="success")
    assert found.problem == "'data' is too large to read: it has too many values"
    (folder / "data").write_bytes(b'{"task_id": "' + b"x" * (3 << 20) + b'"}')
    found = py_details.read_py_details(tasks, A, status="success")
    assert found.problem == "'data': is larger than 2.1 MB"


def test_only_the_first_thousand_variables_of_a_python_task_are_shown(tmp_path: Path) -> None:
    many = {f"V{number}": "1" for number in range(3000)}
    write_py_task(tmp_path, A, "success", envvars=many, resources=many)
    found = py_details.read_py_details(py_dir(tmp_path) / "tasks", A, status="success")
    assert len(found.envvars) == len(found.resources) == 1000 and not found.problem


def test_a_python_bundle_with_too_many_values_is_an_error(undecoded: None) -> None:
    with pytest.raises(ValueError, match="is too large to read: it has too many values"):
        parse_bundle(too_many(1_000_000), "sweep")
    with pytest.raises(ValueError, match="too large"):
        parse_times(too_many(200))


def test_a_saved_plan_with_too_many_values_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undecoded: None
) -> None:
    monkeypatch.setattr("hipercow_tui.purging.plan_file.WORK", 1000)
    (path := tmp_path / "plan.json").write_bytes(too_many(1000))
    with pytest.raises(Exception, match="is not a saved plan: it is too large to read"):
        load_plan(path)


# Large files of reasonable contents


def work_of(raw: bytes) -> int:
    """Return the smallest limit with which the JSON is read."""
    low, high = 0, 1 << 40
    while low < high:
        middle = (low + high) // 2
        try:
            json_reader.load_json(raw, work=middle)
        except ValueError:
            low = middle + 1
        else:
            high = middle
    return low


def test_a_bundle_of_a_million_ids_is_read() -> None:
    ids = [task_id(number) for number in range(256)]
    listed = json.dumps(ids)[1:-1]
    raw = f'{{"name": "big", "task_ids": [{", ".join([listed] * 4000)}]}}'.encode()
    bundle = parse_bundle(raw, "big")
    assert bundle.problem is None and bundle.task_ids == tuple(ids)


def test_a_plan_and_a_history_entry_of_a_million_tasks_are_read(tmp_path: Path) -> None:
    chain = tuple(map(task_id, range(5)))
    tasks = [
        PlannedTask(
            Task(i, Status.FAILURE, 33, 1.5, 2.5, 3.5, chain=chain, lang=Lang.R),
            Reason.MATCHED,
            cautions=(Caution(CautionKind.SAVED, "it is not even an hour old"),),
        )
        for i in chain
    ]
    plan = PurgePlan(Path("/root"), 1.0, FilterStack(), tasks=tuple(tasks))
    save_plan(plan, path := tmp_path / "plan.json")
    assert load_plan(path).plan == plan
    raw = json.dumps(plan_to_dict(plan)["tasks"]).encode()
    assert work_of(raw) / len(tasks) * 1_000_000 < WORK
    entry = HistoryEntry(HistoryKind.PURGE, 1.0, None, ())
    reason = "it can't be moved: Permission denied"
    more = replace(
        entry, tasks=(A,) * 1000, kept_back=((A, reason),) * 1000, kept_tasks=(A,) * 1000
    )
    small, large = (json.dumps(one.as_json()).encode() for one in (entry, more))
    assert (work_of(large) - work_of(small)) * 1000 < HISTORY_WORK
    assert entry_from_json(load_json(large, work=HISTORY_WORK)) == more
