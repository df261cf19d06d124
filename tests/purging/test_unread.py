"""Unreadable files when a plan is carried out, and bundles of any name and kind."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from ordinary_user import open_to_all, ordinary_user
from purge_stage import (
    ALL,
    BASE,
    CHAIN,
    FREE,
    LONE,
    OTHER,
    TIP,
    Meanwhile,
    folder_of,
    has_no_batches,
    in_place,
    make_root,
    names,
    plan_of,
    root_contents,
)
from small_py_root import write_py_bundle, write_py_task
from small_root import task_id, write_bundle, write_task

import hipercow_tui
from hipercow_tui.cli.main import main
from hipercow_tui.domain.blocked import BlockedError
from hipercow_tui.domain.filters import FilterStack, TaskIds
from hipercow_tui.domain.plan import PurgePlan, make_plan
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.root import Root
from hipercow_tui.purging import PurgeReport, execute, list_trash, move_to_trash, restore
from hipercow_tui.purging.full_disk import erase_unbatched
from hipercow_tui.purging.plan_changes import find_changes
from hipercow_tui.purging.plan_file import load_plan, save_plan
from hipercow_tui.purging.progress import ProgressReporter, ignore_progress
from hipercow_tui.purging.root_dirs import open_root_dirs
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support.errors import PurgeError

Purge = Callable[[PurgePlan, Root], PurgeReport]


def without_space(plan: PurgePlan, root: Root) -> PurgeReport:
    """Carry out a plan chain by chain, as on a full disk."""
    with open_root_dirs(root) as dirs:
        return erase_unbatched(dirs, plan, ProgressReporter(ignore_progress), len(ALL))


BOTH_WAYS = pytest.mark.parametrize("purge", [execute, without_space])


# Members of a chain that were missing in the plan


def link(path: Path) -> None:
    path.symlink_to(path.parents[3])


def fifo(path: Path) -> None:
    os.mkfifo(path)


def submitted(path: Path) -> None:
    path.mkdir(parents=True)
    (path / "status-submitted").touch()


def queued(path: Path) -> None:
    path.mkdir(parents=True)
    (path / "run.sh").touch()


def without_data(path: Path) -> None:
    path.mkdir(parents=True)
    (path / "log").touch()


def shard_is(make: Callable[[Path], None]) -> Callable[[Path], None]:
    def make_shard(path: Path) -> None:
        path.parent.rmdir()
        make(path.parent)

    return make_shard


@BOTH_WAYS
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (link, "can't be examined"),
        (fifo, "can't be examined"),
        (shard_is(link), "can't be examined"),
        (shard_is(fifo), "can't be examined"),
        (submitted, "exists again"),
        (queued, "exists again"),
    ],
)
def test_a_chain_stays_if_a_missing_member_may_exist(
    root: Root, meanwhile: Meanwhile, make: Callable[[Path], None], says: str, purge: Purge
) -> None:
    shutil.rmtree(folder_of(root, TIP))
    plan = plan_of(root, set(ALL) - {TIP})
    assert set(plan.ids) == set(ALL) - {TIP}
    meanwhile.after("rename", BASE[2:], lambda: make(folder_of(root, TIP)))
    report = purge(plan, root)
    assert set(CHAIN) - {TIP} <= in_place(root) and {OTHER, FREE}.isdisjoint(in_place(root))
    reasons = {one.name: one.reason for one in report.put_back}
    assert says in reasons[BASE] and TIP[:6] in reasons[BASE]
    assert not report.complete and has_no_batches(root)


@BOTH_WAYS
def test_a_missing_member_with_only_an_empty_folder_does_not_keep_its_chain(
    root: Root, meanwhile: Meanwhile, purge: Purge
) -> None:
    shutil.rmtree(folder_of(root, TIP))
    plan = plan_of(root, set(ALL) - {TIP})
    meanwhile.after("rename", BASE[2:], lambda: without_data(folder_of(root, TIP)))
    assert set(purge(plan, root).removed) == set(ALL) - {TIP}
    assert in_place(root) == {TIP}


@BOTH_WAYS
def test_a_chain_stays_if_the_folder_of_a_missing_member_can_not_be_listed(
    open_path: Path, purge: Purge
) -> None:
    root = make_root(open_path)
    folder = folder_of(root, TIP)
    shutil.rmtree(folder)
    open_to_all(open_path)
    plan = plan_of(root, set(ALL) - {TIP})
    folder.parent.chmod(0o333)
    with ordinary_user():
        report = purge(plan, root)
    assert "can't be examined: Permission denied" in report.put_back[0].reason
    assert set(CHAIN) - {TIP} <= in_place(root)


# retry


@BOTH_WAYS
def test_tasks_named_in_a_half_written_line_stay(
    root: Root, meanwhile: Meanwhile, purge: Purge
) -> None:
    plan = plan_of(root)

    def append() -> None:
        with root.retry.open("a") as file:
            file.write(f"{task_id(77)},{LONE},{TIP[:20]}")
        os.utime(root.retry, (plan.made, plan.made))

    meanwhile.after("rename", BASE[2:], append)
    report = purge(plan, root)
    assert in_place(root) == {*CHAIN, LONE} and not report.complete
    assert {LONE, TIP} <= names(report.put_back)


# Unreadable bundles


@BOTH_WAYS
def test_everything_stays_if_a_bundle_can_not_be_read_any_more(
    root: Root, meanwhile: Meanwhile, purge: Purge
) -> None:
    plan = plan_of(root)
    before = root_contents(root)
    meanwhile.after("rename", BASE[2:], lambda: fifo(root.bundles / "pipe"))
    with pytest.raises(PurgeError, match="bundle 'pipe' can't be read"):
        purge(plan, root)
    (root.bundles / "pipe").unlink()
    assert root_contents(root) == before and has_no_batches(root)


@BOTH_WAYS
def test_a_bundle_that_the_plan_ignores_stays_and_no_other_may_be_unreadable(
    root: Root, meanwhile: Meanwhile, purge: Purge
) -> None:
    fifo(root.bundles / "pipe")
    filters = FilterStack(task_ids=TaskIds(frozenset({FREE})))
    plan = make_plan(read_root(root), filters, now=0.0, ignore_unreadable_bundles=True)
    assert plan.ignored_bundles == ((Lang.R, "pipe"),)
    other = root.bundles / "other"
    meanwhile.after("rename", FREE[2:], lambda: fifo(other))
    with pytest.raises(PurgeError, match="bundle 'other' can't be read"):
        purge(plan, root)
    assert in_place(root) == set(ALL)
    other.unlink()
    assert purge(plan, root).removed == (FREE,) and (root.bundles / "pipe").is_fifo()


def test_the_function_and_a_saved_plan_ignore_bundles_when_asked(
    root: Root, tmp_path: Path
) -> None:
    fifo(root.bundles / "pipe")
    with pytest.raises(BlockedError, match="ignore it"):
        hipercow_tui.purge(FREE, root=root.path)
    assert hipercow_tui.purge(FREE, ignore_unreadable_bundles=True, root=root.path) == [FREE]
    plan = str(tmp_path / "plan.json")
    words = ["purge", str(root.path), "--task-id", OTHER, "--save-plan", plan]
    assert main(words) == 1
    assert main([*words, "--ignore-unreadable-bundles"]) == 0
    fifo(root.bundles / "other")
    assert main(["apply", plan, "--yes"]) == 1 and OTHER in in_place(root)
    (root.bundles / "other").unlink()
    assert main(["apply", plan, "--yes"]) == 0 and OTHER not in in_place(root)


def test_a_bundle_of_the_other_language_blocks_nothing(root: Root) -> None:
    fifo(root.bundles / "pipe")
    write_py_task(root.path, task_id(50), "failure")
    assert hipercow_tui.purge(task_id(50), root=root.path) == [task_id(50)]
    write_py_bundle(root.path, "torn", []).write_text("{")
    write_py_task(root.path, task_id(51), "failure")
    with pytest.raises(BlockedError, match="bundle 'torn'"):
        hipercow_tui.purge(task_id(51), root=root.path)


def test_a_saved_plan_reports_bundles_that_became_unreadable(root: Root, tmp_path: Path) -> None:
    shutil.rmtree(folder_of(root, TIP))
    save_plan(plan_of(root, [BASE, LONE]), tmp_path / "plan.json")
    plan = load_plan(tmp_path / "plan.json").plan
    assert not list(find_changes(plan, read_root(root)))
    link(folder_of(root, TIP))
    (only,) = find_changes(plan, read_root(root))
    assert f"{TIP[:6]}…" in only and "symbolic link" in only
    root.retry.unlink()
    root.retry.mkdir()
    assert "'retry' can't be read" in " ".join(find_changes(plan, read_root(root)))


def test_a_plan_in_the_format_without_ignored_bundles_is_read(root: Root, tmp_path: Path) -> None:
    save_plan(plan_of(root), tmp_path / "plan.json")
    data = json.loads((tmp_path / "plan.json").read_text())
    del data["ignored_bundles"]
    for bundle in data["bundles"]:
        del bundle["link"]
    (tmp_path / "plan.json").write_text(json.dumps(data))
    assert main(["apply", str(tmp_path / "plan.json"), "--yes"]) == 0
    assert in_place(root) == set()


# Names and links


@pytest.mark.parametrize(
    "name", ["my.bundle", "mine~", "a b", "%2F", "x%2F..", "new\nline", "\x1b[31m", "mine\udcff"]
)
def test_a_bundle_of_any_name_is_moved_and_restored(root: Root, name: str) -> None:
    path = write_bundle(root.path, name, [FREE])
    before = root_contents(root)
    report = move_to_trash(plan_of(root, [FREE]), root)
    assert report.removed_bundles == (name,) and not path.exists()
    assert list_trash(root)[0].bundles == (name,)
    assert report.trash is not None and restore(root, report.trash).restored_bundles == (name,)
    assert root_contents(root) == before and has_no_batches(root)
    assert execute(plan_of(root, [FREE]), root).removed_bundles == (name,)
    assert not path.exists() and FREE not in in_place(root)


def test_a_link_is_moved_and_restored_as_a_link(root: Root) -> None:
    kept = root.hipercow / "list"
    kept.write_text(f"{FREE}\n")
    links = {"a": "c", "b": "../list", "c": "b", "d": "solo"}
    for name, target in links.items():
        (root.bundles / name).symlink_to(target)
    plan = plan_of(root, [FREE, OTHER])
    report = move_to_trash(plan, root)
    assert report.complete and set(report.removed_bundles) == {*links, "solo"}
    assert {path.name for path in root.bundles.iterdir()} == {"sweep"}
    assert report.trash is not None and restore(root, report.trash).complete
    assert {name: os.readlink(root.bundles / name) for name in links} == links
    assert execute(plan_of(root, [FREE, OTHER]), root).complete
    assert {path.name for path in root.bundles.iterdir()} == {"sweep"}
    assert kept.read_text() == f"{FREE}\n"


@pytest.mark.parametrize("moment", ["before", "between"])
@pytest.mark.parametrize("change", ["target", "contents", "nowhere"])
def test_the_tasks_of_a_changed_link_stay(
    root: Root, meanwhile: Meanwhile, change: str, moment: str
) -> None:
    for name in ("list", "other"):
        (root.hipercow / name).write_text(f"{FREE}\n")
    bundle = root.bundles / "link"
    bundle.symlink_to("../list")
    plan = plan_of(root, [FREE, LONE])

    def disturb() -> None:
        if change == "contents":
            (root.hipercow / "list").write_text(f"{FREE}\n{OTHER}\n")
            return
        bundle.unlink()
        bundle.symlink_to("../other" if change == "target" else "nowhere")

    if moment == "before":
        disturb()
    else:
        meanwhile.before("rename", "link", disturb)
    if change == "nowhere":
        with pytest.raises(PurgeError, match=r"bundle 'link' can't be read.*leads nowhere"):
            execute(plan, root)
    elif change == "contents" and moment == "between":
        assert execute(plan, root).complete  # the file stays, and the tasks that it lists
        return
    else:
        assert not execute(plan, root).complete
    assert FREE in in_place(root) and bundle.is_symlink() and has_no_batches(root)


def test_tasks_stay_if_a_link_was_replaced_by_a_file(root: Root) -> None:
    (root.hipercow / "list").write_text(f"{FREE}\n")
    (root.bundles / "link").symlink_to("../list")
    plan = plan_of(root, [FREE])
    (root.bundles / "link").unlink()
    write_bundle(root.path, "link", [FREE])
    assert not execute(plan, root).complete
    assert FREE in in_place(root) and (root.bundles / "link").read_text() == f"{FREE}\n"


@pytest.mark.parametrize("depth", [1, 2], ids=["tasks/ab", "a task"])
@pytest.mark.parametrize("lang", [Lang.R, Lang.PY])
def test_a_task_is_never_purged_through_a_link(root: Root, lang: Lang, depth: int) -> None:
    identity = task_id(60)
    made = write_task(root.path, identity, "failure")
    if lang is Lang.PY:
        shutil.rmtree(made.parent)
        made = write_py_task(root.path, identity, "failure")
    place = made if depth == 2 else made.parent
    place.symlink_to(place.rename(root.path / "elsewhere"))
    before = root_contents(root)
    with pytest.raises(BlockedError, match="is a symbolic link"):
        hipercow_tui.purge(identity, root=root.path)
    assert root_contents(root) == before and (made / "data").exists()
