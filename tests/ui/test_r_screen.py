"""The thread of R and the screen that shows its output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.text import Text

from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.root import Root
from hipercow_tui.output import r_runner
from hipercow_tui.output.r_calls import RAction, RCallTargets
from hipercow_tui.output.reconciling import AskTargets
from hipercow_tui.ui.dialogs.cancel import CancelScreen
from hipercow_tui.ui.dialogs.r_screen import RScreen
from hipercow_tui.ui.dialogs.reconcile import AskChoice, ReconcileScreen

TASK = Task("0" * 32, Status.RUNNING)


@pytest.fixture
def screen(tmp_path: Path) -> RScreen:
    return CancelScreen(RCallTargets(RAction.CANCEL, (TASK,)), Root(tmp_path, tmp_path))


def test_lines_may_come_while_the_output_is_drawn(
    screen: RScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = Text.from_ansi

    def from_ansi(line: str) -> Text:
        screen.take_line(b"later\n")
        return draw(line)

    monkeypatch.setattr(Text, "from_ansi", from_ansi)
    screen.take_line(b"now\n")
    assert screen.output_text().plain == "now"
    assert "later" in screen.output_text().plain


def test_of_a_line_without_end_the_beginning_is_shown(screen: RScreen) -> None:
    screen.take_line(b"x" * (1 << 16))
    assert len(screen.output_text().plain) == 4096


def test_an_unexpected_error_ends_the_wait_for_r(
    screen: RScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[object, ...]] = []
    errors: list[Exception] = []

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    def call_later(callback: Callable[..., object], *arguments: object) -> bool:
        calls.append((callback, *arguments))
        return True

    monkeypatch.setattr(r_runner, "run", fail)
    monkeypatch.setattr(screen, "call_later", call_later)
    monkeypatch.setattr(screen, "_broke", errors.append)
    screen._run("yes")
    assert isinstance(errors[0], ZeroDivisionError)
    ((callback, problem, keys),) = calls
    assert callback == screen._ended
    assert problem == ""
    assert "stopped by an error" in str(keys)


def test_leaving_the_app_stops_the_questions_to_the_cluster(tmp_path: Path) -> None:
    choice = AskChoice("this task", "Ask", AskTargets((TASK,)))
    screen = ReconcileScreen([choice], Root(tmp_path, tmp_path))
    assert not screen._stop.is_set()
    screen.on_unmount()
    assert screen._stop.is_set()
