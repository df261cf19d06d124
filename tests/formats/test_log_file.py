from __future__ import annotations

import os
import re
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.formats import log_file, log_patterns
from hipercow_tui.formats.log_file import Log, sanitize_line
from hipercow_tui.formats.log_patterns import (
    COLOUR,
    Severity,
    severity_of,
    severity_query,
    text_query,
)
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.support.errors import LogError

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
    """Return where lines begin by definition: after a newline or after a block without one."""
    return [
        at
        for at in range(len(raw))
        if at == 0
        or raw[at - 1 : at] == b"\n"
        or (at % log_file.BLOCK == 0 and b"\n" not in raw[at - log_file.BLOCK : at])
    ]


def test_the_log_that_hipercow_wrote(sir_model: Path) -> None:
    root = find_root(sir_model)
    written = next(sir_model.glob("hipercow/tasks/*/*/log"))
    log = Log(root, written.parent.parent.name + written.parent.name)
    lines = log.lines_after(0, 1000)
    assert lines[-1].end == log.state().size == written.stat().st_size
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
        patch.setattr(log_file, "BLOCK", 8)
        raw = b"".join(b"x" * length + (b"\n" if newline else b"") for length, newline in parts)
        log = log_of(tmp_path_factory.mktemp("log"), raw)
        starts = starts_by_reading_all(raw)
        forward: list[int] = []
        offset = 0
        while lines := log.lines_after(offset, count):
            forward += [line.start for line in lines]
            offset = lines[-1].end
        backward: list[int] = []
        offset = len(raw)
        while lines := log.lines_before(offset, count):
            backward = [line.start for line in lines] + backward
            offset = lines[0].start
        assert forward == backward == starts


# A search ignores at most four colours between two letters; no program nests more.
FIVE_COLOURS = re.compile(rb"(\x1b\[[0-9;]*m){5}")


@settings(max_examples=100, deadline=None)
@given(
    raw=st.lists(
        st.sampled_from([b"ab", b"B", b"\n", b"xxx", b"\x1b[1m", b"\x1b[31m\x1b[1m"]), max_size=40
    )
    .map(b"".join)
    .filter(lambda raw: not FIVE_COLOURS.search(raw)),
    wanted=st.sampled_from(["ab", "b", "Bx", "xxxx"]),
    begin=st.integers(0, 60),
    end=st.integers(0, 60),
    step=st.integers(1, 7),
)
def test_find_returns_the_line_of_the_next_match(
    tmp_path_factory: pytest.TempPathFactory,
    raw: bytes,
    wanted: str,
    begin: int,
    end: int,
    step: int,
) -> None:
    begin, end = min(begin, len(raw)), min(end, len(raw))
    matching = [
        starts[0]
        for line, starts in letters_by_line(raw)
        for at in range(len(line))
        if line.lower().startswith(wanted.lower(), at)
        and min(begin, end) <= starts[at + 1] < max(begin, end)
    ]
    expected = (matching[-1] if end < begin else matching[0]) if matching else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_file, "_SEARCH_BLOCK", step)
        log = log_of(tmp_path_factory.mktemp("log"), raw)
        assert log.find(text_query(wanted), begin, end) == expected


def letters_by_line(raw: bytes) -> list[tuple[str, list[int]]]:
    """Return each line without its colours, with the offsets of its start and of its letters."""
    lines, offset = [], 0
    for line in raw.decode("ascii").split("\n"):
        letters, starts = "", [offset]
        for part in COLOUR.split(line):
            if not COLOUR.fullmatch(part):
                letters += part
                starts += range(offset, offset + len(part))
            offset += len(part)
        lines.append((letters, starts))
        offset += 1
    return lines


LINES = (
    "Error in f(x) : no",
    "error: undefined reference",
    "a.c:1:2: error: no",
    "\x1b[31mError\x1b[39m in `f()`:",
    "✖ status: failure",
    "Warning message:",
    "! 2 warnings found:",
    "Residual standard error: 0.5 on 10 degrees of freedom",
    "Std. Error  t value",
    "all is well!",
    "",
)


@settings(max_examples=100, deadline=None)
@given(
    lines=st.lists(st.sampled_from(LINES), max_size=12),
    sign=st.sampled_from(Severity),
    step=st.integers(1, 60),
    last_ends=st.booleans(),
)
def test_severity_search_finds_exactly_the_lines_of_that_severity(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[str],
    sign: Severity,
    step: int,
    last_ends: bool,
) -> None:
    raw = "\n".join(lines).encode() + b"\n" * last_ends
    wanted, offset = [], 0
    for line in lines:
        if severity_of(COLOUR.sub("", line)) is sign:
            wanted.append(offset)
        offset += len(line.encode()) + 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_file, "_SEARCH_BLOCK", step)
        log = log_of(tmp_path_factory.mktemp("log"), raw)
        sought = severity_query(sign)
        down: list[int] = []
        at = 0
        while (found := log.find(sought, at, len(raw))) is not None:
            down.append(found)
            at = log.lines_after(found, 1)[0].end
        up: list[int] = []
        at = len(raw)
        while (found := log.find(sought, at, 0)) is not None:
            up.append(found)
            at = found
        assert down == up[::-1] == wanted


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(*(st.from_regex(rule) for rule in log_patterns._RULES.values())),
)
def test_every_line_that_a_rule_matches_has_a_keyword(line: str) -> None:
    sign = severity_of(line)
    assert sign is not None
    raw = line.encode("utf-8", "surrogatepass")
    assert list(severity_query(sign).find_candidates(raw, len(raw)))


@pytest.mark.parametrize(
    ("line", "sign"),
    [
        ("Error in eval(expr) : object 'x' not found", Severity.ERROR),
        ("Error: cannot allocate vector of size 8.0 Gb", Severity.ERROR),
        ("✖ Error: step size too small", Severity.ERROR),
        ("Caused by error in `g()`:", Severity.ERROR),
        ("slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-01-31 ***", Severity.ERROR),
        ("ValueError: no", Severity.ERROR),
        ("rpy2.rinterface.RRuntimeError: no", Severity.ERROR),
        ("2026-01-31 10:00 ERROR no", Severity.ERROR),
        (" *** caught segfault ***", Severity.ERROR),
        ("Execution halted", Severity.ERROR),
        ("Warning message:", Severity.WARNING),
        ("In addition: Warning messages:", Severity.WARNING),
        ("Warning in f() : NaNs produced", Severity.WARNING),
        ("! 1 warning found:", Severity.WARNING),
        ("There were 50 or more warnings (use warnings() to see the first 50)", Severity.WARNING),
        ("x.py:3: DeprecationWarning: old", Severity.WARNING),
        ("WARN no", Severity.WARNING),
        ("Residual standard error: 0.5 on 10 degrees of freedom", None),
        ("Mean squared error: 0.2", None),
        ("            Estimate Std. Error t value", None),
        ("0 errors, 0 warnings", None),
        ("Hello, error-prone world! yes", None),
    ],
)
def test_severity_of_lines(line: str, sign: Severity | None) -> None:
    assert severity_of(line) is sign


def test_search_reports_its_progress_and_can_be_stopped(tmp_path: Path) -> None:
    log = log_of(tmp_path, b"a\n" * 100)
    assert log.find(text_query("a"), 0, 200, lambda at: False) is None
    reached: list[int] = []

    def goes_on(at: int) -> bool:
        reached.append(at)
        return len(reached) < 3

    with path_of(log).open("r+b") as file:
        file.truncate(1 << 30)
    assert log.find(text_query("b"), 0, 1 << 30, goes_on) is None
    assert reached == [0, log_file._SEARCH_BLOCK, 2 * log_file._SEARCH_BLOCK]


def test_match_across_two_blocks_of_one_line_is_found(tmp_path: Path) -> None:
    raw = b"x" * (log_file.BLOCK - 3) + b"needle" + b"x" * 100
    assert log_of(tmp_path, raw).find(text_query("NEEDLE"), 0, len(raw)) == 0


def test_only_the_end_of_a_large_log_is_read(tmp_path: Path) -> None:
    log = log_of(tmp_path, b"")
    with path_of(log).open("r+b") as file:
        file.truncate(5 << 30)  # a hole: takes no space
        file.seek(0, os.SEEK_END)
        file.write(b"\nlast but one\nError: last\n")
    size = log.state().size
    tracemalloc.start()
    try:
        assert [line.text for line in log.lines_before(size, 2)] == ["last but one", "Error: last"]
        log.lines_after(3 << 30, 50)
        log.lines_before(3 << 30, 50)
        found = log.find(severity_query(Severity.ERROR), size, 0)
        assert found == size - len(b"Error: last\n")
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


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
def test_sanitized_line_keeps_colours_and_no_other_control(raw: bytes, shown: str) -> None:
    assert sanitize_line(raw) == shown


@given(st.binary(max_size=200))
def test_sanitized_line_has_no_control_character_outside_colours(raw: bytes) -> None:
    bare = COLOUR.sub("", sanitize_line(raw))
    assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in bare)


def test_missing_log_gives_a_message(tmp_path: Path) -> None:
    log = log_of(tmp_path, None, "log.outer")
    with pytest.raises(LogError, match=r"has no 'log\.outer'$"):
        log.state()
    path_of(log).parent.rmdir()
    with pytest.raises(LogError, match="and its logs are gone"):
        log.lines_after(0, 1)


@pytest.mark.parametrize(
    ("status", "started", "said"),
    [
        (Status.CREATED, None, "has no 'log' yet: it has not been submitted."),
        (Status.SUBMITTED, None, "has no 'log' yet: it waits in the queue."),
        (Status.RUNNING, 1.0, "has no 'log' yet: it runs, but its driver has written nothing."),
        (Status.SUCCESS, 1.0, "has no 'log': it ran (success), but its driver wrote no log, or"),
        (Status.FAILURE, 1.0, "has no 'log': it ran (failure), but its driver wrote no log, or"),
        (Status.CANCELLED, 1.0, "has no 'log': it ran (cancelled), but its driver wrote no log"),
        (Status.CANCELLED, None, "has no 'log': it was cancelled before it started, or its"),
        (Status.BROKEN, None, "has no 'log'"),
    ],
)
def test_the_message_for_a_missing_log_follows_the_status(
    tmp_path: Path, status: Status, started: float | None, said: str
) -> None:
    log = replace(log_of(tmp_path, None), task=lambda: Task(TASK, status, started=started))
    with pytest.raises(LogError) as caught:
        log.state()
    assert said in str(caught.value)
    assert ("Its details show its error" in str(caught.value)) == (status is Status.FAILURE)


def test_anything_but_a_regular_file_is_never_opened(tmp_path: Path) -> None:
    log = log_of(tmp_path, None)
    os.mkfifo(path_of(log))
    with pytest.raises(LogError, match="not a regular file"):
        log.state()
    path_of(log).unlink()
    secret = tmp_path / "secret"
    secret.write_text("secret")
    path_of(log).symlink_to(secret)
    with pytest.raises(LogError, match="symbolic link"):
        log.lines_after(0, 1)


def test_id_that_is_not_a_task_id_is_refused(tmp_path: Path) -> None:
    log = log_of(tmp_path, b"x")
    with pytest.raises(LogError, match="not the id of a task"):
        Log(log.root, "../../etc", "log").state()


def test_a_log_that_shrinks_or_vanishes_between_readings(tmp_path: Path) -> None:
    log = log_of(tmp_path, b"one\ntwo\n")
    path_of(log).write_bytes(b"one\n")
    assert log.lines_after(4, 5) == []
    assert [line.text for line in log.lines_before(8, 5)] == ["one"]


def test_log_of_a_python_task_is_in_the_python_root(tmp_path: Path) -> None:
    log = log_of(tmp_path, b"of R\n")
    task = tmp_path / "hipercow" / "py" / "tasks" / TASK[:2] / TASK[2:]
    task.mkdir(parents=True)
    (task / "log").write_bytes(b"of Python\n")
    python = Log(log.root.part(Lang.PY), TASK)
    assert [line.text for line in python.lines_after(0, 5)] == ["of Python"]
