from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from plan_hosts import Host, text_of
from small_root import task_id, write_task
from textual.pilot import Pilot
from ui_driving import until

from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.root import find_root
from hipercow_tui.ui.screens.log import LogScreen
from hipercow_tui.ui.widgets.log_pane import LogPane

ID = task_id(1)


def log_file(where: Path, raw: bytes | None, name: str = "log") -> Path:
    folder = where / "hipercow" / "tasks" / ID[:2] / ID[2:]
    if not folder.exists():
        write_task(where, ID, "running")
    if raw is not None:
        (folder / name).write_bytes(raw)
    return folder / name


def log_of(where: Path, task: Callable[[], Task]) -> LogScreen:
    return LogScreen(find_root(where), ID, task, show_report=id)


def screen_on(where: Path, status: Status = Status.RUNNING) -> LogScreen:
    return log_of(where, lambda: Task(ID, status))


async def shows(pilot: Pilot[None], wanted: str, *, without: str = "\0") -> str:
    """Wait until the screen shows a text, and return the screen."""
    shown = ""

    def there() -> bool:
        nonlocal shown
        shown = text_of(pilot.app)
        return wanted in shown and without not in shown

    await pilot.pause(0.01)
    await until(pilot, there)
    return shown


def numbered(lines: int) -> bytes:
    return b"".join(b"line %d\n" % number for number in range(lines))


async def test_a_log_opens_at_its_end_and_scrolls_by_pages(tmp_path: Path) -> None:
    log_file(tmp_path, numbered(1000))
    async with (app := Host(screen_on(tmp_path))).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "line 999 ")
        await pilot.press("g")
        shown = await shows(pilot, "line 0 ")
        assert "line 21 " in shown
        assert "line 22 " not in shown
        await pilot.press("j")
        await shows(pilot, "line 22 ", without="line 0 ")
        await pilot.press("k", "k")
        await shows(pilot, "line 0 ", without="line 22 ")
        await pilot.press("pagedown")
        await shows(pilot, "line 42 ", without="line 20 ")
        await pilot.press("G")
        await shows(pilot, "line 999 ")
        await pilot.press("pageup")
        await shows(pilot, "line 957 ", without="line 979 ")
        await pilot.press("escape")
        await pilot.pause()
        assert app.answers == [None]


async def test_a_log_follows_only_at_its_end(tmp_path: Path) -> None:
    path = log_file(tmp_path, numbered(100))
    async with Host(screen_on(tmp_path)).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "line 99 ")
        with path.open("ab") as file:
            file.write(b"more\n")
        await shows(pilot, "more ")
        await pilot.press("g")
        await shows(pilot, "line 0 ")
        with path.open("ab") as file:
            file.write(b"and more\n" * 1000)
        await shows(pilot, "9.8 kB")
        assert "line 0 " in text_of(pilot.app)


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_log_outer_is_shown_once_it_exists(tmp_path: Path, size: tuple[int, int]) -> None:
    log_file(tmp_path, b"")
    path = log_file(tmp_path, None, "log.outer")
    # A task that was never submitted has no log on the cluster.
    async with Host(screen_on(tmp_path, Status.CREATED)).run_test(size=size) as pilot:
        shown = await shows(pilot, "'log' is empty")
        await pilot.press("o")
        assert "o Outer" not in shown
        path.write_bytes(b"from the cluster\n")
        await shows(pilot, "o: log.outer")
        await pilot.press("o")
        assert "is empty" in await shows(pilot, "from the cluster")
        await pilot.press("tab", "tab", "o")
        await shows(pilot, "is empty", without="from the cluster")


async def test_f_follows_again_and_the_end_of_the_task_is_shown(tmp_path: Path) -> None:
    path = log_file(tmp_path, numbered(100))
    task = Task(ID, Status.RUNNING)
    screen = log_of(tmp_path, lambda: task)
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "end, following")
        await pilot.press("k")
        await shows(pilot, "F: follow")
        with path.open("ab") as file:
            file.write(b"more\n" * 50)
        await shows(pilot, "75%")
        await pilot.press("F")
        await shows(pilot, "end, following")
        task = Task(ID, Status.SUCCESS)
        await shows(pilot, "✓ success", without="following")


async def test_a_missing_log_is_explained_and_shown_once_it_begins(tmp_path: Path) -> None:
    path = log_file(tmp_path, None)
    task = Task(ID, Status.SUBMITTED)
    screen = log_of(tmp_path, lambda: task)
    async with Host(screen).run_test(size=(60, 24)) as pilot:
        shown = " ".join((await shows(pilot, "it waits in the queue")).split())
        assert "The log begins when the task runs." in shown, "a long sentence is wrapped"
        task = Task(ID, Status.SUCCESS, started=1.0)
        await shows(pilot, "it ran (success)", without="queue")
        path.write_bytes(b"first line\n")
        await shows(pilot, "first line", without="has no")


async def test_a_log_is_truncated_deleted_and_written_again(tmp_path: Path) -> None:
    path = log_file(tmp_path, numbered(100))
    async with Host(screen_on(tmp_path)).run_test(size=(120, 24)) as pilot:
        await shows(pilot, "line 99 ")
        path.write_bytes(b"shorter\n")
        await shows(pilot, "The log was replaced")
        path.unlink()
        assert "shorter" in await shows(pilot, "has no 'log'")
        (tmp_path / "new").write_bytes(b"another file\n")
        (tmp_path / "new").replace(path)
        await shows(pilot, "another file", without="has no")


async def test_search_moves_between_hits_and_wraps_around(tmp_path: Path) -> None:
    raw = numbered(500) + b"Error in f(): \xe2\x9c\x96 no\n" + numbered(500) + b"ERROR again\n"
    log_file(tmp_path, raw + numbered(100))
    async with Host(screen_on(tmp_path)).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "line 99 ")
        await pilot.press("slash", *"error", "enter")
        shown = await shows(pilot, "Error in f(): ✖ no")
        assert "Continued from the beginning" in shown
        assert "line 495 " in shown, "what led to it stands above"
        await pilot.press("n")
        await shows(pilot, "ERROR again")
        await pilot.press("n")
        await shows(pilot, "Error in f()")
        await pilot.press("N")
        await shows(pilot, "ERROR again")
        await pilot.press("slash", "q", "escape")  # leaves the search, not the log
        await pilot.pause()
        assert isinstance(pilot.app.screen, LogScreen)
        await pilot.press("slash", *"nowhere", "enter")
        await shows(pilot, "Not found: nowhere")


async def test_keys_move_between_errors_and_warnings(tmp_path: Path) -> None:
    parts = [numbered(50), b"! 1 warning found:\n", numbered(50), b"Error: one\n", numbered(50)]
    log_file(tmp_path, b"".join(parts) * 2)
    async with Host(screen_on(tmp_path)).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "line 49 ")
        await pilot.press("E")
        await shows(pilot, "Error: one", without="! 1 warning")
        hit = pilot.app.screen.query_one("#log", LogPane).page.hit
        await pilot.press("E")
        await until(pilot, lambda: pane_of(pilot).page.hit not in (hit, None))
        await pilot.press("A")
        await shows(pilot, "! 1 warning found", without="Error: one")
        await pilot.press("a", "e")
        await until(pilot, lambda: pane_of(pilot).page.hit == hit)


async def test_a_running_search_shows_its_progress_and_can_be_stopped(tmp_path: Path) -> None:
    path = log_file(tmp_path, b"")
    with path.open("r+b") as file:
        file.truncate(200 << 30)  # a hole: takes no space, and minutes to search
    async with Host(screen_on(tmp_path)).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "end, following")
        await pilot.press("slash", *"needle")
        pilot.app.simulate_key("enter")  # the Pilot would wait for the search to let up
        await shows(pilot, "searching")
        pilot.app.simulate_key("escape")
        await shows(pilot, "end, following")
        assert isinstance(pilot.app.screen, LogScreen)


def pane_of(pilot: Pilot[None]) -> LogPane:
    return pilot.app.screen.query_one("#log", LogPane)


async def test_a_hit_far_right_is_scrolled_into_view(tmp_path: Path) -> None:
    log_file(tmp_path, b"short\n" * 50 + b"x" * 300 + b"needle" + b"y" * 3000 + b"\n" + numbered(9))
    async with Host(screen_on(tmp_path)).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "line 8 ")
        await pilot.press("slash", *"needle", "enter")
        await shows(pilot, "needle")
        await pilot.press("left", "left", "left", "left", "left", "left", "left", "left")
        await shows(pilot, "short", without="needle")
        await pilot.press("w", "n")
        await shows(pilot, "needle")


async def test_one_line_of_a_gigabyte_is_shown(tmp_path: Path) -> None:
    path = log_file(tmp_path, b"")
    with path.open("r+b") as file:
        file.truncate(1 << 30)
    async with Host(screen_on(tmp_path)).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "␀␀␀")
        await pilot.press("w", "pageup", "pageup", "g", "pagedown", "j")
        await shows(pilot, "0%")
        await pilot.press("G")
        await shows(pilot, "end, following")


async def test_long_lines_are_cut_or_wrapped(tmp_path: Path) -> None:
    log_file(tmp_path, b"x" * 200 + b"END\nnext\n")
    async with Host(screen_on(tmp_path)).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "xxx…")
        await pilot.press("w")
        shown = await shows(pilot, "END")
        assert "next" in shown
        await pilot.press("w")
        await shows(pilot, "xxx…", without="END")


async def test_only_colours_of_control_sequences_are_kept(tmp_path: Path) -> None:
    raw = (
        b"\x1b[31mred\x1b[0m [bold]plain[/bold]\n"
        b"10 %\r\x1b[K50 %\r100 %\n"
        b"\x1b]0;owned\x07\x1b[2J\xff\xe2\x80\xae\n" + b"\x1b[8mhidden\n"
    )
    log_file(tmp_path, raw)
    async with (app := Host(screen_on(tmp_path))).run_test(size=(80, 24)) as pilot:
        shown = await shows(pilot, "[bold]plain[/bold]")
        assert "100 %" in shown
        assert "50 %" not in shown
        assert "␛]0;owned␇␛[2J\\xff<202e>" in shown
        assert "\x1b" not in shown
        styles = {
            segment.text: segment.style
            for strip in app.screen._compositor.render_strips()
            for segment in strip
        }
        red = styles["red"]
        assert red is not None
        assert red.color is not None
        assert styles["hidden"] is None or not styles["hidden"].conceal


@pytest.mark.parametrize("kind", ["pipe", "link"])
async def test_a_special_file_is_reported_and_not_opened(tmp_path: Path, kind: str) -> None:
    path = log_file(tmp_path, None)
    if kind == "pipe":
        os.mkfifo(path)
    else:
        (tmp_path / "secret").write_text("secret")
        path.symlink_to(tmp_path / "secret")
    async with Host(screen_on(tmp_path)).run_test(size=(120, 24)) as pilot:
        shown = await shows(pilot, "regular file" if kind == "pipe" else "symbolic link")
        assert "secret" not in shown


async def test_five_gigabytes_open_at_their_end(tmp_path: Path) -> None:
    path = log_file(tmp_path, b"")
    with path.open("r+b") as file:
        file.truncate(5 << 30)  # a hole: takes no space
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + numbered(100))
    async with Host(screen_on(tmp_path)).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "line 99 ")
