"""The question before R retries tasks: with which resources."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from failing import result_file
from r_stand_in import use_stub
from recorded_resources import resources_file
from small_root import DAY, NOW, task_id, write_bundle, write_retries, write_task
from ui_driving import Driven, heard

from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.resources import Resources
from hipercow_tui.formats.root import find_root
from hipercow_tui.output.r_calls import RAction, RCallTargets
from hipercow_tui.output.r_retry import resources_to_repeat, retry_options
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.cancel import target_notes
from hipercow_tui.ui.dialogs.copy_menu import CopyMenuScreen
from hipercow_tui.ui.dialogs.retry import MoreScreen, RetryQuestion, RetryScreen

BIG, SAME, SMALL = map(task_id, range(1, 4))
FULL = (
    'cores = 4L, max_runtime = "90m", hold_until = 60L, memory_per_node = 4L,'
    ' memory_per_process = 2, requested_nodes = c("node-1", "gpu-3"), priority = "low",'
    ' queue = "bigmem"'
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two failures with many resources, one of them for lack of memory, and one with few."""
    (tmp_path / "bin").mkdir()
    use_stub(monkeypatch, tmp_path / "bin")
    where = tmp_path / "project"
    errors = {BIG: "cannot allocate vector of size 8 Gb", SAME: "no", SMALL: "no"}
    for day, (identity, error) in enumerate(errors.items()):
        folder = write_task(where, identity, "failure", finished=NOW - day * DAY)
        (folder / "result").write_bytes(result_file(error))
        name = "default" if identity == SMALL else "everything"
        (folder / "resources").write_bytes(resources_file(name))
    write_bundle(where, "sweep", list(errors))
    return where


async def test_failures_are_retried_with_more_memory(root: Path) -> None:
    app = HipercowApp(find_root(root), clock=lambda: NOW)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        d = Driven(app, pilot)
        await d.until(lambda: len(d.tasks.keys) == 3)
        await d.until(lambda: len(app.browser.session.services.errors.failures) == 3)
        # The calls with the same resources can be copied.
        await d.press("space", "space", "space", "c")
        await d.until(lambda: d.shows(CopyMenuScreen))
        await d.press("o")
        await d.until(lambda: "resources" in app.clipboard)
        assert app.clipboard == (
            f'hipercow::task_retry(c(\n  "{BIG}",\n  "{SAME}"\n),\n'
            f"  resources = hipercow::hipercow_resources({FULL}))\n"
            f'hipercow::task_retry("{SMALL}",\n'
            '  resources = hipercow::hipercow_resources(cores = 1L, queue = "alltasks"))'
        )
        # The question has the same, and R's default.
        await d.press("c")
        await d.until(lambda: d.shows(CopyMenuScreen))
        await d.press("T")
        await d.until(lambda: d.shows(RetryQuestion))
        await heard(pilot)
        shown = " ".join(re.sub("[^!-~]", " ", d.text).split())
        assert "R does not repeat resources by itself" in shown
        calls = "task_retry(<2 ids>, resources = hipercow::hipercow_resources(cores = 4L,"
        assert calls in shown
        assert 'hipercow_resources(cores = 1L, queue = "alltasks"))' in shown
        assert "1 error about too little memory" in shown
        # Twice the memory is proposed, and the numbers can be edited.
        await d.press("m")
        await d.until(lambda: d.shows(MoreScreen))
        await heard(pilot)
        assert "memory_per_node = 8L" in d.text
        await d.press("6", "tab", "1", "6")
        await d.until(lambda: "memory_per_node = 16L" in d.text)
        await d.press("enter", "y")
        await d.until(lambda: "1 of 3 tasks retried · R has finished" in d.text)  # the stand-in
        lines = (root / "lines").read_text().splitlines()
        assert [line.split()[1] for line in lines if line.startswith("retry")] == [BIG, SAME, SMALL]
        first = lines[: lines.index(f"retry {BIG}")]
        assert "integer cores 6" in first
        assert "integer memory_per_node 16" in first
        assert "double memory_per_process 4" in first
        assert "integer memory_per_node 4" in lines[len(first) :]
        await d.press("escape")
        await d.until(lambda: app.screen is app.browser)


def test_without_r_the_calls_with_the_same_resources_are_copied(root: Path) -> None:
    targets = RCallTargets(RAction.RETRY, (Task(BIG, Status.FAILURE),))
    screen = RetryScreen(targets, find_root(root), lambda _: "", lambda: NOW)
    assert screen.call_to_copy() == f'hipercow::task_retry("{BIG}")'
    screen.prepare()
    assert screen.call_to_copy() == (
        f'hipercow::task_retry("{BIG}",\n  resources = hipercow::hipercow_resources({FULL}))'
    )


def options_of(root: Path, *tasks: Task) -> str:
    options = retry_options(
        tasks, lambda task: resources_to_repeat(find_root(root), task), lambda _: "", NOW
    )
    targets = RCallTargets(RAction.RETRY, tasks)
    question = RetryQuestion(targets, options, "1.1.8")
    return " ".join([question._text.plain, *(choice.key for choice in question._choices)])


def test_tasks_without_resources_can_have_the_default_or_more(tmp_path: Path) -> None:
    write_task(tmp_path, BIG, "failure")
    shown = options_of(tmp_path, Task(BIG, Status.FAILURE))
    assert "What these tasks had can't be read" in shown
    assert shown.endswith(" d m")


def test_resources_that_differ_too_much_are_not_repeated(root: Path) -> None:
    tasks = []
    for number in range(1, 9):
        path = write_task(root, task_id(100 + number), "failure") / "resources"
        path.write_bytes(resources_file("held_date"))
        tasks.append(Task(task_id(100 + number), Status.FAILURE))
    few = retry_options(tasks, lambda task: Resources(cores=1), lambda _: "", NOW)
    assert len(few.repeated) == 1
    many = retry_options(tasks, lambda task: Resources(cores=tasks.index(task)), lambda _: "", NOW)
    question = RetryQuestion(RCallTargets(RAction.RETRY, tuple(tasks)), many, "1.1.8")
    assert "differ in their resources or errors in 8 ways" in question._text.plain
    assert [choice.key for choice in question._choices] == ["d"]


def test_a_chain_repeats_the_last_resources_that_somebody_chose(root: Path) -> None:
    first = Task(BIG, Status.FAILURE)
    latest = replace_chain(root, "default", first)
    found = resources_to_repeat(find_root(root), latest)
    assert found is not None
    assert found.queue == "bigmem"
    (root / "hipercow/tasks" / BIG[:2] / BIG[2:] / "resources").unlink()
    found = resources_to_repeat(find_root(root), latest)
    assert found == replace(Resources(cores=1, exclusive=False), queue="alltasks")


def replace_chain(root: Path, name: str, first: Task) -> Task:
    """Write a retry of a task with resources; returns it with its chain."""
    retry = task_id(9)
    folder = write_task(root, retry, "failure", retry_of=(first.id, first.id))
    (folder / "resources").write_bytes(resources_file(name))
    write_retries(root, [(retry, first.id, first.id)])
    return Task(retry, Status.FAILURE, chain=(first.id, retry))


def test_the_question_says_what_runs_again_and_what_is_left_out() -> None:
    tasks = (Task(BIG, Status.SUCCESS), Task(SAME, Status.FAILURE))
    targets = RCallTargets(RAction.RETRY, tasks, left_out=1, followed=1, succeeded=2)
    assert target_notes(targets) == (
        " 1 of them succeeded, and will run again. For 1 task, a later attempt is taken."
        " Left out: 2 that succeeded in a later attempt and 1 that can't be retried."
    )
    assert target_notes(RCallTargets(RAction.CANCEL, tasks[1:])) == ""
