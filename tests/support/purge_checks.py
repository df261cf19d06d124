"""Check that a purge that died lost nothing of the root of ``purge_stage``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from purge_stage import (
    ALL,
    BASE,
    CHAIN,
    LONE,
    OTHER,
    batches,
    bundles,
    folder_of,
    has_no_batches,
    in_place,
    root_contents,
)
from small_root import tree

from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import BatchState, list_interrupted, list_trash, restore

Contents: TypeAlias = dict[str, dict[str, bytes | None]]

BUNDLES = {"sweep": [BASE, LONE], "solo": [OTHER]}


def held(folder: Path) -> dict[str, bytes | None] | None:
    return tree(folder) if folder.is_dir() else None


def assert_nothing_lost(where: Path, contents: dict[str, dict[str, bytes | None]]) -> str:
    """Check that nothing is lost. Return the state of the batch."""
    hipercow = where / "hipercow"
    tui = hipercow / "tui"
    standing = batches(find_root(where))
    assert len(standing) <= 1
    assert not list(tui.glob("*.preparing/*/*")), "something was moved before it was confirmed"
    batch = standing[0] if standing else tui / "none"
    erasing = batch.name.endswith(".erasing")
    finished = not standing
    gone = set()
    for identity in ALL:
        places = [
            held(hipercow / "tasks" / identity[:2] / identity[2:]),
            held(batch / "tasks" / identity),
        ]
        found = [place for place in places if place is not None]
        if found:
            assert found == [contents[identity]], "in two places, or not whole"
            assert not (batch / "erasing" / identity).exists()
        else:
            assert erasing or finished
            gone.add(identity)
    untouched = set(ALL) - gone == set(ALL)
    # The latest attempts are erased first, so the rest is the beginning of a chain.
    left = [identity for identity in CHAIN if identity not in gone]
    assert left == list(CHAIN[: len(left)])
    for name, ids in BUNDLES.items():
        files = [
            path
            for path in (hipercow / "bundles" / name, batch / "bundles" / name)
            if path.exists()
        ]
        if gone == set(ALL):
            continue
        assert [path.read_text().split() for path in files] == [ids]
    in_lot = list(batch.glob("*/*"))
    assert not in_lot or (batch / "manifest.json").exists()
    return "finished" if gone == set(ALL) else "erasing" if not untouched else "whole"


def assert_restored(root: Root, before: dict[str, bytes | None], gone: set[str]) -> None:
    """Check that all is as before without erased items. A bundle of which some tasks are erased is
    quarantined."""
    assert in_place(root) == set(ALL) - gone
    after = root_contents(root)
    assert all(after[name] == before[name] for name in after)
    kept = {path.name for path in (root.hipercow / "tui").glob("*.kept/bundles/*")}
    for name, ids in BUNDLES.items():
        partly = bool(gone & set(ids)) and not gone >= set(ids)
        if not gone & set(ids):
            assert bundles(root)[name] == ids
        assert (name in kept) == partly
    assert has_no_batches(root) or kept


def assert_purged_once(
    root: Root,
    reports: Sequence[tuple[str, Sequence[str], Sequence[str]]],
    before: Mapping[str, bytes | None],
    contents: Contents,
) -> bool:
    """Check that two purges at once took each task once and lost nothing. Each report has its mode,
    and the ids and the bundles that it removed. Return whether both removed something."""
    purged = {i for mode, ids, _ in reports if mode == "purge" for i in ids}
    erased_bundles = {name for mode, _, names in reports if mode == "purge" for name in names}
    (_, one, _), (_, other, _) = reports
    assert not set(one) & set(other)
    assert not list_interrupted(root)
    in_trash = [
        path
        for batch in batches(root)
        for path in batch.glob("tasks/*")
        if batch.name.endswith("trash")
    ]
    for identity, content in contents.items():
        places = [path for path in in_trash if path.name == identity]
        places += [folder_of(root, identity)] * (identity in in_place(root))
        assert len(places) == (identity not in purged)
        assert all(tree(path) == content for path in places)
    for batch in list_trash(root):
        assert batch.state in (BatchState.TRASH, BatchState.QUARANTINED)
        restore(root, batch.batch_id)
    assert in_place(root) == contents.keys() - purged
    after = root_contents(root)
    assert all(after[name] == before[name] for name in after)
    assert set(bundles(root)) == {"sweep", "solo", "more"} - erased_bundles
    assert has_no_batches(root)
    return bool(one) and bool(other)
