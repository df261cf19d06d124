"""Any contents of ``hipercow/tui/``, bundles and ``retry`` are read, left out or refused."""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from purge_stage import (
    ALL,
    BASE,
    LONE,
    RETRY,
    batches,
    folder_of,
    has_no_batches,
    in_place,
    make_root,
    plan_of,
)
from small_root import task_id, write_bundle

from hipercow_tui.domain.task import TASK_ID, Status
from hipercow_tui.formats.folder_size import Size, SizeKind
from hipercow_tui.formats.r_layout import parse_bundle, parse_retry, unfinished_ids
from hipercow_tui.formats.root import Root
from hipercow_tui.purging import (
    execute,
    list_interrupted,
    list_trash,
    move_to_trash,
    read_history,
    restore,
)
from hipercow_tui.purging.batch_name import BatchName, BatchState, parse_batch_name
from hipercow_tui.purging.history import HistoryEntry, HistoryKind, entry_from_json
from hipercow_tui.purging.process_identity import ProcessIdentity, current_process

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
STAMP = "20261123T231205Z-3f2a"


@settings(max_examples=25, deadline=None)
@given(damage=st.binary(max_size=40), at=st.floats(0, 1), cut=st.booleans())
def test_a_damaged_manifest_loses_nothing(damage: bytes, at: float, cut: bool) -> None:
    with tempfile.TemporaryDirectory() as where:
        root = make_root(Path(where))
        batch_id = str(move_to_trash(plan_of(root), root).trash)
        manifest = batches(root)[0] / "manifest.json"
        raw = manifest.read_bytes()
        place = int(at * len(raw))
        manifest.write_bytes(raw[:place] + damage + (b"" if cut else raw[place + len(damage) :]))
        assert set(list_trash(root)[0].tasks) == set(ALL)
        report = restore(root, batch_id)
        assert set(report.restored) == set(ALL) == in_place(root)
        assert has_no_batches(root)


@given(st.data(), values)
def test_any_value_of_a_history_entry_is_accepted_or_a_value_error(
    data: st.DataObject, value: Any
) -> None:
    entry = HistoryEntry(
        HistoryKind.PURGE, 1.0, current_process(), (STAMP,), "status is failure", (LONE,)
    )
    entry = replace(entry, kept_chains=1, kept_tasks=(BASE, RETRY), disk_bytes=9)
    entry = replace(entry, moved=Size(1, 2, 3), statuses=(Status.FAILURE,), finished=(2.5,))
    saved = json.loads(json.dumps(entry.as_json()))
    assert entry_from_json(saved) == entry
    saved[data.draw(st.sampled_from(sorted(saved)))] = value
    try:
        entry_from_json(saved)
    except ValueError:
        return


def test_a_history_entry_of_an_earlier_version_has_no_kept_chains_and_disk_usage() -> None:
    entry = HistoryEntry(HistoryKind.PURGE, 1.0, None, (), kept_chains=1, kept_tasks=(LONE,))
    saved = json.loads(json.dumps(replace(entry, disk_bytes=9, moved=Size(1, 2, 3)).as_json()))
    del saved["kept_chains"], saved["kept_tasks"], saved["disk_bytes"], saved["moved"]
    del saved["statuses"], saved["finished"]
    read = entry_from_json(saved)
    assert read == replace(entry, kept_chains=0, kept_tasks=())
    assert read.size_of(SizeKind.APPARENT) == 0 and read.size_of(SizeKind.ON_DISK) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kept_chains", "1"),
        ("kept_chains", 1 << 80),
        ("kept_tasks", [1]),
        ("disk_bytes", -1),
        ("disk_bytes", "1"),
        ("moved", 7),
        ("moved", {"bytes": 1, "files": 1}),
        ("statuses", ["failure"]),
        ("finished", "now"),
        ("moved", {"bytes": 1, "files": 1, "disk_bytes": 1 << 80}),
    ],
)
def test_a_history_entry_with_wrong_kept_chains_or_sizes_is_refused(key: str, value: Any) -> None:
    saved = HistoryEntry(HistoryKind.PURGE, 1.0, None, ()).as_json() | {"stamps": []}
    for name, of_kind in saved.items():
        saved[name] = list(of_kind) if isinstance(of_kind, tuple) else of_kind
    assert entry_from_json(saved)
    with pytest.raises(ValueError, match=r"\w"):
        entry_from_json(saved | {key: value})


@pytest.mark.parametrize("name", ["half", "empty", "list", "deep"])
def test_a_damaged_history_entry_is_left_out(root: Root, name: str) -> None:
    execute(plan_of(root), root)
    held = {"half": b'{"kind": "pur', "empty": b"", "list": b"[]", "deep": b"[" * 100_000}[name]
    (root.hipercow / "tui" / "history" / f"{name}.json").write_bytes(held)
    assert len(read_history(root)) == 1


@given(st.text(max_size=40) | st.from_regex(r"\d{8}T\d{6}Z-[0-9a-f]{4}(\.\d+)?(\.\w+)?"))
def test_only_valid_names_are_parsed_as_batch_names(name: str) -> None:
    found = parse_batch_name(name)
    assert found is None or str(found) == name


@pytest.mark.parametrize("state", list(BatchState))
@pytest.mark.parametrize("generation", [0, 1, 12])
def test_batch_names_survive_a_round_trip(state: BatchState, generation: int) -> None:
    name = BatchName(STAMP, generation, state)
    assert parse_batch_name(str(name)) == name


@given(values)
def test_any_json_is_a_process_identity_or_none(value: Any) -> None:
    for data in (value, current_process().as_json() | {"pid": value}):
        who = ProcessIdentity.from_json(data)
        assert who is None or who.pid > 0


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_bundles_and_retry_yield_ids_or_problems(raw: bytes) -> None:
    bundle = parse_bundle(raw, "b")
    assert all(map(TASK_ID.match, bundle.task_ids))
    assert all(TASK_ID.match(i.ljust(32, "0")) for i in unfinished_ids(raw))
    for link in parse_retry(raw)[0]:
        assert all(map(TASK_ID.match, (link.id, link.parent, link.base)))


def test_a_bundle_of_300_000_lines(root: Root) -> None:
    write_bundle(root.path, "huge", [f"{n:032x}" for n in range(300_000)] + [LONE])
    began = time.process_time()
    report = execute(plan_of(root, [LONE]), root)
    assert report.complete and "huge" in report.removed_bundles
    assert time.process_time() - began < 20  # quadratic time would be minutes


HOSTILE = ["../../x", "..", "/etc/passwd", "a" * 31 + "/", "A" * 32, "\x1b[31m" + "a" * 27]


@pytest.mark.parametrize("evil", HOSTILE)
def test_hostile_ids_in_bundles_and_retry_are_never_paths(root: Root, evil: str) -> None:
    (root.path / "x").write_text("keep me")
    write_bundle(root.path, "evil", [evil, LONE])
    with root.retry.open("a") as file:
        file.write(f"{evil},{LONE},{LONE}\n{LONE},{evil},{evil}\n")
    report = execute(plan_of(root), root)
    assert report.complete and set(report.removed) == set(ALL)
    assert (root.path / "x").read_text() == "keep me"


def test_cycles_and_forks_are_purged_as_one_chain(root: Root) -> None:
    forked = [task_id(50), task_id(51)]
    with root.retry.open("a") as file:
        file.write(f"{ALL[0]},{ALL[2]},{ALL[0]}\n")  # a cycle
        file.writelines(f"{new},{LONE},{LONE}\n" for new in forked)
    report = execute(plan_of(root, ALL), root)
    assert report.complete and set(report.removed) == set(ALL)


@pytest.mark.parametrize("name", ["evil\nname", "\x1b[2J", "..trash", "20261123T231205Z-3f2a.x"])
def test_unknown_names_in_the_tui_folder_are_ignored(root: Root, name: str) -> None:
    strange = root.hipercow / "tui" / name
    strange.mkdir(parents=True)
    assert list_trash(root) == list_interrupted(root) == ()
    assert execute(plan_of(root), root).complete and strange.is_dir()


def test_a_fifo_as_heartbeat_and_manifest_does_not_block(root: Root) -> None:

    batch_id = str(move_to_trash(plan_of(root), root).trash)
    (batch,) = batches(root)
    for name in ("alive", "manifest.json"):
        (batch / name).unlink()
        os.mkfifo(batch / name)
    assert list_trash(root)[0].batch_id == batch_id
    assert list_interrupted(root) == ()
    (batch / "alive").unlink()
    assert set(restore(root, batch_id).restored) == set(ALL)
    assert (folder_of(root, LONE) / "data").exists()


def test_a_log_that_is_still_written_is_erased_or_reported(root: Root) -> None:
    with (folder_of(root, LONE) / "log").open("w") as log:
        report = execute(plan_of(root), root)
        log.write("still here")
    assert report.complete and in_place(root) == set()
