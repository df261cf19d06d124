from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_root import IDS, NOW, snapshot_of

from hipercow_tui.errors import FilterError, NoFilterError, UnknownTasksError
from hipercow_tui.filters import InBundle, TaskIds, requested_filters
from hipercow_tui.model import Status, Task

A, B, C = IDS[:3]


@pytest.mark.parametrize(
    ("patterns", "takes"),
    [
        ("sweep_*", {"sweep_1", "sweep_09"}),
        ("sweep_?", {"sweep_1"}),
        ("SWEEP_*", set()),
        ("{a,b}", {"a", "b"}),
        ("[ab]", {"a", "b"}),
        ("[!ab]", set()),
        (["sweep_*", "!sweep_09"], {"sweep_1"}),
        (["!sweep_09", "sweep_*"], {"sweep_1"}),
        (["a", "b", "nothing"], {"a", "b"}),
        ("*", {"sweep_1", "sweep_09", "a", "b"}),
    ],
)
def test_globs(patterns: str | list[str], takes: set[str]) -> None:
    glob = InBundle.of(patterns)
    assert {name for name in ("sweep_1", "sweep_09", "a", "b") if glob.matches(name)} == takes


@pytest.mark.parametrize(
    ("patterns", "says"),
    [
        ("!a", "only excludes"),
        ("{a,b", "not closed"),
        ("[ab", "not closed"),
        ("{1..100000}", "more than 1,000 patterns"),
        ("{a,b}" * 14, "more than 1,000 patterns"),
    ],
)
def test_globs_that_are_refused_with_a_sentence(patterns: str, says: str) -> None:
    with pytest.raises(FilterError, match=says):
        InBundle.of(patterns)


@example("[0-.[]")
@given(st.text("ab*?[]{}!,\\.^-0123456789\x1b\n", max_size=20))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_glob_or_a_sentence(text: str) -> None:
    try:
        InBundle.of(text).matches("ab")
    except FilterError as error:
        assert "\x1b" not in str(error) and "\n" not in str(error)


def test_no_bundle_matching_is_an_error_one_pattern_of_several_is_not() -> None:
    snapshot = snapshot_of([], bundles={"one": (A,)})
    InBundle.of(["one", "two"]).check(snapshot)
    with pytest.raises(FilterError, match="No bundle matches 'two'"):
        InBundle.of("two").check(snapshot)


def test_ids_that_do_not_exist_are_counted() -> None:
    snapshot = snapshot_of([Task(A, Status.SUCCESS)])
    with pytest.raises(UnknownTasksError, match=r"2 / 3 tasks do not exist"):
        TaskIds(frozenset({A, B, C})).check(snapshot)


def test_no_filter_at_all_is_refused_for_a_purge_only() -> None:
    with pytest.raises(NoFilterError, match="No filter selected"):
        requested_filters(None, None, None, None, now=NOW)
    assert requested_filters(None, None, None, None, now=NOW, listing=True).given == ()


def test_a_string_is_a_list_of_one() -> None:
    stack = requested_filters(A, None, "sweep_*", "failure", now=NOW)
    assert stack.task_ids == TaskIds(frozenset({A}))
    assert stack.in_bundle is not None and stack.in_bundle.patterns == ("sweep_*",)
    assert stack.with_status is not None and stack.with_status.statuses == {Status.FAILURE}


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("failed", "'failed': did you mean 'failure'"),
        ("running", "'running': cancel these tasks first, with hipercow::task_cancel"),
        (["submitted", "success"], "'submitted': cancel"),
        ("broken", "use one of|did you mean"),
        ("\x1b[31m", "use one of created, success, failure, cancelled"),
    ],
)
def test_statuses_that_cannot_be_purged_by(status: str | list[str], says: str) -> None:
    with pytest.raises(FilterError, match=says) as caught:
        requested_filters(None, None, None, status, now=NOW)
    assert "\x1b" not in str(caught.value)


def test_a_list_knows_all_six_statuses() -> None:
    stack = requested_filters(None, None, None, ["running", "submitted"], now=NOW, listing=True)
    assert stack.with_status is not None
    assert stack.with_status.statuses == {Status.RUNNING, Status.SUBMITTED}
