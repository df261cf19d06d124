"""A purge that dies at any moment leaves each task and bundle whole somewhere, or gone after having
been in the lot."""

from __future__ import annotations

from pathlib import Path

from purge_stage import ALL, BASE, CHAIN, LONE, OTHER, make_root, run_script
from small_root import tree

BUNDLES = {"sweep": [BASE, LONE], "solo": [OTHER]}


def held(folder: Path) -> dict[str, bytes | None] | None:
    return tree(folder) if folder.is_dir() else None


def assert_nothing_lost(where: Path, contents: dict[str, dict[str, bytes | None]]) -> str:
    """Returns the state it was left in."""
    hipercow = where / "hipercow"
    tui = hipercow / "tui"
    lots = [lot for lot in tui.iterdir() if lot.name != "history"] if tui.is_dir() else []
    assert len(lots) <= 1
    lot = lots[0] if lots else tui / "none"
    erasing = lot.name.endswith(".erasing")
    finished = not lots
    gone = set()
    for identity in ALL:
        places = [
            held(hipercow / "tasks" / identity[:2] / identity[2:]),
            held(lot / "tasks" / identity),
        ]
        standing = [place for place in places if place is not None]
        if standing:
            assert standing == [contents[identity]], "in two places, or not whole"
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


def contents_of(where: Path) -> dict[str, dict[str, bytes | None]]:
    root = make_root(where)
    return {i: tree(root.tasks / i[:2] / i[2:]) for i in ALL}


def test_between_any_two_calls_that_change_something(tmp_path: Path) -> None:
    contents = contents_of(tmp_path / "model")
    run_script("purge_killer.py", str(tmp_path / "roots"), "steps")
    roots = sorted((tmp_path / "roots").iterdir(), key=lambda path: int(path.name))
    states = [assert_nothing_lost(root, contents) for root in roots]
    assert len(states) > 60
    order = ["whole", "erasing", "finished"]
    assert states == sorted(states, key=order.index) and set(states) == set(order)


def test_at_random_moments(tmp_path: Path) -> None:
    contents = contents_of(tmp_path / "model")
    run_script("purge_killer.py", str(tmp_path / "roots"), "seconds", "40", "20261123")
    states = {assert_nothing_lost(root, contents) for root in (tmp_path / "roots").iterdir()}
    assert "whole" in states and "finished" in states
