from __future__ import annotations

from pathlib import Path

import pytest
from small_root import task_id, write_task

from hipercow_tui import __version__
from hipercow_tui.cli import trash
from hipercow_tui.cli.main import main
from hipercow_tui.support.crash_report import report_lines, what_happened, write_report
from hipercow_tui.support.log_setup import start_logging

SECRET = "beta = 0.3"


def raised(error: Exception) -> Exception:
    try:
        try:
            raise KeyError(SECRET)
        except KeyError:
            raise error  # noqa: B904
    except Exception as caught:
        return caught


def test_report_has_versions_traceback_and_log_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("HIPERCOW_TUI_LOG", raising=False)
    start_logging(None)
    report = write_report(raised(TypeError("no such argument")))
    assert report is not None and report.parent == tmp_path / "hipercow-tui"
    text = report.read_text()
    assert f"hipercow-tui {__version__}" in text and "Python 3." in text and "textual " in text
    assert "builtins.TypeError: no such argument" in text and "builtins.KeyError" in text
    assert "test_crash_report.py:" in text and " raised\n" in text
    assert "unexpected error: TypeError" in text.split("Last log lines:")[1]


@pytest.mark.parametrize("error", [KeyError, ValueError, LookupError, OSError])
def test_report_quotes_no_data(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "token-1234")
    text = "\n".join(report_lines(raised(error(SECRET))))
    assert SECRET not in text and "token-1234" not in text and str(Path.home()) not in text


def test_report_of_an_error_that_is_its_own_context_ends() -> None:
    one, other = ValueError(), ValueError()
    one.__context__, other.__context__ = other, one
    assert len([line for line in report_lines(one) if "ValueError" in line]) == 2


def test_folder_that_cannot_be_written_gives_way_to_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(file))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    report = write_report(raised(TypeError()))
    assert report is not None and report.parent == tmp_path / "cache" / "hipercow-tui"
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    assert write_report(raised(TypeError())) is None
    assert "can't be written" in what_happened(raised(TypeError()), None)


def test_command_that_fails_unexpectedly_names_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_task(tmp_path, task_id(1), "failure")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def broken(*_: object) -> int:
        raise LookupError(SECRET)

    monkeypatch.setattr(trash, "run", broken)
    assert main(["trash", str(tmp_path)]) == 1
    (report,) = (tmp_path / "state" / "hipercow-tui").iterdir()
    said = capsys.readouterr().err
    assert f"attach the file '{report}'" in said and "LookupError in test_crash_report.py" in said
    assert "Traceback" not in said and SECRET not in said
