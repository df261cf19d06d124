"""Pins on disk: written and removed atomically, read by everyone, unreadable ones block."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path

import pytest
from ordinary_user import ordinary_user
from purge_stage import CHAIN, RETRY, TIP, in_place, plan_of, root_contents
from small_root import task_id

from hipercow_tui.domain.pins import Pins
from hipercow_tui.domain.records import RecordTarget, TargetKind
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.records import PinReader, record_file_name
from hipercow_tui.formats.root import Root
from hipercow_tui.purging import execute
from hipercow_tui.purging.plan_changes import find_changes
from hipercow_tui.purging.process_identity import current_process
from hipercow_tui.purging.record_files import add_pin, remove_pin
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import short_id

A_CHAIN = RecordTarget(TargetKind.CHAIN, Lang.R, task_id(1))
A_BUNDLE = RecordTarget(TargetKind.BUNDLE, Lang.R, "sweep/ä" + "x" * 240)


def pins_folder(root: Root) -> Path:
    return root.hipercow / "tui" / "pins"


def test_pins_are_read_as_they_were_made(root: Root) -> None:
    chain, bundle = add_pin(root, A_CHAIN, " for the paper\x1b[31m "), add_pin(root, A_BUNDLE)
    read = PinReader(Lang.R).read_root(root)
    assert {pin.target for pin in read.pins} == {A_CHAIN, A_BUNDLE}
    assert read.unread == ""
    by_target = {pin.target: pin for pin in read.pins}
    assert by_target[A_BUNDLE] == bundle
    assert (by_target[A_CHAIN].user, by_target[A_CHAIN].time) == (chain.user, chain.time)
    assert "\x1b" not in str(by_target[A_CHAIN])


def test_pinning_again_replaces_the_note(root: Root) -> None:
    add_pin(root, A_CHAIN, "first")
    reader = PinReader(Lang.R)
    assert reader.read_root(root).pins[0].note == "first"
    add_pin(root, A_CHAIN, "second")
    assert [pin.note for pin in reader.read_root(root).pins] == ["second"]
    assert len(list(pins_folder(root).iterdir())) == 1


def test_a_pin_is_removed_once(root: Root) -> None:
    assert not remove_pin(root, A_CHAIN)
    add_pin(root, A_CHAIN)
    assert remove_pin(root, A_CHAIN)
    assert not remove_pin(root, A_CHAIN)
    assert PinReader(Lang.R).read_root(root) == Pins()


def test_the_reader_returns_the_same_object_while_nothing_changes(root: Root) -> None:
    add_pin(root, A_CHAIN)
    reader = PinReader(Lang.R)
    assert reader.read_root(root) is reader.read_root(root)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{}",
        b"[" * 5000,
        b'{"format":2}',
        json.dumps({"format": 1, "kind": "chain", "name": "../../x"}).encode(),
        b"x" * (1 << 17),
    ],
)
def test_a_damaged_pin_is_unread_and_the_known_ones_stay(root: Root, damage: bytes) -> None:
    add_pin(root, A_BUNDLE)
    reader = PinReader(Lang.R)
    known = reader.read_root(root).pins
    file = pins_folder(root) / record_file_name(A_CHAIN)
    file.write_bytes(damage)
    read = reader.read_root(root)
    assert read.pins == known
    assert file.name in read.unread or "larger" in read.unread
    file.unlink()
    assert reader.read_root(root) == Pins(known)


def test_a_pin_under_the_name_of_another_is_unread(root: Root) -> None:
    add_pin(root, A_CHAIN)
    folder = pins_folder(root)
    other = RecordTarget(TargetKind.CHAIN, Lang.R, task_id(2))
    os.rename(folder / record_file_name(A_CHAIN), folder / record_file_name(other))
    assert "another file" in PinReader(Lang.R).read_root(root).unread


def test_a_link_in_place_of_a_pin_or_the_folder_is_not_followed(root: Root, tmp_path: Path) -> None:
    add_pin(root, A_CHAIN)
    pin = pins_folder(root) / record_file_name(A_CHAIN)
    moved = tmp_path / pin.name
    os.rename(pin, moved)
    pin.symlink_to(moved)
    assert PinReader(Lang.R).read_root(root).unread
    pin.unlink()
    os.rename(pins_folder(root), tmp_path / "pins")
    pins_folder(root).symlink_to(tmp_path / "pins")
    assert PinReader(Lang.R).read_root(root).unread
    with pytest.raises(PurgeError, match="symbolic link"):
        add_pin(root, A_CHAIN)


def test_a_root_that_cant_be_written_is_a_sentence(open_root: Root) -> None:
    open_root.hipercow.chmod(0o755)
    with ordinary_user(), pytest.raises(PurgeError, match="Pins can't be changed in ") as caught:
        add_pin(open_root, A_CHAIN)
    assert "Permission denied" in str(caught.value)


def _pin_and_unpin(root: Root, number: int) -> None:
    for _ in range(50):
        add_pin(root, A_CHAIN, str(number))
        add_pin(root, RecordTarget(TargetKind.CHAIN, Lang.R, task_id(number + 10)))
        remove_pin(root, A_CHAIN)
    os._exit(0)


def test_two_processes_that_pin_at_once_lose_no_pin(root: Root) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_pin_and_unpin, args=(root, n)) for n in range(2)]
    for worker in workers:
        worker.start()
    reader = PinReader(Lang.R)
    while any(worker.is_alive() for worker in workers):
        assert reader.read_root(root).unread == ""
    assert [worker.exitcode for worker in workers] == [0, 0]
    names = {pin.target.name for pin in reader.read_root(root).pins}
    assert {task_id(10), task_id(11)} <= names
    assert not [path for path in pins_folder(root).iterdir() if path.suffix != ".json"]


# A purge


def test_what_is_pinned_after_the_plan_was_made_stays_with_its_chain(root: Root) -> None:
    plan = plan_of(root)
    add_pin(root, RecordTarget(TargetKind.CHAIN, Lang.R, RETRY), "still needed")
    before = root_contents(root)
    report = execute(plan, root)
    assert {one.name for one in report.put_back} >= set(CHAIN)
    assert {one.reason for one in report.put_back if one.name in CHAIN} == {
        f"it is pinned by {current_process().user}: still needed"
    }
    assert in_place(root) == set(CHAIN)
    after = root_contents(root)
    assert {path for path in before if RETRY[2:] in path} <= after.keys()


def test_a_pinned_task_is_never_planned_and_listed_as_pinned(root: Root) -> None:
    add_pin(root, RecordTarget(TargetKind.CHAIN, Lang.R, TIP))
    plan = plan_of(root)
    assert not set(plan.ids) & set(CHAIN)
    assert {one.task.id for one in plan.pinned} == set(CHAIN)
    execute(plan, root)
    assert in_place(root) == set(CHAIN)


def test_unreadable_pins_block_every_purge_and_stop_one_that_was_confirmed(root: Root) -> None:
    plan = plan_of(root)
    add_pin(root, RecordTarget(TargetKind.CHAIN, Lang.R, "f" * 32))
    (file,) = pins_folder(root).iterdir()
    file.write_text("damaged")
    before = root_contents(root)
    with pytest.raises(PurgeError, match="pins in 'tui/pins' can't be read"):
        execute(plan, root)
    assert root_contents(root) == before
    refused = plan_of(root)
    assert refused.refused and "pins" in refused.blocked[0].reason


def test_a_saved_plan_says_what_was_pinned_since(root: Root) -> None:
    plan = plan_of(root)
    add_pin(root, RecordTarget(TargetKind.CHAIN, Lang.R, TIP))
    changes = list(find_changes(plan, read_root(root)))
    assert [one for one in changes if "pinned by" in one] == [
        f"3 tasks ({short_id(min(CHAIN))} …) are pinned by {current_process().user}"
    ]
