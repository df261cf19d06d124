from __future__ import annotations

from pathlib import Path

import pytest

from hipercow_tui.cli.main import main


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "hipercow-tui" / "keys.toml"
    path.parent.mkdir()
    return path


def test_keys_are_listed_with_their_ids_by_screen(
    key_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys"]) == 0
    out, err = capsys.readouterr()
    assert not err
    lines = out.splitlines()
    assert lines[0] == "Move"
    assert "In the log" in lines
    line = next(line for line in lines if line.startswith("  plan "))
    assert line.split(maxsplit=2) == ["plan", "p", "Show the plan of a purge, with reasons"]
    assert out.count("  log.follow ") == 1


def test_chosen_keys_are_listed_with_their_defaults(
    key_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key_file.write_text('plan = ["B", "f5"]\n')
    assert main(["keys"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("  plan "))
    assert line.split()[1:3] == ["B", "f5"] and line.endswith("(default: p)")


def test_what_is_wrong_in_the_file_is_said_beside_the_list(
    key_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key_file.write_text('plann = "B"\nsort = "j"\n')
    assert main(["keys"]) == 1
    out, err = capsys.readouterr()
    assert "default:" not in out
    assert f"{key_file}, 'plann': there is no such id; did you mean 'plan'?" in err
    assert f"{key_file}, 'sort': the key 'j' is also that of 'down'" in err
