from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from purge_stage import (
    ALL,
    BASE,
    CHAIN,
    FREE,
    LONE,
    OTHER,
    RETRY,
    TIP,
    Meanwhile,
    bundles,
    folder_of,
    has_no_batches,
    in_place,
    make_root,
    names,
    plan_of,
    root_contents,
)
from small_root import NOW, task_id, write_bundle, write_task

from hipercow_tui.domain.filters import FilterStack, InBundle, WithStatus
from hipercow_tui.domain.plan import PlannedBundle, PlannedTask, PurgePlan, Reason, make_plan
from hipercow_tui.formats.folder_size import measure_many
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import Phase, Progress, execute
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support.errors import PurgeError


@pytest.fixture
def root(disk_path: Path) -> Root:
    return make_root(disk_path / "project")  # the other tests use memory


def test_a_purge_removes_the_plan_and_nothing_else(root: Root) -> None:
    keep = write_task(root.path, task_id(200), "success")
    before = root_contents(root)
    plan = plan_of(root)

    report = execute(plan, root)

    assert report.complete
    assert report.removed == plan.ids and set(plan.ids) == set(ALL)
    assert set(report.removed_bundles) == {"sweep", "solo"}
    assert in_place(root) == {keep.parent.name + keep.name}
    assert bundles(root) == {}
    kept = {"retry", "bundles", "tasks"} | {
        str(p.relative_to(root.hipercow)) for p in root.tasks.iterdir()
    }
    left = root_contents(root)
    assert kept <= left.keys() <= before.keys()
    assert left["retry"] == before["retry"]
    assert has_no_batches(root)


def test_empty_prefix_folders_stay(root: Root) -> None:
    prefixes = set(root.tasks.iterdir())
    execute(plan_of(root), root)
    assert set(root.tasks.iterdir()) == prefixes


def test_freed_bytes_and_files_are_counted(root: Root) -> None:
    plan = plan_of(root)
    sizes = measure_many(root, plan.ids).values()
    report = execute(plan, root)
    assert report.bytes == sum(size.bytes for size in sizes) > 1500
    assert report.files == sum(size.files for size in sizes)
    assert report.seconds > 0


def test_every_recorded_finished_task_can_be_purged(sir_model: Path) -> None:
    root = find_root(sir_model)
    snapshot = read_root(root)
    retry = root.retry.read_bytes()
    done = FilterStack(with_status=WithStatus.for_purge(["success", "failure", "cancelled"]))
    plan = make_plan(snapshot, done, now=NOW, skip_blocked=True)

    report = execute(plan, root)

    assert report.complete and report.removed == plan.ids and len(plan.ids) > 20
    after = read_root(root)
    assert set(after.tasks) == set(snapshot.tasks) - set(plan.ids)
    assert {b.name for b in after.bundles} == {b.name for b in snapshot.bundles} - {
        one.bundle.name for one in plan.bundles
    }
    assert root.retry.read_bytes() == retry


def test_the_latest_attempt_of_a_chain_is_erased_first(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, gone = os.rmdir, []

    def rmdir(name: str, **kwargs: int) -> None:
        real(name, **kwargs)
        gone.append(name)

    monkeypatch.setattr(os, "rmdir", rmdir)
    execute(plan_of(root, CHAIN), root)
    assert [name for name in gone if name in ALL] == [TIP, RETRY, BASE]


def test_a_bundle_of_missing_tasks_only_is_purged(root: Root) -> None:
    write_bundle(root.path, "old", [task_id(90), task_id(91)])
    filters = FilterStack(in_bundle=InBundle.of("old"))
    plan = make_plan(read_root(root), filters, now=NOW)
    report = execute(plan, root)
    assert report.complete and report.removed_bundles == ("old",) and report.removed == ()
    assert in_place(root) == set(ALL)


def test_an_empty_plan_does_nothing(root: Root) -> None:
    before = root_contents(root)
    empty = PurgePlan(root.path, NOW, FilterStack())
    assert execute(empty, root).complete
    assert root_contents(root) == before and has_no_batches(root)


def test_a_plan_that_is_blocked_is_refused(root: Root) -> None:
    write_task(root.path, task_id(7), "running")
    plan = plan_of(root, [LONE, task_id(7)])
    with pytest.raises(PurgeError, match="1 blocked task"):
        execute(plan, root)
    assert LONE in in_place(root)


def test_a_root_that_cannot_be_purged_is_refused(root: Root) -> None:
    with pytest.raises(PurgeError, match="needs a POSIX system"):
        execute(plan_of(root), replace(root, purge_refusal="purging needs a POSIX system"))
    assert in_place(root) == set(ALL)


def test_a_plan_of_another_root_is_refused(root: Root, disk_path: Path) -> None:
    other = make_root(disk_path / "other")
    with pytest.raises(PurgeError, match="The plan is for"):
        execute(plan_of(other), root)


@pytest.mark.parametrize(
    "evil", ["../../x", "..", "ab", "", "A" * 32, "a" * 32 + "\n", "a" * 31 + "/"]
)
def test_an_invalid_id_is_refused(root: Root, evil: str) -> None:
    plan = plan_of(root)
    task = plan.tasks[0].task._replace(id=evil)
    bad = replace(plan, tasks=(*plan.tasks, PlannedTask(task, Reason.MATCHED)))
    with pytest.raises(PurgeError, match="the plan names a task"):
        execute(bad, root)
    assert in_place(root) == set(ALL)


@pytest.mark.parametrize("evil", ["../retry", "..", ".", "", "a/b", "/etc/passwd", "a\0b"])
def test_a_bundle_name_that_leads_out_of_the_root_is_refused(root: Root, evil: str) -> None:
    plan = plan_of(root)
    bundle = replace(plan.bundles[0].bundle, name=evil)
    bad = replace(plan, bundles=(PlannedBundle(bundle, 1, 0),))
    with pytest.raises(PurgeError, match="the plan names a bundle"):
        execute(bad, root)
    assert root.retry.exists() and in_place(root) == set(ALL)


@pytest.mark.parametrize("name", ["tasks", "bundles", "tui"])
def test_a_folder_replaced_by_a_link_is_refused(root: Root, disk_path: Path, name: str) -> None:
    plan = plan_of(root)
    folder = root.hipercow / name
    elsewhere = disk_path / "elsewhere"
    if folder.exists():
        folder.rename(elsewhere)
    else:
        elsewhere.mkdir()
    folder.symlink_to(elsewhere)
    before = root_contents(root)
    with pytest.raises(PurgeError, match="symbolic link"):
        execute(plan, root)
    assert root_contents(root) == before
    assert name != "tui" or not list(elsewhere.iterdir())


def test_a_link_in_place_of_a_prefix_is_not_followed(root: Root, disk_path: Path) -> None:
    plan = plan_of(root)
    elsewhere = disk_path / "elsewhere"
    (root.tasks / LONE[:2]).rename(elsewhere)
    (root.tasks / LONE[:2]).symlink_to(elsewhere)
    report = execute(plan, root)
    assert names(report.failed) == {LONE}
    assert (elsewhere / LONE[2:] / "data").exists()


def test_a_missing_tasks_folder_is_an_error(root: Root) -> None:
    plan = plan_of(root)
    root.tasks.rename(root.hipercow / "moved")
    with pytest.raises(PurgeError, match="does not exist"):
        execute(plan, root)


def test_unknown_files_in_the_tui_folder_stay(root: Root) -> None:
    history = root.hipercow / "tui" / "history"
    history.mkdir(parents=True)
    assert execute(plan_of(root), root).complete
    assert list((root.hipercow / "tui").iterdir()) == [history]


def test_the_manifest_is_complete_before_anything_is_moved(
    root: Root, meanwhile: Meanwhile
) -> None:
    found = []

    def look() -> None:
        (path,) = (root.hipercow / "tui").glob("*Z-*/manifest.json")
        assert in_place(root) == set(ALL) and len(bundles(root)) == 2
        found.append(json.loads(path.read_text()))

    plan = plan_of(root)
    meanwhile.before("rename", plan.bundles[0].bundle.name, look)
    execute(plan, root)

    (manifest,) = found
    assert manifest["format"] == 1
    assert manifest["filters"] == {"with_status": {"statuses": ["failure"], "follow": True}}
    assert manifest["aim"] == "purge"
    assert manifest["who"]["pid"] == os.getpid() and manifest["who"]["user"]
    assert {task["id"]: task["chain"] for task in manifest["tasks"]} == {
        i: list(CHAIN) if i in CHAIN else [] for i in ALL
    }
    assert manifest["tasks"][0].keys() >= {"reason", "of", "listing", "status"}
    assert {b["name"]: b["task_ids"] for b in manifest["bundles"]} == {
        "sweep": [BASE, LONE],
        "solo": [OTHER],
    }


def test_progress_is_reported_phase_by_phase(root: Root) -> None:
    told: list[Progress] = []
    report = execute(plan_of(root), root, on_progress=told.append)
    assert list(dict.fromkeys(one.phase for one in told)) == [
        Phase.MOVING,
        Phase.CHECKING,
        Phase.ERASING,
    ]
    assert told[-1] == Progress(Phase.ERASING, 6, 6, report.freed)
    assert all(one.done <= one.total == 6 for one in told)


def test_progress_is_reported_at_most_twenty_times_a_second(disk_path: Path) -> None:
    for number in range(300):
        write_task(disk_path, f"{number:032x}", "failure")
    told: list[Progress] = []
    root = find_root(disk_path)
    report = execute(plan_of(root), root, on_progress=told.append)
    assert report.complete
    assert len(told) <= 6 + report.seconds / 0.05


def test_two_purges_in_threads_take_each_task_once(root: Root) -> None:
    plan, reports = plan_of(root), []
    start = threading.Barrier(2)

    def purge() -> None:
        start.wait()
        reports.append(execute(plan, root))

    threads = [threading.Thread(target=purge) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    removed = [i for report in reports for i in report.removed]
    assert len(removed) == len(set(removed))
    assert set(removed) | in_place(root) == set(ALL)
    assert set(removed).isdisjoint(in_place(root))
    assert has_no_batches(root)


def test_no_descriptor_is_left_open(root: Root) -> None:
    before = len(os.listdir("/dev/fd"))
    execute(plan_of(root), root)
    assert len(os.listdir("/dev/fd")) == before


def test_a_folder_without_data_is_purged_by_its_id(root: Root) -> None:
    torn = write_task(root.path, task_id(9), "created")
    (torn / "data").unlink()
    report = execute(plan_of(root, [task_id(9)]), root)
    assert report.removed == (task_id(9),) and not torn.exists()
    assert folder_of(root, FREE).exists()
