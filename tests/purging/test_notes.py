"""Notes on disk: written and removed atomically, read by everyone, without an effect on a purge."""

from __future__ import annotations

import errno
import multiprocessing
import os

import pytest
from ordinary_user import ordinary_user
from purge_stage import CHAIN, in_place, plan_of, root_contents
from small_root import task_id

from hipercow_tui.domain.notes import Notes
from hipercow_tui.domain.records import RecordTarget, TargetKind
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.records import NoteReader, record_file_name
from hipercow_tui.formats.root import Root
from hipercow_tui.purging import execute
from hipercow_tui.purging.record_files import add_pin, write_note
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support.errors import PurgeError

A_CHAIN = RecordTarget(TargetKind.CHAIN, Lang.R, task_id(1))
A_BUNDLE = RecordTarget(TargetKind.BUNDLE, Lang.R, "sweep/ä" + "x" * 240)


def texts_of(root: Root) -> list[str]:
    return sorted(note.note for note in NoteReader(Lang.R).read_root(root).notes)


def test_a_note_is_written_replaced_and_removed(root: Root) -> None:
    before = root_contents(root)
    written = write_note(root, A_CHAIN, " wrong data ")
    write_note(root, A_BUNDLE, "x" * 600)
    assert texts_of(root) == ["wrong data", "x" * 500]
    assert written in NoteReader(Lang.R).read_root(root).notes
    write_note(root, A_CHAIN, "right data")
    assert texts_of(root)[0] == "right data"
    assert write_note(root, A_CHAIN, "  ") is None and write_note(root, A_BUNDLE, "") is None
    assert write_note(root, A_CHAIN, "") is None  # once more
    assert NoteReader(Lang.R).read_root(root) == Notes()
    assert root_contents(root) == before


def test_an_unreadable_note_hides_no_other_and_holds_nothing_back(root: Root) -> None:
    write_note(root, A_BUNDLE, "one")
    add_pin(root, RecordTarget(TargetKind.BUNDLE, Lang.R, "none"))
    folder = root.hipercow / "tui" / "notes"
    (folder / record_file_name(A_CHAIN)).write_bytes(b"damaged")
    (folder / "zz.json").write_bytes(b"{}")
    write_note(root, RecordTarget(TargetKind.CHAIN, Lang.R, task_id(2)), "two")
    snapshot = read_root(root)
    assert sorted(note.note for note in snapshot.notes.notes) == ["one", "two"]
    assert [problem for problem in snapshot.problems if "tui/notes" in problem]
    assert not snapshot.unread and not snapshot.pins.unread
    assert plan_of(root).tasks


def test_a_purge_leaves_the_note_of_what_it_takes(root: Root) -> None:
    write_note(root, RecordTarget(TargetKind.CHAIN, Lang.R, CHAIN[0]), "old")
    execute(plan_of(root, [CHAIN[0]]), root)
    assert CHAIN[0] not in in_place(root)
    assert texts_of(root) == ["old"]


def test_a_root_that_cant_be_written_is_a_sentence(open_root: Root) -> None:
    open_root.hipercow.chmod(0o755)
    with ordinary_user(), pytest.raises(PurgeError, match="Notes can't be changed in ") as caught:
        write_note(open_root, A_CHAIN, "x")
    assert "Permission denied" in str(caught.value)


def test_on_a_full_disk_the_present_note_stays(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    write_note(root, A_CHAIN, "first")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(PurgeError, match=r"No space left on device\. Nothing was changed"):
            write_note(root, A_CHAIN, "second")
    assert texts_of(root) == ["first"]
    left = [path.name for path in (root.hipercow / "tui" / "notes").iterdir()]
    assert left == [record_file_name(A_CHAIN)]


def _write_and_remove(root: Root, number: int) -> None:
    for _ in range(30):
        write_note(root, A_CHAIN, str(number))
        write_note(root, RecordTarget(TargetKind.CHAIN, Lang.R, task_id(number + 10)), "own")
        write_note(root, A_CHAIN, "")
    os._exit(0)


def test_two_processes_that_write_at_once_lose_no_note(root: Root) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_write_and_remove, args=(root, n)) for n in range(2)]
    for worker in workers:
        worker.start()
    reader = NoteReader(Lang.R)
    while any(worker.is_alive() for worker in workers):
        assert reader.read_root(root).unread == ""
    assert [worker.exitcode for worker in workers] == [0, 0]
    names = {note.target.name for note in reader.read_root(root).notes}
    assert {task_id(10), task_id(11)} <= names
    assert not [
        path for path in (root.hipercow / "tui" / "notes").iterdir() if path.suffix != ".json"
    ]
