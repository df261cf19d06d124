"""What tasks asked for and used: the worker, the columns, and the details of a bundle."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import pytest
from recorded_resources import info_file, resources_file
from small_root import NOW, task_id, write_bundle, write_task
from ui_driving import Driven

from hipercow_tui import scan
from hipercow_tui.analysis.usage_summary import UsageSummary
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.formats.task_usage import TaskUsage, read_usage
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.workers import usage_loader
from hipercow_tui.ui.workers.usage_loader import BundleUsage, UsageLoader

NUMBERS = range(1, 6)
WAIT = 10.0  # seconds


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four tasks that asked for four cores and used one, of which one was cancelled, and a running
    one, in a bundle."""
    for number in NUMBERS:
        status = {4: "cancelled", 5: "running"}.get(number, "success")
        folder = write_task(tmp_path, task_id(number), status)
        (folder / "resources").write_bytes(resources_file("everything"))
        if status != "running":
            measured = "child" if status == "success" else "cancelled"
            (folder / "info").write_bytes(info_file(measured))
    write_bundle(tmp_path, "sweep", [task_id(number) for number in NUMBERS])
    return tmp_path


@contextmanager
def loading(root: Root) -> Iterator[tuple[UsageLoader, Queue[BundleUsage], threading.Event]]:
    summaries: Queue[BundleUsage] = Queue()
    notified = threading.Event()
    failures: list[Exception] = []
    loader = UsageLoader(root, notified.set, summaries.put, failures.append)
    loader.update(scan(root.path), ())
    yield loader, summaries, notified
    loader.stop()
    assert not failures


def test_rows_are_read_once_and_again_after_a_change(root: Path) -> None:
    with loading(find_root(root)) as (loader, _, notified):
        loader.want([task_id(1), "0" * 32, task_id(4)])
        assert notified.wait(WAIT)
        assert set(loader.usages) == {task_id(1), task_id(4)}
        assert loader.usages[task_id(4)] == TaskUsage(4, 2_000_000_000)
        before = loader.usages[task_id(1)]
        notified.clear()
        loader.update(scan(root), [task_id(1)])
        assert task_id(1) not in loader.usages
        loader.want_all([task_id(1)])
        assert notified.wait(WAIT)
        assert loader.usages[task_id(1)] == before


def test_only_the_newest_bundle_is_summarized(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, go_on = threading.Event(), threading.Event()
    read = read_usage

    def slowly(root: Root, task: Task) -> TaskUsage:
        reading.set()
        assert go_on.wait(WAIT)
        return read(root, task)

    monkeypatch.setattr(usage_loader, "read_usage", slowly)
    tasks = list(scan(root).tasks.values())
    with loading(find_root(root)) as (loader, summaries, _):
        loader.want_bundle("first", tasks)
        assert reading.wait(WAIT)
        loader.want_bundle("second", [task for task in tasks if task.id == task_id(2)])
        go_on.set()
        found = summaries.get(timeout=WAIT)
        assert (found.key, found.summary.ended, found.summary.read) == ("second", 1, 1)
        assert len(loader.usages) == 2  # one of the first bundle
        loader.drop_bundle()
        assert summaries.empty()


def test_a_summary_follows_while_its_tasks_are_read(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage_loader, "NOTIFY_INTERVAL", 0.0)
    monkeypatch.setattr(usage_loader, "MAX_USAGES", 100)
    with loading(find_root(root)) as (loader, summaries, _):
        loader.want_bundle("all", list(scan(root).tasks.values()))
        seen: list[UsageSummary] = []
        while not seen or not seen[-1].complete:
            seen.append(summaries.get(timeout=WAIT).summary)
        assert [summary.read for summary in seen] == [1, 2, 3, 4]
        assert {summary.ended for summary in seen} == {4}


async def test_usage_is_in_columns_and_in_the_details_of_a_bundle(root: Path) -> None:
    app = HipercowApp(find_root(root), clock=lambda: NOW)
    async with app.run_test(size=(118, 40)) as pilot:
        d = Driven(app, pilot)
        await d.until(lambda: len(d.tasks.keys) == len(NUMBERS))
        assert "heap" not in d.text
        # Chosen columns.
        d.tasks.choose_columns({"cores": True, "used_cores": True, "used_memory": True})
        await d.until(lambda: d.text.count("69.9 MB") == 3)
        assert re.search(r"✓ success .* 4 +1\.0 +69\.9 MB", d.text)
        assert re.search(r"⊘ cancelled .* 4 +— +— ", d.text)
        # Sorted by a column that is not chosen, for which all tasks are read.
        app.browser.tasks_pane.sort_by("efficiency")
        await d.until(lambda: "24 %" in d.text)
        assert d.tasks.keys[-1] in (task_id(4), task_id(5))
        # A bundle.
        await d.press("b")
        await d.until(lambda: "p95 69.9 MB" in d.text)
        shown = " ".join(re.sub("[│┃]", " ", d.text).split())
        assert "asked for 4, used 1.0 (median; p95 1.0, most 1.0) · unknown of 1 task" in shown
        assert "p95 69.9 MB of 2.0 GB (median 69.9 MB, most 69.9 MB) · unknown of 1 task" in shown
        # In full, on a wide terminal, where the details are otherwise low.
        await pilot.resize_terminal(160, 45)
        await d.press("tab", "enter")
        await d.until(lambda: "Measured by R: child processes count only after" in d.text)
        assert re.search(r"used cores +0 [ ▁-█]+█[ ▁-█]+ 4 ", d.text)
        await d.press("enter")
        await d.until(lambda: not app.browser.has_class("-details"))
