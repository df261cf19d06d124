"""A purge that dies at any moment leaves each task and bundle whole somewhere, or gone after having
been in the lot."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from purge_stage import (
    ALL,
    BASE,
    CHAIN,
    LONE,
    OTHER,
    bundles,
    copy_of,
    folder_of,
    in_place,
    killed,
    later,
    listed,
    lots,
    make_root,
    nothing_left,
    plan_of,
    whole,
)
from small_root import tree

from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import (
    State,
    carry_out,
    empty,
    finish,
    interrupted,
    move_to_trash,
    restore,
    trash,
)

Contents: TypeAlias = dict[str, dict[str, bytes | None]]

BUNDLES = {"sweep": [BASE, LONE], "solo": [OTHER]}


def held(folder: Path) -> dict[str, bytes | None] | None:
    return tree(folder) if folder.is_dir() else None


def assert_nothing_lost(where: Path, contents: dict[str, dict[str, bytes | None]]) -> str:
    """Returns the state it was left in."""
    hipercow = where / "hipercow"
    tui = hipercow / "tui"
    standing = lots(find_root(where))
    assert len(standing) <= 1
    assert not list(tui.glob("*.preparing/*/*")), "something was moved before it was confirmed"
    lot = standing[0] if standing else tui / "none"
    erasing = lot.name.endswith(".erasing")
    finished = not standing
    gone = set()
    for identity in ALL:
        places = [
            held(hipercow / "tasks" / identity[:2] / identity[2:]),
            held(lot / "tasks" / identity),
        ]
        found = [place for place in places if place is not None]
        if found:
            assert found == [contents[identity]], "in two places, or not whole"
            assert not (lot / "erasing" / identity).exists()
        else:
            assert erasing or finished
            gone.add(identity)
    untouched = set(ALL) - gone == set(ALL)
    # Of a chain the last attempts are gone first, so what is left of it hangs together.
    left = [identity for identity in CHAIN if identity not in gone]
    assert left == list(CHAIN[: len(left)])
    for name, ids in BUNDLES.items():
        files = [
            path for path in (hipercow / "bundles" / name, lot / "bundles" / name) if path.exists()
        ]
        if gone == set(ALL):
            continue
        assert [path.read_text().split() for path in files] == [ids]
    in_lot = list(lot.glob("*/*"))
    assert not in_lot or (lot / "manifest.json").exists()
    return "finished" if gone == set(ALL) else "erasing" if not untouched else "whole"


@pytest.fixture(scope="session")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes | None]]:
    root = make_root(tmp_path_factory.mktemp("model"))
    return {i: tree(root.tasks / i[:2] / i[2:]) for i in ALL}


@pytest.fixture(scope="session")
def before(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes | None]:
    return whole(make_root(tmp_path_factory.mktemp("before")))


def assert_restored(root: Root, before: dict[str, bytes | None], gone: set[str]) -> None:
    """All is as before, but for what had been erased; a bundle of both is kept aside."""
    assert in_place(root) == set(ALL) - gone
    after = whole(root)
    assert all(after[name] == before[name] for name in after)
    kept = {path.name for path in (root.hipercow / "tui").glob("*.kept/bundles/*")}
    for name, ids in BUNDLES.items():
        partly = bool(gone & set(ids)) and not gone >= set(ids)
        if not gone & set(ids):
            assert bundles(root)[name] == ids
        assert (name in kept) == partly
    assert nothing_left(root) or kept


SEED = "20261123"


@pytest.mark.parametrize(
    "how",
    [("purge", "steps"), ("purge", "seconds", "200", SEED), ("four", "seconds", "60", SEED)],
    ids=" ".join,
)
def test_a_purge_that_died_is_restored_or_finished(
    tmp_path: Path, before: dict[str, bytes | None], contents: Contents, how: tuple[str, ...]
) -> None:
    roots = killed(tmp_path, *how)
    states, died = [], 0
    for path in roots:
        states.append(assert_nothing_lost(path, contents))
        root, other = find_root(path), copy_of(path)
        later(root)
        later(other)
        died += bool(list(path.glob("hipercow/tui/*Z-*")))
        for lot in interrupted(root):
            report = restore(root, lot.stamp)
            # Without a manifest it died while the empty lot was removed, or made.
            gone = set(report.gone) if lot.aim else set(ALL) - in_place(root)
            assert_restored(root, before, gone)
            finish(other, lot.stamp)
        assert states[-1] == "finished" or in_place(root)
        if in_place(other):  # it died before there was a lot
            assert whole(other) == before and whole(root) == before
        else:
            assert bundles(other) == {}
        assert nothing_left(other) and not interrupted(root)
    if "steps" in how:
        order = ["whole", "erasing", "finished"]
        assert states == sorted(states, key=order.index) and set(states) == set(order)
        assert len(states) > 60
    else:
        assert died > len(roots) / 10  # else most came to their end: these are no random moments


def test_a_move_to_the_trash_that_died_is_restored_or_finished(
    tmp_path: Path, before: dict[str, bytes | None]
) -> None:
    seen = set()
    for path in killed(tmp_path, "trash", "steps"):
        root, other = find_root(path), copy_of(path)
        later(root)
        later(other)
        for lot in interrupted(root):
            assert restore(root, lot.stamp).complete
            finish(other, lot.stamp)
        for lot in trash(root):
            assert lot.state is State.TRASH and set(lot.tasks) == set(ALL)
            assert restore(root, lot.stamp).complete
        assert whole(root) == before and nothing_left(root)
        held = [set(lot.tasks) for lot in trash(other) if lot.state is State.TRASH]
        assert (held == [set(ALL)] and not in_place(other)) or whole(other) == before
        seen.add(bool(held))
    assert seen == {True, False}


def test_an_undo_that_died_is_finished(tmp_path: Path, before: dict[str, bytes | None]) -> None:
    roots = killed(tmp_path, "restore", "steps")
    for path in roots:
        root, other = find_root(path), copy_of(path)
        later(root)
        later(other)
        for lot in trash(root):
            finish(other, lot.stamp) if lot.interrupted else restore(other, lot.stamp)
            assert restore(root, lot.stamp).complete
        assert whole(root) == before == whole(other)
        assert nothing_left(root) and nothing_left(other)
    assert len(roots) > 30


def test_an_emptying_that_died_is_restored_or_finished(
    tmp_path: Path, before: dict[str, bytes | None]
) -> None:
    numbers = []
    for path in killed(tmp_path, "empty", "steps"):
        root, other = find_root(path), copy_of(path)
        later(root)
        later(other)
        for lot in trash(root):
            assert lot.interrupted or lot.state is State.TRASH
            report = restore(root, lot.stamp)
            # Without a manifest it died while the empty lot was removed, or made.
            gone = set(report.gone) if lot.aim else set(ALL) - in_place(root)
            assert_restored(root, before, gone)
            numbers.append(len(gone))
            if lot.interrupted:
                assert finish(other, lot.stamp).complete
            else:
                assert empty(other, listed(other, lot.stamp)).complete
        assert in_place(other) == set() and bundles(other) == {} and nothing_left(other)
    assert numbers == sorted(numbers) and set(numbers) == set(range(len(ALL) + 1))


def test_a_purge_on_a_full_disk_that_died_is_restored_or_finished(
    tmp_path: Path, before: dict[str, bytes | None]
) -> None:
    died = set()
    for path in killed(tmp_path, "full", "steps"):
        root, other = find_root(path), copy_of(path)
        later(root)
        later(other)
        gone = set(ALL) - in_place(root)
        for lot in interrupted(root):
            report = restore(root, lot.stamp)
            died.add((report.restored != (), report.gone != ()))
            gone -= set(report.restored)
            finish(other, lot.stamp)
        after = whole(root)
        assert all(after[name] == before[name] for name in after)
        assert in_place(root) == set(ALL) - gone and set(bundles(root)) == set(BUNDLES)
        # What was not compared with the plan any more is put back.
        assert in_place(other) == in_place(root) and set(bundles(other)) == set(BUNDLES)
        assert not list(root.hipercow.glob("tui-*")) and not list(other.hipercow.glob("tui-*"))
        chain = [identity for identity in CHAIN if identity in in_place(root)]
        assert chain == list(CHAIN[: len(chain)])
    assert died == {(True, False), (False, True)}


def test_a_recovery_that_died_is_recovered(tmp_path: Path, before: dict[str, bytes | None]) -> None:
    """The lot has been taken over once when the second process dies."""
    root = make_root(tmp_path)
    stamp = str(move_to_trash(plan_of(root), root).trash)
    (lot,) = lots(root)
    for turn in range(1, 4):
        lot = lot.rename(lot.with_name(f"{stamp}.{turn}.restoring"))
        later(root)
        (folder_of(root, ALL[turn])).parent.mkdir(exist_ok=True)
        (lot / "tasks" / ALL[turn]).rename(folder_of(root, ALL[turn]))
        assert interrupted(root)[0].stamp == stamp
    assert finish(root, stamp).complete
    assert whole(root) == before and nothing_left(root)


def test_a_crash_a_moment_ago_on_this_machine_is_known_at_once(tmp_path: Path) -> None:
    root = make_root(tmp_path)
    child = os.fork()
    if child == 0:
        real = os.rename

        def rename(name: str, *args: Any, **kwargs: Any) -> None:
            if name == LONE[2:]:
                os.kill(os.getpid(), 9)
            real(name, *args, **kwargs)

        setattr(os, "rename", rename)  # noqa: B010 - of this child alone
        carry_out(plan_of(root), root)
    os.waitpid(child, 0)
    (heartbeat,) = (root.hipercow / "tui").glob("*/alive")
    assert not interrupted(root)  # the name in it may be that of an owner before
    recent = heartbeat.stat().st_mtime - 5
    os.utime(heartbeat, (recent, recent))
    assert len(interrupted(root)) == 1
