"""Recovery: only confirmed purges are finished, and a batch with an owner is never taken over."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from purge_stage import (
    ALL,
    CHAIN,
    FREE,
    LONE,
    OTHER,
    Meanwhile,
    age_heartbeats,
    batches,
    bundles,
    copy_of,
    folder_of,
    has_no_batches,
    in_place,
    killed_roots,
    list_entries,
    make_root,
    names,
    plan_of,
    release_heartbeat,
    root_contents,
)
from py_stage import make_both
from small_root import tree, write_bundle

from hipercow_tui.cli import trash
from hipercow_tui.cli.main import main
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.purging import (
    BatchState,
    Phase,
    Progress,
    PurgeReport,
    RestoreReport,
    empty,
    execute,
    finish,
    heartbeat,
    list_interrupted,
    list_trash,
    move_to_trash,
    preflight,
    read_history,
    restore,
    trash_actions,
    trash_listing,
)
from hipercow_tui.purging.batch_lifecycle import create_batch
from hipercow_tui.purging.batch_name import parse_batch_name
from hipercow_tui.purging.heartbeat import (
    Heartbeat,
    HeartbeatReading,
    ensure_dead,
    is_alive,
    read_heartbeat,
)
from hipercow_tui.purging.manifest import PurgeMode
from hipercow_tui.purging.process_identity import ProcessIdentity, current_process
from hipercow_tui.purging.progress import ProgressReporter, ignore_progress
from hipercow_tui.purging.root_dirs import open_root_dirs
from hipercow_tui.support.errors import PurgeError

MINUTES, HOURS = 60.0, 3600.0


def trashed(root: Root) -> str:
    return str(move_to_trash(plan_of(root), root).trash)


def died_moving(root: Root, mode: str) -> str:
    """Make a purge or move to the trash that died after it moved three tasks. Return its batch
    id."""
    batch_id = trashed(root)
    batch = root.hipercow / "tui" / f"{batch_id}.trash"
    manifest = json.loads((batch / "manifest.json").read_text())
    (batch / "manifest.json").write_text(json.dumps(manifest | {"aim": mode}))
    for name in (LONE, OTHER, ALL[5]):
        (batch / "tasks" / name).rename(folder_of(root, name))
    batch.rename(batch.with_suffix(""))
    return batch_id


def check_folders(root: Root) -> list[Path]:
    return list(root.hipercow.glob("tui/check-*"))


# Only a confirmed plan is carried out


def test_a_check_before_the_question_that_died_is_never_taken_for_a_purge(tmp_path: Path) -> None:
    roots = killed_roots(tmp_path, "check", "steps")
    left = 0
    for path in roots:
        root = find_root(path)
        before = root_contents(root)
        assert not list_trash(root) and not list_interrupted(root)
        assert not [one for one in root.hipercow.glob("tui/*") if parse_batch_name(one.name)]
        found = check_folders(root)
        left += len(found)
        for folder in found:
            assert not list(folder.glob("*/*")) and not (folder / "manifest.json").exists()
            batch_id = folder.name.removeprefix("check-")
            for act in (restore, finish):
                with pytest.raises(PurgeError, match="There is no"):
                    act(root, batch_id)
            assert main(["trash", str(path), "--empty", batch_id, "--yes"]) == 1
        assert root_contents(root) == before and in_place(root) == set(ALL)
        age_heartbeats(root)
        assert preflight(plan_of(root), root) is None
        assert not check_folders(root) and root_contents(root) == before
    assert len(roots) > 10 and left > 5


@contextmanager
def looking_after_each_change(
    monkeypatch: pytest.MonkeyPatch, look: Callable[[], object]
) -> Iterator[list[object]]:
    """Call ``look`` after each call that changes something, as another process does at any
    moment, and collect its results."""
    found: list[object] = []
    looking = False
    with monkeypatch.context() as patch:
        for call in ("mkdir", "rmdir", "unlink", "fsync", "rename", "utime"):
            real: Callable[..., Any] = getattr(os, call)

            def observed(*args: Any, real: Callable[..., Any] = real, **kwargs: Any) -> Any:
                nonlocal looking
                result = real(*args, **kwargs)
                if not looking:
                    looking = True
                    found.append(look())
                    looking = False
                return result

            patch.setattr(os, call, observed)
        yield found


def test_the_check_before_the_question_has_no_batch_and_is_not_listed(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look() -> object:
        names = [path.name for path in root.hipercow.glob("tui/*")]
        return [*filter(parse_batch_name, names)], list_trash(root), list_interrupted(root)

    with looking_after_each_change(monkeypatch, look) as found:
        assert preflight(plan_of(root), root) is None
    assert len(found) > 8 and all(one == ([], (), ()) for one in found)
    assert has_no_batches(root)


@pytest.mark.parametrize("act", ["purge", "trash", "restore", "empty"])
def test_a_batch_in_use_is_never_listed_as_interrupted(
    root: Root, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    """Not even in the moment when its owner ends its work."""
    actions: dict[str, Callable[[], object]] = {
        "purge": lambda: execute(plan_of(root), root),
        "trash": lambda: move_to_trash(plan_of(root), root),
        "restore": lambda: restore(root, list_trash(root)[0].batch_id),
        "empty": lambda: empty(root, list_trash(root)),
    }
    if act in ("restore", "empty"):
        trashed(root)
    with looking_after_each_change(monkeypatch, lambda: list_interrupted(root)) as found:
        actions[act]()
    assert len(found) > 8 and set(found) == {()}


def test_a_batch_whose_owner_ends_while_it_is_read_is_not_listed_as_interrupted(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader opened the folder before its last rename, and reads that it is released."""
    batch_id = died_moving(root, "trash")

    def read_late(folder: int, generation: int) -> HeartbeatReading:
        batches(root)[0].rename(batches(root)[0].with_suffix(".trash"))
        return read_heartbeat(folder, generation)

    monkeypatch.setattr(trash_listing, "read_heartbeat", read_late)
    assert list_interrupted(root) == ()
    assert [one.batch_id for one in list_trash(root)] == [batch_id]


def test_a_manifest_records_the_confirmation(root: Root) -> None:
    began = time.time()
    trashed(root)
    (batch,) = batches(root)
    manifest = json.loads((batch / "manifest.json").read_text())
    assert manifest["confirmed"] is True and began <= manifest["when"] <= time.time()
    assert ProcessIdentity.from_json(manifest["who"]) == current_process()


@pytest.mark.parametrize("mode", ["purge", "trash"])
def test_a_batch_without_a_confirmation_is_only_put_back(root: Root, mode: str) -> None:
    before = root_contents(root)
    batch_id = died_moving(root, mode)
    (batch,) = batches(root)
    manifest = json.loads((batch / "manifest.json").read_text())
    del manifest["confirmed"]
    (batch / "manifest.json").write_text(json.dumps(manifest))
    (found,) = list_interrupted(root)
    assert not found.resumable
    with pytest.raises(PurgeError, match="there is no record that it was confirmed"):
        finish(root, batch_id)
    (again,) = list_interrupted(root)
    with pytest.raises(PurgeError, match="was interrupted while moving"):
        empty(root, [again])
    assert (
        restore(root, batch_id).complete and root_contents(root) == before and has_no_batches(root)
    )


def test_a_stopped_purge_that_died_while_it_put_items_back_is_not_resumed(
    root: Root, meanwhile: Meanwhile
) -> None:
    """To finish a stopped purge means to put its items back."""
    seen: list[str] = []

    def look() -> None:
        seen.extend(path.name for path in batches(root))

    def fail(progress: Progress) -> None:
        if progress.phase is Phase.CHECKING:
            raise ValueError("stop here")

    meanwhile.before("rename", LONE, look)
    with pytest.raises(ValueError, match="stop here"):
        execute(plan_of(root), root, on_progress=fail)
    assert [name.rpartition(".")[2] for name in seen] == ["restoring"]
    assert in_place(root) == set(ALL)


# Emptying erases only listed batches that are not interrupted


@pytest.mark.parametrize("apart", [0.0, 10 * MINUTES, -10 * MINUTES, 3 * HOURS, -3 * HOURS])
def test_a_move_that_died_is_finished_into_the_trash_and_emptied_after_another_question(
    root: Root, capsys: pytest.CaptureFixture[str], apart: float
) -> None:
    batch_id = died_moving(root, "trash")
    (batch,) = batches(root)
    at = time.time() + apart
    os.utime(batch / "alive", (at, at))  # the clock of another machine
    held = root_contents(root)
    assert main(["trash", str(root.path), "--empty", batch_id, "--yes"]) == 1
    assert f"--finish {batch_id}" in capsys.readouterr().err
    assert main(["trash", str(root.path), "--empty", "--yes"]) == 0
    assert root_contents(root) == held and len(list(batches(root)[0].glob("tasks/*"))) == 3
    os.utime(batches(root)[0] / "alive", (0, 0))
    assert main(["trash", str(root.path), "--finish", batch_id, "--yes"]) == 0
    assert {one.state for one in list_trash(root)} == {BatchState.TRASH} and not in_place(root)
    assert main(["trash", str(root.path), "--empty", batch_id, "--yes"]) == 0
    assert has_no_batches(root)


def test_finishing_a_purge_keeps_the_kept_chain_and_records_it(root: Root) -> None:
    batch_id = str(move_to_trash(plan_of(root, kept=[LONE]), root).trash)
    batch = root.hipercow / "tui" / f"{batch_id}.trash"
    (batch / "tasks" / OTHER).rename(folder_of(root, OTHER))
    batch.rename(batch.with_suffix(""))
    report = finish(root, batch_id)
    assert isinstance(report, PurgeReport) and report.complete
    assert in_place(root) == {LONE} and OTHER in report.removed
    entry = read_history(root)[0]
    assert (entry.kept_chains, entry.kept_tasks) == (1, (LONE,))


def test_a_task_that_was_retried_meanwhile_stays_when_a_move_is_finished(root: Root) -> None:
    batch_id = died_moving(root, "trash")
    with root.retry.open("a") as file:
        file.write(f"{'f' * 32},{LONE},{LONE}\n")
    finish(root, batch_id)
    assert in_place(root) == {LONE}


def test_a_batch_that_changed_since_it_was_listed_is_not_erased(root: Root) -> None:
    trashed(root)
    before = list_entries(root)
    (batch,) = batches(root)
    (batch / "tasks" / LONE).rename(folder_of(root, LONE))
    with pytest.raises(PurgeError, match="changed since it was listed"):
        empty(root, before)
    assert {*in_place(root), *list_entries(root)[0].tasks} == set(ALL)
    assert empty(root, list_entries(root)).complete and in_place(root) == {LONE}


def test_a_quarantine_that_grew_since_it_was_listed_is_not_erased(root: Root) -> None:
    batch_id = trashed(root)
    folder_of(root, LONE).mkdir(parents=True)
    restore(root, batch_id)
    before = list_entries(root, batch_id)
    (kept,) = batches(root)
    (kept / "tasks" / OTHER).mkdir()
    with pytest.raises(PurgeError, match="changed since it was listed"):
        empty(root, before)
    assert (batches(root)[0] / "tasks" / LONE).is_dir()


def test_the_question_counts_the_items_on_the_disk(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(question: str, declined: str) -> bool:
        asked.append(question)
        return False

    monkeypatch.setattr(trash, "confirmed", refuse)
    batch_id = trashed(root)
    (batch,) = batches(root)
    (batch / "tasks" / LONE).rename(folder_of(root, LONE))
    for words in (["--empty"], ["--empty", batch_id]):
        assert main(["trash", str(root.path), *words]) == 1
    assert all(
        re.match(r"Erase 5 tasks and 2 bundles \([\d.]+ .?B\)( in 1 batch)? for", q) for q in asked
    )
    batch.rename(batch.with_suffix(""))
    assert main(["trash", str(root.path), "--finish", batch_id]) == 1
    assert asked[2].startswith("Finish moving to the trash, with 5 tasks and 2 bundles")
    assert read_history(root)[0].kind != "empty" and in_place(root) == {LONE}


# Putting back


def test_an_undo_that_died_with_quarantined_items_is_finished(tmp_path: Path) -> None:
    for path in killed_roots(tmp_path, "taken", "steps"):
        root, other = find_root(path), copy_of(path)
        age_heartbeats(root)
        age_heartbeats(other)
        folder_of(other, LONE).rmdir()  # the place is free again
        batch_ids = {batch.batch_id for batch in list_trash(root)}
        for batch_id in batch_ids:
            assert names(restore(root, batch_id).failed) <= {LONE}
            assert restore(other, batch_id).complete
        assert in_place(root) == in_place(other) == set(ALL)
        assert has_no_batches(other) and len(bundles(other)) == 2
        if batch_ids:
            (kept,) = list_trash(root)
            assert kept.state is BatchState.QUARANTINED and kept.tasks == (LONE,)
            folder_of(root, LONE).rmdir()
            assert restore(root, kept.batch_id).complete and has_no_batches(root)
            assert root_contents(root) == root_contents(other)


# Errors of listings


@pytest.mark.parametrize("words", [["--restore"], ["--empty"], ["--finish"], []])
def test_an_error_of_a_listing_gives_a_message_and_never_success(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
) -> None:
    for step in range(1, 60):
        root = make_root(tmp_path / str(step))
        batch_id = died_moving(root, "purge") if words == ["--finish"] else trashed(root)
        more = (
            [batch_id, "--yes"] if words in (["--empty"], ["--finish"]) else [batch_id] * len(words)
        )
        made = 0
        with monkeypatch.context() as patch:
            for call in ("listdir", "scandir"):
                real: Callable[..., Any] = getattr(os, call)

                def failing(
                    path: Any = ".", real: Callable[..., Any] = real, step: int = step
                ) -> Any:
                    nonlocal made
                    made += isinstance(path, int)
                    if made == step and isinstance(path, int):
                        raise OSError(errno.EIO, os.strerror(errno.EIO))
                    return real(path)

                patch.setattr(os, call, failing)
            status = main(["trash", str(root.path), *words, *more])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        done = {
            "--restore": in_place(root) == set(ALL),
            "--empty": has_no_batches(root),
            "--finish": not in_place(root) and has_no_batches(root),
            "": "6 tasks" in said.out or "can't be read" in said.out,
        }["".join(words)]
        assert done if status == 0 else status == 1 and (said.err or said.out)
        if made < step:
            break
    assert 2 < step < 59


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.ESTALE])
def test_trash_and_history_that_can_not_be_listed_give_messages(
    root: Root, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: int
) -> None:
    batch_id = trashed(root)

    def failing(path: Any = ".") -> Any:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "listdir", failing)
    for command in (["trash"], ["history"], ["trash", "--restore", batch_id]):
        assert main([command[0], str(root.path), *command[1:]]) == 1
        assert os.strerror(code) in capsys.readouterr().err


# Owners


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time of a simulated clock, as a list of one element. Sleeping advances it."""
    now = [1000.0]
    monkeypatch.setattr(heartbeat, "_clock", lambda: now[0])
    monkeypatch.setattr(heartbeat, "_observed", {})  # of a batch with the same path

    def sleep(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(time, "sleep", sleep)
    return now


ELSEWHERE = ProcessIdentity("ann", "other", 1, "another boot")
APART = [0.0, 10 * MINUTES, -10 * MINUTES, 3 * HOURS, -3 * HOURS]


def sign(count: int, age: float) -> HeartbeatReading:
    return HeartbeatReading(ELSEWHERE, count, int((time.time() - age + count) * 1e9))


@pytest.mark.parametrize("apart", APART)
def test_a_heartbeat_that_changes_is_alive_whatever_its_clock_says(
    tmp_path: Path, clock: list[float], apart: float
) -> None:
    batch, began = tmp_path / "batch", clock[0]
    with pytest.raises(PurgeError, match="is in use by ann on other"):
        ensure_dead(
            batch,
            lambda: sign(int((clock[0] - began) / heartbeat.INTERVAL), apart),
            ProgressReporter(ignore_progress),
        )
    assert clock[0] - began <= heartbeat.INTERVAL + 1
    clock[0] += heartbeat.DEAD_AFTER - 2  # it is never dead within the last minute of this clock
    last = sign(int((clock[0] - began) / heartbeat.INTERVAL), apart)
    assert is_alive(batch, last, time.time())
    clock[0] += heartbeat.DEAD_AFTER - 1
    assert is_alive(batch, last, time.time())
    clock[0] += 2
    assert not is_alive(batch, last, time.time())
    ensure_dead(batch, lambda: last, ProgressReporter(ignore_progress))


@pytest.mark.parametrize("apart", APART)
def test_a_heartbeat_that_never_changes_is_dead_after_half_a_minute(
    tmp_path: Path, clock: list[float], apart: float
) -> None:
    said: list[Progress] = []
    began, last = clock[0], sign(7, apart)
    ensure_dead(tmp_path / "batch", lambda: last, ProgressReporter(said.append))
    assert heartbeat.WATCH_TIME <= clock[0] - began <= heartbeat.WATCH_TIME + 1
    assert {one.phase for one in said} == {Phase.WAITING}


def test_a_process_of_this_machine_that_is_gone_is_not_watched(
    tmp_path: Path, clock: list[float]
) -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()
    gone = replace(current_process(), pid=child.pid)
    began = clock[0]
    last = HeartbeatReading(gone, 0, int((time.time() - 5) * 1e9))
    assert not is_alive(tmp_path / "batch", last, time.time())
    ensure_dead(tmp_path / "batch", lambda: last, ProgressReporter(ignore_progress))
    assert clock[0] == began


def test_a_batch_that_another_process_has_just_taken_over_is_watched(
    tmp_path: Path, clock: list[float]
) -> None:
    """Until the new owner has written its heartbeat, that of the previous one is in the batch. It
    may be released, or its process may be gone."""
    with subprocess.Popen(["true"]) as child:
        child.wait()
    gone = replace(current_process(), pid=child.pid)
    (tmp_path / "alive").write_text(
        json.dumps(gone.as_json() | {"beat": "0000000007", "generation": 1})
    )
    os.utime(tmp_path / "alive", (0, 0))
    folder = os.open(tmp_path, os.O_RDONLY)
    assert read_heartbeat(folder, 1).is_owner_gone
    began, taken = clock[0], read_heartbeat(folder, 2)
    os.close(folder)
    assert not taken.is_owner_gone
    ensure_dead(tmp_path / "batch", lambda: taken, ProgressReporter(ignore_progress))
    assert clock[0] >= began + heartbeat.WATCH_TIME


def test_a_heartbeat_is_rewritten_in_place_unless_another_owner_wrote_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "INTERVAL", 0.005)
    folder = os.open(tmp_path, os.O_RDONLY)
    alive = tmp_path / "alive"
    beating = Heartbeat.of_batch(folder, 2)
    try:
        first = read_heartbeat(folder, 2)
        wait_until(lambda: read_heartbeat(folder, 2).count > first.count + 2)
        assert read_heartbeat(folder, 2).owner == current_process() and alive.stat().st_ino
        other = json.dumps(ELSEWHERE.as_json() | {"beat": "0000000007"})
        alive.write_text(other)
        time.sleep(0.05)
        assert alive.read_text() == other
        alive.unlink()
        time.sleep(0.05)
        assert not alive.exists()
    finally:
        beating.end()
        os.close(folder)


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.mark.parametrize("where", ["moving", "erasing"])
def test_an_owner_moves_and_erases_nothing_after_a_takeover(
    root: Root, meanwhile: Meanwhile, where: str
) -> None:
    before, left = root_contents(root), set[str]()

    def take_over() -> None:
        (batch,) = batches(root)
        batch_id = batch.name.partition(".")[0]
        taken = batch.rename(batch.with_name(f"{batch_id}.1.restoring"))
        left.update(path.name for path in taken.glob("tasks/*"))

    if where == "moving":
        meanwhile.after("rename", CHAIN[2][2:], take_over)
    else:
        meanwhile.after("rmdir", CHAIN[0], take_over)
    plan = plan_of(root)
    with pytest.raises(PurgeError, match="Another process took over"):
        execute(plan, root)
    (batch,) = batches(root)
    assert {path.name for path in batch.glob("tasks/*")} == left and left
    assert len(left) == 3 and (batch / "alive").stat().st_mtime > 0
    assert len(read_history(root)) == (where == "erasing")
    release_heartbeat(batch / "alive")
    report = restore(root, batch.name.partition(".")[0])
    assert set(report.restored) == left
    after = root_contents(root)
    assert in_place(root) == (set(ALL) if where == "moving" else set(ALL) - set(CHAIN))
    assert all(after[name] == before[name] for name in after)


def test_an_undo_during_an_emptying_reports_what_is_on_the_disk(
    root: Root, meanwhile: Meanwhile
) -> None:
    batch_id = trashed(root)

    def take_over() -> None:
        (batch,) = batches(root)
        taken = batch.rename(batch.with_name(f"{batch_id}.2.trash"))
        assert empty(root, list_entries(root, batch_id)).complete and not taken.exists()

    meanwhile.after("rename", LONE, take_over)
    report = restore(root, batch_id)
    assert set(report.restored) == in_place(root) == {*CHAIN, LONE}
    assert set(report.missing_ids) == set(ALL) - in_place(root) and not report.complete


def test_an_undo_stops_after_a_takeover_and_reports_its_result(
    root: Root, meanwhile: Meanwhile
) -> None:
    batch_id = trashed(root)

    def take_over() -> None:
        (batch,) = batches(root)
        batch.rename(batch.with_name(f"{batch_id}.2.erasing"))

    meanwhile.after("rename", LONE, take_over)
    with pytest.raises(PurgeError, match=r"Another process .* 4 tasks had been restored"):
        restore(root, batch_id)
    assert set(read_history(root)[0].tasks) == in_place(root) == {*CHAIN, LONE}
    assert len(list(batches(root)[0].glob("tasks/*"))) == 2


# Further cases


def died_erasing(root: Root, *, gone: str = CHAIN[2]) -> str:
    """Make a purge that died after it erased one task and put back LONE. Return its batch id."""
    batch_id = trashed(root)
    (batch,) = batches(root)
    shutil.rmtree(batch / "tasks" / gone)
    (batch / "tasks" / LONE).rename(folder_of(root, LONE))
    manifest = json.loads((batch / "manifest.json").read_text())
    (batch / "manifest.json").write_text(json.dumps(manifest | {"aim": "purge"}))
    batch.rename(batch.with_suffix(".erasing"))
    return batch_id


@pytest.mark.parametrize("lost", ["status-failure", "data"])
def test_a_task_in_its_place_is_not_moved_while_it_may_run(root: Root, lost: str) -> None:
    """It was put back by rule 13, and another program changed it since."""
    batch_id = died_erasing(root)
    (folder_of(root, LONE) / lost).unlink()
    (folder_of(root, LONE) / "status-failure").unlink(missing_ok=True)
    (folder_of(root, LONE) / "status-running").touch()
    before = tree(folder_of(root, LONE))
    report = restore(root, batch_id)
    assert tree(folder_of(root, LONE)) == before and set(report.missing_ids) == {CHAIN[2]}


def test_finishing_reports_tasks_in_place_and_keeps_their_bundles(
    root: Root,
) -> None:
    batch_id = died_erasing(root)
    report = finish(root, batch_id)
    assert isinstance(report, PurgeReport) and not report.complete
    assert names(report.put_back) == {LONE} == in_place(root)
    assert [(one.name, one.is_bundle) for one in report.failed] == [("sweep", True)]
    assert (report.failed[0].where or root.path).read_text().split() == [CHAIN[0], LONE]


def test_a_task_that_can_not_be_examined_does_not_count_as_erased(
    root: Root, tmp_path: Path
) -> None:
    batch_id = died_erasing(root)
    folder_of(root, LONE).parent.rename(tmp_path / "elsewhere")
    folder_of(root, LONE).parent.symlink_to(tmp_path / "elsewhere")
    report = restore(root, batch_id)
    assert set(report.missing_ids) == {CHAIN[2]}
    kept = list(root.hipercow.glob("tui/*.kept/bundles/sweep"))
    assert bundles(root).get("sweep") or kept


def test_quarantined_items_are_never_replaced(root: Root) -> None:
    batch_id = trashed(root)
    (batch,) = batches(root)
    kept = batch.with_name(f"{batch_id}.kept") / "bundles"
    kept.mkdir(parents=True)
    (kept / "solo").write_text("one")
    write_bundle(root.path, "solo", [FREE])
    restore(root, batch_id)
    held = {path.read_text() for path in root.hipercow.glob("tui/*.kept/bundles/solo")}
    assert held == {"one", f"{OTHER}\n"}
    (root.bundles / "solo").unlink()
    restore(root, batch_id)
    assert in_place(root) == set(ALL) and bundles(root)["solo"] in (["one"], [OTHER])


@pytest.mark.parametrize("broken", ["", "{"])
def test_a_batch_with_an_unreadable_plan_is_kept(
    root: Root, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """Even if nothing has been moved yet."""
    batch_id = died_moving(root, "purge")
    (batch,) = batches(root)
    for path in batch.glob("tasks/*"):
        path.rename(folder_of(root, path.name))
    if broken:
        (batch / "manifest.json").write_text(broken)
    else:
        real = read_file

        def failing(path: Any, **kwargs: Any) -> bytes:
            if path == "manifest.json":
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return real(path, **kwargs)

        monkeypatch.setattr("hipercow_tui.purging.manifest.read_file", failing)
    with pytest.raises(
        PurgeError, match=r"there is no record that it was confirmed|Input/output error"
    ):
        finish(root, batch_id)
    assert (batches(root)[0] / "manifest.json").exists() and in_place(root) == set(ALL)


def test_items_quarantined_before_a_resumed_purge_are_in_its_report(root: Root) -> None:
    batch_id = died_moving(root, "purge")
    write_bundle(root.path, "solo", [ALL[5]])
    report = finish(root, batch_id)
    assert "solo" in names(report.failed)


def test_an_error_in_a_second_batch_reports_the_tasks_erased_before(root: Root) -> None:
    move_to_trash(plan_of(root, [ALL[5]]), root)
    trashed(root)
    before = list_entries(root)
    first, second = before
    path = root.hipercow / "tui" / str(second.name)
    moved = second.tasks[0]
    (path / "tasks" / moved).rename(folder_of(root, moved))
    with pytest.raises(PurgeError, match=r"List it again\. Before that \d tasks? had been erased"):
        empty(root, before)
    assert len(read_history(root)[0].tasks) == len(first.tasks)


@pytest.mark.parametrize("when", ["-Infinity", "NaN", "1e999", "-1e308"])
def test_very_large_numbers_cause_no_traceback(
    root: Root, capsys: pytest.CaptureFixture[str], when: str
) -> None:
    batch_id = trashed(root)
    (batch,) = batches(root)
    text = (batch / "manifest.json").read_text()
    (batch / "manifest.json").write_text(re.sub(r'"when":[\d.]+', f'"when":{when}', text))
    (batch / "alive").write_text(f'{{"beat": {when}}}')
    batch.rename(batch.with_suffix(""))
    assert main(["trash", str(root.path)]) == main(["trash", str(root.path), "--json"]) == 0
    said = capsys.readouterr()
    assert batch_id in said.out and "nan" not in said.out.lower() and "inf" not in said.out.lower()


def test_no_question_is_asked_if_nothing_can_be_finished(
    root: Root, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def yes(question: str, declined: str) -> bool:
        asked.append(question)
        return True

    monkeypatch.setattr(trash, "confirmed", yes)
    batch_id = trashed(root)
    for words, said in (
        (batch_id, "nothing was interrupted in it"),
        ("20261123T000000Z-0000", "There is no '20261123T000000Z-0000'"),
    ):
        assert main(["trash", str(root.path), "--finish", words]) == 1
        assert said in capsys.readouterr().err
    assert not asked
    write_bundle(root.path, "solo", [OTHER])
    restore(root, batch_id)  # the old bundle is quarantined
    batch_id = died_moving(root, "purge")
    assert main(["trash", str(root.path), "--finish", batch_id]) == 0
    assert asked[0].startswith("Finish the purge, with 3 tasks")


def test_a_purge_of_both_that_dies_while_it_is_finished_is_finished_in_both(tmp_path: Path) -> None:
    """It died before it made the batch of Python, and again after it was finished in R."""
    both = make_both(tmp_path)
    plan = plan_of(both)
    batch_id = str(move_to_trash(plan, both).trash)
    restored = restore(both, batch_id)
    assert restored.complete
    part = both.part(Lang.R)
    with open_root_dirs(part) as dirs, create_batch(dirs, plan, PurgeMode.PURGE, batch_id):
        pass
    child = os.fork()
    if child == 0:
        real = trash_actions._finish_in

        def dying(root: Root, *args: Any, **kwargs: Any) -> None:
            real(root, *args, **kwargs)
            os._exit(9)

        try:
            setattr(trash_actions, "_finish_in", dying)  # noqa: B010 - of this child alone
            finish(both, batch_id)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert [batch.lang for batch in list_interrupted(both)] == [Lang.PY] and not in_place(both)
    report = finish(both, batch_id)
    assert isinstance(report, PurgeReport) and set(report.removed) == set(plan.of_lang(Lang.PY).ids)


def test_two_interrupted_batches_of_one_purge_are_finished(root: Root) -> None:
    batch_id = died_moving(root, "purge")
    kept = root.hipercow / "tui" / f"{batch_id}.1.restoring" / "bundles"
    kept.mkdir(parents=True)
    (kept / "older").write_text(f"{FREE}\n")
    age_heartbeats(root)
    assert isinstance(finish(root, batch_id), RestoreReport)
    assert (
        in_place(root) == set(ALL)
        and bundles(root)["older"] == [FREE]
        and not list_interrupted(root)
    )


def test_a_finish_waits_for_the_owners_of_both_languages_before_it_begins(
    tmp_path: Path, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    both = make_both(tmp_path)
    batch_id = str(move_to_trash(plan_of(both), both).trash)
    for part in both.parts:
        (batch,) = batches(part)
        batch.rename(batch.with_suffix(""))
    alive = both.part(Lang.PY).hipercow / "tui" / batch_id / "alive"

    def write_heartbeat(seconds: float) -> None:
        clock[0] += seconds
        alive.write_text(json.dumps(ELSEWHERE.as_json() | {"beat": f"{clock[0]:010.0f}"}))

    write_heartbeat(0)
    monkeypatch.setattr(time, "sleep", write_heartbeat)
    before = tree(both.part(Lang.R).hipercow / "tui" / batch_id / "tasks")
    with pytest.raises(PurgeError, match="is in use by ann on other"):
        finish(both, batch_id)
    assert tree(both.part(Lang.R).hipercow / "tui" / batch_id / "tasks") == before


def test_a_list_says_that_another_machine_may_work_until_it_watched_the_heartbeat(
    root: Root, clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    """With clocks an hour apart, a living purge looks as if it had died."""
    batch_id = died_moving(root, "purge")
    alive = root.hipercow / "tui" / batch_id / "alive"
    perhaps = "interrupted while moving, or still runs on another machine"

    def write_heartbeat(owner: ProcessIdentity) -> None:
        alive.write_text(json.dumps(owner.as_json() | {"beat": "0000000007"}))
        os.utime(alive, (time.time() - HOURS, time.time() - HOURS))

    write_heartbeat(ELSEWHERE)
    assert main(["trash", str(root.path)]) == main(["list", str(root.path)]) == 0
    said = capsys.readouterr()
    assert perhaps in said.out and perhaps in said.err
    assert main(["trash", str(root.path), "--json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)["lots"]
    assert shown["interrupted"] and not shown["alive"]
    assert list_trash(root)[0].perhaps_in_use
    clock[0] += heartbeat.WATCH_TIME
    (entry,) = list_trash(root)
    assert entry.interrupted and not entry.perhaps_in_use
    heartbeat._observed.clear()
    write_heartbeat(replace(ELSEWHERE, host=current_process().host))
    (entry,) = list_trash(root)  # one clock, before the machine was started again
    assert entry.interrupted and not entry.perhaps_in_use


@pytest.mark.parametrize("name", ["20261123T231205Z-3f2a.preparing", "check-20261123T231205Z-3f2a"])
@pytest.mark.parametrize("hours", [1, 25])
def test_a_batch_prepared_by_another_machine_is_removed_after_a_day(
    root: Root, hours: int, name: str
) -> None:
    folder = root.hipercow / "tui" / name
    folder.mkdir(parents=True)
    alive = folder / "alive"
    alive.write_text(json.dumps(ELSEWHERE.as_json() | {"beat": "0000000007"}))
    at = time.time() - hours * HOURS
    os.utime(alive, (at, at))
    assert execute(plan_of(root, [FREE]), root).complete
    assert folder.exists() == (hours < 24)
