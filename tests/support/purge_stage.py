"""Make a root with chains and bundles to purge, change it while a purge runs, and examine it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from small_root import DAY, NOW, task_id, tree, write_bundle, write_retries, write_task

from hipercow_tui.domain.filters import FilterStack, TaskIds, WithStatus
from hipercow_tui.domain.plan import PurgePlan, make_plan
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import BatchState, TrashEntry, list_trash
from hipercow_tui.scanning.scanner import read_root

BASE, RETRY, TIP = map(task_id, (1, 2, 3))  # a chain of three
LONE, OTHER, FREE = map(task_id, (4, 5, 6))
CHAIN = (BASE, RETRY, TIP)
ALL = (*CHAIN, LONE, OTHER, FREE)


def make_root(where: Path) -> Root:
    """Make a root with a chain of three, and three tasks without retries. Bundle ``sweep`` has BASE
    and LONE, bundle ``solo`` has OTHER."""
    for number, identity in enumerate(ALL):
        retry_of = {RETRY: (BASE, BASE), TIP: (RETRY, BASE)}.get(identity)
        folder = write_task(where, identity, "failure", finished=NOW - DAY, retry_of=retry_of)
        (folder / "result").write_bytes(bytes(100 * number))
    write_retries(where, [(RETRY, BASE, BASE), (TIP, RETRY, BASE)])
    write_bundle(where, "sweep", [BASE, LONE])
    write_bundle(where, "solo", [OTHER])
    return find_root(where)


def plan_of(root: Root, ids: Iterable[str] = (), kept: Iterable[str] = ()) -> PurgePlan:
    """Return a plan to purge these tasks, or all failed ones, without the chains of ``kept``."""
    if ids:
        filters = FilterStack(task_ids=TaskIds(frozenset(ids)))
    else:
        filters = FilterStack(with_status=WithStatus.for_purge(["failure"]))
    return make_plan(read_root(root), filters, now=NOW, kept_ids=frozenset(kept))


def folder_of(root: Root, identity: str) -> Path:
    return root.tasks / identity[:2] / identity[2:]


def in_place(root: Root) -> set[str]:
    return {path.parent.name + path.name for path in root.tasks.glob("??/*")}


def bundles(root: Root) -> dict[str, list[str]]:
    return {path.name: path.read_text().split() for path in root.bundles.iterdir()}


def root_contents(root: Root) -> dict[str, bytes | None]:
    """Return the files of the root without the folder ``tui``."""
    paths = tree(root.hipercow)
    return {name: held for name, held in paths.items() if Path(name).parts[0] != "tui"}


def batches(root: Root) -> list[Path]:
    """Return the batches that are not only prepared."""
    tui = root.hipercow / "tui"
    names = sorted(tui.iterdir()) if tui.is_dir() else []
    return [path for path in names if path.name != "history" and path.suffix != ".preparing"]


def list_entries(root: Root, batch_id: str | None = None) -> tuple[TrashEntry, ...]:
    """List the batches of this id, or all batches in the trash."""
    if batch_id is None:
        return tuple(batch for batch in list_trash(root) if batch.state is BatchState.TRASH)
    return tuple(batch for batch in list_trash(root) if batch.batch_id == batch_id)


def has_no_batches(root: Root) -> bool:
    return not batches(root)


def names(outcomes: Iterable[Any]) -> set[str]:
    return {outcome.name for outcome in outcomes}


def run_script(name: str, *args: str) -> str:
    """Run a script of this folder in a process with the same import path. Return its output."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(name)), *args],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def killed_roots(where: Path, action: str, *how: str) -> list[Path]:
    """Return roots in which this action was killed, in the order of the moments. Each has a
    copy."""
    run_script("purge_killer.py", str(where / "roots"), action, *how)
    keeping_hard_links = ("cp", "-a")
    subprocess.run([*keeping_hard_links, where / "roots", where / "copies"], check=True)
    return sorted((where / "roots").iterdir(), key=lambda path: int(path.name))


def copy_of(path: Path) -> Root:
    """Return the copy of a root, as it was after the action died."""
    return find_root(path.parent.with_name("copies") / path.name)


def age_heartbeats(root: Root) -> None:
    """Make all batches look as if their owners had released them, so that none is watched."""
    for heartbeat in (root.hipercow / "tui").glob("*Z-*/alive"):
        release_heartbeat(heartbeat)
    for left in (*root.hipercow.glob("tui/*Z-*"), *root.hipercow.glob("tui-*")):
        os.utime(left, (0, 0))


def release_heartbeat(path: Path) -> None:
    """Make a heartbeat look as if the present owner of its batch had released it. A process that
    died in a takeover may have left that of the previous owner, which would be watched."""
    path.write_bytes(b"")
    os.utime(path, (0, 0))


@contextmanager
def paused_purge(root: Root, program: str = "purge_paused.py") -> Iterator[subprocess.Popen[str]]:
    """Run a process that waits in the middle of a purge until its input is closed."""
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name(program)), str(root.path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None and child.stdout.readline() == "waiting\n"
        yield child
        child.kill()


class Meanwhile:
    """Makes a change while a purge runs, before or after one of its system calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch

    def before(self, call: str, name: str, change: Callable[[], object]) -> None:
        self._hook(call, name, change, after=False)

    def after(self, call: str, name: str, change: Callable[[], object]) -> None:
        self._hook(call, name, change, after=True)

    def _hook(self, call: str, name: str, change: Callable[[], object], *, after: bool) -> None:
        real = getattr(os, call)
        pending = [change]

        def hooked(path: Any, *args: Any, **kwargs: Any) -> Any:
            due = path == name and bool(pending)
            if due and not after:
                pending.pop()()
            result = real(path, *args, **kwargs)
            if due and after:
                pending.pop()()
            return result

        supported = os.supports_dir_fd
        self._patch.setattr(os, call, hooked)
        self._patch.setattr(os, "supports_dir_fd", supported | {hooked})


def set_age_of_batch(root: Root, batch_id: str, confirmed_at: float) -> None:
    """Change when the purge of a batch was confirmed, in seconds since the epoch."""
    (path,) = (root.hipercow / "tui").glob(f"{batch_id}*/manifest.json")
    manifest = json.loads(path.read_bytes())
    path.write_text(json.dumps(manifest | {"when": confirmed_at}))
