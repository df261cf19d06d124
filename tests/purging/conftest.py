from __future__ import annotations

from pathlib import Path

import pytest
from purge_stage import Meanwhile, make_root

from hipercow_tui.formats.root import Root


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return make_root(tmp_path / "project")


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    return Meanwhile(monkeypatch)


@pytest.fixture(autouse=True)
def no_append_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the wait for other writers of the list of recent tasks: there are a thousand
    purges."""
    monkeypatch.setattr("hipercow_tui.purging.recent_list.APPEND_GRACE", 0.0)
