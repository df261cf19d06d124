"""Which tasks of a wait have ended, for random roots and for each special case."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from small_root import IDS, NOW, snapshot_of, snapshots, task_id

from hipercow_tui.domain.combined_snapshot import combine_snapshots
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.domain.unread import Unread
from hipercow_tui.domain.waits import Attempt, Wait, WaitProgress, Waits, attempt_of

A, B, C, D = map(task_id, range(1, 5))
some_ids = st.lists(st.sampled_from(IDS), max_size=10, unique=True).map(tuple)


def task(identity: str, status: Status, mask: int = 1) -> Task:
    return Task(identity, status, mask, NOW)


def of(*tasks: Task, links: tuple[tuple[str, str, str], ...] = ()) -> Snapshot:
    return snapshot_of(tasks, links=links)


@given(snapshots(), some_ids)
def test_every_task_is_counted_once_and_has_ended_or_not(
    snapshot: Snapshot, ids: tuple[str, ...]
) -> None:
    progress = WaitProgress.of(snapshot, ids)
    assert sum(progress.counts.values()) == len(ids)
    assert progress.ended_count + len(progress.unfinished) == len(ids)
    counts = progress.counts
    ended = sum(counts[name] for name in ("success", "failure", "cancelled", "gone"))
    assert progress.ended_count == ended
    assert progress.all_succeeded == (ended == counts["success"])


@given(snapshots(), st.sampled_from(IDS))
def test_a_task_counts_by_the_status_that_filters_use(snapshot: Snapshot, identity: str) -> None:
    latest = snapshot.latest_status(identity)
    if latest is not None:
        assert attempt_of(snapshot, identity).status is latest
    own = snapshot.tasks.get(identity)
    if own is not None and own.exists:
        assert attempt_of(snapshot, identity, follow=False) == (identity, own.status)


@given(snapshots(), st.lists(some_ids, max_size=4))
def test_waits_go_on_or_have_ended(snapshot: Snapshot, several: list[tuple[str, ...]]) -> None:
    waits = Waits(tuple(Wait(f"wait {n}", ids, NOW) for n, ids in enumerate(several)))
    left, ended = waits.split(WaitProgress.of(snapshot, waits.ids))
    assert {*left.waits, *(one.wait for one in ended)} == set(waits.waits)
    assert len(left.waits) + len(ended) == len(several)
    assert all(WaitProgress.of(snapshot, one.ids).unfinished for one in left.waits)
    assert not any(one.progress.unfinished for one in ended)


@given(snapshots(), st.lists(some_ids, max_size=3), some_ids)
def test_a_stopped_wait_is_not_reported_as_ended(
    snapshot: Snapshot, several: list[tuple[str, ...]], stopped: tuple[str, ...]
) -> None:
    waits = Waits(tuple(Wait(f"wait {n}", ids, NOW) for n, ids in enumerate(several)))
    left = waits.without(stopped, snapshot)
    assert left.ids <= waits.ids.difference(stopped)
    assert left.split(WaitProgress.of(snapshot, left.ids)) == (left, [])


def test_the_latest_attempt_of_a_retried_task_counts() -> None:
    failed, retry = task(A, Status.FAILURE), task(B, Status.RUNNING)
    snapshot = of(failed, retry, links=((B, A, A),))
    assert attempt_of(snapshot, A) == Attempt(B, Status.RUNNING)
    assert attempt_of(snapshot, A, follow=False) == Attempt(A, Status.FAILURE)


def test_a_purged_task_is_gone_and_has_ended_without_success() -> None:
    progress = WaitProgress.of(of(task(B, Status.SUCCESS)), [A, B])
    assert progress.counts["gone"] == 1 and not progress.unfinished
    assert not progress.all_succeeded
    assert progress.statuses == {A: "gone", B: "success"}
    assert str(progress) == "2 tasks ended: 1 success, 1 gone"


def test_a_task_of_which_only_the_first_attempt_was_removed_counts_by_its_retry() -> None:
    snapshot = of(task(B, Status.SUCCESS), links=((B, A, A),))
    assert attempt_of(snapshot, A) == Attempt(B, Status.SUCCESS)


def test_a_retry_whose_folder_is_not_seen_yet_has_not_ended() -> None:
    snapshot = of(task(A, Status.FAILURE), links=((B, A, A),))
    assert attempt_of(snapshot, A) == Attempt(B, Status.BROKEN)


def test_a_folder_that_cant_be_examined_is_not_gone() -> None:
    unread = replace(of(), unread=Unread(places={A[:2]: "'tasks/01' can't be read"}))
    assert attempt_of(unread, A) == Attempt(A, Status.BROKEN)
    unlisted = of(task(A, Status.BROKEN, -1))
    assert str(WaitProgress.of(unlisted, [A])) == "0 of 1 task ended; 1 can't be read"


def test_a_cycle_of_retries_counts_by_the_task_itself() -> None:
    both = task(A, Status.FAILURE), task(B, Status.RUNNING)
    snapshot = of(*both, links=((B, A, A), (A, B, B)))
    assert attempt_of(snapshot, A) == Attempt(A, Status.FAILURE)


def test_tasks_of_both_languages_are_looked_up() -> None:
    r = of(task(A, Status.FAILURE), task(B, Status.SUCCESS), links=((B, A, A),))
    python_task = task(C, Status.RUNNING)._replace(lang=Lang.PY)
    python = Snapshot(r.root, {C: python_task}, lang=Lang.PY)
    progress = WaitProgress.of(combine_snapshots(r, python), [A, C, D])
    assert progress.statuses == {A: "success", C: "running", D: "gone"}
    assert str(progress) == "2 of 3 tasks ended: 1 success, 1 gone"
