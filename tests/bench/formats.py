"""The formats of all files that are read from a root: undamaged files, and their readers.

A reader takes the bytes of a file and returns whether it has a value. For a damaged file it raises
HipercowTuiError or ValueError.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from hipercow_tui.domain.filters import FilterStack, TaskIds, WithStatus
from hipercow_tui.domain.plan import PlannedBundle, PlannedTask, PurgePlan, Reason
from hipercow_tui.domain.retry_chains import RetryChains
from hipercow_tui.domain.task import TASK_ID, Bundle, Lang, Status, Task
from hipercow_tui.formats import details, py_details, py_layout, r_conditions, r_layout
from hipercow_tui.formats.json_reader import load_json
from hipercow_tui.formats.rlang.deparse import deparse
from hipercow_tui.formats.rlang.rds import files
from hipercow_tui.formats.rlang.values import RValue
from hipercow_tui.formats.root import find_root
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.purging import recent_list
from hipercow_tui.purging.batch_name import new_batch_id
from hipercow_tui.purging.history import HistoryEntry, HistoryKind, entry_from_json
from hipercow_tui.purging.manifest import PurgeMode, read_manifest, write_manifest
from hipercow_tui.purging.plan_file import load_plan
from hipercow_tui.purging.plan_format import plan_from_dict, plan_to_dict
from hipercow_tui.purging.process_identity import current_process
from hipercow_tui.purging.root_dirs import open_root_dirs
from hipercow_tui.support.errors import HipercowTuiError, RdsError

DATA = Path(__file__).parents[1] / "data"
MAX_SIZE = 40_000  # bytes of an original; longer ones are truncated
IDS = tuple(f"{number:032x}" for number in range(1, 9))
WORK = 1_000_000

Reader: TypeAlias = Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Format:
    """A format of files.

    Attributes:
        originals: Returns undamaged files.
        reader: Returns a reader, which can be used as long as the stack is open.
        is_text: Whether the files are texts.
    """

    originals: Callable[[], list[bytes]]
    reader: Callable[[ExitStack], Reader]
    is_text: bool = True


def open_reader(format: Format, stack: ExitStack) -> Reader:
    """Return a reader that returns False for a damaged file.

    Every error that it raises is a defect of the package: a type of error that is not expected, an
    error without text, or an error of the standard library's decoders that was not converted.
    """
    read = format.reader(stack)

    def read_or_refuse(raw: bytes) -> bool:
        try:
            return read(raw)
        except (HipercowTuiError, ValueError) as error:
            unconverted = isinstance(error, UnicodeError | json.JSONDecodeError)
            if unconverted or not str(error):
                raise AssertionError(f"an unexpected error: {error!r}") from error
            return False

    return read_or_refuse


# RDS


def rds_files() -> list[bytes]:
    """Return decompressed files of R: values of every type, and the tasks of a root."""
    files = [path.read_bytes() for path in sorted(DATA.glob("**/*.rds"))]
    with tarfile.open(DATA / "sir-model.tar.gz") as tar:
        for member in tar:
            if member.name.rpartition("/")[2] in ("data", "info", "result"):
                file = tar.extractfile(member)
                files += [file.read()] if file else []
    return [_decompressed(raw)[:MAX_SIZE] for raw in files]


def _decompressed(raw: bytes) -> bytes:
    for decompress in (gzip.decompress, bz2.decompress, lzma.decompress):
        try:
            return decompress(raw)
        except (OSError, EOFError, lzma.LZMAError, zlib.error):
            continue
    return raw


def read_rds(raw: bytes) -> bool:
    """Read the file as ``data``, ``info`` and ``result`` of a task."""
    files.quick_times(raw)
    value: RValue | None = None
    refusals = 0
    try:
        value = files.read(raw)
    except RdsError:
        refusals += 1
    for read in (files.read_times, files.read_origin, r_conditions.read_failure_text):
        try:
            read(raw)
        except RdsError:
            refusals += 1
    if value is not None:
        deparse(value)
        details.details_from_data(value, None)
    return refusals < 4


# Bundles and retries


def r_bundles() -> list[bytes]:
    return ["".join(f"{i}\n" for i in IDS[:number]).encode() for number in (1, 3, 8)]


def read_r_bundle(raw: bytes) -> bool:
    return _has_valid_ids(r_layout.parse_bundle(raw, "sweep"))


def py_bundles() -> list[bytes]:
    texts = ({"name": "a/b", "task_ids": list(IDS[:number])} for number in (1, 3, 8))
    return [json.dumps(text).encode() for text in texts]


def read_py_bundle(raw: bytes) -> bool:
    try:
        return _has_valid_ids(py_layout.parse_bundle(raw, "sweep"))
    except ValueError:
        return False


def _has_valid_ids(bundle: Bundle) -> bool:
    assert all(map(TASK_ID.match, bundle.task_ids))
    return bool(bundle.task_ids)


def retries() -> list[bytes]:
    lines = [f"{one},{parent},{IDS[0]}\n" for parent, one in pairwise(IDS)]
    return ["".join(lines[:number]).encode() for number in (1, 3, 7)]


def read_retry(raw: bytes) -> bool:
    links, _ = r_layout.parse_retry(raw)
    chains = RetryChains(links)
    for link in links:
        assert all(map(TASK_ID.match, (link.id, link.parent, link.base)))
        assert link.id in chains.chain(link.id)
        assert chains.latest_attempt(link.id) in {None, *chains.members()}
    return bool(links)


# A Python task


def py_data() -> list[bytes]:
    data = {
        "task_id": IDS[0],
        "method": "shell",
        "data": {"cmd": ["echo", "a b", "ü"]},
        "path": ".",
        "environment": "default",
        "resources": {"cores": 4, "exclusive": True, "queue": None},
        "envvars": {"A": "1", "API_TOKEN": "secret"},
    }
    return [json.dumps(data).encode(), json.dumps(data, indent=1, ensure_ascii=False).encode()]


def read_py_data(raw: bytes) -> bool:
    found = py_details.parse_data(raw, IDS[0])
    return found.runs is not None or not found.problem


def py_times() -> list[bytes]:
    known = {"created": 1.5, "started": 2.5, "finished": 3.5}
    return [json.dumps(known).encode(), json.dumps(known | {"started": None}).encode()]


def read_py_times(raw: bytes) -> bool:
    return py_layout.parse_times(raw)[0] is not None


# Plans, manifests and history


def plans() -> list[PurgePlan]:
    chain = IDS[:3]
    tasks = [
        PlannedTask(
            Task(i, Status.FAILURE, created=1.5, finished=2.5, files_mask=33, chain=chain),
            Reason.MATCHED if i == chain[0] else Reason.RETRY_CHAIN,
            None if i == chain[0] else chain[0],
        )
        for i in chain
    ]
    tasks += [PlannedTask(Task(i, Status.SUCCESS, lang=Lang.PY), Reason.MATCHED) for i in IDS[3:5]]
    bundles = [
        PlannedBundle(Bundle("sweep", IDS[:4]), 3, 1),
        PlannedBundle(Bundle("a/b", IDS[3:5], lang=Lang.PY), 2, 0),
    ]
    filters = FilterStack(
        task_ids=TaskIds(frozenset(IDS)),
        with_status=WithStatus.for_purge(["failure", "success"]),
    )
    kept = (PlannedTask(Task(IDS[5], Status.FAILURE), Reason.MATCHED),)
    plan = PurgePlan(Path("/root"), 3.5, filters, tuple(tasks), tuple(bundles), kept=kept)
    return [plan, replace(plan, tasks=plan.tasks[:1], bundles=(), warnings=("one", "two"))]


def saved_plans() -> list[bytes]:
    return [json.dumps(plan_to_dict(plan), indent=1).encode() for plan in plans()]


def saved_plan_reader(stack: ExitStack) -> Reader:
    path = _folder(stack) / "plan.json"

    def read(raw: bytes) -> bool:
        path.write_bytes(raw)
        plan = load_plan(path).plan
        assert plan_from_dict(plan_to_dict(plan)) == plan
        return True

    return read


def manifests() -> list[bytes]:
    with tempfile.TemporaryDirectory() as where, ExitStack() as stack:
        folder = open_folder(where)
        stack.callback(os.close, folder)
        found = []
        for plan in plans():
            write_manifest(plan, PurgeMode.TRASH, folder, 4.5)
            found.append((Path(where) / "manifest.json").read_bytes())
        return found


def manifest_reader(stack: ExitStack) -> Reader:
    where = _folder(stack)
    folder = open_folder(where)
    stack.callback(os.close, folder)

    def read(raw: bytes) -> bool:
        (where / "manifest.json").write_bytes(raw)
        return read_manifest(folder) is not None

    return read


def history_entries() -> list[bytes]:
    batch_id = new_batch_id(5.5)
    entries = [
        HistoryEntry(
            *(
                HistoryKind.PURGE,
                5.5,
                current_process(),
                (batch_id,),
                "status is failure",
                IDS[:3],
                ("sweep",),
            ),
            kept_back=((IDS[4], "it changed"),),
            bytes=12,
            files=3,
            seconds=0.5,
            kept_chains=1,
            kept_tasks=IDS[4:],
        ),
        HistoryEntry(HistoryKind.EMPTY, 6.5, None, (), stopped=True),
    ]
    return [json.dumps(entry.as_json()).encode() for entry in entries]


def read_history_entry(raw: bytes) -> bool:
    entry_from_json(load_json(raw, work=WORK)).as_json()
    return True


# The list of recent Python tasks


def recent_lists() -> list[bytes]:
    return ["".join(f"{i}\n" for i in IDS[:number]).encode() for number in (2, 5, 8)]


def recent_reader(stack: ExitStack) -> Reader:
    project = _folder(stack)
    (project / "hipercow" / "py" / "tasks").mkdir(parents=True)
    dirs = stack.enter_context(open_root_dirs(find_root(project).part(Lang.PY)))
    path = project / "hipercow" / "py" / "recent"
    stack.callback(setattr, recent_list, "APPEND_GRACE", recent_list.APPEND_GRACE)
    recent_list.APPEND_GRACE = 0.0  # no other process appends
    removed, restored = ([i.encode() for i in ids] for ids in (IDS[:2], IDS[5:]))

    def lines() -> list[bytes]:
        return [*dict.fromkeys(filter(None, map(bytes.strip, path.read_bytes().splitlines())))]

    def read(raw: bytes) -> bool:
        path.write_bytes(raw)
        expected = [line for line in lines() if line not in removed]
        assert recent_list.remove_ids(dirs, IDS[:2]) is None
        assert lines() == expected
        assert recent_list.append_ids(dirs, IDS[5:]) is None
        assert lines() == [*expected, *(line for line in restored if line not in expected)]
        return True

    return read


def _folder(stack: ExitStack) -> Path:
    where = "/dev/shm" if os.path.isdir("/dev/shm") else None
    return Path(stack.enter_context(tempfile.TemporaryDirectory(dir=where)))


def _plain(read: Reader) -> Callable[[ExitStack], Reader]:
    return lambda stack: read


FORMATS = {
    "RDS": Format(rds_files, _plain(read_rds), is_text=False),
    "bundles of R": Format(r_bundles, _plain(read_r_bundle)),
    "bundles of Python": Format(py_bundles, _plain(read_py_bundle)),
    "retry": Format(retries, _plain(read_retry)),
    "data of Python": Format(py_data, _plain(read_py_data)),
    "times of Python": Format(py_times, _plain(read_py_times)),
    "manifests": Format(manifests, manifest_reader),
    "saved plans": Format(saved_plans, saved_plan_reader),
    "history": Format(history_entries, _plain(read_history_entry)),
    "recent": Format(recent_lists, recent_reader),
}
