from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hipercow_tui.ui.marks import Marks

some = st.sets(st.sampled_from("abcd"))


def test_no_mark_is_no_filter_and_marks_of_gone_tasks_match_nothing() -> None:
    calls: list[object] = []
    marks = Marks(lambda: calls.append(marks.ids))
    marks.add("ab")
    marks.keep_existing({"a", "b", "c"})
    marks.keep_existing({"b"})
    marks.keep_existing({"c"})
    marks.add(())
    assert calls == [frozenset("ab"), frozenset("b"), frozenset()]
    marks.clear()
    assert marks.ids is None


@given(some, some)
def test_toggle_marks_all_and_then_none(before: set[str], ids: set[str]) -> None:
    marks = Marks()
    marks.add(before)
    marks.toggle(ids)
    if ids and ids <= before:
        assert (marks.ids or frozenset()) == before - ids
        assert not marks.contain_some(ids)
    else:
        assert (marks.ids or frozenset()) == before | ids
        assert marks.contain_all(ids) is bool(ids)


@given(some, some)
def test_counts_of_marks_here_and_elsewhere(marked: set[str], ids: set[str]) -> None:
    marks = Marks()
    marks.add(marked)
    here, elsewhere = len(marked & ids), len(marked - ids)
    text = f"{here} marked" + (f", {elsewhere} elsewhere" if elsewhere else "")
    assert marks.count_text(ids) == (text if marked else "")
