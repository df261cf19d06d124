"""Make a root of R and Python to purge, and examine it afterwards."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path

from purge_stage import batches, release_heartbeat
from small_py_root import py_dir, recent_ids, write_py_bundle, write_py_task
from small_root import DAY, NOW, task_id, tree, write_bundle, write_task

from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.root import Root, find_root

R_TASK = task_id(1)
FAILED = tuple(map(task_id, (2, 3, 4)))
KEPT = tuple(map(task_id, (5, 6, 7)))
FIRST, SECOND, THIRD = FAILED
RECENT = (KEPT[0], FIRST, SECOND, KEPT[1], THIRD, KEPT[2])
BUNDLES = {"sweep": (FIRST, SECOND, KEPT[0]), "deep/er/one .x": (THIRD,)}


def make_both(where: Path) -> Root:
    """Make a root with a failed task of R, and three failed and three successful ones of Python; a
    bundle ``sweep`` in both, and a Python bundle in folders."""
    write_task(where, R_TASK, "failure", finished=NOW - DAY)
    write_bundle(where, "sweep", [R_TASK])
    for number, identity in enumerate(RECENT):
        status = "failure" if identity in FAILED else "success"
        created = NOW - 30 * DAY + number
        write_py_task(where, identity, status, created=created, finished=NOW - DAY)
    for name, ids in BUNDLES.items():
        write_py_bundle(where, name, ids)
    write_py_bundle(where, "stays", KEPT)
    return find_root(where)


def in_place_of_both(root: Root) -> set[str]:
    """Return the ids of R and Python that are in their places."""
    places = [*root.tasks.glob("??/*"), *(py_dir(root.path) / "tasks").glob("??/*")]
    return {path.parent.name + path.name for path in places}


def contents_of_both(root: Root) -> dict[str, bytes | None]:
    """Return the files of the root, without ``tui`` folders and the list of recent tasks."""
    return {
        name: held
        for name, held in tree(root.hipercow).items()
        if "tui" not in Path(name).parts[:2] and name not in ("py/recent", "py/tui-recent")
    }


def batches_of_both(root: Root) -> list[Path]:
    """Return the batches of R and Python that are not only prepared."""
    python = root.part(Lang.PY)
    return [*batches(root), *batches(python)]


def bundles_in_place(root: Root) -> dict[str, tuple[str, ...]]:
    """Return the bundles of Python that are in their places."""
    top = py_dir(root.path) / "bundles"
    files = [path for path in top.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(top)): tuple(json.loads(path.read_text())["task_ids"])
        for path in files
    }


def recent_without(gone: set[str]) -> list[str]:
    return [identity for identity in RECENT if identity not in gone]


def recent_after_undo(back: Collection[str]) -> list[str]:
    """Return the list after an undo: the restored ids are last, the newest at the end."""
    return [*recent_without(set(back)), *(i for i in RECENT if i in back)]


def recent(root: Root) -> list[str]:
    return recent_ids(root.path)


def age_both(root: Root) -> None:
    """Make all batches look as if their owners had released them, so that none is watched."""
    for batch in batches_of_both(root):
        if (batch / "alive").exists():
            release_heartbeat(batch / "alive")
        os.utime(batch, (0, 0))
    for path in root.hipercow.rglob("tui-*"):
        os.utime(path, (0, 0))
