"""Random roots, purged while random things happen to them at random moments."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from purge_stage import in_place
from small_root import NOW, task_id, write_bundle, write_retries, write_task

from hipercow_tui.domain.filters import FilterStack, TaskIds
from hipercow_tui.domain.plan import make_plan
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import execute
from hipercow_tui.scanning.scanner import read_root

IDS = tuple(map(task_id, range(8)))
NEW = task_id(99)

ids = st.sampled_from(IDS)
changes = st.tuples(
    st.sampled_from(["vanish", "finish", "retry", "bundle", "rewrite", "unbundle"]), ids
)


def change(root: Root, what: str, identity: str) -> None:
    folder = root.tasks / identity[:2] / identity[2:]
    if what == "vanish":
        shutil.rmtree(folder, ignore_errors=True)
    elif what == "finish" and folder.exists():
        (folder / "status-cancelled").touch()
    elif what == "retry":
        with root.retry.open("a") as file:
            file.write(f"{NEW},{identity},{identity}\n")
    elif what == "bundle":
        write_bundle(root.path, "fresh", [identity])
    elif what == "rewrite":
        write_bundle(root.path, "b0", [identity, NEW])
    elif what == "unbundle":
        (root.bundles / "b0").unlink(missing_ok=True)


@given(
    links=st.lists(st.tuples(ids, ids, ids), max_size=5),
    held=st.lists(st.lists(ids, min_size=1, max_size=4, unique=True), max_size=3),
    marked=st.sets(ids, min_size=1),
    happening=changes,
    moment=st.integers(0, 12),
)
def test_no_chain_is_split_and_no_bundle_names_a_purged_task(
    links: list[tuple[str, str, str]],
    held: list[list[str]],
    marked: set[str],
    happening: tuple[str, str],
    moment: int,
) -> None:
    with tempfile.TemporaryDirectory() as where, pytest.MonkeyPatch.context() as patch:
        for identity in IDS:
            write_task(Path(where), identity, "failure")
        write_retries(Path(where), links)
        for number, members in enumerate(held):
            write_bundle(Path(where), f"b{number}", members)
        root = find_root(where)
        chains = read_root(root).chains
        plan = make_plan(read_root(root), FilterStack(task_ids=TaskIds(frozenset(marked))), now=NOW)
        after_rename(patch, moment, lambda: change(root, *happening))
        report = execute(plan, root)

        gone, vanished = set(report.removed), {o.name for o in report.vanished if not o.is_bundle}
        assert gone <= set(plan.ids)
        assert in_place(root) | gone | vanished | {happening[1]} == set(IDS)
        assert gone.isdisjoint(in_place(root))
        assert not report.failed or happening[0] == "rewrite"
        for identity in gone:
            chain = set(chains.chain(identity)) - vanished
            assert chain <= gone or not gone & chain
        for path in root.bundles.glob("*"):
            assert gone.isdisjoint(path.read_text().split())
        assert happening[0] != "retry" or happening[1] not in gone


def after_rename(patch: pytest.MonkeyPatch, moment: int, happen: Callable[[], None]) -> None:
    """Make the change after a number of renames out of ``tasks`` and ``bundles``, before the last
    check at the latest."""
    real_rename, real_open = os.rename, os.open
    pending = [happen]
    made = 0

    def rename(source: str, target: str, **kwargs: int) -> None:
        nonlocal made
        real_rename(source, target, **kwargs)
        made += 1
        if made > moment and pending:
            pending.pop()()

    def open_(path: Any, *args: Any, **kwargs: Any) -> int:
        if path == "retry" and pending:
            pending.pop()()
        return real_open(path, *args, **kwargs)

    patch.setattr(os, "rename", rename)
    patch.setattr(os, "open", open_)
