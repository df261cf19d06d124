"""Emptying the trash by age: in the listing, on the command line."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from purge_stage import LONE, OTHER, list_entries, make_root, plan_of, set_age_of_batch
from small_root import DAY

from hipercow_tui.cli import trash
from hipercow_tui.cli.main import main
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.root import Root
from hipercow_tui.purging import BatchState, TrashEntry, move_to_trash, older_than
from hipercow_tui.purging.batch_name import BatchName

Capture = pytest.CaptureFixture[str]
entries = st.lists(
    st.builds(
        lambda number, state, moment, lang: TrashEntry(
            BatchName(f"20261122T23120{number}Z-3f2a", state=state),
            (),
            (),
            (),
            moment,
            None,
            None,
            in_use=False,
            lang=lang,
        ),
        st.integers(0, 3),
        st.sampled_from([BatchState.TRASH, BatchState.TRASH, *BatchState]),
        st.none() | st.integers(0, 9).map(float),
        st.sampled_from(Lang),
    ),
    max_size=8,
)


@given(entries, st.integers(0, 10))
def test_only_complete_batches_of_purges_before_the_time_are_old(
    batches: list[TrashEntry], cutoff: int
) -> None:
    old = older_than(batches, cutoff)
    for batch in batches:
        same = [one for one in batches if one.batch_id == batch.batch_id]
        complete = [one for one in same if one.state is BatchState.TRASH]
        is_old = all(one.confirmed_at is not None and one.confirmed_at < cutoff for one in complete)
        assert (batch in old) == (batch.state is BatchState.TRASH and is_old)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A root with a batch of 20 days and one of 2 days in the trash."""
    root = make_root(tmp_path / "project")
    for identity, days in ((LONE, 20), (OTHER, 2)):
        batch_id = move_to_trash(plan_of(root, [identity]), root).trash
        assert batch_id is not None
        set_age_of_batch(root, batch_id, time.time() - days * DAY)
    return root


def run(root: Root, *words: str) -> int:
    return main(["trash", str(root.path), "--empty", *words])


def in_trash(root: Root) -> set[str]:
    return {task_id for batch in list_entries(root) for task_id in batch.tasks}


def test_only_batches_older_than_the_age_are_emptied(root: Root, capsys: Capture) -> None:
    assert run(root, "--older-than", "3 weeks", "--yes") == 0
    assert "Nothing in the trash is older than '3 weeks'" in capsys.readouterr().out
    assert in_trash(root) == {LONE, OTHER}
    assert run(root, "--older-than", "3 weeks", "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out)["tasks"] == []
    assert run(root, "--older-than", "2 weeks", "--yes") == 0
    assert "Erased 1 task" in capsys.readouterr().out
    assert in_trash(root) == {OTHER}
    assert run(root, "--yes") == 0
    assert in_trash(root) == set()


def test_the_question_says_how_much_is_older(
    root: Root, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(trash, "confirmed", lambda question, _: asked.append(question))
    assert run(root, "--older-than", "2 weeks") == 1
    assert asked[0].startswith("Erase 1 task and 1 bundle (")
    assert asked[0].endswith(") in 1 batch older than '2 weeks' for good?")
    assert run(root) == 1
    assert asked[1].startswith("Erase 2 tasks and 2 bundles (")
    assert asked[1].endswith(") in 2 batches for good?")
    assert in_trash(root) == {LONE, OTHER}


def test_a_wrong_age_gets_a_sentence(root: Root, capsys: Capture) -> None:
    assert run(root, "--older-than", "2 fortnights") == 2
    assert "'fortnights' is not a unit of time" in capsys.readouterr().err
    (batch, _) = list_entries(root)
    with pytest.raises(SystemExit):
        run(root, batch.batch_id, "--older-than", "2 weeks")
    assert "--older-than needs --empty without a BATCH" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["trash", str(root.path), "--older-than", "2 weeks"])
    assert in_trash(root) == {LONE, OTHER}
