"""The free space of a file system."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mounts import mounted

from hipercow_tui.formats import free_space
from hipercow_tui.formats.free_space import FreeSpace, read_free_space

sizes = st.integers(1, 10**15)


@given(sizes, sizes, st.floats(0, 100))
def test_what_is_missing_makes_the_part_free_and_one_byte_less_does_not(
    size: int, free: int, percent: float
) -> None:
    free = min(size, free)
    missing = FreeSpace(free, size).missing(percent)
    assert free + missing >= percent / 100 * size
    assert missing == 0 or free + missing - 1 < percent / 100 * size


@pytest.mark.parametrize(
    ("free", "size", "short"),
    [
        (412 * 10**9, 2 * 10**12, False),
        (99 * 10**9, 2 * 10**12, True),
        (2 * 10**9, 15 * 10**9, False),
        (10**9 - 1, 2 * 10**9, True),
    ],
)
def test_space_is_short_below_a_twentieth_or_a_gigabyte(free: int, size: int, short: bool) -> None:
    assert FreeSpace(free, size).short is short


def test_space_is_read_from_the_file_system(tmp_path: Path) -> None:
    space = read_free_space(tmp_path)
    status = os.statvfs(tmp_path)
    assert space is not None and space.size == status.f_blocks * status.f_frsize
    assert read_free_space(tmp_path / "gone") is None
    assert read_free_space(Path("/proc")) is None  # it has no size


def test_a_file_server_is_named_a_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(FreeSpace(412 * 10**9, 2 * 10**12)) == "412 GB free of 2 TB"
    assert str(FreeSpace(412, 2000, network=True)) == "share 412 B free of 2 kB"
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=2m") as allowed:
        if not allowed:
            pytest.skip("mounting is not allowed")
        space = read_free_space(tmp_path / "disk")
        assert space == FreeSpace(2 << 20, 2 << 20)
        monkeypatch.setattr(free_space, "_NETWORK", frozenset({"tmpfs"}))
        space = read_free_space(tmp_path / "disk")
        assert space is not None and space.network
