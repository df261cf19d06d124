from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_root import DAY, IDS, NOW, snapshot_of, snapshots, task_id

from hipercow_tui.domain import bundle_globs
from hipercow_tui.domain.bundle_globs import Globs
from hipercow_tui.domain.combined_snapshot import combine_snapshots
from hipercow_tui.domain.filters import (
    FilterStack,
    FinishedBefore,
    InBundle,
    OfLang,
    TaskIds,
    WithStatus,
    requested_filters,
)
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.support.errors import FilterError, NoFilterError, UnknownTasksError

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
def test_bad_globs_are_refused_with_a_message(patterns: str, says: str) -> None:
    with pytest.raises(FilterError, match=says):
        InBundle.of(patterns)


@example("[0-.[]")
@given(st.text("ab*?[]{}!,\\.^-0123456789\x1b\n", max_size=20))
@settings(max_examples=150, deadline=None)
def test_any_text_is_a_glob_or_gives_a_message(text: str) -> None:
    try:
        InBundle.of(text).matches("ab")
    except FilterError as error:
        assert "\x1b" not in str(error) and "\n" not in str(error)


def test_no_matching_bundle_is_an_error_but_one_unmatched_pattern_is_not() -> None:
    snapshot = snapshot_of([], bundles={"one": (A,)})
    InBundle.of(["one", "two"]).check(snapshot)
    with pytest.raises(FilterError, match="No bundle matches 'two'"):
        InBundle.of("two").check(snapshot)


def test_ids_that_do_not_exist_are_counted() -> None:
    snapshot = snapshot_of([Task(A, Status.SUCCESS)])
    with pytest.raises(UnknownTasksError, match=rf"2 / 3 tasks do not exist in .*: {B}, {C}\. L"):
        TaskIds(frozenset({A, B, C})).check(snapshot)
    many = [task_id(number) for number in range(100, 108)]
    with pytest.raises(UnknownTasksError, match=rf"8 / 8 .*: {', '.join(many[:3])} and 5 more\. "):
        TaskIds(frozenset(many)).check(snapshot)
    with pytest.raises(
        UnknownTasksError, match=r"1 / 1 task does not exist in .*: ␛x{19}…x{19}\. Give all"
    ):
        TaskIds(frozenset({"\x1b" + "x" * 500})).check(snapshot)


def test_the_bundles_of_a_root_are_named_with_the_number_of_others() -> None:
    for number, said in ((1, "there is b0$"), (5, "b0, b1, b2, b3, b4$"), (7, "b4 and 2 more$")):
        snapshot = snapshot_of([], bundles={f"b{one}": (A,) for one in range(number)})
        with pytest.raises(FilterError, match=said):
            InBundle.of("two").check(snapshot)


def test_missing_filters_are_refused_for_a_purge_only() -> None:
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
        (
            ["failed", "success", "running", "succes", "x", "x"],
            "statuses 'failed': did you mean 'failure'\\?; 'running': cancel these tasks first,"
            ".*; 'succes': did you mean 'success'\\?; 'x': use one of created, [a-z, ]*$",
        ),
    ],
)
def test_statuses_that_cannot_be_purged_are_refused(status: str | list[str], says: str) -> None:
    with pytest.raises(FilterError, match=says) as caught:
        requested_filters(None, None, None, status, now=NOW)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("name", ["task_ids", "in_bundle", "with_status"])
@pytest.mark.parametrize(
    ("value", "given"),
    [
        (5, "int"),
        (b"failure", "bytes"),
        (bytearray(b"x"), "bytearray"),
        (True, "bool"),
        (object(), "object"),
        ([1], "list of int"),
        (["failure", None], "list of NoneType"),
        (("failure", b"x"), "tuple of bytes"),
        ([["failure"]], "list of list"),
        ({3: 4}, "dict of int"),
    ],
)
def test_values_of_a_wrong_type_are_refused(name: str, value: Any, given: str) -> None:
    arguments = {"task_ids": None, "in_bundle": None, "with_status": None, name: value}
    with pytest.raises(FilterError) as caught:
        requested_filters(finished_before=None, now=NOW, **arguments)
    assert str(caught.value) == f"{name} takes a string or a list of strings, not {given}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("9 days", "9 days ago"),
        ("+9 days", "+9 days ago"),
        ("1 week ago", "1 week ago"),
        ("2026-01-31", "2026-01-31"),
        ("2026-01-31T12:00Z", "2026-01-31T12:00Z"),
    ],
)
def test_an_age_is_shown_as_one(text: str, shown: str) -> None:
    assert str(FinishedBefore.of(text, NOW)) == f"finished before {shown}"


def test_list_accepts_all_six_statuses() -> None:
    stack = requested_filters(None, None, None, ["running", "submitted"], now=NOW, listing=True)
    assert stack.with_status is not None
    assert stack.with_status.statuses == {Status.RUNNING, Status.SUBMITTED}


some_ids = st.sets(st.sampled_from(IDS)).map(frozenset)
some_statuses = st.sets(st.sampled_from(list(Status))).map(frozenset)
stacks = st.builds(
    FilterStack,
    task_ids=st.none() | st.builds(TaskIds, some_ids),
    finished_before=st.none()
    | st.integers(0, 100).map(lambda days: FinishedBefore(NOW - days * DAY, f"{days} days")),
    in_bundle=st.none() | st.sampled_from(["sweep_*", "fit-?", "mine", "*"]).map(InBundle.of),
    with_status=st.none() | st.builds(WithStatus, some_statuses, st.booleans()),
)


@settings(max_examples=150, deadline=None)
@given(snapshots(), stacks)
def test_matched_ids_agree_with_the_rules_for_each_id(
    snapshot: Snapshot, stack: FilterStack
) -> None:
    """Return whether one id passes by rules 1 to 6; it can be missing."""
    known = {i: task for i, task in snapshot.tasks.items() if task.exists}

    def passes(i: str) -> bool:
        task, status = snapshot.tasks.get(i), stack.with_status
        answers = []
        if stack.task_ids:
            answers.append(task is not None and i in stack.task_ids.ids)
        if stack.finished_before:
            finished = task.finished if task else None
            answers.append(finished is not None and finished < stack.finished_before.cutoff)
        if stack.in_bundle:
            bundles = [one for one in snapshot.bundles if i in one.task_ids]
            answers.append(any(stack.in_bundle.matches(one.name) for one in bundles))
        if status:
            counted = known.get((snapshot.chains.latest_attempt(i) or "") if status.follow else i)
            answers.append(counted is not None and counted.status in status.statuses)
        return bool(answers) and all(answers)

    wanted = set(filter(passes, IDS))
    assert stack.matched(snapshot) == wanted
    there = set(snapshot.columns.select(stack.mask(snapshot)))
    assert there == wanted & snapshot.tasks.keys()


def _in_python(task: Task) -> Task:
    return task._replace(lang=Lang.PY)


@st.composite
def both_languages(draw: st.DrawFn) -> Snapshot:
    """A root of R and of Python with bundles that may name tasks of the other language."""
    r, other = draw(snapshots()), draw(snapshots())
    tasks = [task for i, task in other.tasks.items() if i not in r.tasks]
    links = [(link.id, link.parent, link.base) for link in other.chains.links]
    python = snapshot_of(tasks, {one.name: one.task_ids for one in other.bundles}, links)
    return combine_snapshots(
        r,
        replace(
            python,
            lang=Lang.PY,
            tasks={i: _in_python(task) for i, task in python.tasks.items()},
            bundles=tuple(replace(one, lang=Lang.PY) for one in python.bundles),
        ),
    )


@settings(max_examples=150, deadline=None)
@given(both_languages(), stacks, st.sampled_from([None, *Lang]))
def test_each_language_is_matched_by_itself(
    snapshot: Snapshot, stack: FilterStack, lang: Lang | None
) -> None:
    stack = replace(stack, lang=OfLang(lang) if lang else None)
    there = set(snapshot.columns.select(stack.mask(snapshot)))
    assert there == stack.matched(snapshot) & snapshot.tasks.keys()
    assert lang is None or all(snapshot.tasks[i].lang is lang for i in there)
    for part in snapshot.by_language:
        assert set(part.columns.select(stack.mask(part))) == there & part.tasks.keys()


@pytest.mark.parametrize("on_macos", [True, False])
def test_a_glob_finds_a_name_that_macos_lists_in_another_form(
    monkeypatch: pytest.MonkeyPatch, on_macos: bool
) -> None:
    monkeypatch.setattr(bundle_globs, "_COMPOSES_NAMES", on_macos)
    typed, listed = "caf\u00e9", "cafe\u0301"
    assert Globs.of([f"{typed}*"]).match(f"{listed}_1") is on_macos
    assert Globs.of(["*", f"!{typed}*"]).match(f"{listed}_1") is not on_macos
    assert Globs.of([listed]).match(listed)
