from __future__ import annotations

import errno
import os
import threading

import pytest
from purge_stage import (
    ALL,
    BASE,
    CHAIN,
    FREE,
    LONE,
    OTHER,
    RETRY,
    TIP,
    Meanwhile,
    bundles,
    in_place,
    names,
    nothing_left,
    plan_of,
    whole,
)

from hipercow_tui.formats.root import Root
from hipercow_tui.purging import PurgeReport, execute


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


def assert_untouched(root: Root, before: dict[str, bytes | None], report: PurgeReport) -> None:
    assert report.stopped and not report.complete
    assert report.removed == () and report.removed_bundles == () and report.bytes == 0
    assert names(report.put_back) == {*ALL, "sweep", "solo"}
    assert whole(root) == before and nothing_left(root)


def test_a_stop_before_anything_is_moved_changes_nothing(root: Root, stop: threading.Event) -> None:
    before, plan = whole(root), plan_of(root)
    stop.set()
    assert_untouched(root, before, execute(plan, root, stop=stop))


@pytest.mark.parametrize("moved", ["sweep", BASE[2:], TIP[2:], LONE[2:], FREE[2:]])
def test_a_stop_while_moving_puts_all_back(
    root: Root, stop: threading.Event, meanwhile: Meanwhile, moved: str
) -> None:
    before, plan = whole(root), plan_of(root)
    meanwhile.after("rename", moved, stop.set)
    assert_untouched(root, before, execute(plan, root, stop=stop))


def test_a_stop_while_checking_puts_all_back(
    root: Root, stop: threading.Event, meanwhile: Meanwhile
) -> None:
    before, plan = whole(root), plan_of(root)
    meanwhile.after("open", "retry", stop.set)
    assert_untouched(root, before, execute(plan, root, stop=stop))


@pytest.mark.parametrize(
    ("last", "gone"),
    [(TIP, {TIP}), (RETRY, {TIP, RETRY}), (BASE, set(CHAIN)), (LONE, {*CHAIN, LONE})],
)
def test_a_stop_while_erasing_puts_back_the_rest(
    root: Root, stop: threading.Event, meanwhile: Meanwhile, last: str, gone: set[str]
) -> None:
    plan = plan_of(root)
    meanwhile.after("rmdir", last, stop.set)
    report = execute(plan, root, stop=stop)

    assert report.stopped and set(report.removed) == gone
    assert in_place(root) == set(ALL) - gone
    assert bundles(root)["solo"] == [OTHER]
    assert report.bytes > 0


def test_a_bundle_with_some_erased_tasks_is_kept(
    root: Root, stop: threading.Event, meanwhile: Meanwhile
) -> None:
    plan = plan_of(root)
    meanwhile.after("rmdir", BASE, stop.set)
    report = execute(plan, root, stop=stop)
    assert bundles(root) == {"solo": [OTHER]}
    (failed,) = report.failed
    assert failed.name == "sweep" and failed.where is not None
    assert failed.where.read_text().split() == [BASE, LONE]
    assert report.quarantine_path == failed.where.parents[1]


def test_a_bundle_is_erased_if_all_of_its_tasks_are(
    root: Root, stop: threading.Event, meanwhile: Meanwhile
) -> None:
    plan = plan_of(root)
    meanwhile.after("rmdir", LONE, stop.set)
    report = execute(plan, root, stop=stop)
    assert bundles(root) == {"solo": [OTHER]}
    assert report.removed_bundles == ("sweep",) and report.failed == ()
    assert nothing_left(root)


def test_a_stop_after_the_last_task_has_no_effect(
    root: Root, stop: threading.Event, meanwhile: Meanwhile
) -> None:
    plan = plan_of(root)
    meanwhile.after("rmdir", FREE, stop.set)
    report = execute(plan, root, stop=stop)
    assert set(report.removed) == set(ALL) and set(report.removed_bundles) == {"sweep", "solo"}
    assert report.complete and not report.stopped


def test_a_chain_that_can_not_be_erased_is_put_back_when_the_purge_is_stopped(
    root: Root, stop: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, real = plan_of(root), os.rename

    def rename(source: str, target: str, **kwargs: int) -> None:
        if source == target == TIP:
            stop.set()
            raise OSError(errno.EBUSY, "Device or resource busy")
        real(source, target, **kwargs)

    monkeypatch.setattr(os, "rename", rename)
    report = execute(plan, root, stop=stop)
    assert report.stopped and report.failed == () and report.removed == ()
    assert names(report.put_back) == {*ALL, "sweep", "solo"} and nothing_left(root)
