"""Small roots on disk and random snapshots, for tests of the rules."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from hypothesis import strategies as st

from hipercow_tui.demo.rds_writer import serialize
from hipercow_tui.domain.retry_chains import RetryChains, RetryLink
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Bundle, Status, Task
from hipercow_tui.domain.unread import UnfinishedLine, Unread
from hipercow_tui.formats.rlang.values import RList, RNull, RSymbol, RVector

NOW = 1_800_000_000.0
DAY = 86400.0


def task_id(number: int) -> str:
    return f"{number:02x}" + f"{number:030x}"


def _named(**values: object) -> RList:
    given = tuple(
        v if isinstance(v, RList | RVector | RSymbol) else RNull() for v in values.values()
    )
    return RList(given, (("names", _text(*values)),))


def _text(*words: str) -> RVector:
    return RVector("character", words)


def _time(*seconds: float | None) -> RVector:
    return RVector("double", seconds, (("class", _text("POSIXct", "POSIXt")),))


@lru_cache(1000)
def data_file(identity: str, created: float, retry_of: tuple[str, str] | None = None) -> bytes:
    begin = {
        "type": _text("retry" if retry_of else "expression"),
        "id": _text(identity),
        "time": _time(created),
        "path": _text("."),
        "environment": _text("default"),
        "envvars": None,
        "parallel": None,
    }
    if retry_of:
        rest: dict[str, object] = {"parent": _text(retry_of[0]), "base": _text(retry_of[1])}
    else:
        rest = {"expr": RSymbol("x"), "variables": None}
    return serialize(_named(**begin, **rest))


@lru_cache(1000)
def info_file(status: str, created: float, started: float | None, finished: float) -> bytes:
    times = _time(created, started, finished)
    names = ("names", _text("created", "started", "finished"))
    times = RVector("double", times.values, (names, *times.attributes))
    return serialize(_named(status=_text(status), times=times))


def write_task(
    root: Path,
    identity: str,
    status: str,
    *,
    created: float = NOW - 30 * DAY,
    finished: float = NOW - 20 * DAY,
    info: bool = True,
    retry_of: tuple[str, str] | None = None,
    extra: Sequence[str] = (),
) -> Path:
    """Write a task folder with the files that hipercow leaves; returns the folder."""
    folder = root / "hipercow" / "tasks" / identity[:2] / identity[2:]
    folder.mkdir(parents=True)
    (folder / "data").write_bytes(data_file(identity, created, retry_of))
    path = ["created", "submitted", "running"]
    passed = [*path, status] if status not in path else path[: path.index(status) + 1]
    for marker in passed[1:]:
        (folder / f"status-{marker}").write_bytes(b"example\n" if marker == "submitted" else b"")
        os.utime(folder / f"status-{marker}", (finished, finished))
    if status not in path and info:
        (folder / "info").write_bytes(info_file(status, created, created + 60, finished))
    for name in extra:
        (folder / name).write_text("")
    return folder


def write_bundle(root: Path, name: str, ids: Iterable[str]) -> Path:
    path = root / "hipercow" / "bundles" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{i}\n" for i in ids), newline="\n")
    return path


def write_retries(root: Path, links: Iterable[tuple[str, str, str]]) -> Path:
    path = root / "hipercow" / "retry"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(link) + "\n" for link in links), newline="\n")
    return path


def next_tick(root: Path) -> None:
    """Wait until the file system's clock has moved on, which it does some hundred times a second:
    two changes in one tick have the same times."""
    probe = root / "probe"
    probe.touch()
    before = probe.stat().st_ctime_ns
    while probe.stat().st_ctime_ns == before:
        probe.touch()


def tree(root: Path) -> dict[str, bytes | None]:
    """Return every path below a folder, with the contents of files."""
    held: dict[str, bytes | None] = {}
    for where, folders, files in os.walk(root):  # called a thousand times
        above = where[len(str(root)) :].lstrip("/")
        held |= dict.fromkeys(os.path.join(above, name) for name in folders)
        for name in files:
            path = Path(where, name)
            held[os.path.join(above, name)] = path.read_bytes() if path.is_file() else None
    return held


def snapshot_of(
    tasks: Iterable[Task],
    bundles: dict[str, tuple[str, ...]] | None = None,
    links: Iterable[tuple[str, str, str]] = (),
) -> Snapshot:
    """Return a snapshot with the relations that a scan would attach to the tasks."""
    chains = RetryChains(tuple(RetryLink(*link) for link in links))
    known = {task.id: task for task in tasks}
    names = bundles or {}
    linked = {}
    for task in known.values():
        latest = known.get(chains.latest_attempt(task.id) or "")
        linked[task.id] = Task(
            task.id,
            task.status,
            task.files_mask,
            task.created,
            task.started,
            task.finished,
            task.finished_estimated,
            latest.status if latest is not None and latest.exists else None,
            tuple(name for name, ids in sorted(names.items()) if task.id in ids),
            chains.chain(task.id),
            task.problem,
        )
    return Snapshot(
        Path("/root"),
        linked,
        tuple(Bundle(name, ids) for name, ids in sorted(names.items())),
        chains,
    )


IDS = tuple(map(task_id, range(24)))
ages = st.floats(min_value=0, max_value=100).map(lambda days: NOW - days * DAY)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Random roots with missing tasks, forked, broken and cyclic chains, overlapping bundles."""
    present = draw(st.sets(st.sampled_from(IDS), max_size=20))
    tasks = []
    for identity in sorted(present):
        status = draw(st.sampled_from(list(Status)))
        listing = draw(st.sampled_from([0, -1])) if status is Status.BROKEN else 1
        finished = draw(ages) if status in ("success", "failure", "cancelled") else None
        tasks.append(Task(identity, status, listing, draw(ages), None, finished))
    links = draw(st.lists(st.tuples(*[st.sampled_from(IDS)] * 3), max_size=8))
    bundles = draw(
        st.dictionaries(
            st.sampled_from(["sweep_01", "sweep_02", "fit-a", "fit-b", "mine"]),
            st.lists(st.sampled_from(IDS), max_size=8, unique=True).map(tuple),
        )
    )
    return snapshot_of(tasks, bundles, links)


@st.composite
def unread_snapshots(draw: st.DrawFn) -> Snapshot:
    """Random roots with files or folders that could not be read."""
    places = st.sampled_from([*IDS, *(identity[:2] for identity in IDS)])
    unfinished = st.builds(
        UnfinishedLine,
        st.lists(st.sampled_from(IDS).map(lambda i: i[:20]), min_size=1, max_size=2).map(tuple),
        st.sampled_from([NOW - 100, NOW - 1, NOW + 100]),
    )
    unread = Unread(
        draw(st.sampled_from([(), (), ("'retry' can't be read",)])),
        draw(st.dictionaries(places, st.just("it is a link"), max_size=3)),
        draw(st.dictionaries(st.sampled_from(["odd", "other"]), st.just("no"), max_size=2)),
        draw(st.none() | unfinished),
    )
    return replace(draw(snapshots()), unread=unread)


@st.composite
def successions(draw: st.DrawFn) -> tuple[Snapshot, Snapshot]:
    """Two successive snapshots of a scan. Unchanged tasks are the same objects.

    Bundles and chains can differ, but mostly do not.
    """
    before, other = draw(snapshots()), draw(snapshots())
    took = draw(st.sets(st.sampled_from(IDS), max_size=6))
    tasks = {i: task for i, task in before.tasks.items() if i not in took}
    tasks |= {i: task for i, task in other.tasks.items() if i in took}
    bundles = draw(st.sampled_from([before, before, other])).bundles
    chains = draw(st.sampled_from([before, before, other])).chains
    links = [(link.id, link.parent, link.base) for link in chains.links]
    now = snapshot_of(tasks.values(), {one.name: one.task_ids for one in bundles}, links)
    kept = {i: before.tasks[i] if before.tasks.get(i) == t else t for i, t in now.tasks.items()}
    return before, replace(now, tasks=kept, bundles=bundles, chains=chains)
