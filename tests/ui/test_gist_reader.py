"""What a search goes over: all inputs, also those that no row has room for."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from queue import Queue

import pytest
from small_py_root import write_py_task
from small_root import NOW, task_id, write_bundle, write_retries, write_task
from ui_driving import screen_text, until

from hipercow_tui import scan
from hipercow_tui.analysis.task_sorting import SortKey, TaskSort
from hipercow_tui.analysis.task_summary import TaskSummary
from hipercow_tui.analysis.task_view import make_view
from hipercow_tui.demo.r_builders import chars, named, reals
from hipercow_tui.demo.rds_writer import serialize
from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.formats.rlang.values import RNull, RValue, RVector
from hipercow_tui.formats.root import find_root
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.workers import summary_loader
from hipercow_tui.ui.workers.summary_loader import SummaryLoader

LONG = "".join(f"word{n} " for n in range(40)) + "Needle-in-the-middle " + "more " * 40


def write_inputs(root: Path, number: int, *inputs: tuple[str, RValue], code: str = "run") -> None:
    identity = task_id(number)
    folder = write_task(root, identity, "success")
    head: list[tuple[str, RValue]] = [
        ("type", chars("expression")),
        ("id", chars(identity)),
        ("time", reals(NOW, attributes=(("class", chars("POSIXct", "POSIXt")),))),
        ("path", chars(".")),
        ("environment", chars("default")),
        ("envvars", RNull()),
        ("parallel", RNull()),
        ("expr", chars(code)),
        ("variables", named(("locals", named(*inputs)))),
    ]
    (folder / "data").write_bytes(serialize(named(*head)))


def gists_of(root: Path, ids: Sequence[str]) -> dict[str, TaskSummary]:
    """What a reader learns of these tasks."""
    broke: Queue[Exception] = Queue()
    reader = SummaryLoader(find_root(root), {}, lambda: None, broke.put)
    reader.know(scan(root))
    reader.want(ids)
    deadline = time.monotonic() + 15
    while len(reader.summaries) < len(ids):
        assert broke.empty() and time.monotonic() < deadline
        time.sleep(0.01)
    reader.stop()
    return reader.summaries


def test_a_search_goes_over_inputs_that_no_row_shows(tmp_path: Path) -> None:
    many = [(f"parameter_{n}", reals(n + 0.25)) for n in range(60)]
    numbers = RVector("double", tuple(n + 0.5 for n in range(50)))
    write_inputs(tmp_path, 1, ("note", chars(LONG)), ("beta", reals(0.1)))
    write_inputs(tmp_path, 2, *many)
    write_inputs(tmp_path, 3, ("x", numbers))
    write_inputs(tmp_path, 4, ("beta", reals(0.2)))
    snapshot = read_root(find_root(tmp_path))
    summaries = gists_of(tmp_path, list(snapshot.tasks))

    def found(query: str) -> set[str]:
        by_id = TaskSort(SortKey.ID, False)
        view = make_view(snapshot, FilterStack(), by_id, query=query, summaries=summaries)
        return {view.ids[row] for row in view.hits}

    shown = "".join(summary.code_text + summary.inputs_text for summary in summaries.values())
    for query, number in (
        ("needle-IN-the-middle", 1),
        ("parameter_29 = 29.25", 2),
        ("parameter_59 = 59.25", 2),
        ("24.5, 25.5", 3),
    ):
        assert found(query) == {task_id(number)}, query
    for hidden in ("Needle", "parameter_29 =", "24.5"):
        assert hidden not in shown
    assert found("beta = 0.2") == {task_id(4)}
    assert not found("nowhere")


def test_code_and_commands_that_are_cut_are_searched_too(tmp_path: Path) -> None:
    write_inputs(tmp_path, 1, code=LONG + LONG)
    write_py_task(
        tmp_path, task_id(2), "success", cmd=["python", *["x" * 300] * 2, "Seek", "y" * 300]
    )
    summaries = gists_of(tmp_path, [task_id(1), task_id(2)])
    assert "Needle" not in summaries[task_id(1)].code_text and summaries[task_id(1)].matches(
        "needle-in"
    )
    assert "Seek" not in summaries[task_id(2)].code_text and summaries[task_id(2)].matches("seek")


def test_it_costs_next_to_nothing_where_rows_show_all_or_tasks_have_it_in_common(
    tmp_path: Path,
) -> None:
    for number in range(20):
        write_inputs(tmp_path, number, ("note", chars(LONG)), ("beta", reals(number / 10)))
        write_inputs(tmp_path, number + 100, ("beta", reals(number / 10)), ("gamma", reals(2.0)))
    summaries = gists_of(tmp_path, [task_id(n) for n in (*range(20), *range(100, 120))])
    common = {id(text) for n in range(20) for text in summaries[task_id(n)].rest}
    assert len(common) == 1, "kept once for all"
    assert sum(sys.getsizeof(summaries[task_id(n)].rest) for n in range(20)) <= 20 * 64
    assert all(summaries[task_id(n)].rest == () for n in range(100, 120))


def test_what_is_kept_for_searches_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        write_inputs(tmp_path, number, ("note", chars(f"{number} {LONG * 20}")))
    monkeypatch.setattr(summary_loader, "ROOM", 3 * summary_loader.SEARCHED)
    summaries = gists_of(tmp_path, [task_id(n) for n in range(6)])
    kept = [text for summary in summaries.values() for text in summary.rest]
    assert [len(text) for text in kept] == [summary_loader.SEARCHED] * 3


async def test_what_no_row_shows_is_found_on_the_screen(tmp_path: Path) -> None:
    for number in range(3):
        note = chars(LONG if number == 1 else LONG.replace("Needle", "Hay"))
        write_inputs(tmp_path, number, ("beta", reals(number / 10)), ("note", note))
    app = HipercowApp(find_root(tmp_path), clock=lambda: NOW)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "beta" in screen_text(app))
        await pilot.press("slash", *"needle", "enter")
        await until(pilot, lambda: "1 hit" in screen_text(app))
        assert app.browser.tasks.cursor_key == task_id(1)


def write_sweep(root: Path) -> list[str]:
    """As task_create_bulk_expr does it: what is the same in all stands before the table's row."""
    for number in range(6):
        write_inputs(
            root,
            number,
            ("pars", chars("a long list of parameters that all tasks have in common")),
            ("a", reals(number % 2 / 10)),
            ("region", chars("London")),
            ("b", reals(number // 2 / 10)),
        )
    return [task_id(number) for number in range(6)]


def test_what_varies_in_a_bundle_stands_first(tmp_path: Path) -> None:
    ids = write_sweep(tmp_path)
    write_bundle(tmp_path, "sweep", ids)
    write_task(tmp_path, task_id(9), "failure", retry_of=(ids[3], ids[3]))
    write_retries(tmp_path, [(task_id(9), ids[3], ids[3])])
    write_inputs(tmp_path, 20, ("z", reals(1.0)), ("a", reals(2.0)))
    summaries = gists_of(tmp_path, [*ids, task_id(9), task_id(20)])
    assert [summaries[i].inputs_text.partition(", pars")[0] for i in ids] == [
        f"a = {n % 2 / 10:g}, b = {n // 2 / 10:g}" for n in range(6)
    ]
    assert summaries[ids[0]].inputs_text.endswith(', region = "London"')
    assert summaries[task_id(9)].inputs_text == summaries[ids[3]].inputs_text, (
        "a retry stands in no bundle itself"
    )
    assert summaries[task_id(20)].inputs_text == "z = 1, a = 2"


@pytest.mark.parametrize("gone", [(0,), (5,), (0, 5)])
def test_where_an_end_of_the_bundle_is_gone_the_other_tells(
    tmp_path: Path, gone: tuple[int, ...]
) -> None:
    ids = write_sweep(tmp_path)
    write_bundle(tmp_path, "sweep", ids)
    for number in gone:
        shutil.rmtree(tmp_path / "hipercow" / "tasks" / ids[number][:2] / ids[number][2:])
    varies = gists_of(tmp_path, [ids[3]])[ids[3]].inputs_text
    assert varies.startswith("pars = " if len(gone) == 2 else ("a = 0.1, b = 0.1", "b = 0.1, pars"))


async def test_a_bundle_that_comes_after_its_tasks_puts_what_varies_first(tmp_path: Path) -> None:
    ids = write_sweep(tmp_path)
    app = HipercowApp(find_root(tmp_path), clock=lambda: NOW)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: screen_text(app).count("pars=") == 6)
        write_bundle(tmp_path, "sweep", ids)
        await pilot.press("r")
        await until(pilot, lambda: len(re.findall(r" a=0[.1]* b=", screen_text(app))) >= 6)
