from __future__ import annotations

import copy
import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_plans import kept_sets
from small_root import IDS, NOW, snapshot_of, snapshots

from hipercow_tui.domain.filters import FilterStack, FinishedBefore, InBundle, TaskIds, WithStatus
from hipercow_tui.domain.plan import make_plan
from hipercow_tui.domain.plan_chains import number_of_chains
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.purging.plan_changes import find_changes
from hipercow_tui.purging.plan_file import load_plan, save_plan
from hipercow_tui.purging.plan_format import plan_from_dict, plan_to_dict
from hipercow_tui.support.errors import PurgeError

STACK = FilterStack(
    TaskIds(frozenset()),
    FinishedBefore.of("1 week", NOW),
    InBundle.of(["sweep_*", "!sweep_09"]),
    WithStatus.for_purge(["failure"], follow=False),
)


@settings(max_examples=80, deadline=None)
@given(snapshots(), st.sampled_from(["success", "failure", "cancelled", "created"]), kept_sets)
def test_a_plan_survives_a_round_trip(
    snapshot: Snapshot, status: str, kept_ids: frozenset[str]
) -> None:
    filters = FilterStack(with_status=WithStatus.for_purge([status]))
    plan = make_plan(snapshot, filters, now=NOW, skip_blocked=True, kept_ids=kept_ids)
    back = plan_from_dict(json.loads(json.dumps(plan_to_dict(plan))))
    assert plan_to_dict(back) == plan_to_dict(plan)
    assert [one.task.id for one in back.kept] == [one.task.id for one in plan.kept]
    assert number_of_chains(back.kept) == number_of_chains(plan.kept)
    assert back.ids == plan.ids and str(back.filters) == str(plan.filters)
    assert list(find_changes(back, snapshot)) == []


def test_a_folder_that_is_not_a_task_does_not_block_its_chain() -> None:
    first, second = IDS[:2]
    tasks = [Task(first, Status.BROKEN, 0), Task(second, Status.FAILURE, 1, finished=NOW)]
    snapshot = snapshot_of(tasks, links=[(second, first, first)])
    plan = make_plan(snapshot, FilterStack(with_status=WithStatus.for_purge(["failure"])), now=NOW)
    assert plan.ids == (second,)
    assert list(find_changes(plan, snapshot)) == []


def test_every_filter_survives_a_round_trip(tmp_path: Path) -> None:
    plan = make_plan(Snapshot(tmp_path), STACK, now=NOW)
    save_plan(plan, tmp_path / "plan.json")
    back = load_plan(tmp_path / "plan.json").plan
    assert str(back.filters) == str(STACK) and back.root == tmp_path and back.made == NOW
    assert back.filters.in_bundle is not None and back.filters.in_bundle.matches("sweep_01")


def planned_task(identity: str, **others: Any) -> dict[str, Any]:
    task: dict[str, Any] = {
        "id": identity,
        "lang": "r",
        "status": "failure",
        "listing": 3,
        "created": 1.0,
        "started": None,
        "finished": 2.0,
        "finished_estimated": False,
        "chain": [],
        "reason": "matched",
        "of": None,
        "regrets": [],
    }
    return task | others


BASE = {
    "format": 1,
    "root": "/root",
    "planned": 1.0,
    "filters": {},
    "skip_blocked": False,
    "tasks": [planned_task("a" * 32)],
    "kept": [planned_task("c" * 32)],
    "bundles": [
        {"name": "sweep", "lang": "r", "task_ids": ["a" * 32], "deleted": 1, "surviving": 0}
    ],
    "warnings": [],
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format",), 2),
        (("format",), "1"),
        (("format",), True),
        (("root",), "relative"),
        (("root",), "/a\0b"),
        (("planned",), float("nan")),
        (("planned",), 1e300),
        (("skip_blocked",), 1),
        (("unknown",), 1),
        (("tasks",), {}),
        (("tasks",), [[]]),
        (("tasks", 0, "id"), "../../x"),
        (("tasks", 0, "id"), "a" * 32 + "\n"),
        (("tasks", 0, "id"), "A" * 32),
        (("tasks", 0, "chain"), ["../../x"]),
        (("tasks", 0, "chain"), ["b" * 32]),
        (("tasks", 0, "status"), "lost"),
        (("tasks", 0, "lang"), "perl"),
        (("tasks", 0, "listing"), 1.5),
        (("tasks", 0, "listing"), 1 << 80),
        (("tasks", 0, "of"), "b" * 32),
        (("tasks", 0, "reason"), "retry chain"),
        (("tasks", 0, "more"), 1),
        (("kept",), {}),
        (("kept",), 2),
        (("kept",), ["c" * 32]),
        (("kept", 0, "id"), "../../x"),
        (("kept", 0, "id"), "a" * 32),
        (("kept", 0, "chain"), ["../../x"]),
        (("kept", 0, "of"), "b" * 32),
        (("kept", 0, "more"), 1),
        (("bundles", 0, "name"), "../retry"),
        (("bundles", 0, "name"), ".."),
        (("bundles", 0, "name"), ""),
        (("bundles", 0, "task_ids"), ["x"]),
        (("filters",), {"in_bundle": ["{a,b"]}),
        (("filters",), {"with_status": {"statuses": ["lost"], "follow": True}}),
        (("filters",), []),
    ],
)
def test_the_error_names_the_defect_of_a_plan(path: tuple[Any, ...], value: Any) -> None:
    data: Any = copy.deepcopy(BASE)
    assert plan_from_dict(data).ids == ("a" * 32,)
    inner = data
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(ValueError, match=r"\w"):
        plan_from_dict(data)


def test_texts_that_are_only_shown_are_escaped() -> None:
    """Unescaped, they could control the terminal."""
    data: Any = copy.deepcopy(BASE)
    data["warnings"] = ["\x1b[2J1 task"]
    data["tasks"][0]["regrets"] = ["\x1b]0;x\x07\nnewer"]
    data["filters"] = {"finished_before": {"moment": 1.0, "text": "9\x9b31m days"}}
    plan = plan_from_dict(data)
    assert plan.warnings == ("␛[2J1 task",)
    assert [one.text for one in plan.tasks[0].cautions] == ["␛]0;x␇␊newer"]
    assert "9<009b>31m days" in str(plan.filters)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_a_saved_plan_is_private_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        save_plan(make_plan(Snapshot(tmp_path), STACK, now=NOW), tmp_path / "plan.json")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "plan.json").stat().st_mode) == 0o600


def test_a_plan_that_cannot_be_saved_leaves_no_file(tmp_path: Path) -> None:
    plan = make_plan(Snapshot(tmp_path), STACK, now=NOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json, "dump", lambda *_, **__: full())
        with pytest.raises(PurgeError, match="can't be written: No space left"):
            save_plan(plan, tmp_path / "plan.json")
    assert not list(tmp_path.iterdir())
    save_plan(plan, tmp_path / "plan.json")


def full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_plan_of_an_earlier_version_keeps_no_chain() -> None:
    data: Any = copy.deepcopy(BASE)
    assert [one.task.id for one in plan_from_dict(data).kept] == ["c" * 32]
    del data["kept"]
    plan = plan_from_dict(data)
    assert plan.kept == () and "kept" not in plan_to_dict(plan)


def test_a_plan_that_keeps_a_part_of_a_chain_is_not_carried_out() -> None:
    """Somebody edited it: the chain is the unit."""
    first, second = IDS[:2]
    tasks = [Task(i, Status.FAILURE, 1, finished=NOW) for i in (first, second)]
    snapshot = snapshot_of(tasks, links=[(second, first, first)])
    plan = make_plan(snapshot, FilterStack(with_status=WithStatus.for_purge(["failure"])), now=NOW)
    data = json.loads(json.dumps(plan_to_dict(plan)))
    data["kept"] = [data["tasks"].pop()]
    (change,) = find_changes(plan_from_dict(data), snapshot)
    assert change == f"task {first} is in the plan without the rest of its retry chain"


@pytest.mark.parametrize("key", ["tasks", "bundles", "kept"])
def test_duplicates_in_a_plan_are_refused(key: str) -> None:
    data: Any = copy.deepcopy(BASE)
    data[key] *= 2
    with pytest.raises(ValueError, match="twice"):
        plan_from_dict(data)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(st.data(), values)
def test_any_value_in_a_plan_is_accepted_or_a_value_error(data: st.DataObject, value: Any) -> None:
    plan: Any = copy.deepcopy(BASE)
    inner = plan
    while isinstance(inner, dict | list) and inner:
        keys = sorted(inner) if isinstance(inner, dict) else range(len(inner))
        key = data.draw(st.sampled_from(list(keys)))
        if data.draw(st.booleans()) or not isinstance(inner[key], dict | list):
            inner[key] = value
            break
        inner = inner[key]
    try:
        plan_from_dict(plan)
    except ValueError:
        return


@pytest.mark.parametrize("held", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"[]", b'{"format": 1}'])
def test_a_file_that_is_not_a_plan_gives_an_error_message(tmp_path: Path, held: bytes) -> None:
    (tmp_path / "plan").write_bytes(held)
    with pytest.raises(PurgeError, match="is not a saved plan"):
        load_plan(tmp_path / "plan")


def test_a_fifo_as_plan_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plan")
    with pytest.raises(PurgeError, match="is not a regular file"):
        load_plan(tmp_path / "plan")
    with pytest.raises(PurgeError, match="can't be read"):
        load_plan(tmp_path / "nowhere")
