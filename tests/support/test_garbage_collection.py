"""Garbage is not kept for ever, except a few times for many objects."""

from __future__ import annotations

import gc

import pytest

from hipercow_tui.support.garbage_collection import GarbageExemption


def test_objects_are_exempted_only_after_many_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    exemption = GarbageExemption()
    for count in (0, 9_999, 10_000, 10_001, 15_000, 3_000, 20_000, 29_999):
        monkeypatch.setattr(gc, "freeze", lambda count=count: counts.append(count))
        exemption.update(count)
    assert counts == [10_000, 20_000]
