from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_root import NOW, task_id

from hipercow_tui.analysis.error_groups import ErrorGroup, ErrorGrouping, Failure
from hipercow_tui.analysis.failure_grouping import group_failures, group_with
from hipercow_tui.domain.task import Status, Task

FRAME, MESSAGE, NODE = ErrorGrouping.FRAME, ErrorGrouping.MESSAGE, ErrorGrouping.NODE


def grouped(
    failures: list[Failure], by: ErrorGrouping, nodes: list[str] | None = None
) -> tuple[ErrorGroup, ...]:
    tasks = [Task(task_id(n), Status.FAILURE, finished=NOW - n) for n in range(len(failures))]
    known = {task.id: failure for task, failure in zip(tasks, failures, strict=True)}
    names = {task.id: node for task, node in zip(tasks, nodes or [], strict=False)}
    return group_failures(tasks, known, by=by, nodes=names)


def summary(groups: tuple[ErrorGroup, ...]) -> list[tuple[str, bool, int]]:
    return [(group.text, group.is_known, len(group.ids)) for group in groups]


def test_failures_of_one_frame_are_one_group_with_their_messages() -> None:
    failures = [
        Failure("too small: 1", frame="fit()"),
        Failure("too small: 2", frame="fit()"),
        Failure("gone", frame="fit()"),
        Failure("gone"),
        Failure("", problem="gone"),
        Failure("gone", frame="read() model.py:7"),
    ]
    groups = grouped(failures, FRAME)
    assert summary(groups) == [
        ("fit()", True, 3), ("no frame known", False, 2), ("read() model.py:7", True, 1),
    ]  # fmt: skip
    assert groups[0].messages == (("too small: <n>", 2), ("gone", 1))
    assert groups[0].frames == (("fit()", 3),)
    assert groups[0].matches("too small")
    assert [group.named(group.line) for group in groups[:2]] == ["frame 'fit()'", "no frame known"]


def test_failures_of_one_message_have_their_frames() -> None:
    failures = [Failure("gone", frame=frame) for frame in ("f()", "g()", "g()", "")]
    (group,) = grouped(failures, MESSAGE)
    assert group.frames == (("g()", 2), ("f()", 1))
    assert group.messages == ()
    assert group.matches("g()")


def test_failures_are_grouped_by_node_once_it_was_read() -> None:
    groups = grouped([Failure("gone")] * 4, NODE, ["n1", "", "n1"])
    assert summary(groups) == [("n1", True, 2), ("no node known", False, 1)]


def test_a_rule_names_a_group_apart_from_messages_of_the_same_text() -> None:
    failures = [
        Failure("memory"),
        Failure("bad_alloc 3")._replace(rule="memory"),
        Failure("cannot allocate 3 Gb")._replace(rule="memory"),
        Failure("bad_alloc 4")._replace(rule="memory"),
    ]
    by_rule, by_message = grouped(failures, MESSAGE)
    assert (by_rule.text, by_rule.by_rule, len(by_rule.ids)) == ("memory", True, 3)
    assert by_rule.messages == (("bad_alloc <n>", 2), ("cannot allocate <n> Gb", 1))
    assert (by_message.text, by_message.by_rule, len(by_message.ids)) == ("memory", False, 1)
    assert by_rule.key != by_message.key


def test_group_with_a_task_is_that_of_all_tasks() -> None:
    failures = [
        Failure("no 1", frame="f()"),
        Failure("no\n2", frame="g()"),
        Failure("other"),
        Failure("", problem="other"),
        Failure("x")._replace(rule="other"),
        Failure("y")._replace(rule="other"),
    ]
    groups = grouped(failures, MESSAGE)
    tasks = {task_id(n): Task(task_id(n), Status.FAILURE, finished=NOW - n) for n in range(6)}
    known = {task_id(n): failure for n, failure in enumerate(failures)}
    for group in groups:
        for one in group.ids:
            assert group_with(one, tasks, known) == group
    assert group_with(task_id(9), tasks, known) is None


def test_outer_logs_may_say_why_if_no_message_does_or_the_node_is_not_known() -> None:
    lost, said = Failure("task reported as lost"), Failure("no")
    unread = Failure("", problem="no log")
    failures = [lost, said, unread]
    assert [group.lacks_reason for group in grouped(failures, MESSAGE)] == [True, False, True]
    assert [group.lacks_reason for group in grouped(failures, FRAME)] == [False]
    assert grouped([lost], FRAME)[0].lacks_reason
    assert [group.lacks_reason for group in grouped(failures, NODE, ["n", "", "n"])] == [
        False, True,
    ]  # fmt: skip


some = st.builds(
    lambda message, frame, rule, problem: Failure(message, problem=problem, frame=frame)._replace(
        rule=rule
    ),
    st.sampled_from(["no 1", "no 2", "f()", "no frame known", ""]),
    st.sampled_from(["", "f()", "g()", "no frame known"]),
    st.sampled_from(["", "", "rule", "f()"]),
    st.sampled_from([None, None, "gone"]),
)


@pytest.mark.parametrize("by", list(ErrorGrouping))
@given(failures=st.lists(some, max_size=12), node=st.sampled_from(["", "n1", "no node known"]))
def test_every_grouping_has_each_failure_once(
    by: ErrorGrouping, failures: list[Failure], node: str
) -> None:
    nodes = [node if n % 2 else "n2" for n in range(len(failures))]
    groups = grouped(failures, by, nodes)
    assert sorted(i for group in groups for i in group.ids) == sorted(
        task_id(n) for n in range(len(failures))
    )
    assert len({group.key for group in groups}) == len(groups)
    for group in groups:
        assert group.by is by
        assert sum(n for _, n in group.messages) == (len(group.ids) if group.messages else 0)
