from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_root import DAY, NOW, task_id

from hipercow_tui.analysis.error_groups import (
    NO_MESSAGE,
    ErrorGroup,
    ErrorKey,
    ErrorSort,
    Failure,
    Inputs,
    Interner,
    parse_number,
)
from hipercow_tui.analysis.failure_grouping import group_failures
from hipercow_tui.analysis.message_template import parse_message
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.details import TaskDetails


def failed(place: int, *bundles: str, finished: float | None = NOW) -> Task:
    return Task(task_id(place), Status.FAILURE, finished=finished, bundles=bundles)


def grouped(*failures: Failure) -> tuple[ErrorGroup, ...]:
    tasks = [failed(place, finished=NOW - place) for place in range(len(failures))]
    return group_failures(tasks, dict(zip((task.id for task in tasks), failures, strict=True)))


def test_group_has_counts_times_bundles_and_inputs() -> None:
    tasks = [
        failed(0, "sweep_a", finished=NOW - DAY),
        failed(1, "sweep_a", "mine", finished=NOW),
        failed(2, finished=None)._replace(latest_status=Status.SUCCESS),
        failed(3),
    ]
    known = {
        tasks[0].id: Failure("too small: 0.9", code_text="f(b)", inputs=(("b", "0.9"), ("k", "1"))),
        tasks[1].id: Failure(
            "too small: 0.95", code_text="f(b)", inputs=(("b", "0.95"), ("k", "1"))
        ),
        tasks[2].id: Failure("too small: 1", code_text="g(b)", inputs=(("b", "1e+00"),)),
        tasks[3].id: Failure("out of memory"),
    }
    large, small = group_failures(tasks, known)
    assert large.pattern == large.text == "too small: <n>"
    assert large.ids == (tasks[1].id, tasks[0].id, tasks[2].id)
    assert (large.first_finished, large.last_finished) == (NOW - DAY, NOW)
    assert large.bundles == (("sweep_a", 2), ("mine", 1))
    assert large.code == ("f(b)", "g(b)")
    assert [str(spread) for spread in large.varying] == ["b 0.9, 0.95, 1e+00"]
    assert [str(spread) for spread in large.inputs] == ["b 0.9, 0.95, 1e+00", "k 1"]
    assert large.retried_successfully == 1
    assert small.ids == (tasks[3].id,) and small.varying == ()


def test_group_text_contains_values_that_all_messages_share() -> None:
    (group,) = grouped(Failure("object 'x' not found at 3"), Failure("object 'x' not found at 4"))
    assert group.pattern == "object '…' not found at <n>"
    assert group.text == "object 'x' not found at <n>"


def test_failures_without_a_message_form_a_group_with_the_reason() -> None:
    groups = grouped(
        Failure("gone"), Failure("", problem="gone"), Failure("", problem="gone"), Failure("")
    )
    assert [(g.text, g.is_known, len(g.ids)) for g in groups] == [
        ("gone", False, 2), ("gone", True, 1), (NO_MESSAGE, True, 1),
    ]  # fmt: skip


def test_many_values_are_summarized_by_extremes_or_count() -> None:
    inputs = [(("n", f"{n}L"), ("r", f'"r{n % 5}"')) for n in range(2, 12)]
    (group,) = grouped(*(Failure("x", inputs=each) for each in inputs))
    assert [str(spread) for spread in group.varying] == ["n 2L … 11L", 'r "r0", "r1" +3']


def test_failure_is_made_from_details() -> None:
    details = TaskDetails(
        error="no\nway",
        warnings="Warning message:\nx",
        code_text="f(a)",
        inputs=(("a", "list(\n  1)"),),
    )
    failure = Failure.from_details(details)
    assert failure == Failure("no\nway", "Warning message:\nx", "f(a)", (("a", "list( 1)"),))
    assert failure.message_template.pattern == "no way"
    assert Failure.from_details(TaskDetails(problem="'result': gone")).problem == "'result': gone"
    assert len(Failure.from_details(TaskDetails(error="a" * 20_000)).message) == 4000


words = st.text(st.sampled_from("a1%'‘’\n\x1b\0✖ \udc80"), max_size=12)
pairs = st.lists(st.tuples(words, words), max_size=3).map(tuple)


@given(words, words, words, pairs, st.none() | words)
@settings(max_examples=300, deadline=None)
def test_failure_returns_the_values_it_was_made_from(
    message: str, warnings: str, what: str, inputs: Inputs, problem: str | None
) -> None:
    made = Failure(message, warnings, what, inputs, problem)
    for one in (made, Interner().intern_failure(made, b"where")):
        assert (one.message, one.warnings, one.code_text) == (message, warnings, what)
        assert (one.inputs, one.problem) == (inputs, problem)
        assert one.message_template == parse_message(problem or message or NO_MESSAGE)
    assert made == Failure(message, warnings, what, inputs, problem)


def test_messages_with_different_line_breaks_are_in_one_group() -> None:
    (group,) = grouped(Failure("cannot read 3\nof 5 files"), Failure("cannot\nread 2 of 5 files"))
    assert group.pattern == "cannot read <n> of <n> files"
    assert group.text == "cannot\nread <n> of 5 files"


@pytest.mark.parametrize(
    ("value", "is_number"),
    [("0.91", 0.91), ("4L", 4.0), ("1e+05", 1e5), ("-3", -3.0), ('"4"', None), ("NaN", None)],
)
def test_numbers_as_r_writes_them(value: str, is_number: float | None) -> None:
    assert parse_number(value) == is_number


@pytest.mark.parametrize("key", list(ErrorKey))
def test_groups_are_sorted_by_each_key_and_in_reverse(key: ErrorKey) -> None:
    tasks = [failed(n, f"b{n:02d}", finished=NOW - n * DAY) for n in range(12)]
    known = {
        task.id: Failure("abcd"[min(n // 2, 3)], inputs=(("n", str(n)),))
        for n, task in enumerate(tasks)
    }
    sort = ErrorSort(key) if key is not ErrorKey.TASKS else ErrorSort()
    rising = group_failures(tasks, known, replace(sort, reverse=False))
    falling = group_failures(tasks, known, replace(sort, reverse=True))
    assert {g.pattern for g in rising} == {g.pattern for g in falling} == set("abcd")
    assert rising[0].pattern == falling[-1].pattern or key is ErrorKey.TASKS
    assert ErrorSort(key, reverse=True).toggled(key) == ErrorSort(key, reverse=False)
    assert group_failures(tasks, known)[0].pattern == "d"


def failure(message: str, inputs: Inputs, problem: str | None) -> Failure:
    return Failure(message, inputs=inputs, problem=problem)


some = st.builds(
    failure,
    st.sampled_from(["step {} failed", "no '{}'", "plain", "", "{} and {}"]).flatmap(
        lambda text: st.sampled_from(["1", "2", "3.5", "a"]).map(lambda v: text.replace("{}", v))
    ),
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["1", "2", '"x"'])), max_size=3).map(
        tuple
    ),
    st.sampled_from([None, None, None, "gone"]),
)


@given(st.lists(st.tuples(st.integers(0, 5), some), max_size=20), st.randoms())
def test_every_failure_is_in_exactly_one_group(
    given_: list[tuple[int, Failure]], random: object
) -> None:
    tasks = [
        failed(place, *("xy"[: days % 3]), finished=NOW - days * DAY if days else None)
        for place, (days, _) in enumerate(given_)
    ]
    known = {task.id: failure for task, (_, failure) in zip(tasks, given_, strict=True)}
    groups = group_failures(tasks, known)
    assert sorted(i for group in groups for i in group.ids) == sorted(known)
    assert sum(len(group.ids) for group in groups) == len(known)
    assert [len(group.ids) for group in groups] == sorted(
        (len(group.ids) for group in groups), reverse=True
    )
    assert len({(group.is_known, group.pattern) for group in groups}) == len(groups)
    for group in groups:
        patterns = {known[i].message_template.pattern for i in group.ids}
        assert patterns == {group.pattern}
        assert {known[i].problem is None for i in group.ids} == {group.is_known}
    shuffled = list(tasks)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert group_failures(shuffled, known) == groups


@given(st.lists(some, max_size=12))
@settings(max_examples=100, deadline=None)
def test_unread_failures_are_in_no_group(failures: list[Failure]) -> None:
    tasks = [failed(place) for place in range(len(failures))]
    known = {task.id: f for task, f in list(zip(tasks, failures, strict=True))[::2]}
    assert sum(len(group.ids) for group in group_failures(tasks, known)) == len(known)
