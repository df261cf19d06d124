"""A purge that dies at any moment leaves each task and bundle complete, or erased after it was in
the batch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from purge_checks import BUNDLES, Contents, assert_nothing_lost, assert_restored
from purge_stage import (
    ALL,
    CHAIN,
    LONE,
    age_heartbeats,
    batches,
    bundles,
    copy_of,
    folder_of,
    has_no_batches,
    in_place,
    killed_roots,
    list_entries,
    make_root,
    plan_of,
    root_contents,
)
from small_root import tree

from hipercow_tui.formats.root import find_root
from hipercow_tui.purging import (
    BatchState,
    empty,
    execute,
    finish,
    list_interrupted,
    list_trash,
    move_to_trash,
    restore,
)


@pytest.fixture(scope="session")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes | None]]:
    root = make_root(tmp_path_factory.mktemp("model"))
    return {i: tree(root.tasks / i[:2] / i[2:]) for i in ALL}


@pytest.fixture(scope="session")
def before(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes | None]:
    return root_contents(make_root(tmp_path_factory.mktemp("before")))


SEED = "20261123"


@pytest.mark.parametrize(
    "how",
    [("purge", "steps"), ("purge", "seconds", "60", SEED), ("four", "seconds", "60", SEED)],
    ids=" ".join,
)
def test_a_purge_that_died_is_restored_or_finished(
    tmp_path: Path, before: dict[str, bytes | None], contents: Contents, how: tuple[str, ...]
) -> None:
    roots = killed_roots(tmp_path, *how)
    states, died = [], 0
    for path in roots:
        states.append(assert_nothing_lost(path, contents))
        root, other = find_root(path), copy_of(path)
        age_heartbeats(root)
        age_heartbeats(other)
        died += bool(list(path.glob("hipercow/tui/*Z-*")))
        for batch in list_interrupted(root):
            report = restore(root, batch.batch_id)
            # Without a manifest it died while the empty batch was created or removed.
            gone = set(report.missing_ids) if batch.mode else set(ALL) - in_place(root)
            assert_restored(root, before, gone)
            finish(other, batch.batch_id)
        assert states[-1] == "finished" or in_place(root)
        if in_place(other):  # it died before there was a batch
            assert root_contents(other) == before and root_contents(root) == before
        else:
            assert bundles(other) == {}
        assert has_no_batches(other) and not list_interrupted(root)
    if "steps" in how:
        order = ["whole", "erasing", "finished"]
        assert states == sorted(states, key=order.index) and set(states) == set(order)
        assert len(states) > 60
    else:
        assert died > len(roots) / 10  # otherwise most processes ended before the kill


def test_a_move_to_the_trash_that_died_is_restored_or_finished(
    tmp_path: Path, before: dict[str, bytes | None]
) -> None:
    seen = set()
    for path in killed_roots(tmp_path, "trash", "steps"):
        root, other = find_root(path), copy_of(path)
        age_heartbeats(root)
        age_heartbeats(other)
        for batch in list_interrupted(root):
            assert restore(root, batch.batch_id).complete
            finish(other, batch.batch_id)
        for batch in list_trash(root):
            assert batch.state is BatchState.TRASH and set(batch.tasks) == set(ALL)
            assert restore(root, batch.batch_id).complete
        assert root_contents(root) == before and has_no_batches(root)
        held = [set(batch.tasks) for batch in list_trash(other) if batch.state is BatchState.TRASH]
        assert (held == [set(ALL)] and not in_place(other)) or root_contents(other) == before
        seen.add(bool(held))
    assert seen == {True, False}


def test_an_undo_that_died_is_finished(tmp_path: Path, before: dict[str, bytes | None]) -> None:
    roots = killed_roots(tmp_path, "restore", "steps")
    for path in roots:
        root, other = find_root(path), copy_of(path)
        age_heartbeats(root)
        age_heartbeats(other)
        for batch in list_trash(root):
            finish(other, batch.batch_id) if batch.interrupted else restore(other, batch.batch_id)
            assert restore(root, batch.batch_id).complete
        assert root_contents(root) == before == root_contents(other)
        assert has_no_batches(root) and has_no_batches(other)
    assert len(roots) >= 30


def test_an_emptying_that_died_is_restored_or_finished(
    tmp_path: Path, before: dict[str, bytes | None]
) -> None:
    numbers = []
    for path in killed_roots(tmp_path, "empty", "steps"):
        root, other = find_root(path), copy_of(path)
        age_heartbeats(root)
        age_heartbeats(other)
        for batch in list_trash(root):
            assert batch.interrupted or batch.state is BatchState.TRASH
            report = restore(root, batch.batch_id)
            # Without a manifest it died while the empty batch was created or removed.
            gone = set(report.missing_ids) if batch.mode else set(ALL) - in_place(root)
            assert_restored(root, before, gone)
            numbers.append(len(gone))
            if batch.interrupted:
                assert finish(other, batch.batch_id).complete
            else:
                assert empty(other, list_entries(other, batch.batch_id)).complete
        assert in_place(other) == set() and bundles(other) == {} and has_no_batches(other)
    assert numbers == sorted(numbers) and set(numbers) == set(range(len(ALL) + 1))


def test_a_purge_on_a_full_disk_that_died_is_restored_or_finished(
    tmp_path: Path, before: dict[str, bytes | None]
) -> None:
    died = set()
    for path in killed_roots(tmp_path, "full", "steps"):
        root, other = find_root(path), copy_of(path)
        age_heartbeats(root)
        age_heartbeats(other)
        gone = set(ALL) - in_place(root)
        for batch in list_interrupted(root):
            report = restore(root, batch.batch_id)
            died.add((report.restored != (), report.missing_ids != ()))
            gone -= set(report.restored)
            finish(other, batch.batch_id)
        after = root_contents(root)
        assert all(after[name] == before[name] for name in after)
        assert in_place(root) == set(ALL) - gone and set(bundles(root)) == set(BUNDLES)
        # Tasks that were not compared with the plan are put back.
        assert in_place(other) == in_place(root) and set(bundles(other)) == set(BUNDLES)
        assert not list(root.hipercow.glob("tui-*")) and not list(other.hipercow.glob("tui-*"))
        chain = [identity for identity in CHAIN if identity in in_place(root)]
        assert chain == list(CHAIN[: len(chain)])
    assert died == {(True, False), (False, True)}


def test_a_recovery_that_died_can_be_recovered(
    tmp_path: Path, before: dict[str, bytes | None]
) -> None:
    """The batch has been taken over once when the second process dies."""
    root = make_root(tmp_path)
    batch_id = str(move_to_trash(plan_of(root), root).trash)
    (batch,) = batches(root)
    for number in range(1, 4):
        batch = batch.rename(batch.with_name(f"{batch_id}.{number}.restoring"))
        age_heartbeats(root)
        (folder_of(root, ALL[number])).parent.mkdir(exist_ok=True)
        (batch / "tasks" / ALL[number]).rename(folder_of(root, ALL[number]))
        assert list_interrupted(root)[0].batch_id == batch_id
    assert finish(root, batch_id).complete
    assert root_contents(root) == before and has_no_batches(root)


def test_a_dead_owner_of_this_machine_is_detected_at_once(tmp_path: Path) -> None:
    root = make_root(tmp_path)
    child = os.fork()
    if child == 0:
        real = os.rename

        def rename(name: str, *args: Any, **kwargs: Any) -> None:
            if name == LONE[2:]:
                os.kill(os.getpid(), 9)
            real(name, *args, **kwargs)

        setattr(os, "rename", rename)  # noqa: B010 - of this child alone
        execute(plan_of(root), root)
    os.waitpid(child, 0)
    assert len(list_interrupted(root)) == 1
