"""If the locale does not name UTF-8, every glyph is replaced by ASCII of the same width."""

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


def test_statuses_have_different_ascii_characters() -> None:
    stand_ins = [to_ascii(glyph) for glyph in GLYPH.values()]
    assert len(set(stand_ins)) == len(GLYPH)
    assert to_ascii("".join(GLYPH.values())).isascii()


def test_every_glyph_of_the_app_has_an_ascii_character() -> None:
    shown = {
        sign
        for path in (PACKAGE / "ui").rglob("*.py")
        for sign in path.read_text("utf-8")
        if not sign.isascii()
    }
    assert len(shown) > 20
    assert not [sign for sign in shown if to_ascii(sign) == "?"]


@given(st.text(alphabet=st.characters(codec="utf-8", max_codepoint=0xFFFF), max_size=9))
def test_ascii_text_is_not_changed_and_other_text_keeps_its_width(text: str) -> None:
    told = to_ascii(text)
    assert told.isascii()
    assert to_ascii(told) == told


@pytest.mark.parametrize("text", ["✗ failure → success", "╭─ Tasks ─╮", "naïve", "漢字", "e\u0301"])
def test_examples_keep_their_width(text: str) -> None:
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
def test_the_locale_names_the_encoding_of_the_terminal(
    environ: dict[str, str], speaks: bool
) -> None:
    assert supports_utf8(environ) is speaks


def test_other_unicode_errors_are_raised() -> None:
    with pytest.raises(UnicodeDecodeError):
        io.TextIOWrapper(io.BytesIO(b"\xff"), "utf-8").read()
    error = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no")
    with pytest.raises(UnicodeDecodeError):
        _replace(error)


def test_a_command_prints_ascii_if_its_output_is_not_utf_8(tmp_path: Path) -> None:
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
