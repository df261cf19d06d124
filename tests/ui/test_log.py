from __future__ import annotations

import os
from pathlib import Path

import pytest
from plan_hosts import Host, text_of
from small_root import task_id, write_task
from textual.pilot import Pilot

from hipercow_tui.model import Status, Task
from hipercow_tui.roots import find_root
from hipercow_tui.ui.screens.log import LogScreen

ID = task_id(1)


def log_file(where: Path, raw: bytes | None, name: str = "log") -> Path:
    folder = where / "hipercow" / "tasks" / ID[:2] / ID[2:]
    if not folder.exists():
        write_task(where, ID, "running")
    if raw is not None:
        (folder / name).write_bytes(raw)
    return folder / name


def screen_on(where: Path) -> LogScreen:
    return LogScreen(find_root(where), Task(ID, Status.RUNNING))


async def shows(pilot: Pilot[None], wanted: str, *, without: str = "\0") -> str:
    """Waits until the screen shows it, and returns all it shows."""
    for _ in range(400):
        await pilot.pause(0.01)
        shown = text_of(pilot.app)
        if wanted in shown and without not in shown:
            return shown
    raise AssertionError(f"never shown: {wanted}\n{shown}")


def numbered(lines: int) -> bytes:
    return b"".join(b"line %d\n" % number for number in range(lines))


async def test_it_opens_at_its_end_and_turns_pages(tmp_path: Path) -> None:
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


async def test_it_follows_at_the_end_and_stays_elsewhere(tmp_path: Path) -> None:
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


async def test_the_other_log_and_what_is_missing_or_empty(tmp_path: Path) -> None:
    log_file(tmp_path, b"")
    path = log_file(tmp_path, None, "log.outer")
    async with Host(screen_on(tmp_path)).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "'log' is empty so far")
        await pilot.press("o")
        await shows(pilot, "has no 'log.outer'")
        path.write_bytes(b"from the cluster\n")
        await shows(pilot, "from the cluster", without="has no")
        await pilot.press("o")
        await shows(pilot, "'log' is empty so far")


async def test_search_goes_from_hit_to_hit(tmp_path: Path) -> None:
    raw = numbered(500) + b"Error in f(): \xe2\x9c\x96 no\n" + numbered(500) + b"ERROR again\n"
    log_file(tmp_path, raw + numbered(100))
    async with Host(screen_on(tmp_path)).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "line 99 ")
        await pilot.press("g", "slash", *"error", "enter")
        shown = await shows(pilot, "Error in f(): ✖ no")
        assert "line 499" not in shown
        await pilot.press("n")
        await shows(pilot, "ERROR again")
        await pilot.press("n")
        await shows(pilot, "Not found from here on: error")
        await pilot.press("N")
        await shows(pilot, "Error in f()")
        await pilot.press("slash", "q", "escape")  # leaves the search, not the log
        await pilot.pause()
        assert isinstance(pilot.app.screen, LogScreen)


async def test_long_lines_are_cut_or_wrapped(tmp_path: Path) -> None:
    log_file(tmp_path, b"x" * 200 + b"END\nnext\n")
    async with Host(screen_on(tmp_path)).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "xxx…")
        await pilot.press("w")
        shown = await shows(pilot, "END")
        assert "next" in shown
        await pilot.press("w")
        await shows(pilot, "xxx…", without="END")


async def test_hostile_bytes_keep_their_colours_and_nothing_else(tmp_path: Path) -> None:
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
async def test_what_is_no_ordinary_file_is_said_and_not_opened(tmp_path: Path, kind: str) -> None:
    path = log_file(tmp_path, None)
    if kind == "pipe":
        os.mkfifo(path)
    else:
        (tmp_path / "secret").write_text("secret")
        path.symlink_to(tmp_path / "secret")
    async with Host(screen_on(tmp_path)).run_test(size=(120, 24)) as pilot:
        shown = await shows(pilot, "ordinary file" if kind == "pipe" else "symbolic link")
        assert "secret" not in shown


async def test_a_gigabyte_opens_at_its_end(tmp_path: Path) -> None:
    path = log_file(tmp_path, b"")
    with path.open("r+b") as file:
        file.truncate(1 << 30)  # a hole: takes no space
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + numbered(100))
    async with Host(screen_on(tmp_path)).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "line 99 ")
