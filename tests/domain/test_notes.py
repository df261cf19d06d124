"""Which tasks a note is about, and what a search finds."""

from __future__ import annotations

from dataclasses import replace

from small_root import IDS, NOW, snapshot_of

from hipercow_tui.analysis.task_sorting import TaskSort
from hipercow_tui.analysis.task_view import make_view
from hipercow_tui.domain.combined_snapshot import combine_snapshots
from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.domain.notes import Note, Notes
from hipercow_tui.domain.record_requests import note_targets, noted_items
from hipercow_tui.domain.records import RecordTarget, TargetKind
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Status, Task

FIRST, RETRY, LONE, OTHER = IDS[:4]


def note(kind: TargetKind, name: str, text: str) -> Note:
    return Note(RecordTarget(kind, Lang.R, name), text, "ada", "node1", NOW - 7200)


ON_CHAIN = note(TargetKind.CHAIN, RETRY, "Wrong data")
ON_BUNDLE = note(TargetKind.BUNDLE, "sweep", "figure 3\x1b[31m")
ON_GONE = note(TargetKind.BUNDLE, "gone", "wrong too")


def noted() -> Snapshot:
    """A chain of two in bundle sweep, with a note on both, a task in it, and another task."""
    tasks = [Task(task_id, Status.FAILURE) for task_id in (FIRST, RETRY, LONE, OTHER)]
    links = [(RETRY, FIRST, FIRST)]
    snapshot = snapshot_of(tasks, {"sweep": (FIRST, LONE)}, links)
    return replace(snapshot, notes=Notes((ON_BUNDLE, ON_CHAIN, ON_GONE)))


def test_a_task_has_the_notes_of_its_chain_then_those_of_its_bundles() -> None:
    snapshot = noted()
    assert snapshot.notes_of == {
        FIRST: (ON_CHAIN, ON_BUNDLE),
        RETRY: (ON_CHAIN, ON_BUNDLE),  # the bundle lists its first attempt
        LONE: (ON_BUNDLE,),
    }
    assert snapshot.chain_note_of == {FIRST: ON_CHAIN, RETRY: ON_CHAIN}
    assert snapshot.note_of[ON_BUNDLE.target] is ON_BUNDLE
    assert not snapshot.held


def test_a_search_finds_tasks_by_the_notes_on_their_chain_and_bundles() -> None:
    def found(query: str) -> set[str]:
        view = make_view(noted(), FilterStack(), TaskSort(), query=query)
        return {view.ids[row] for row in view.hits}

    assert found("wrong DATA") == {FIRST, RETRY}
    assert found("figure") == {FIRST, RETRY, LONE}
    assert found("too") == set()


def test_another_attempt_of_a_chain_is_the_target_of_its_note() -> None:
    targets = [RecordTarget(TargetKind.CHAIN, Lang.R, name) for name in (FIRST, OTHER)]
    assert note_targets(noted(), targets) == [ON_CHAIN.target, targets[1]]


def test_items_name_the_tasks_and_what_is_gone() -> None:
    items = {item.record: (set(item.task_ids), item.gone) for item in noted_items(noted())}
    assert items == {
        ON_CHAIN: ({FIRST, RETRY}, False),
        ON_BUNDLE: ({FIRST, RETRY, LONE}, False),
        ON_GONE: (set(), True),
    }


def test_texts_of_a_note_have_no_control_characters() -> None:
    assert ON_CHAIN.text_for_task(NOW) == "Wrong data (ada on node1, 2 hours ago)"
    text = ON_BUNDLE.text_for_task(NOW)
    assert text == "bundle sweep: figure 3␛[31m (ada on node1, 2 hours ago)"


def test_a_root_of_both_languages_has_the_notes_of_both() -> None:
    other = note(TargetKind.CHAIN, OTHER, "of Python")
    python = replace(
        snapshot_of([Task("f" * 32, Status.SUCCESS, lang=Lang.PY)]),
        lang=Lang.PY,
        notes=Notes((replace(other, target=RecordTarget(TargetKind.CHAIN, Lang.PY, "f" * 32)),)),
    )
    both = combine_snapshots(noted(), python)
    assert len(both.notes.notes) == 4
    assert both.chain_note_of["f" * 32].note == "of Python" and FIRST in both.notes_of
