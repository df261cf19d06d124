from __future__ import annotations

from pathlib import Path

import pytest
from purge_stage import Meanwhile, make_root

from hipercow_tui.roots import Root


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return make_root(tmp_path / "project")


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    return Meanwhile(monkeypatch)
