from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from small_root import DAY, IDS, NOW, snapshot_of, snapshots

from hipercow_tui.analysis.possibly_stuck import (
    MARKER_MISSING,
    MIN_QUEUE_TIME,
    MIN_RUN_TIME,
    MIN_SAMPLES,
    SILENT_LOG_TIME,
    duration_stats,
    find_stuck,
)
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import DATA, INFO, Status, Task

HOUR = 3600.0


def done(task_id: str, waited: float, ran: float) -> Task:
    began = NOW - 10 * DAY
    return Task(
        task_id, Status.SUCCESS, 1, began, began + waited, began + waited + ran, latest_status=None
    )


def sweep(*others: Task, finished: int = MIN_SAMPLES) -> Snapshot:
    """Tasks that waited a minute and ran for an hour, and others, in one bundle."""
    tasks = [*(done(task_id, 60, HOUR) for task_id in IDS[5 : 5 + finished]), *others]
    return snapshot_of(tasks, {"sweep_01": tuple(task.id for task in tasks)})


def running(seconds: float) -> Task:
    return Task(IDS[0], Status.RUNNING, 1, NOW - seconds - 5, NOW - seconds)


def submitted(seconds: float) -> Task:
    return Task(IDS[0], Status.SUBMITTED, 1, NOW - seconds)


def test_task_running_longer_than_others_of_its_bundle_may_be_stuck() -> None:
    assert find_stuck(sweep(running(2 * HOUR)), NOW) == {
        IDS[0]: "running for 2 hours; 3 others of sweep_01 ran for 1 hour at most"
    }
    assert not find_stuck(sweep(running(HOUR - 1)), NOW)


def test_task_waiting_longer_than_others_of_its_bundle_may_be_stuck() -> None:
    assert find_stuck(sweep(submitted(2 * HOUR)), NOW) == {
        IDS[0]: "waiting for 2 hours; 3 others of sweep_01 waited 1 minute at most"
    }
    patient = sweep(submitted(2 * HOUR), done(IDS[1], 3 * HOUR, 5))
    assert not find_stuck(patient, NOW)


def test_task_of_a_fast_bundle_is_not_stuck_before_minimum_times() -> None:
    quick = [done(task_id, 0, 0.5) for task_id in IDS[5 : 5 + MIN_SAMPLES]]
    for late, least in ((running, MIN_RUN_TIME), (submitted, MIN_QUEUE_TIME)):
        tasks = [*quick, late(least)]
        snapshot = snapshot_of(tasks, {"sweep_01": tuple(task.id for task in tasks)})
        assert not find_stuck(snapshot, NOW)
        assert IDS[0] in find_stuck(snapshot, NOW + 1)
    assert 300 <= MIN_RUN_TIME < MIN_QUEUE_TIME


def test_running_task_with_a_log_silent_for_a_day_may_be_stuck() -> None:
    alone = snapshot_of([running(3 * DAY)])
    assert find_stuck(alone, NOW, {IDS[0]: NOW - 2.5 * DAY}) == {
        IDS[0]: "running for 3 days; its log has been silent for 2 days"
    }
    assert not find_stuck(alone, NOW, {IDS[0]: NOW - SILENT_LOG_TIME})
    both = find_stuck(sweep(running(3 * DAY)), NOW, {IDS[0]: NOW - 2 * DAY})[IDS[0]]
    assert both.startswith("running for 3 days; 3 others of sweep_01 ran for 1 hour at most; its")


def test_silence_counts_from_the_start_and_only_for_running_tasks() -> None:
    assert not find_stuck(snapshot_of([running(HOUR)]), NOW, {IDS[0]: NOW - 9 * DAY})
    for other in (submitted(9 * DAY), done(IDS[0], 1, 1)):
        assert not find_stuck(snapshot_of([other]), NOW, {IDS[0]: NOW - 9 * DAY})
    assert not find_stuck(snapshot_of([]), NOW, {IDS[0]: NOW - 9 * DAY})


def test_task_with_info_and_without_the_marker_of_its_end_is_stuck_at_once() -> None:
    ended = running(HOUR)._replace(files_mask=DATA | INFO)
    assert find_stuck(sweep(ended), NOW) == {IDS[0]: MARKER_MISSING}
    silent = {IDS[0]: NOW - 9 * DAY}
    assert find_stuck(sweep(running(9 * DAY)._replace(files_mask=INFO)), NOW, silent) == {
        IDS[0]: MARKER_MISSING
    }


def test_bundle_with_too_few_finished_tasks_has_no_stuck_task() -> None:
    assert not find_stuck(sweep(running(50 * DAY), finished=MIN_SAMPLES - 1), NOW)
    alone = running(50 * DAY)
    assert not find_stuck(snapshot_of([alone]), NOW)


@settings(max_examples=100, deadline=None)
@given(
    snapshot=snapshots(),
    later=st.floats(0, 100 * DAY),
    logs=st.dictionaries(st.sampled_from(IDS), st.floats(NOW - 9 * DAY, NOW)),
)
def test_only_unfinished_tasks_may_be_stuck_and_time_never_clears_them(
    snapshot: Snapshot, later: float, logs: dict[str, float]
) -> None:
    now = find_stuck(snapshot, NOW, logs)
    assert {snapshot.tasks[i].status for i in now} <= {Status.SUBMITTED, Status.RUNNING}
    assert now.keys() <= find_stuck(snapshot, NOW + later, logs).keys()
    for bundle in snapshot.bundles:
        pace = duration_stats(snapshot.existing(bundle.task_ids))
        assert pace.longest_wait >= 0
        assert pace.longest_run >= 0
