"""A Python root of the demo: tasks of hipercow for Python in the same folder as the R root."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from hipercow_tui.demo.task_lifecycle import put

_DAY = 86_400.0  # seconds
_RESULT = pickle.dumps(None)  # of every shell task (``task_eval_shell``)
_REGIONS = ("north", "south", "east", "west", "capital", "islands")
_RESOURCES = {
    "queue": "AllNodes",
    "cores": 4,
    "exclusive": False,
    "max_runtime": None,
    "memory_per_node": 32,
    "memory_per_task": None,
}
_FAILED = """\
Traceback (most recent call last):
  File "build_tree.py", line 41, in <module>
    alignment = read_alignment(options.region)
  File "build_tree.py", line 17, in read_alignment
    raise ValueError(f"{region}: only {len(rows)} sequences, 50 needed")
ValueError: {region}: only {rows} sequences, 50 needed
"""


@dataclass(frozen=True, slots=True)
class _TaskGroup:
    """Tasks created together, one for each region.

    Attributes:
        bundle: The name of their bundle; None for no bundle.
        days: Their age.
        cmd: Their command, with ``{region}``.
        fails: How many in ten fail.
        status: Their status, if they don't fail.
    """

    bundle: str | None
    days: float
    cmd: tuple[str, ...]
    fails: int = 0
    status: str = "success"


_TASK_GROUPS = (
    _TaskGroup("phylo/2026 spring", 160, ("python", "build_tree.py", "--region", "{region}"), 3),
    _TaskGroup("phylo/2026 summer", 64, ("python", "build_tree.py", "--region", "{region}"), 2),
    _TaskGroup("figures", 21, ("sh", "-c", "python plot.py {region} > {region}.svg"), 1),
    _TaskGroup(None, 9, ("python", "-m", "phylo.check", "{region}"), 5),
    _TaskGroup("phylo/2026 autumn", 2, ("python", "build_tree.py", "--region", "{region}"), 4),
    _TaskGroup(
        "clocks", 0.2, ("iqtree2", "-s", "{region}.fasta", "--date", "dates.tsv"), 0, "running"
    ),
    _TaskGroup("clocks", 0.1, ("iqtree2", "-s", "{region}.fasta", "-B", "1000"), 0, "submitted"),
)


def write_python_root(folder: Path, *, seed: int = 1, now: float) -> None:
    """Write a Python root of 42 tasks into a folder, which can have an R root.

    Args:
        folder: The folder that has or gets ``hipercow/``.
        seed: The same arguments give the same bytes.
        now: The time of the root, in seconds since the epoch.
    """
    rng = Random(f"python {seed}")  # ids that differ from those of the R root
    base = folder / "hipercow" / "py"
    (base / "bundles").mkdir(parents=True)
    recent: list[str] = []
    bundles: dict[str, list[str]] = {}
    for group in _TASK_GROUPS:
        created = now - group.days * _DAY
        for number, region in enumerate(_REGIONS):
            task_id = f"{rng.getrandbits(128):032x}"
            task_folder = str(base / "tasks" / task_id[:2] / task_id[2:])
            _write_task(task_folder, task_id, group, region, rng, created + number)
            recent.append(task_id)
            if group.bundle:
                bundles.setdefault(group.bundle, []).append(task_id)
    for name, ids in bundles.items():
        path = base / "bundles" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        written = next(now - group.days * _DAY for group in _TASK_GROUPS if group.bundle == name)
        put(str(path.parent), path.name, _json({"name": name, "task_ids": ids}), written)
    put(str(base), "recent", "".join(f"{i}\n" for i in recent).encode(), now - 0.1 * _DAY)


def _write_task(
    folder: str, task_id: str, group: _TaskGroup, region: str, rng: Random, created: float
) -> None:
    os.makedirs(folder)
    failed = group.status == "success" and rng.randrange(10) < group.fails
    data = {
        "task_id": task_id,
        "method": "shell",
        "data": {"cmd": [word.replace("{region}", region) for word in group.cmd]},
        "path": ".",
        "environment": "default",
        "resources": _RESOURCES,
        "envvars": {"PYTHONUNBUFFERED": "1", "NCBI_API_KEY": f"{rng.getrandbits(64):016x}"},
    }
    put(folder, "data", _json(data), created)
    put(folder, "status-submitted", b"dide-linux", created + 1)
    if group.status == "submitted":
        return
    started = created + rng.uniform(5, 900)
    put(folder, "status-running", b"", started)
    log = "".join(_log(region, rng))
    if group.status == "running":
        put(folder, "log", log.encode(), started + 60)
        return
    finished = started + rng.uniform(60, 9000)
    if failed:
        log += _FAILED.replace("{region}", region).replace("{rows}", str(rng.randrange(3, 49)))
    put(folder, "log", log.encode(), finished)
    put(folder, "result", _RESULT, finished)
    times = {"created": created, "started": started, "finished": finished}
    put(folder, "times", _json(times), finished)
    put(folder, "status-failure" if failed else "status-success", b"", finished)


def _log(region: str, rng: Random) -> Iterator[str]:
    yield f"reading alignment of {region}\n"
    for step in range(rng.randrange(3, 12)):
        yield f"[{step:>3}] log likelihood {-rng.uniform(9000, 12000):.2f}\n"


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")
