"""Each call that changes something fails in turn, in a purge, an undo and an emptying."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from purge_stage import (
    ALL,
    CHAIN,
    batches,
    bundles,
    in_place,
    list_entries,
    make_root,
    plan_of,
    root_contents,
)

from hipercow_tui.formats.root import Root
from hipercow_tui.purging import empty, execute, move_to_trash, restore
from hipercow_tui.support.errors import PurgeError

CALLS = ("rename", "unlink", "rmdir", "mkdir", "link", "fsync", "write", "utime", "fchmod")
BUNDLES = {"sweep", "solo"}


def failing_at(patch: pytest.MonkeyPatch, step: int, code: int) -> list[str]:
    """Make call number ``step`` fail. Return the names of the calls made."""
    made: list[str] = []

    def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            made.append(name)
            if len(made) == step:
                raise OSError(code, os.strerror(code))
            return real(*args, **kwargs)

        return call

    for name in CALLS:
        patch.setattr(os, name, counted(name, getattr(os, name)))
    return made


def assert_nothing_lost(root: Root, before: dict[str, bytes | None], gone: set[str]) -> None:
    """Check that each task and bundle is complete in its place or in a batch, or reported as
    removed."""
    held = {path.name for batch in batches(root) for path in batch.glob("tasks/*")}
    left = {path.name for batch in batches(root) for path in batch.glob("erasing/*")}
    loose_tasks = {path.name[4:36] for path in root.hipercow.glob("tui-*")}
    assert in_place(root) | held | left | loose_tasks | gone == set(ALL)
    assert not in_place(root) & held and not (in_place(root) | held) & gone
    after = root_contents(root)
    assert all(after[name] == before[name] for name in after if name in before)
    kept = {path.name for batch in batches(root) for path in batch.glob("bundles/*")}
    assert gone or set(bundles(root)) | kept == BUNDLES


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("purge", errno.ENOSPC),
        ("purge", errno.EDQUOT),
        ("purge", errno.EIO),
        ("restore", errno.ENOSPC),
        ("restore", errno.ESTALE),
        ("empty", errno.EDQUOT),
        ("empty", errno.EBUSY),
    ],
)
def test_nothing_is_lost_if_any_call_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str, code: int
) -> None:
    monkeypatch.setattr("hipercow_tui.purging.eraser._PAUSES", (0.0,))
    for step in range(1, 500):
        root = make_root(tmp_path / str(step))
        before, plan = root_contents(root), plan_of(root)
        batch_id = "" if action == "purge" else str(move_to_trash(plan, root).trash)
        gone: set[str] = set()
        with monkeypatch.context() as patch:
            made = failing_at(patch, step, code)
            try:
                if action == "purge":
                    gone = set(execute(plan, root).removed)
                elif action == "empty":
                    gone = set(empty(root, list_entries(root, batch_id)).removed)
                else:
                    restore(root, batch_id)
            except PurgeError as error:
                assert str(error)  # an error message, never a traceback
        assert_nothing_lost(root, before, gone)
        if action != "restore":  # a restore quarantines the item
            chain = [identity for identity in CHAIN if identity in in_place(root)]
            assert chain == list(CHAIN[: len(chain)])
        if len(made) < step:
            break
    assert step > 20
