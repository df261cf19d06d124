"""Summaries of tasks: what they contain, when they are read, and what searches find in them."""

from __future__ import annotations

import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
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
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats import py_details
from hipercow_tui.formats.details import TaskDetails
from hipercow_tui.formats.rlang.values import RNull, RValue, RVector
from hipercow_tui.formats.root import Root, find_root
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


def rewrite_inputs(root: Path, number: int, *inputs: tuple[str, RValue]) -> None:
    shutil.rmtree(root / "hipercow" / "tasks" / task_id(number)[:2] / task_id(number)[2:])
    write_inputs(root, number, *inputs)


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def loading(root: Path) -> Iterator[SummaryLoader]:
    """A loader that knows the tasks of the root."""
    errors: Queue[Exception] = Queue()
    loader = SummaryLoader(find_root(root), {}, errors.put)
    loader.update(scan(root))
    yield loader
    loader.stop()
    assert errors.empty()


def summaries_of(root: Path, ids: Sequence[str]) -> dict[str, TaskSummary]:
    """The summaries that a loader reads of these tasks."""
    with loading(root) as loader:
        loader.subscribe(lambda: None).want(ids)
        wait_until(lambda: len(loader.summaries) == len(ids))
        return loader.summaries


def test_search_finds_inputs_that_no_row_shows(tmp_path: Path) -> None:
    many = [(f"parameter_{n}", reals(n + 0.25)) for n in range(60)]
    numbers = RVector("double", tuple(n + 0.5 for n in range(50)))
    write_inputs(tmp_path, 1, ("note", chars(LONG)), ("beta", reals(0.1)))
    write_inputs(tmp_path, 2, *many)
    write_inputs(tmp_path, 3, ("x", numbers))
    write_inputs(tmp_path, 4, ("beta", reals(0.2)))
    snapshot = read_root(find_root(tmp_path))
    summaries = summaries_of(tmp_path, list(snapshot.tasks))

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


def test_search_finds_code_and_commands_that_rows_cut(tmp_path: Path) -> None:
    write_inputs(tmp_path, 1, code=LONG + LONG)
    write_py_task(
        tmp_path, task_id(2), "success", cmd=["python", *["x" * 300] * 2, "Seek", "y" * 300]
    )
    summaries = summaries_of(tmp_path, [task_id(1), task_id(2)])
    assert "Needle" not in summaries[task_id(1)].code_text and summaries[task_id(1)].matches(
        "needle-in"
    )
    assert "Seek" not in summaries[task_id(2)].code_text and summaries[task_id(2)].matches("seek")


def test_search_texts_are_empty_or_shared_in_a_sweep(
    tmp_path: Path,
) -> None:
    for number in range(20):
        write_inputs(tmp_path, number, ("note", chars(LONG)), ("beta", reals(number / 10)))
        write_inputs(tmp_path, number + 100, ("beta", reals(number / 10)), ("gamma", reals(2.0)))
    summaries = summaries_of(tmp_path, [task_id(n) for n in (*range(20), *range(100, 120))])
    common = {id(text) for n in range(20) for text in summaries[task_id(n)].search_texts}
    assert len(common) == 1
    assert sum(sys.getsizeof(summaries[task_id(n)].search_texts) for n in range(20)) <= 20 * 64
    assert all(summaries[task_id(n)].search_texts == () for n in range(100, 120))


def test_search_texts_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        write_inputs(tmp_path, number, ("note", chars(f"{number} {LONG * 20}")))
    monkeypatch.setattr(summary_loader, "MAX_SEARCH_TEXTS", 3 * summary_loader.MAX_SEARCH_TEXT)
    summaries = summaries_of(tmp_path, [task_id(n) for n in range(6)])
    texts = [text for summary in summaries.values() for text in summary.search_texts]
    assert [len(text) for text in texts] == [summary_loader.MAX_SEARCH_TEXT] * 3


async def test_screen_goes_to_a_hit_that_no_row_shows(tmp_path: Path) -> None:
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
    """A bundle as task_create_bulk_expr makes it, with the common inputs first."""
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


def test_inputs_that_vary_in_a_bundle_come_first(tmp_path: Path) -> None:
    ids = write_sweep(tmp_path)
    write_bundle(tmp_path, "sweep", ids)
    write_task(tmp_path, task_id(9), "failure", retry_of=(ids[3], ids[3]))
    write_retries(tmp_path, [(task_id(9), ids[3], ids[3])])
    write_inputs(tmp_path, 20, ("z", reals(1.0)), ("a", reals(2.0)))
    summaries = summaries_of(tmp_path, [*ids, task_id(9), task_id(20)])
    assert [summaries[i].inputs_text.partition(", pars")[0] for i in ids] == [
        f"a = {n % 2 / 10:g}, b = {n // 2 / 10:g}" for n in range(6)
    ]
    assert summaries[ids[0]].inputs_text.endswith(', region = "London"')
    assert summaries[task_id(9)].inputs_text == summaries[ids[3]].inputs_text, (
        "a retry is in no bundle itself"
    )
    assert summaries[task_id(20)].inputs_text == "z = 1, a = 2"


@pytest.mark.parametrize("gone", [(0,), (5,), (0, 5)])
def test_one_end_of_a_bundle_shows_what_varies_if_the_other_is_gone(
    tmp_path: Path, gone: tuple[int, ...]
) -> None:
    ids = write_sweep(tmp_path)
    write_bundle(tmp_path, "sweep", ids)
    for number in gone:
        shutil.rmtree(tmp_path / "hipercow" / "tasks" / ids[number][:2] / ids[number][2:])
    varies = summaries_of(tmp_path, [ids[3]])[ids[3]].inputs_text
    assert varies.startswith("pars = " if len(gone) == 2 else ("a = 0.1, b = 0.1", "b = 0.1, pars"))


async def test_varying_inputs_come_first_after_a_bundle_is_added(tmp_path: Path) -> None:
    ids = write_sweep(tmp_path)
    app = HipercowApp(find_root(tmp_path), clock=lambda: NOW)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: screen_text(app).count("pars=") == 6)
        write_bundle(tmp_path, "sweep", ids)
        await pilot.press("r")
        await until(pilot, lambda: len(re.findall(r" a=0[.1]* b=", screen_text(app))) >= 6)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the tasks that are read."""
    ids: list[str] = []

    def read_details_without_error(root: Root, task_id: str, lang: Lang) -> TaskDetails:
        ids.append(task_id)
        return py_details.read_details_without_error(root, task_id, lang)

    monkeypatch.setattr(summary_loader, "read_details_without_error", read_details_without_error)
    return ids


def test_summary_has_the_inputs_in_the_order_of_the_data(tmp_path: Path) -> None:
    ids = write_sweep(tmp_path)
    write_bundle(tmp_path, "sweep", ids)
    write_inputs(tmp_path, 10, ("note", chars(LONG)))
    write_inputs(tmp_path, 11)
    summaries = summaries_of(tmp_path, [*ids, task_id(10), task_id(11)])
    assert [name for name, _ in summaries[ids[1]].inputs] == ["pars", "a", "region", "b"]
    assert dict(summaries[ids[1]].inputs)["a"] == "0.1"
    ((_, note),) = summaries[task_id(10)].inputs
    assert len(note) == 60 and "…" in note
    assert summaries[task_id(11)].inputs == ()


def test_task_is_read_again_only_if_it_changed(tmp_path: Path, reads: list[str]) -> None:
    for number in range(3):
        write_inputs(tmp_path, number, ("beta", reals(number / 10)))
    changed, unchanged, removed = map(task_id, range(3))
    with loading(tmp_path) as loader:
        requests = loader.subscribe(lambda: None)
        requests.want([changed, unchanged, removed])
        wait_until(lambda: len(loader.summaries) == 3)
        before = dict(loader.summaries)
        rewrite_inputs(tmp_path, 0, ("beta", reals(0.9)))
        loader.update(scan(tmp_path), {changed}, {removed})
        assert loader.summaries.keys() == {changed, unchanged}
        assert loader.summaries[changed] is before[changed], "shown until the new one is read"
        requests.want([changed, unchanged])
        wait_until(lambda: loader.summaries[changed].inputs_text == "beta = 0.9")
        assert loader.summaries[unchanged] is before[unchanged]
    assert reads == [changed, unchanged, removed, changed]


def test_task_that_changes_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_inputs(tmp_path, 0, ("beta", reals(0.1)))
    reading, changed = threading.Event(), threading.Event()

    def read_details_without_error(root: Root, task_id: str, lang: Lang) -> TaskDetails:
        details = py_details.read_details_without_error(root, task_id, lang)
        reading.set()
        assert changed.wait(15)
        return details

    monkeypatch.setattr(summary_loader, "read_details_without_error", read_details_without_error)
    with loading(tmp_path) as loader:
        requests = loader.subscribe(lambda: None)
        requests.want([task_id(0)])
        assert reading.wait(15)
        rewrite_inputs(tmp_path, 0, ("beta", reals(0.2)))
        loader.update(scan(tmp_path), {task_id(0)})
        changed.set()
        wait_until(lambda: loader.summaries and loader.is_outdated(task_id(0)))
        requests.want([task_id(0)])
        wait_until(lambda: loader.summaries[task_id(0)].inputs_text == "beta = 0.2")


def test_rows_of_the_newest_screen_are_read_first(tmp_path: Path, reads: list[str]) -> None:
    for number in range(8):
        write_inputs(tmp_path, number)
    ids = list(map(task_id, range(8)))
    notified: Queue[str] = Queue()
    with loading(tmp_path) as loader:
        old = loader.subscribe(lambda: notified.put("old"))
        new = loader.subscribe(lambda: notified.put("new"))
        closed = loader.subscribe(lambda: notified.put("closed"))
        old.others, new.others = iter(ids), iter(ids[4:6])
        old.rows, new.rows, closed.rows = iter(ids[2:4]), iter(ids[6:8]), iter(ids[:1])
        closed.close()
        loader.wake()
        assert {notified.get(timeout=15), notified.get(timeout=15)} == {"old", "new"}
        wait_until(lambda: len(loader.summaries) == 8)
    assert reads == [ids[n] for n in (6, 7, 2, 3, 4, 5, 0, 1)]
    assert "closed" not in notified.queue


@pytest.mark.parametrize(("limit", "value"), [("MAX_SUMMARIES", 3), ("MAX_INPUT_BYTES", 180)])
def test_oldest_summaries_are_dropped_at_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    for number in range(8):
        write_inputs(tmp_path, number, ("note", chars(f"{number}" * 100)))
    monkeypatch.setattr(summary_loader, limit, value)
    ids = list(map(task_id, range(8)))
    with loading(tmp_path) as loader:
        loader.subscribe(lambda: None).want(ids)
        wait_until(lambda: ids[-1] in loader.summaries)
        assert list(loader.summaries) == ids[-len(loader.summaries) :]
        assert 1 <= len(loader.summaries) <= 3


@pytest.mark.parametrize(("limit", "value"), [("MAX_SUMMARIES", 5), ("MAX_INPUT_BYTES", 300)])
def test_reading_all_tasks_stops_at_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: list[str], limit: str, value: int
) -> None:
    for number in range(12):
        write_inputs(tmp_path, number, ("note", chars(f"{number}" * 100)))
    monkeypatch.setattr(summary_loader, limit, value)
    ids = list(map(task_id, range(12)))
    with loading(tmp_path) as loader:
        loader.subscribe(lambda: None).want(ids[:3])
        wait_until(lambda: set(ids[:3]) <= set(loader.summaries))
        loaded = threading.Event()
        requests = loader.subscribe(loaded.set)
        requests.want_all(ids)
        wait_until(lambda: requests.full and loaded.is_set())
        assert 6 <= len(reads) <= 9
        kept = [task_id for task_id in ids if task_id in loader.summaries]
        requests.want_all(kept)
        other = loader.subscribe(lambda: None)
        other.want([ids[-1]])
        wait_until(lambda: ids[-1] in loader.summaries)
        assert not other.full
