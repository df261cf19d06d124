from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipercow_tui import logs
from hipercow_tui.errors import LogError
from hipercow_tui.logs import Log, harmless
from hipercow_tui.roots import Root, find_root

TASK = "ab" + "0" * 30


def log_of(folder: Path, raw: bytes | None, name: str = "log") -> Log:
    task = folder / "hipercow" / "tasks" / TASK[:2] / TASK[2:]
    task.mkdir(parents=True, exist_ok=True)
    if raw is not None:
        (task / name).write_bytes(raw)
    return Log(Root(folder, folder / "hipercow"), TASK, name)


def path_of(log: Log) -> Path:
    return log.root.tasks / log.task_id[:2] / log.task_id[2:] / log.name


def starts_by_reading_all(raw: bytes) -> list[int]:
    """Where lines begin, from the definition alone: after a newline or a block without one."""
    return [
        at
        for at in range(len(raw))
        if at == 0
        or raw[at - 1 : at] == b"\n"
        or (at % logs.BLOCK == 0 and b"\n" not in raw[at - logs.BLOCK : at])
    ]


def test_the_log_that_hipercow_wrote(sir_model: Path) -> None:
    root = find_root(sir_model)
    written = next(sir_model.glob("hipercow/tasks/*/*/log"))
    log = Log(root, written.parent.parent.name + written.parent.name)
    lines = log.after(0, 1000)
    assert lines[-1].end == log.size() == written.stat().st_size
    assert lines[0].text.strip() in written.read_text("utf-8")


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(
        st.tuples(st.integers(0, 3 * 8), st.booleans()),
        max_size=30,
    ),
    count=st.integers(1, 12),
)
def test_lines_are_the_same_from_both_ends(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[int, bool]], count: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "BLOCK", 8)
        raw = b"".join(b"x" * length + (b"\n" if newline else b"") for length, newline in parts)
        log = log_of(tmp_path_factory.mktemp("log"), raw)
        starts = starts_by_reading_all(raw)
        forward: list[int] = []
        offset = 0
        while lines := log.after(offset, count):
            forward += [line.start for line in lines]
            offset = lines[-1].end
        backward: list[int] = []
        offset = len(raw)
        while lines := log.before(offset, count):
            backward = [line.start for line in lines] + backward
            offset = lines[0].start
        assert forward == backward == starts


@settings(max_examples=60, deadline=None)
@given(
    raw=st.lists(st.sampled_from([b"ab", b"B", b"\n", b"xxx"]), max_size=40).map(b"".join),
    wanted=st.sampled_from(["ab", "b", "Bx", "xxxx"]),
    offset=st.integers(0, 60),
    step=st.integers(1, 7),
)
def test_found_is_the_line_of_the_next_match(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes, wanted: str, offset: int, step: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "_SEARCH", step)
        log = log_of(tmp_path_factory.mktemp("log"), raw)
        low, needle = raw.lower(), wanted.lower().encode()
        ahead = low.find(needle, offset)
        behind = max(
            (at for at in range(min(offset, len(low))) if low.startswith(needle, at)), default=-1
        )

        def line(at: int) -> int | None:
            return None if at < 0 else raw.rfind(b"\n", 0, at) + 1

        assert log.find(wanted, offset) == line(ahead)
        assert log.find(wanted, offset, backwards=True) == line(behind)


def test_a_search_can_be_stopped(tmp_path: Path) -> None:
    log = log_of(tmp_path, b"a\n" * 100)
    assert log.find("a", 0, stopped=lambda: True) is None


def test_a_log_of_a_gigabyte_is_read_at_its_end_alone(tmp_path: Path) -> None:
    log = log_of(tmp_path, b"")
    with path_of(log).open("r+b") as file:
        file.truncate(1 << 30)  # a hole: takes no space
        file.seek(0, os.SEEK_END)
        file.write(b"\nlast but one\nlast\n")
    last = log.before(log.size(), 2)
    assert [line.text for line in last] == ["last but one", "last"]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"plain\n", "plain"),
        (b"dos\r\n", "dos"),
        (b"\x1b[31mred\x1b[0m\n", "\x1b[31mred\x1b[0m"),
        (b"10 %\r50 %\r100 %\n", "100 %"),
        (b"10 %\r\x1b[K100 %\r\x1b[2K     \n", "100 %"),
        (b"title \x1b]0;owned\x07\n", "title ␛]0;owned␇"),
        (b"up \x1b[2A\x1b[2J\n", "up ␛[2A␛[2J"),
        (b"\x1b[" + b"9" * 5000 + b"m\n", "␛[" + "9" * 5000 + "m"),
        (b"\xff\xfe caf\xc3\xa9\n", "\\xff\\xfe café"),
        ("\u202eabc\n".encode(), "<202e>abc"),
        (b"a\tb\n", "a       b"),
        (b"\x9b31m \x00\x08\n", "\\x9b31m ␀␈"),
        (b"\n", ""),
    ],
)
def test_a_line_keeps_its_colours_and_nothing_else_a_terminal_obeys(raw: bytes, shown: str) -> None:
    assert harmless(raw) == shown


@given(st.binary(max_size=200))
def test_no_control_character_is_left_but_in_colours(raw: bytes) -> None:
    bare = logs._COLOUR.sub("", harmless(raw))
    assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in bare)


def test_a_missing_log_is_said_in_a_sentence(tmp_path: Path) -> None:
    log = log_of(tmp_path, None, "log.outer")
    with pytest.raises(LogError, match=r"has no 'log\.outer': it has not started"):
        log.size()
    path_of(log).parent.rmdir()
    with pytest.raises(LogError, match="is gone, and its logs with it"):
        log.after(0, 1)


def test_what_is_no_ordinary_file_is_never_opened(tmp_path: Path) -> None:
    log = log_of(tmp_path, None)
    os.mkfifo(path_of(log))
    with pytest.raises(LogError, match="no ordinary file"):
        log.size()
    path_of(log).unlink()
    secret = tmp_path / "secret"
    secret.write_text("secret")
    path_of(log).symlink_to(secret)
    with pytest.raises(LogError, match="symbolic link"):
        log.after(0, 1)


def test_no_path_is_made_of_what_is_no_id(tmp_path: Path) -> None:
    log = log_of(tmp_path, b"x")
    with pytest.raises(LogError, match="not the id of a task"):
        Log(log.root, "../../etc", "log").size()


def test_a_log_that_shrinks_or_vanishes_between_readings(tmp_path: Path) -> None:
    log = log_of(tmp_path, b"one\ntwo\n")
    path_of(log).write_bytes(b"one\n")
    assert log.after(4, 5) == []
    assert [line.text for line in log.before(8, 5)] == ["one"]
