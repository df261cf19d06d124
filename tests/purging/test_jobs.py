"""Several chains are erased at the same time."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from purge_stage import (
    ALL,
    CHAIN,
    Meanwhile,
    batches,
    bundles,
    has_no_batches,
    in_place,
    list_entries,
    make_root,
    plan_of,
    root_contents,
)
from small_root import task_id, write_task

from hipercow_tui.cli.main import main
from hipercow_tui.formats.root import Root
from hipercow_tui.purging import Phase, Progress, empty, execute, list_trash, move_to_trash, restore

MORE = tuple(task_id(number) for number in range(20, 60))


@pytest.fixture
def root(tmp_path: Path) -> Root:
    for identity in MORE:
        write_task(tmp_path, identity, "failure")
    return make_root(tmp_path)


class Slow:
    """Makes each removal take two milliseconds. Counts how many run at a time, and of which
    tasks."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.most = self._now = 0
        self.order: list[str] = []
        self._counting = threading.Lock()
        self._unlink, self._rmdir = os.unlink, os.rmdir
        patch.setattr(os, "unlink", self.unlink)
        patch.setattr(os, "rmdir", self.rmdir)

    def unlink(self, name: str, **kwargs: int) -> None:
        with self._counting:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.002)
        try:
            self._unlink(name, **kwargs)
        finally:
            with self._counting:
                self._now -= 1

    def rmdir(self, name: str, **kwargs: int) -> None:
        self._rmdir(name, **kwargs)
        self.order.append(name)


@pytest.mark.parametrize("jobs", [1, 4, 64])
@pytest.mark.parametrize("emptied", [True, False])
def test_several_chains_are_erased_at_a_time_each_from_its_latest_attempt(
    root: Root, monkeypatch: pytest.MonkeyPatch, jobs: int, emptied: bool
) -> None:
    plan = plan_of(root)
    told: list[Progress] = []
    if emptied:
        move_to_trash(plan, root)
    slow = Slow(monkeypatch)
    if emptied:
        assert empty(root, list_entries(root), on_progress=told.append, jobs=jobs).complete
    else:
        report = execute(plan, root, on_progress=told.append, jobs=jobs)
        assert report.complete and report.removed == plan.ids
        assert report.files > 200 and told[-1].freed == report.freed and report.bytes > 10_000
    assert in_place(root) == set() and bundles(root) == {} and has_no_batches(root)
    assert [name for name in slow.order if name in CHAIN] == list(reversed(CHAIN))
    assert slow.most == 1 if jobs == 1 else 1 < slow.most <= jobs
    erasing = [one.done for one in told if one.phase is Phase.ERASING]
    assert erasing == sorted(erasing) and erasing[-1] == len(ALL) + len(MORE)


def stop_after_the_eleventh(meanwhile: Meanwhile) -> threading.Event:
    """An event that is set once MORE[10] is erased; the workers of the last tasks wait for it."""
    stop = threading.Event()
    meanwhile.after("rmdir", MORE[10], stop.set)
    for late in MORE[20:]:
        meanwhile.before("rmdir", late, lambda: stop.wait(60))
    return stop


def test_a_purge_with_several_jobs_stops_between_tasks(root: Root, meanwhile: Meanwhile) -> None:
    before, plan, stop = root_contents(root), plan_of(root), stop_after_the_eleventh(meanwhile)
    report = execute(plan, root, stop=stop, jobs=4)
    assert report.stopped and MORE[10] in report.removed
    assert in_place(root) == {*ALL, *MORE} - set(report.removed)
    after = root_contents(root)
    assert all(after[name] == before[name] for name in after)
    assert not [batch for batch in batches(root) if not batch.name.endswith(".kept")]


def test_a_stopped_emptying_can_be_restored(root: Root, meanwhile: Meanwhile) -> None:
    batch_id = str(move_to_trash(plan_of(root), root).trash)
    stop = stop_after_the_eleventh(meanwhile)
    report = empty(root, list_entries(root), stop=stop, jobs=4)
    assert report.stopped
    assert set(restore(root, batch_id).missing_ids) == set(report.removed)
    assert in_place(root) == {*ALL, *MORE} - set(report.removed)


def test_an_error_in_one_job_ends_all_and_puts_the_rest_back(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(root)
    Slow(monkeypatch)
    threads = threading.active_count()  # other tests may have left some that are about to end

    def interrupt(progress: Progress) -> None:
        if progress.phase is Phase.ERASING and progress.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(plan, root, on_progress=interrupt, jobs=4)
    left = in_place(root)
    assert 0 < len(left) < len(plan.ids)
    begun = list_trash(root)  # when it came, and a bundle with some of its tasks erased
    assert (
        not any(batch.tasks for batch in begun)
        and sum(len(batch.partly_erased) for batch in begun) <= 4
    )
    for batch_id in {batch.batch_id for batch in begun}:
        empty(root, list_entries(root, batch_id))
    assert in_place(root) == left and has_no_batches(root)
    assert threading.active_count() <= threads


def test_the_command_line_accepts_jobs(root: Root, tmp_path: Path) -> None:
    where, saved = str(root.path), str(tmp_path / "plan.json")
    purge = ["purge", where, "--with-status", "failure"]
    assert main([*purge, "--trash", "--yes"]) == 0
    assert main(["trash", where, "--empty", "--yes", "--jobs", "4"]) == 0
    assert in_place(root) == set() and has_no_batches(root)
    write_task(root.path, MORE[0], "failure")
    assert main([*purge, "--save-plan", saved]) == 0
    assert main(["apply", saved, "--yes", "--jobs", "2"]) == 0
    write_task(root.path, MORE[0], "failure")
    assert main([*purge, "--yes", "--jobs", "64"]) == 0
    assert in_place(root) == set()


@pytest.mark.parametrize("number", ["0", "-1", "65", "x", "1.5", ""])
@pytest.mark.parametrize("command", [["purge"], ["apply", "FILE"], ["trash", "--empty"]])
def test_an_invalid_number_of_jobs_is_wrong_usage(
    command: list[str], number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--jobs", number])
    assert ended.value.code == 2
    assert "argument --jobs: " in capsys.readouterr().err
