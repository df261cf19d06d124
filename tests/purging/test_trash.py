from __future__ import annotations

import os
import shutil
import threading
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
    batches,
    bundles,
    folder_of,
    has_no_batches,
    in_place,
    list_entries,
    make_root,
    names,
    plan_of,
    root_contents,
)
from small_root import task_id, write_bundle, write_task

from hipercow_tui.cli.main import main
from hipercow_tui.formats.folder_size import freed_size, measure_many
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import (
    BatchState,
    EmptyReport,
    HistoryKind,
    empty,
    execute,
    finish,
    list_interrupted,
    list_trash,
    measure_entry,
    move_to_trash,
    read_history,
    restore,
)
from hipercow_tui.support.errors import PurgeError


def trashed(root: Root) -> str:
    report = move_to_trash(plan_of(root), root)
    assert report.complete and report.trash is not None
    return report.trash


def test_a_move_to_the_trash_keeps_tasks_complete_and_frees_nothing(root: Root) -> None:
    before, plan = root_contents(root), plan_of(root)
    sizes = measure_many(root, plan.ids)
    report = move_to_trash(plan, root)
    assert report.complete and report.removed == plan.ids and report.bytes == 0
    assert set(report.removed_bundles) == {"sweep", "solo"} and report.quarantine_path is None
    assert in_place(root) == set() and bundles(root) == {}
    (batch,) = list_trash(root)
    assert (
        batch.batch_id == report.trash and batch.state is BatchState.TRASH and not batch.interrupted
    )
    assert set(batch.tasks) == set(ALL) and set(batch.bundles) == {"sweep", "solo"}
    assert (
        batch.confirmed_by is not None
        and batch.confirmed_by.pid == os.getpid()
        and batch.confirmed_at is not None
    )
    held = measure_entry(root, batch)
    assert held == freed_size(sizes.values())  # manifest, heartbeat and bundles do not count
    assert list_interrupted(root) == ()
    (path,) = batches(root)
    assert (path / "tasks" / LONE / "data").read_bytes() == before[
        f"tasks/{LONE[:2]}/{LONE[2:]}/data"
    ]


def test_a_restore_gives_the_original_root(root: Root) -> None:
    before = root_contents(root)
    report = restore(root, trashed(root))
    assert report.complete and set(report.restored) == set(ALL)
    assert set(report.restored_bundles) == {"sweep", "solo"}
    assert root_contents(root) == before and has_no_batches(root) and list_trash(root) == ()


def test_emptying_erases_the_latest_attempt_first(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = sum(size.bytes for size in measure_many(root, ALL).values())
    batch_id = trashed(root)
    real, gone = os.rmdir, []

    def rmdir(name: str, **kwargs: int) -> None:
        real(name, **kwargs)
        gone.append(name)

    monkeypatch.setattr(os, "rmdir", rmdir)
    report = empty(root, list_entries(root))
    assert report.complete and report.batch_ids == (batch_id,) and report.bytes == expected
    assert set(report.removed) == set(ALL) and set(report.removed_bundles) == {"sweep", "solo"}
    assert [name for name in gone if name in CHAIN] == [TIP, RETRY, BASE]
    assert has_no_batches(root) and in_place(root) == set()


def test_emptying_erases_the_whole_trash_or_one_batch(root: Root) -> None:
    first = move_to_trash(plan_of(root, [LONE]), root).trash
    second = move_to_trash(plan_of(root, [FREE]), root).trash
    third = move_to_trash(plan_of(root, [OTHER]), root).trash
    assert [batch.batch_id for batch in list_trash(root)] == sorted(
        map(str, (first, second, third))
    )
    assert empty(root, list_entries(root, second)).removed == (FREE,)
    assert set(empty(root, list_entries(root)).removed) == {LONE, OTHER} and in_place(root) == set(
        CHAIN
    )
    assert empty(root, list_entries(root)).batch_ids == () and has_no_batches(root)


def empty_named(root: Root, batch_id: str) -> EmptyReport:
    return empty(root, list_entries(root, batch_id))


def test_a_root_without_trash_lists_nothing(root: Root) -> None:
    assert not list_trash(root) and not list_interrupted(root) and not read_history(root)
    assert empty(root, list_entries(root)).complete
    for act in (restore, finish):
        with pytest.raises(PurgeError, match="There is no '20261123T000000Z-0000'"):
            act(root, "20261123T000000Z-0000")
    assert not (root.hipercow / "tui").exists()


@pytest.mark.parametrize("evil", ["../../tasks", "history", "", ".", "\x1b[31m"])
def test_an_unknown_batch_id_is_refused(root: Root, evil: str) -> None:
    trashed(root)
    for act in (restore, finish):
        with pytest.raises(PurgeError, match="There is no") as raised:
            act(root, evil)
        assert "\x1b" not in str(raised.value)
    assert len(list_trash(root)) == 1


@pytest.mark.parametrize("vacant", [True, False])
def test_a_task_that_exists_again_is_quarantined(root: Root, vacant: bool) -> None:
    batch_id = trashed(root)
    again = folder_of(root, LONE)
    again.mkdir()
    if not vacant:
        (again / "data").write_text("another")
    report = restore(root, batch_id)
    (failed,) = report.failed
    assert failed.name == LONE and failed.where is not None and (failed.where / "info").exists()
    assert os.listdir(again) == ([] if vacant else ["data"])
    assert set(report.restored) == set(ALL) - {LONE}
    (batch,) = list_trash(root)
    assert (
        batch.state is BatchState.QUARANTINED and batch.tasks == (LONE,) and not batch.interrupted
    )

    shutil.rmtree(again)
    assert restore(root, batch_id).restored == (LONE,)
    assert (again / "info").exists() and has_no_batches(root)


def test_a_bundle_that_exists_again_is_quarantined(root: Root) -> None:
    batch_id = trashed(root)
    write_bundle(root.path, "solo", [FREE])
    report = restore(root, batch_id)
    assert names(report.failed) == {"solo"} and report.failed[0].is_bundle
    assert bundles(root) == {"solo": [FREE], "sweep": [BASE, LONE]}
    assert in_place(root) == set(ALL)
    (root.bundles / "solo").unlink()
    assert restore(root, batch_id).restored_bundles == ("solo",)
    assert bundles(root)["solo"] == [OTHER] and has_no_batches(root)


def test_a_quarantine_is_erased_only_by_its_name(root: Root) -> None:
    batch_id = trashed(root)
    folder_of(root, LONE).mkdir()
    restore(root, batch_id)
    assert empty(root, list_entries(root)).removed == ()
    assert empty(root, list_entries(root, batch_id)).removed == (LONE,)
    assert has_no_batches(root)


def test_changed_tasks_are_not_moved_to_the_trash(root: Root) -> None:
    plan = plan_of(root)
    (folder_of(root, TIP) / "status-success").touch()
    report = move_to_trash(plan, root)
    assert in_place(root) == set(CHAIN) and not report.complete
    assert set(list_trash(root)[0].tasks) == set(ALL) - set(CHAIN)


def test_a_move_to_the_trash_without_items_leaves_no_batch(root: Root) -> None:
    plan = plan_of(root, [FREE])
    (folder_of(root, FREE) / "status-success").touch()
    report = move_to_trash(plan, root)
    assert report.trash is None and has_no_batches(root)


def test_a_stopped_move_to_the_trash_puts_everything_back(root: Root, meanwhile: Meanwhile) -> None:
    before, plan, stop = root_contents(root), plan_of(root), threading.Event()
    meanwhile.after("rename", LONE[2:], stop.set)
    report = move_to_trash(plan, root, stop=stop)
    assert report.stopped and report.trash is None
    assert root_contents(root) == before and has_no_batches(root)


def test_a_stopped_emptying_keeps_the_rest(root: Root, meanwhile: Meanwhile) -> None:
    batch_id, stop = trashed(root), threading.Event()
    meanwhile.after("rmdir", RETRY, stop.set)
    report = empty(root, list_entries(root), stop=stop)
    assert report.stopped and set(report.removed) == {TIP, RETRY}
    (batch,) = list_interrupted(root)
    assert batch.batch_id == batch_id and batch.state is BatchState.ERASING
    assert set(batch.tasks) == set(ALL) - {TIP, RETRY}

    back = restore(root, batch_id)
    assert set(back.restored) == set(ALL) - {TIP, RETRY} and set(back.missing_ids) == {TIP, RETRY}
    assert in_place(root) == set(ALL) - {TIP, RETRY}
    assert set(bundles(root)) == {"solo", "sweep"}
    assert has_no_batches(root)


def test_a_bundle_with_some_tasks_erased_is_quarantined_by_a_restore(
    root: Root, meanwhile: Meanwhile
) -> None:
    batch_id, stop = trashed(root), threading.Event()
    meanwhile.after("rmdir", BASE, stop.set)
    empty(root, list_entries(root), stop=stop)
    report = restore(root, batch_id)
    assert names(report.failed) == {"sweep"} and bundles(root) == {"solo": [OTHER]}
    assert list_trash(root)[0].state is BatchState.QUARANTINED


def test_a_batch_without_a_manifest_can_be_restored_and_emptied(root: Root) -> None:
    before = root_contents(root)
    for act in (restore, empty_named):
        batch_id = trashed(root)
        (batches(root)[0] / "manifest.json").write_text('{"format": 1')
        assert list_trash(root)[0].confirmed_at is None and list_trash(root)[0].confirmed_by is None
        assert act(root, batch_id).complete
        assert has_no_batches(root)
        assert root_contents(root) == before or act is empty_named
    assert in_place(root) == set()


def test_files_that_users_put_into_a_batch_are_not_lost(root: Root) -> None:
    batch_id = trashed(root)
    (batches(root)[0] / "tasks" / "letters").write_text("keep me")
    report = empty(root, list_entries(root, batch_id))
    assert set(report.removed) == set(ALL)
    assert (batches(root)[0] / "tasks" / "letters").read_text() == "keep me"


def test_a_batch_replaced_by_a_link_is_refused(root: Root, tmp_path: Path) -> None:
    batch_id = trashed(root)
    (batch,) = batches(root)
    known = list_entries(root, batch_id)
    batch.rename(tmp_path / "elsewhere")
    batch.symlink_to(tmp_path / "elsewhere")
    assert list_trash(root) == ()
    for act in (lambda: restore(root, batch_id), lambda: empty(root, known)):
        with pytest.raises(PurgeError, match="symbolic link"):
            act()
    assert (tmp_path / "elsewhere" / "tasks" / LONE).is_dir()


def test_subfolders_replaced_by_links_are_refused(root: Root, tmp_path: Path) -> None:
    batch_id = trashed(root)
    room = batches(root)[0] / "tasks"
    room.rename(tmp_path / "elsewhere")
    room.symlink_to(tmp_path / "elsewhere")
    assert "can't be read: Not a directory" in list_trash(root)[0].problem
    with pytest.raises(PurgeError, match="can't be erased: its contents can't be read"):
        empty(root, list_entries(root, batch_id))
    with pytest.raises(PurgeError, match="symbolic link"):
        restore(root, batch_id)
    assert (tmp_path / "elsewhere" / LONE).is_dir()


def test_each_action_leaves_one_history_entry(root: Root) -> None:
    execute(plan_of(root, [FREE]), root)
    batch_id = trashed(root)
    restore(root, batch_id)
    move_to_trash(plan_of(root, [LONE]), root)
    empty(root, list_entries(root))
    entries = read_history(root)
    assert [one.kind for one in reversed(entries)] == [
        HistoryKind.PURGE,
        HistoryKind.TRASH,
        HistoryKind.RESTORE,
        HistoryKind.TRASH,
        HistoryKind.EMPTY,
    ]
    first, last = entries[-1], entries[0]
    assert first.tasks == (FREE,) and first.bytes > 0 and first.process is not None
    assert last.tasks == (LONE,) and last.bundles == ("sweep",) and last.bytes > 0
    assert [one.batch_ids != () for one in entries] == [True, True, True, True, False]


def test_a_history_that_can_not_be_written_does_not_fail_the_action(
    root: Root, tmp_path: Path
) -> None:
    (root.hipercow / "tui").mkdir()
    (root.hipercow / "tui" / "history").symlink_to(tmp_path)
    assert execute(plan_of(root), root).complete
    with pytest.raises(PurgeError, match="symbolic link"):
        read_history(root)
    assert not list(tmp_path.glob("*.json"))


def test_invalid_history_files_are_left_out(root: Root) -> None:
    execute(plan_of(root), root)
    folder = root.hipercow / "tui" / "history"
    (folder / "half.json").write_text('{"format": 1, "kind": "pur')
    (folder / "other.json").write_text('{"format": 1, "kind": "conquest"}')
    os.mkfifo(folder / "pipe.json")
    (folder / "folder.json").mkdir()
    assert len(read_history(root)) == 1


def test_listing_writes_nothing(root: Root, meanwhile: Meanwhile) -> None:
    """Not even a time changes: neither with batches in the trash nor with one in use."""
    seen: list[bool] = []

    def batch_ids() -> dict[str, int]:
        paths = [root.hipercow, *root.hipercow.rglob("*")]
        # The owner updates its heartbeat meanwhile.
        return {str(path): path.lstat().st_mtime_ns for path in paths if path.name != "alive"}

    def look() -> None:
        for path in (root.hipercow / "tui", root.hipercow):
            os.utime(path, (1_700_000_000, 1_700_000_000))
        before = batch_ids()
        list_trash(root)
        list_interrupted(root)
        assert main(["list", str(root.path)]) == 0
        assert main(["purge", str(root.path), "--with-status", "cancelled", "--dry-run"]) == 0
        seen.append(batch_ids() == before)

    meanwhile.after("rename", LONE[2:], look)
    trashed(root)
    look()
    assert seen == [True, True]


def test_an_owner_without_heartbeat_stops_when_its_batch_is_taken_over(
    root: Root, meanwhile: Meanwhile
) -> None:
    """The process was suspended for minutes, its batch was taken over, and it continues."""
    before, plan = root_contents(root), plan_of(root)

    def stand_still() -> None:
        (batch,) = batches(root)
        os.utime(batch / "alive", (0, 0))
        restore(find_root(root.path), batch.name)

    meanwhile.after("rename", LONE[2:], stand_still)
    with pytest.raises(PurgeError, match="was moved away or removed in the meantime"):
        execute(plan, root)
    assert root_contents(root) == before


def test_a_batch_in_use_is_not_touched(root: Root, meanwhile: Meanwhile) -> None:
    plan, seen = plan_of(root), []

    def look() -> None:
        (batch,) = list_trash(root)
        assert batch.in_use and not batch.interrupted and list_interrupted(root) == ()
        for act in (restore, finish):
            with pytest.raises(PurgeError, match=r"is in use by .* Stop that process"):
                act(root, batch.batch_id)
        assert empty(root, list_entries(root)).batch_ids == ()
        seen.append(batch)

    meanwhile.after("rename", LONE[2:], look)
    assert execute(plan, root).complete and seen


def test_a_batch_has_an_owner_while_it_is_compared_with_its_listing(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id = trashed(root)
    refused: list[str] = []

    def compare(folder: int) -> tuple[()]:
        with pytest.raises(PurgeError) as error:
            restore(root, batch_id)
        refused.append(str(error.value))
        return ()

    monkeypatch.setattr("hipercow_tui.purging.trash_actions.read_contents", compare)
    with pytest.raises(PurgeError, match="nothing of it was erased"):
        empty(root, list_entries(root))
    assert "is in use" in refused[0]
    (batch,) = list_trash(root)
    assert batch.state is BatchState.TRASH and len(batch.tasks) == len(ALL)


def test_concurrent_restores_and_emptyings_take_each_task_once(tmp_path: Path) -> None:
    root = make_root(tmp_path / "one")
    for number in range(20, 60):
        write_task(root.path, task_id(number), "failure")
    trashed(root)
    start, reports, errors = threading.Barrier(3), [], []

    def act(what: int) -> None:
        start.wait()
        try:
            batch_id = list_trash(root)[0].batch_id
            reports.append(empty(root, list_entries(root)) if what else restore(root, batch_id))
        except (PurgeError, IndexError) as error:
            errors.append(error)

    threads = [threading.Thread(target=act, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [one for one in reports if getattr(one, "restored", ()) or getattr(one, "removed", ())]
    assert len(done) == 1 and has_no_batches(root)
    assert len(in_place(root)) in (0, 46)
