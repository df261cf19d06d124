from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from small_root import IDS, NOW, snapshot_of, snapshots

from hipercow_tui.domain.filters import FilterStack, TaskIds
from hipercow_tui.domain.plan import make_plan
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.output.r_calls import (
    RAction,
    action_call,
    info_call,
    log_call,
    purge_call,
    targets_of,
)
from hipercow_tui.output.report import r_call

ONE, TWO, THREE = IDS[:3]


@settings(max_examples=150, deadline=None)
@given(snapshot=snapshots(), act=st.sampled_from(RAction), data=st.data())
def test_a_call_lists_each_suitable_latest_attempt_once(
    snapshot: Snapshot, act: RAction, data: st.DataObject
) -> None:
    ids = sorted(snapshot.tasks)
    chosen = data.draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
    reach = targets_of(act, [snapshot.tasks[i] for i in chosen], snapshot)
    assert len(set(reach.ids)) == len(reach.ids)
    assert all(snapshot.tasks[i].status in act.takes for i in reach.ids)
    tips = {snapshot.chains.latest_attempt(i) if snapshot.tasks[i].chain else i for i in chosen}
    there = [snapshot.tasks[tip] for tip in tips if tip is not None and tip in snapshot.tasks]
    suitable = {task.id for task in there if task.status in act.takes}
    again = {i for i in suitable if snapshot.tasks[i].status is Status.SUCCESS} - {*chosen}
    assert suitable - again == set(reach.ids)
    assert 0 <= reach.left_out <= len(chosen) - len(reach.ids) - reach.succeeded
    assert re.findall("[0-9a-f]{32}", action_call(reach)) == [*reach.ids]


def test_two_attempts_of_a_chain_are_retried_once() -> None:
    snapshot = snapshot_of(
        [Task(ONE, Status.FAILURE), Task(TWO, Status.FAILURE)], links=[(TWO, ONE, ONE)]
    )
    reach = targets_of(RAction.RETRY, snapshot.tasks.values(), snapshot)
    assert (reach.ids, reach.followed, reach.left_out) == ((TWO,), 1, 0)
    assert action_call(reach) == f'hipercow::task_retry("{TWO}")'
    assert targets_of(RAction.CANCEL, snapshot.tasks.values(), snapshot).left_out == 2


def test_a_failure_that_was_retried_with_success_is_not_retried() -> None:
    first, success = Task(ONE, Status.FAILURE), Task(TWO, Status.SUCCESS)
    snapshot = snapshot_of([first, success], links=[(TWO, ONE, ONE)])
    reach = targets_of(RAction.RETRY, [snapshot.tasks[ONE]], snapshot)
    assert (reach.ids, reach.succeeded, reach.left_out) == ((), 1, 0)
    reach = targets_of(RAction.RETRY, [snapshot.tasks[TWO]], snapshot)
    assert (reach.ids, reach.successes) == ((TWO,), 1)


def test_a_running_task_can_be_cancelled_but_not_retried() -> None:
    tasks = [Task(ONE, Status.RUNNING), Task(TWO, Status.SUBMITTED), Task(THREE, Status.CREATED)]
    snapshot = snapshot_of(tasks)
    reach = targets_of(RAction.CANCEL, tasks, snapshot)
    assert action_call(reach) == f'hipercow::task_cancel(c(\n  "{ONE}",\n  "{TWO}"\n))'
    assert action_call(targets_of(RAction.RETRY, tasks, snapshot)) == ""


def test_tasks_of_python_are_not_passed_to_r() -> None:
    task = Task(ONE, Status.FAILURE)._replace(lang=Lang.PY)
    snapshot = snapshot_of([])
    assert targets_of(RAction.RETRY, [task], snapshot).left_out == 1


def test_a_log_call_shows_this_attempt() -> None:
    alone = Task(ONE, Status.FAILURE)
    retried = alone._replace(chain=(ONE, TWO))
    assert log_call(alone) == f'hipercow::task_log_show("{ONE}")'
    assert log_call(retried, outer=True) == (
        f'hipercow::task_log_show("{ONE}", outer = TRUE, follow = FALSE)'
    )
    assert info_call(retried) == f'hipercow::task_info("{ONE}", follow = FALSE)'


@settings(max_examples=50, deadline=None)
@given(snapshot=snapshots(), ids=st.sets(st.sampled_from(IDS), min_size=1))
def test_the_call_of_a_plan_lists_the_matched_tasks(snapshot: Snapshot, ids: set[str]) -> None:
    existing = [task.id for task in snapshot.existing(ids)]
    plan = make_plan(snapshot, FilterStack(task_ids=TaskIds(frozenset(existing))), now=NOW)
    assert set(re.findall("[0-9a-f]{32}", r_call(plan))) == {
        one.task.id for one in plan.matched or plan.tasks
    }
    assert purge_call([]) == ""


def test_the_call_of_a_plan_leaves_out_kept_chains() -> None:
    tasks = [Task(i, Status.FAILURE, 1) for i in (ONE, TWO)]
    snapshot, both = snapshot_of(tasks), FilterStack(task_ids=TaskIds(frozenset({ONE, TWO})))
    plan = make_plan(snapshot, both, now=NOW, kept_ids=frozenset({ONE}))
    assert r_call(plan) == f'hipercow::hipercow_purge(task_ids = "{TWO}")'
    assert r_call(make_plan(snapshot, both, now=NOW, kept_ids=frozenset({ONE, TWO}))) == ""
