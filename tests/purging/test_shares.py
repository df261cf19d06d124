"""A share of a file server that is no POSIX system, mounted by several clients (see
``share_mount``)."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Timer

import pytest
from purge_checks import assert_nothing_lost, assert_restored
from purge_stage import (
    ALL,
    BASE,
    CHAIN,
    LONE,
    OTHER,
    age_heartbeats,
    bundles,
    folder_of,
    has_no_batches,
    in_place,
    list_entries,
    make_root,
    names,
    paused_purge,
    plan_of,
    root_contents,
    run_script,
)
from py_stage import (
    BUNDLES,
    batches_of_both,
    bundles_in_place,
    contents_of_both,
    make_both,
    recent,
)
from share_mount import FAT_STEP, NTFS_STEP, mounted_share
from small_root import task_id, tree, write_bundle, write_task

from hipercow_tui.cli.main import main
from hipercow_tui.domain.records import RecordTarget, TargetKind
from hipercow_tui.domain.task import Lang, Status
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import (
    BatchState,
    empty,
    execute,
    finish,
    heartbeat,
    list_interrupted,
    list_trash,
    move_to_trash,
    restore,
)
from hipercow_tui.purging.history import read_history
from hipercow_tui.purging.record_files import add_pin, remove_pin
from hipercow_tui.scanning.scan_cache import ScanCache
from hipercow_tui.scanning.scanner import Scanner, read_root
from hipercow_tui.settings.column_store import ColumnFile
from hipercow_tui.settings.saved_filters import FilterFile, SavedFilter
from hipercow_tui.support.errors import FilterError, PurgeError

MINUTES, HOURS = 60.0, 3600.0
BUSY = "it is open in another program"


@pytest.fixture(scope="module")
def mounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[float, Path]]:
    """The mounts of one share, by the seconds by which the clock of their client is fast."""
    where = tmp_path_factory.mktemp("share")
    (where / "server").mkdir()
    shifts = (0.0, 10 * MINUTES, -10 * MINUTES, 3 * HOURS, -3 * HOURS)
    clients = {where / str(number): shift for number, shift in enumerate(shifts)}
    with mounted_share(where / "server", clients) as allowed:
        if not allowed:
            pytest.skip("FUSE is not allowed here")
        yield {shift: where for where, shift in clients.items()}


@pytest.fixture
def share(mounts: dict[float, Path]) -> Iterator[Path]:
    """An empty folder of the share, as the client with the right clock sees it."""
    folder = mounts[0.0] / "project"
    folder.mkdir()
    yield folder
    # On the server: rmtree refuses a folder if its inode number changes.
    shutil.rmtree(folder.parents[1] / "server" / "project")


@pytest.fixture
def root(share: Path) -> Root:
    return make_root(share)


def test_a_purge_its_undo_and_an_emptying_leave_what_they_leave_elsewhere(share: Path) -> None:
    both = make_both(share)
    before = contents_of_both(both)
    pin = RecordTarget(TargetKind.CHAIN, Lang.PY, task_id(2))
    add_pin(both, pin, "first")
    add_pin(both, pin, "again")
    assert read_root(both).pins.pins[0].note == "again" and remove_pin(both, pin)
    plan = plan_of(both)
    moved = move_to_trash(plan, both)
    assert moved.complete and set(moved.removed) == set(plan.ids)
    assert restore(both, str(moved.trash)).complete
    assert bundles_in_place(both).items() >= BUNDLES.items()
    listed = recent(both)
    after = contents_of_both(both)
    assert {name: held for name, held in after.items() if "recent" not in name} == {
        name: held for name, held in before.items() if "recent" not in name
    }
    assert move_to_trash(plan, both).complete and len(recent(both)) < len(listed)
    assert set(empty(both, list_entries(both)).removed) == set(plan.ids)
    assert [path.name for path in batches_of_both(both)] == ["pins"]
    assert {entry.kind for entry in read_history(both)} == {"trash", "restore", "empty"}


def test_a_chain_with_an_open_file_stays_whole(root: Root, mounts: dict[float, Path]) -> None:
    before = tree(folder_of(root, BASE))
    elsewhere = find_root(mounts[10 * MINUTES] / "project")
    with (folder_of(elsewhere, CHAIN[1]) / "result").open("rb"):
        report = execute(plan_of(root), root)
    (failed,) = report.failed
    assert failed.name == CHAIN[1] and failed.reason == f"it can't be moved: {BUSY}"
    assert names(report.put_back) >= {CHAIN[0], CHAIN[2]} and in_place(root) >= set(CHAIN)
    assert tree(folder_of(root, BASE)) == before and OTHER in report.removed
    assert bundles(root) == {} and has_no_batches(root)


def test_a_file_that_is_open_for_a_moment_delays_a_purge(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hipercow_tui.purging.file_changes.BUSY_TIME", 10.0)
    with (folder_of(root, LONE) / "result").open("rb") as opened:
        closing = Timer(0.3, opened.close)
        closing.start()
        assert execute(plan_of(root), root).complete
        closing.join()


def test_a_batch_with_a_manifest_that_another_client_reads_is_taken_over_afterwards(
    root: Root, mounts: dict[float, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id = str(move_to_trash(plan_of(root), root).trash)
    (manifest,) = (mounts[10 * MINUTES] / "project").glob("hipercow/tui/*/manifest.json")
    with manifest.open("rb") as opened:
        with pytest.raises(PurgeError, match=BUSY):
            restore(root, batch_id)
        monkeypatch.setattr("hipercow_tui.purging.file_changes.BUSY_TIME", 10.0)
        closing = Timer(0.2, opened.close)
        closing.start()
        assert restore(root, batch_id).complete
        closing.join()
    assert in_place(root) == set(ALL) and has_no_batches(root)


def test_a_heartbeat_that_is_written_all_the_time_does_not_end_a_purge(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hipercow_tui.purging.file_changes.BUSY_TIME", 10.0)
    monkeypatch.setattr(heartbeat, "INTERVAL", 0.001)
    assert execute(plan_of(root), root).complete and has_no_batches(root)


def test_a_stop_ends_the_wait_for_an_open_file(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hipercow_tui.purging.file_changes.BUSY_TIME", 60.0)
    before, stop = root_contents(root), Event()
    with (folder_of(root, LONE) / "result").open("rb"):
        Timer(0.2, stop.set).start()
        assert execute(plan_of(root), root, stop=stop).stopped
    assert root_contents(root) == before and has_no_batches(root)


def test_a_bundle_that_is_open_elsewhere_keeps_its_tasks(
    root: Root, mounts: dict[float, Path]
) -> None:
    elsewhere = find_root(mounts[10 * MINUTES] / "project")
    with (elsewhere.bundles / "solo").open("rb"):
        report = execute(plan_of(root), root)
    assert in_place(root) == {OTHER} and set(bundles(root)) == {"solo"}
    assert {one.reason for one in report.failed} == {f"it can't be moved: {BUSY}"}


def test_names_that_differ_only_by_case_are_one_file(root: Root) -> None:
    before = root_contents(root)
    (root.bundles / "SOLO").write_bytes((root.bundles / "solo").read_bytes())
    assert set(bundles(root)) == {"solo", "sweep"}
    batch_id = str(move_to_trash(plan_of(root), root).trash)
    other = write_bundle(root.path, "Solo", [LONE]).read_bytes()
    report = restore(root, batch_id)
    assert names(report.failed) == {"solo"} and (root.bundles / "solo").read_bytes() == other
    (root.bundles / "SOLO").unlink()
    assert restore(root, batch_id).complete
    assert root_contents(root) == before


def killed_on(share: Path, action: str, rounds: int) -> Iterator[tuple[int, Root]]:
    """Yield roots of the share in which this action was killed at random moments; in the first one
    it was not."""
    where = share / "roots"
    run_script("purge_killer.py", str(where), action, "seconds", str(rounds), "20261123")
    for number in range(rounds + 1):
        yield number, find_root(where / str(number))


def test_an_undo_that_was_killed_at_random_moments_is_finished(share: Path) -> None:
    before = root_contents(make_root(share))
    for _, root in killed_on(share, "restore", 8):
        age_heartbeats(root)
        for batch_id in {batch.batch_id for batch in list_trash(root)}:
            assert restore(root, batch_id).complete
        assert root_contents(root) == before and has_no_batches(root)


@pytest.mark.parametrize("action", ["purge", "empty"])
def test_erasing_that_was_killed_at_random_moments_is_restored_or_finished(
    share: Path, action: str
) -> None:
    model = make_root(share)
    before = root_contents(model)
    contents = {identity: tree(folder_of(model, identity)) for identity in ALL}
    states = []
    for number, root in killed_on(share, action, 12):
        states.append(assert_nothing_lost(root.path, contents))
        age_heartbeats(root)
        for batch in list_trash(root):
            if number % 2:
                gone = set(restore(root, batch.batch_id).missing_ids)
                assert_restored(root, before, gone if batch.mode else set(ALL) - in_place(root))
            elif batch.interrupted:
                assert finish(root, batch.batch_id).complete
        left = {batch.state for batch in list_trash(root)}
        if number % 2 == 0 and left != {BatchState.TRASH}:
            assert root_contents(root) == before or in_place(root) == set()
        # A restore quarantines a bundle with half of its tasks erased.
        quarantined = {BatchState.QUARANTINED} if number % 2 else set()
        assert left in (set(), {BatchState.TRASH}, quarantined)
    assert states[0] == "finished" and {"whole", "erasing"} & set(states)


@pytest.mark.parametrize("apart", [10 * MINUTES, -10 * MINUTES, 3 * HOURS, -3 * HOURS])
def test_a_purge_of_a_client_with_another_clock_is_left_alone_until_it_is_dead(
    root: Root, mounts: dict[float, Path], apart: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time  # of the file server; the other client sets times by its own clock
    monkeypatch.setattr(time, "time", lambda: now() - apart)
    monkeypatch.setattr(heartbeat, "_READ_INTERVAL", 0.02)
    monkeypatch.setattr(heartbeat, "WATCH_TIME", 0.5)
    monkeypatch.setattr(heartbeat, "DEAD_AFTER", 1.0)
    elsewhere = find_root(mounts[apart] / "project")
    with paused_purge(elsewhere, "purge_elsewhere.py") as child:
        (batch,) = list_trash(root)
        for act in (restore, finish):
            with pytest.raises(PurgeError, match=rf"in use by .* process {child.pid}"):
                act(root, batch.batch_id)
        assert list_trash(root)[0].in_use and len(list_trash(root)[0].tasks) == len(batch.tasks)
        child.kill()
        child.wait()
        with pytest.raises(PurgeError, match="changed within the last minute"):
            restore(root, batch.batch_id)
        began = time.monotonic()
        while not list_interrupted(root):
            assert time.monotonic() < began + 30
        assert time.monotonic() - began > 0.5
        assert restore(root, batch.batch_id).complete
    assert in_place(root) == set(ALL) and has_no_batches(root)


@pytest.mark.parametrize("saved_for", ["", "R:\\project", "\\\\server\\share\\project"])
def test_a_plan_is_applied_under_another_name_of_its_root(
    root: Root, mounts: dict[float, Path], tmp_path: Path, saved_for: str
) -> None:
    file, elsewhere = tmp_path / "plan.json", mounts[3 * HOURS] / "project"
    words = ("purge", str(root.path), "--with-status", "failure", "--save-plan", str(file))
    assert main(words) == 0
    if saved_for:  # as the same root is called on Windows
        file.write_text(json.dumps(json.loads(file.read_text()) | {"root": saved_for}))
        assert main(("apply", str(file), "--yes")) == 1
    assert main(("apply", str(file), "--root", str(elsewhere), "--yes")) == 0
    assert in_place(root) == set() and has_no_batches(root)


@pytest.mark.parametrize(
    ("lasting_inodes", "step"), [(True, FAT_STEP), (False, FAT_STEP), (True, NTFS_STEP)]
)
def test_a_scan_sees_every_change_although_times_have_steps(
    tmp_path: Path, lasting_inodes: bool, step: int
) -> None:
    server, where = tmp_path / "server", tmp_path / "mounted"
    make_root(server)
    with mounted_share(server, {where: 0.0}, lasting_inodes=lasting_inodes, step=step) as allowed:
        if not allowed:
            pytest.skip("FUSE is not allowed here")
        root = find_root(where)
        scanner = Scanner(root)
        *_, first = scanner.scan()
        *_, again = scanner.scan()
        assert again.snapshot.bundles is first.snapshot.bundles  # read again, and the same
        running = write_task(where, task_id(9), "running")
        write_bundle(where, "solo", [LONE])  # as long as before, often within the same step
        *_, state = scanner.scan()
        assert state.snapshot.tasks[task_id(9)].status is Status.RUNNING
        (running / "status-success").touch()
        *_, state = scanner.scan()
        assert state.snapshot.tasks[task_id(9)].status is Status.SUCCESS
        assert state.snapshot.tasks[LONE].bundles == ("solo", "sweep")
        assert state.snapshot.tasks == read_root(root).tasks
        running = write_task(where, task_id(10), "running")
        index = ScanCache(tmp_path / "one.index", b"one")
        read_root(root, index)
        write_bundle(where, "solo", [OTHER])
        (running / "status-success").touch()
        found = read_root(root, index)
        assert found.tasks == read_root(root).tasks and found.tasks[OTHER].bundles == ("solo",)


def test_settings_are_saved_in_a_folder_of_a_share(
    share: Path, mounts: dict[float, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another client reads them, although the cases of its names differ."""
    elsewhere = mounts[10 * MINUTES] / "PROJECT"
    by_status = SavedFilter(status=frozenset({Status.FAILURE}))
    by_age = SavedFilter(finished_before="9 days")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(share))
    FilterFile.of_user().save("old", by_status)
    FilterFile.of_user().save("older", by_age)
    columns = ColumnFile.of_user()
    assert columns is not None
    columns.save({"tasks": {"id": True}})
    monkeypatch.setenv("XDG_CONFIG_HOME", str(elsewhere))
    FilterFile.of_user().forget("old")
    columns.save({"tasks": {"id": False}})
    monkeypatch.setenv("XDG_CONFIG_HOME", str(share))
    assert FilterFile.of_user().read().filters == {"older": by_age}
    assert columns.read() == {"tasks": {"id": False}}
    folder = share / "hipercow-tui"
    assert sorted(path.name for path in folder.iterdir()) == ["columns.toml", "filters.toml"]
    opened = (elsewhere / "hipercow-tui" / "filters.toml").open("rb")
    with opened, pytest.raises(FilterError, match="can't be written"):
        FilterFile.of_user().save("old", by_status)
    assert FilterFile.of_user().read().filters == {"older": by_age}
    assert len(list(folder.iterdir())) == 2
