from __future__ import annotations

from pathlib import Path

import pytest

from hipercow_tui.settings.column_store import ColumnFile
from hipercow_tui.support.errors import HipercowTuiError


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    file = ColumnFile(tmp_path / "new" / "columns.toml")
    assert file.read() == {}
    file.save({"tasks": {"id": True, "bundle": False}, "bundles": {}})
    assert file.read() == {"tasks": {"id": True, "bundle": False}}
    file.save({})
    assert file.read() == {}


@pytest.mark.parametrize("content", [b"\xff", b"tasks = ", b"tasks = 3", b'[tasks]\nid = "yes"'])
def test_a_damaged_file_is_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "columns.toml"
    path.write_bytes(content)
    assert not any(ColumnFile(path).read().values())


def test_a_file_that_can_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("")
    with pytest.raises(HipercowTuiError, match=r"not remembered: .*columns\.toml can't be written"):
        ColumnFile(tmp_path / "folder" / "columns.toml").save({"tasks": {"id": True}})
