"""Where the locale knows no UTF-8, every sign has a stand-in as wide as it is."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from small_root import task_id, write_task

from hipercow_tui.support.ascii_fallback import _replace, supports_utf8, to_ascii
from hipercow_tui.ui.status_style import GLYPH

PACKAGE = Path(__file__).parents[2] / "hipercow_tui"


def test_statuses_keep_signs_of_their_own() -> None:
    stand_ins = [to_ascii(glyph) for glyph in GLYPH.values()]
    assert len(set(stand_ins)) == len(GLYPH)
    assert to_ascii("".join(GLYPH.values())).isascii()


def test_every_sign_that_the_app_shows_has_one() -> None:
    shown = {
        sign
        for path in (PACKAGE / "ui").rglob("*.py")
        for sign in path.read_text("utf-8")
        if not sign.isascii()
    }
    assert len(shown) > 20
    assert not [sign for sign in shown if to_ascii(sign) == "?"]


@given(st.text(alphabet=st.characters(codec="utf-8", max_codepoint=0xFFFF), max_size=9))
def test_ascii_is_as_wide_and_stays_as_it_is(text: str) -> None:
    told = to_ascii(text)
    assert told.isascii()
    assert to_ascii(told) == told


@pytest.mark.parametrize("text", ["✗ failure → success", "╭─ Tasks ─╮", "naïve", "漢字", "e\u0301"])
def test_the_same_cells(text: str) -> None:
    assert cell_len(to_ascii(text)) == cell_len(text)


@pytest.mark.parametrize(
    ("environ", "speaks"),
    [
        ({}, False),
        ({"LANG": "C"}, False),
        ({"LANG": "en_GB.ISO-8859-1"}, False),
        ({"LANG": "en_GB.UTF-8"}, True),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "C"}, False),
        ({"LC_CTYPE": "UTF-8"}, True),
        ({"LANG": "C", "LC_ALL": "", "LC_CTYPE": "C.utf8"}, True),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="no locale in the environment there")
def test_the_locale_says_what_the_terminal_understands(
    environ: dict[str, str], speaks: bool
) -> None:
    assert supports_utf8(environ) is speaks


def test_other_mistakes_stay_mistakes() -> None:
    with pytest.raises(UnicodeDecodeError):
        io.TextIOWrapper(io.BytesIO(b"\xff"), "utf-8").read()
    error = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no")
    with pytest.raises(UnicodeDecodeError):
        _replace(error)


def test_the_command_line_says_it_in_what_its_output_takes(tmp_path: Path) -> None:
    write_task(tmp_path, task_id(1), "failure")
    command = ["purge", str(tmp_path), "--with-status", "failure", "--dry-run"]
    ran = subprocess.run(
        [sys.executable, "-m", "hipercow_tui", *command],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert ran.returncode == 0, ran.stderr
    assert b"1 task |" in ran.stdout
    assert ran.stdout.isascii()
