"""Each call that reads a folder fails with EIO, in turn, in each command: it never ends as if its
reader had left, and says what was not done."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from purge_stage import ALL, FREE, batches, in_place, make_root, plan_of

from hipercow_tui.cli.main import main
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import list_trash, move_to_trash

CALLS = ("listdir", "scandir", "open", "stat")
OTHERS = set(ALL) - {FREE}
NOT_DONE = ("\nput back ", "\nquarantined ", "\nfailed ")
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with one task in the trash."""
    root = make_root(tmp_path_factory.mktemp("errors") / "model")
    move_to_trash(plan_of(root, [FREE]), root)
    return root.path


def restored(root: Root, out: str) -> bool:
    return in_place(root) == set(ALL) and "Restored 1 task " in out


def emptied(root: Root, out: str) -> bool:
    left = [
        path
        for batch in batches(root)
        for room in ("tasks", "erasing")
        for path in batch.glob(f"{room}/*")
    ]
    return not left and "Erased 1 task:" in out


def purged(root: Root, out: str) -> bool:
    """All tasks of the plan: a task that can't be read has no status, so it is not matched."""
    gone = len(OTHERS - in_place(root))
    return f"{gone} tasks · " in out and f"Purged {gone} tasks" in out


def anything_is_printed(root: Root, out: str) -> bool:
    return bool(out)


def tasks_are_listed(root: Root, out: str) -> bool:
    return {line.split()[0] for line in out.splitlines()} == OTHERS


COMMANDS: dict[str, tuple[tuple[str, ...], Callable[[Root, str], bool]]] = {
    "restore": (("trash", "ROOT", "--restore", "STAMP"), restored),
    "empty": (("trash", "ROOT", "--empty", "STAMP", "--yes"), emptied),
    "empty all": (("trash", "ROOT", "--empty", "--yes"), emptied),
    "trash": (("trash", "ROOT"), anything_is_printed),
    "history": (("history", "ROOT"), anything_is_printed),
    "list": (("list", "ROOT"), tasks_are_listed),
    "purge": (("purge", "ROOT", "--with-status", "failure", "--yes"), purged),
}


def failing_at(patch: pytest.MonkeyPatch, step: int) -> list[str]:
    """Make the call of that number fail; returns the names of the calls."""
    made: list[str] = []
    code = (errno.EIO, errno.EACCES, errno.ESTALE)[step % 3]

    def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            made.append(name)
            if len(made) == step:
                raise OSError(code, os.strerror(code))
            return real(*arguments, **more)

        return call

    for name in CALLS:
        patch.setattr(os, name, counted(name, getattr(os, name)))
    return made


@pytest.mark.parametrize("name", COMMANDS)
def test_each_failed_read_is_reported(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, name: str
) -> None:
    words, done = COMMANDS[name]
    for step in range(1, 1000, 5 if name == "purge" else 1):
        root = find_root(shutil.copytree(model, tmp_path / str(step)))
        replaced = {"ROOT": str(root.path), "STAMP": list_trash(root)[0].batch_id}
        with monkeypatch.context() as patch:
            made = failing_at(patch, step)
            status = main([replaced.get(word, word) for word in words])
        out, err = capsys.readouterr()
        if len(made) < step:
            break
        if status == 0:
            assert done(root, out) or err, (step, made[step - 1], out, err)
        else:
            assert status == 1 and (err or any(word in out for word in NOT_DONE)), (step, out, err)
        shutil.rmtree(root.path)
    assert step > 5 and status == 0 and done(root, out)
