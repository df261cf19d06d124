from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from purge_stage import Meanwhile, make_root

from hipercow_tui.formats.root import Root


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return make_root(tmp_path / "project")


@pytest.fixture
def open_root() -> Iterator[Root]:
    """A root that an ordinary user may change. It is directly in /tmp, which all users may
    enter."""
    where = Path(tempfile.mkdtemp(prefix="hipercow-tui-"))
    root = make_root(where)
    for path in (where, *where.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    yield root
    for path in (where, *where.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o777)
    shutil.rmtree(where)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    return Meanwhile(monkeypatch)


@pytest.fixture(autouse=True)
def no_append_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the wait for other writers of the list of recent tasks: there are a thousand
    purges."""
    monkeypatch.setattr("hipercow_tui.purging.recent_list.APPEND_GRACE", 0.0)


@pytest.fixture(autouse=True)
def no_wait_for_other_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the wait for a program that has a file open: EBUSY is injected many times."""
    monkeypatch.setattr("hipercow_tui.purging.file_changes.BUSY_TIME", 0.0)
