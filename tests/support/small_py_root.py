"""Small Python roots on disk, with the files that hipercow 0.2.4 would have left."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from small_root import DAY, NOW

CMD = ("echo", "hello")


class Trap:
    """Loading its pickle is a test's failure."""

    def __reduce__(self) -> tuple[Any, tuple[int]]:
        return os._exit, (99,)


def py_dir(root: Path) -> Path:
    return root / "hipercow" / "py"


def py_folder(root: Path, identity: str) -> Path:
    return py_dir(root) / "tasks" / identity[:2] / identity[2:]


def write_py_task(
    root: Path,
    identity: str,
    status: str,
    *,
    created: float = NOW - 30 * DAY,
    finished: float = NOW - 20 * DAY,
    times: bool = True,
    cmd: Sequence[str] = CMD,
    recent: bool = True,
    **other: Any,
) -> Path:
    """Write a task folder and its line in ``recent``; ``other`` are more keys of ``data``.

    Returns the folder.
    """
    folder = py_folder(root, identity)
    folder.mkdir(parents=True)
    data = {
        "task_id": identity,
        "method": "shell",
        "data": {"cmd": list(cmd)},
        "path": ".",
        "environment": "default",
        "resources": None,
        "envvars": {},
    }
    (folder / "data").write_text(json.dumps(data | other))
    path = ["created", "submitted", "running"]
    passed = [*path, status] if status not in path else path[: path.index(status) + 1]
    for marker in passed[1:]:
        (folder / f"status-{marker}").write_text("example" if marker == "submitted" else "")
        os.utime(folder / f"status-{marker}", (finished, finished))
    if status in ("success", "failure"):
        (folder / "result").write_bytes(pickle.dumps(Trap()))
        if times:
            known = {"created": created, "started": created + 60, "finished": finished}
            (folder / "times").write_text(json.dumps(known))
    if recent:
        with (py_dir(root) / "recent").open("a") as file:
            file.write(f"{identity}\n")
    return folder


def write_py_bundle(root: Path, name: str, ids: Iterable[Any]) -> Path:
    path = py_dir(root) / "bundles" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"name": name, "task_ids": list(ids)}))
    return path


def recent_ids(root: Path) -> list[str]:
    return (py_dir(root) / "recent").read_text().split()
