from __future__ import annotations

from dataclasses import replace

import pytest
from small_plans import by_ids, ended, failures
from small_root import IDS, NOW, snapshot_of

from hipercow_tui.domain.pins import Pin, Pins
from hipercow_tui.domain.plan import make_plan
from hipercow_tui.domain.records import RecordTarget, TargetKind
from hipercow_tui.domain.task import DATA, Lang, Status, Task
from hipercow_tui.formats.free_space import FreeSpace
from hipercow_tui.output.report import (
    Report,
    bundle_effect,
    free_space_lines,
    kept_by_you,
    plan_lines,
    side_effects,
)
from hipercow_tui.purging import EmptyReport, RestoreReport

A, B, C, D, E = IDS[:5]


def test_plan_says_how_many_tasks_are_matched_by_their_last_attempt() -> None:
    snapshot = snapshot_of([ended(A, Status.SUCCESS), ended(B), ended(C)], links=[(B, A, A)])
    lines = list(plan_lines(make_plan(snapshot, failures(), now=NOW), {}))
    assert "matched 3, 1 of them by their last attempt" in lines
    assert lines[-1] == "! 1 successful attempt included: its chain ends in failure"
    own = list(plan_lines(make_plan(snapshot, failures(follow=False), now=NOW), {}))
    assert "matched 2" in own and "in retry chains 1" in own
    assert own[-1] == "! 1 task with status success included: a retry chain goes as a whole"


GB = 10**9


@pytest.mark.parametrize(
    ("freed", "before", "after", "sentences"),
    [
        (6 * GB, FreeSpace(1 * GB, 9 * GB), FreeSpace(4 * GB, 9 * GB), 1),
        (6 * GB, FreeSpace(1 * GB, 9 * GB), FreeSpace(3 * GB, 9 * GB), 2),
        (6 * GB, FreeSpace(3 * GB, 9 * GB), FreeSpace(1 * GB, 9 * GB), 2),
        (999_999, FreeSpace(1 * GB, 9 * GB), FreeSpace(1 * GB, 9 * GB), 1),
        (6 * GB, FreeSpace(1 * GB, 9 * GB), FreeSpace(1 * GB, 9 * GB, quota=True), 1),
        (6 * GB, None, FreeSpace(1 * GB, 9 * GB), 1),
        (6 * GB, FreeSpace(1 * GB, 9 * GB), None, 0),
    ],
)
def test_a_report_explains_if_the_file_system_gained_less_than_half_of_what_was_erased(
    freed: int, before: FreeSpace | None, after: FreeSpace | None, sentences: int
) -> None:
    report = EmptyReport(files=1, disk_bytes=freed)
    assert len(list(free_space_lines(report, before, lambda: after))) == sentences


@pytest.mark.parametrize("report", [EmptyReport(), RestoreReport("batch")])
def test_the_free_space_is_not_read_after_a_job_that_erased_nothing(report: Report) -> None:
    def read() -> FreeSpace:
        raise AssertionError("a quota takes seconds to read if its server does not answer")

    assert not list(free_space_lines(report, None, read))


def test_plan_says_what_is_kept_left_out_and_loses_a_bundle() -> None:
    running = Task(D, Status.RUNNING, DATA)
    snapshot = snapshot_of(
        [ended(A), ended(B), ended(C), running, ended(E)],
        bundles={"one": (A, C, E)},
        links=[(B, A, A)],
    )
    plan = make_plan(snapshot, by_ids(A, C, D), now=NOW, skip_blocked=True, kept_ids=frozenset({A}))
    assert side_effects(plan) == "1 chain left out · 2 tasks stay and lose a bundle"
    assert kept_by_you(plan) == "1 chain kept by you (2 tasks)"
    lines = list(plan_lines(plan, {}))
    assert lines[2] == f"  {kept_by_you(plan)} · {side_effects(plan)}"
    kept = lines.index("kept by you 2")
    assert lines[kept + 1 : kept + 3] == [
        f"    failure    {A}",
        f"    failure    {B}  retry of 000000…0000",
    ]
    assert not kept_by_you(make_plan(snapshot, by_ids(A), now=NOW))


def test_a_plan_lists_what_pins_hold_back_with_user_and_note() -> None:
    target = RecordTarget(TargetKind.CHAIN, Lang.R, A)
    pin = Pin(target, "for the paper", "ada", "node1", NOW - 2 * 86400)
    snapshot = replace(
        snapshot_of([ended(A), ended(B), ended(C)], links=[(B, A, A)]), pins=Pins((pin,))
    )
    lines = list(plan_lines(make_plan(snapshot, by_ids(A), now=NOW), {}))
    assert lines[0] == "Nothing to purge"
    why = "pinned by ada on node1, 2 days ago: for the paper"
    assert lines[2:] == [
        "  2 tasks held back by pins",
        "held back by pins 2",
        f"    failure    {A}  {why}",
        f"    failure    {B}  {why}",
    ]
    assert "  2 tasks held back by pins" in plan_lines(make_plan(snapshot, failures(), now=NOW), {})


@pytest.mark.parametrize(
    ("listed", "going", "says"),
    [
        ((A, B, C), (A, B), "3 tasks: 2 go, 1 stays without it"),
        ((A, B, C), (A,), "3 tasks: 1 goes, 2 stay without it"),
        ((A, B), (A, B), "2 tasks: all go"),
        ((A,), (A,), "1 task: 1 goes"),
        ((A, B, E), (A, B), "3 tasks: 2 go, 1 already gone"),
    ],
)
def test_effect_on_a_bundle(listed: tuple[str, ...], going: tuple[str, ...], says: str) -> None:
    snapshot = snapshot_of([ended(A), ended(B), ended(C)], bundles={"one": listed})
    (bundle,) = make_plan(snapshot, by_ids(*going), now=NOW).bundles
    assert bundle_effect(bundle) == says
