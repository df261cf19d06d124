"""Other programs change a root between the plan and the erasing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
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
    names,
    plan_of,
    root_contents,
)
from small_root import task_id, write_bundle

from hipercow_tui.formats.root import Root
from hipercow_tui.purging import PurgeReport, execute
from hipercow_tui.support.errors import PurgeError


def lot_of(root: Root) -> Path:
    (batch,) = (root.hipercow / "tui").iterdir()
    return batch


def append_retry(root: Root, line: str) -> None:
    with root.retry.open("a") as file:
        file.write(line + "\n")


def assert_stayed(root: Root, report: PurgeReport, stayed: tuple[str, ...]) -> None:
    """Check that these tasks are in place, that all others are gone, and that no batch is left."""
    assert in_place(root) == set(stayed)
    assert set(report.removed) == set(ALL) - set(stayed) - names(report.vanished)
    assert not report.complete
    assert has_no_batches(root) and report.quarantine_path is None


def add_running(root: Root) -> None:
    (folder_of(root, RETRY) / "status-running").touch()
    (folder_of(root, RETRY) / "status-failure").unlink()


def finish(root: Root) -> None:
    (folder_of(root, RETRY) / "status-success").touch()


def lose_info(root: Root) -> None:
    (folder_of(root, RETRY) / "info").unlink()


def queue(root: Root) -> None:
    (folder_of(root, RETRY) / "dide_id").touch()


def swap_for_link(root: Root) -> None:
    folder = folder_of(root, RETRY)
    folder.rename(root.path / "elsewhere")
    folder.symlink_to(root.path / "elsewhere")


def swap_for_file(root: Root) -> None:
    folder = folder_of(root, RETRY)
    shutil.rmtree(folder)
    folder.write_text("no folder")


CHANGES = [add_running, finish, lose_info, queue, swap_for_link, swap_for_file]


@pytest.mark.parametrize("change", CHANGES)
def test_a_task_that_changed_stays_with_its_chain(
    root: Root, change: Callable[[Root], None]
) -> None:
    plan = plan_of(root)
    change(root)
    before = root_contents(root)

    report = execute(plan, root)

    assert_stayed(root, report, CHAIN)
    assert names(report.put_back) == set(CHAIN) and not report.failed
    # sweep loses LONE, so it goes (rule 8), though the chain stays
    assert bundles(root) == {}
    after = root_contents(root)
    assert all(after[name] == before[name] for name in after if name in before)
    reasons = {outcome.name: outcome.reason for outcome in report.put_back}
    assert "since the plan was made" in reasons[RETRY] or "not a folder" in reasons[RETRY]
    assert "its retry chain stays" in reasons[BASE] and "its retry chain stays" in reasons[TIP]


def test_a_changed_status_is_reported(root: Root) -> None:
    plan = plan_of(root)
    add_running(root)
    report = execute(plan, root)
    assert "failure → running" in next(o.reason for o in report.put_back if o.name == RETRY)


def test_a_marker_that_appears_right_after_the_move_is_detected(
    root: Root, meanwhile: Meanwhile
) -> None:
    def start() -> None:
        (lot_of(root) / "tasks" / LONE / "status-success").touch()

    plan = plan_of(root)
    meanwhile.after("rename", LONE[2:], start)
    report = execute(plan, root)
    assert_stayed(root, report, (LONE,))
    assert (folder_of(root, LONE) / "status-success").exists()


def test_a_bundle_is_put_back_if_none_of_its_tasks_went(root: Root) -> None:
    plan = plan_of(root)
    (folder_of(root, OTHER) / "status-running").touch()
    (folder_of(root, OTHER) / "status-success").touch()
    before = (root.bundles / "solo").stat()
    report = execute(plan, root)
    assert_stayed(root, report, (OTHER,))
    assert bundles(root) == {"solo": [OTHER]}
    after = (root.bundles / "solo").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert report.removed_bundles == ("sweep",) and "solo" in names(report.put_back)


@pytest.mark.parametrize("gone", CHAIN)
def test_a_chain_stays_if_a_task_of_it_was_deleted(root: Root, gone: str) -> None:
    plan = plan_of(root)
    shutil.rmtree(folder_of(root, gone))
    report = execute(plan, root)
    assert_stayed(root, report, tuple(i for i in CHAIN if i != gone))
    assert names(report.vanished) == {gone}
    assert gone not in report.removed and not report.failed


def test_a_deleted_task_without_retries_is_not_a_failure(root: Root) -> None:
    plan = plan_of(root)
    shutil.rmtree(folder_of(root, FREE).parent)
    report = execute(plan, root)
    assert report.complete and names(report.vanished) == {FREE}
    assert set(report.removed) == set(ALL) - {FREE}


def test_a_deleted_chain_is_reported_as_vanished(root: Root) -> None:
    plan = plan_of(root)
    for identity in CHAIN:
        shutil.rmtree(folder_of(root, identity))
    report = execute(plan, root)
    assert names(report.vanished) == set(CHAIN) and report.complete


@pytest.mark.parametrize("moment", [LONE, TIP, FREE])
def test_a_retry_made_meanwhile_puts_the_task_back(
    root: Root, meanwhile: Meanwhile, moment: str
) -> None:
    plan = plan_of(root)
    new = task_id(77)
    meanwhile.after("rename", moment[2:], lambda: append_retry(root, f"{new},{LONE},{LONE}"))
    report = execute(plan, root)
    assert_stayed(root, report, (LONE,))
    assert "retried" in next(o.reason for o in report.put_back if o.name == LONE)
    assert root.retry.read_text().splitlines()[-1].startswith(new)


def test_a_retry_of_one_member_made_meanwhile_puts_the_chain_back(
    root: Root, meanwhile: Meanwhile
) -> None:
    plan = plan_of(root)
    meanwhile.after("rename", FREE[2:], lambda: append_retry(root, f"{task_id(77)},{TIP},{BASE}"))
    report = execute(plan, root)
    assert_stayed(root, report, CHAIN)


def test_a_half_written_retry_line_is_ignored(root: Root) -> None:
    plan = plan_of(root)
    append_retry(root, f"{task_id(77)},{LONE[:9]}")
    assert execute(plan, root).complete


def test_a_rewritten_bundle_stays_with_its_chains(root: Root) -> None:
    plan = plan_of(root)
    write_bundle(root.path, "sweep", [BASE, LONE, task_id(50)])
    report = execute(plan, root)
    assert_stayed(root, report, (*CHAIN, LONE))
    assert bundles(root) == {"sweep": [BASE, LONE, task_id(50)]}
    assert "rewritten" in next(o.reason for o in report.put_back if o.name == "sweep")


def test_a_bundle_rewritten_with_the_same_contents_is_purged(root: Root) -> None:
    plan = plan_of(root)
    write_bundle(root.path, "sweep", [BASE, LONE])
    assert execute(plan, root).complete


def test_the_chains_of_a_deleted_bundle_stay(root: Root) -> None:
    plan = plan_of(root)
    (root.bundles / "sweep").unlink()
    report = execute(plan, root)
    assert_stayed(root, report, (*CHAIN, LONE))
    assert names(report.vanished) == {"sweep"}


def test_chains_stay_if_the_bundles_folder_was_deleted(root: Root) -> None:
    plan = plan_of(root)
    shutil.rmtree(root.bundles)
    report = execute(plan, root)
    assert_stayed(root, report, (*CHAIN, LONE, OTHER))


@pytest.mark.parametrize("make", ["mkfifo", "mkdir"])
def test_everything_stays_if_a_bundle_becomes_unreadable(root: Root, make: str) -> None:
    plan = plan_of(root)
    (root.bundles / "solo").unlink()
    getattr(os, make)(root.bundles / "solo")
    before = root_contents(root)
    with pytest.raises(PurgeError, match=r"bundle 'solo' can't be read.*Nothing was deleted"):
        execute(plan, root)
    assert root_contents(root) == before and has_no_batches(root)


def test_a_bundle_made_meanwhile_puts_its_tasks_back(root: Root, meanwhile: Meanwhile) -> None:
    plan = plan_of(root)
    meanwhile.after("rename", FREE[2:], lambda: write_bundle(root.path, "fresh", [OTHER]))
    report = execute(plan, root)
    assert_stayed(root, report, (OTHER,))
    assert bundles(root) == {"solo": [OTHER], "fresh": [OTHER]}


def test_a_bundle_created_again_after_the_move_is_not_replaced(
    root: Root, meanwhile: Meanwhile
) -> None:
    plan = plan_of(root)
    meanwhile.after("rename", "solo", lambda: write_bundle(root.path, "solo", [OTHER, FREE]))
    report = execute(plan, root)
    assert in_place(root) == {OTHER, FREE}
    assert bundles(root)["solo"] == [OTHER, FREE]
    (failed,) = report.failed
    assert failed.name == "solo" and failed.is_bundle
    assert "something else already exists there" in failed.reason
    assert failed.where is not None and failed.where.read_text().split() == [OTHER]
    assert report.quarantine_path == failed.where.parents[1]


@pytest.mark.parametrize("empty", [True, False])
def test_a_task_is_not_put_back_onto_an_existing_entry(
    root: Root, meanwhile: Meanwhile, empty: bool
) -> None:
    def occupy() -> None:
        (folder_of(root, TIP) / "status-success").touch()
        folder_of(root, BASE).mkdir()
        if not empty:
            (folder_of(root, BASE) / "data").write_text("another")

    plan = plan_of(root)
    meanwhile.before("rename", TIP[2:], occupy)
    report = execute(plan, root)
    (failed,) = report.failed
    assert failed.name == BASE and failed.where is not None
    assert (failed.where / "data").read_bytes().startswith(b"\x1f\x8b")
    assert sorted(os.listdir(folder_of(root, BASE))) == ([] if empty else ["data"])
    assert report.quarantine_path is not None and failed.where.is_relative_to(
        report.quarantine_path
    )
    assert in_place(root) == set(CHAIN) and (folder_of(root, RETRY) / "data").exists()


def test_a_removed_prefix_folder_is_created_again(root: Root, meanwhile: Meanwhile) -> None:
    def change() -> None:
        (folder_of(root, TIP) / "status-success").touch()
        folder_of(root, BASE).parent.rmdir()

    plan = plan_of(root)
    meanwhile.before("rename", TIP[2:], change)
    report = execute(plan, root)
    assert_stayed(root, report, CHAIN)


def test_nothing_is_purged_if_retry_can_not_be_read(root: Root, meanwhile: Meanwhile) -> None:
    def spoil() -> None:
        root.retry.unlink()
        root.retry.mkdir()

    plan = plan_of(root)
    before = root_contents(root)
    meanwhile.after("rename", FREE[2:], spoil)
    with pytest.raises(PurgeError, match=r"'retry' can't be read.*Nothing was deleted"):
        execute(plan, root)
    root.retry.rmdir()
    del before["retry"]
    assert root_contents(root) == before and has_no_batches(root)


def test_a_batch_that_is_moved_away_is_an_error_without_loss(
    root: Root, meanwhile: Meanwhile
) -> None:
    """Its folders are open, so its items can still be put back."""
    plan = plan_of(root)
    before = root_contents(root)
    meanwhile.after("rename", FREE[2:], lambda: lot_of(root).rename(root.path / "taken"))
    with pytest.raises(PurgeError, match="Nothing was deleted; all tasks and bundles are back"):
        execute(plan, root)
    assert root_contents(root) == before
