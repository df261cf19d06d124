"""Pins on disk: written and removed atomically, read by everyone, unreadable ones block."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path

import pytest
from ordinary_user import ordinary_user
from small_root import task_id

from hipercow_tui.domain.pins import PinKind, Pins, PinTarget
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.pins import PinReader, pin_file_name
from hipercow_tui.formats.root import Root
from hipercow_tui.purging.pin_files import add_pin, remove_pin
from hipercow_tui.support.errors import PurgeError

CHAIN = PinTarget(PinKind.CHAIN, Lang.R, task_id(1))
BUNDLE = PinTarget(PinKind.BUNDLE, Lang.R, "sweep/ä" + "x" * 240)


def pins_folder(root: Root) -> Path:
    return root.hipercow / "tui" / "pins"


def test_pins_are_read_as_they_were_made(root: Root) -> None:
    chain, bundle = add_pin(root, CHAIN, " for the paper\x1b[31m "), add_pin(root, BUNDLE)
    read = PinReader(root).read()
    assert {pin.target for pin in read.pins} == {CHAIN, BUNDLE}
    assert read.unread == ""
    by_target = {pin.target: pin for pin in read.pins}
    assert by_target[BUNDLE] == bundle
    assert (by_target[CHAIN].user, by_target[CHAIN].time) == (chain.user, chain.time)
    assert "\x1b" not in str(by_target[CHAIN])


def test_pinning_again_replaces_the_note(root: Root) -> None:
    add_pin(root, CHAIN, "first")
    reader = PinReader(root)
    assert reader.read().pins[0].note == "first"
    add_pin(root, CHAIN, "second")
    assert [pin.note for pin in reader.read().pins] == ["second"]
    assert len(list(pins_folder(root).iterdir())) == 1


def test_a_pin_is_removed_once(root: Root) -> None:
    assert not remove_pin(root, CHAIN)
    add_pin(root, CHAIN)
    assert remove_pin(root, CHAIN)
    assert not remove_pin(root, CHAIN)
    assert PinReader(root).read() == Pins()


def test_the_reader_returns_the_same_object_while_nothing_changes(root: Root) -> None:
    add_pin(root, CHAIN)
    reader = PinReader(root)
    assert reader.read() is reader.read()


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
    add_pin(root, BUNDLE)
    reader = PinReader(root)
    known = reader.read().pins
    file = pins_folder(root) / pin_file_name(CHAIN)
    file.write_bytes(damage)
    read = reader.read()
    assert read.pins == known
    assert file.name in read.unread or "larger" in read.unread
    file.unlink()
    assert reader.read() == Pins(known)


def test_a_pin_under_the_name_of_another_is_unread(root: Root) -> None:
    add_pin(root, CHAIN)
    folder = pins_folder(root)
    other = PinTarget(PinKind.CHAIN, Lang.R, task_id(2))
    os.rename(folder / pin_file_name(CHAIN), folder / pin_file_name(other))
    assert "another file" in PinReader(root).read().unread


def test_a_link_in_place_of_a_pin_or_the_folder_is_not_followed(root: Root, tmp_path: Path) -> None:
    add_pin(root, CHAIN)
    pin = pins_folder(root) / pin_file_name(CHAIN)
    moved = tmp_path / pin.name
    os.rename(pin, moved)
    pin.symlink_to(moved)
    assert PinReader(root).read().unread
    pin.unlink()
    os.rename(pins_folder(root), tmp_path / "pins")
    pins_folder(root).symlink_to(tmp_path / "pins")
    assert PinReader(root).read().unread
    with pytest.raises(PurgeError, match="symbolic link"):
        add_pin(root, CHAIN)


def test_a_root_that_cant_be_written_is_a_sentence(open_root: Root) -> None:
    open_root.hipercow.chmod(0o755)
    with ordinary_user(), pytest.raises(PurgeError, match="Pins can't be changed in ") as caught:
        add_pin(open_root, CHAIN)
    assert "Permission denied" in str(caught.value)


def _pin_and_unpin(root: Root, number: int) -> None:
    for _ in range(50):
        add_pin(root, CHAIN, str(number))
        add_pin(root, PinTarget(PinKind.CHAIN, Lang.R, task_id(number + 10)))
        remove_pin(root, CHAIN)
    os._exit(0)


def test_two_processes_that_pin_at_once_lose_no_pin(root: Root) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_pin_and_unpin, args=(root, n)) for n in range(2)]
    for worker in workers:
        worker.start()
    reader = PinReader(root)
    while any(worker.is_alive() for worker in workers):
        assert reader.read().unread == ""
    assert [worker.exitcode for worker in workers] == [0, 0]
    names = {pin.target.name for pin in reader.read().pins}
    assert {task_id(10), task_id(11)} <= names
    assert not [path for path in pins_folder(root).iterdir() if path.suffix != ".json"]
