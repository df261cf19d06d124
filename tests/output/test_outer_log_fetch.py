from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_r import r_environment, run_r
from small_root import task_id, write_task

from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.output import r_runner
from hipercow_tui.output.outer_log_fetch import (
    HEAD_LIMIT,
    TAIL_LIMIT,
    AnswerKind,
    CutText,
    LogAnswer,
    _RAnswers,
    fetch_outer_logs,
)
from hipercow_tui.support.errors import RscriptError

RECORDED = Path(__file__).parents[1] / "data" / "r" / "outer_logs" / "answers.txt"
IDS = tuple(map(task_id, range(6)))


class Fetched:
    """The answers and messages of one fetch."""

    def __init__(
        self, root: Root, ids: tuple[str, ...], lang: Lang = Lang.R, *, stop_after: float = 60.0
    ) -> None:
        self.answers: list[LogAnswer] = []
        self.messages: list[str] = []
        self.failure = ""
        tasks = [Task(each, Status.FAILURE, lang=lang) for each in ids]
        stop = threading.Event()
        timer = threading.Timer(stop_after, stop.set)
        timer.start()
        try:
            fetch_outer_logs(tasks, root, self.answers.append, self.messages.append, stop)
        except RscriptError as error:
            self.failure = str(error)
        finally:
            timer.cancel()

    @property
    def kinds(self) -> list[AnswerKind]:
        return [answer.kind for answer in self.answers]


# A text that is too long


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_a_short_text_is_kept_as_it_is(pieces: list[bytes]) -> None:
    text = CutText()
    for piece in pieces:
        text.add(piece)
    assert text.text() == b"".join(pieces)


@pytest.mark.parametrize("length", [10, 1000, 1 << 16])
def test_of_a_long_text_the_beginning_and_the_end_are_kept(length: int) -> None:
    text = CutText()
    whole = bytearray()
    for number in range(3 * TAIL_LIMIT // length):
        piece = b"%d".ljust(length - 1, b".") % number + b"\n"
        whole += piece
        text.add(piece)
    head, notice, tail = text.text().partition("…".encode())
    assert whole.startswith(head.removesuffix(b"\n"))
    end = tail.partition("…\n".encode())[2]
    assert whole.endswith(end)
    assert TAIL_LIMIT - length <= len(end) <= TAIL_LIMIT
    assert len(head) <= HEAD_LIMIT + 1
    assert notice
    assert b"of this log are not kept" in tail


# Answers of R

_PIECES = [
    b"hipercow-tui: end \n",
    *(f"hipercow-tui: {IDS[0]} {kind} \n".encode() for kind in (*AnswerKind, "other")),
    *(b"|text\n", b"|long", b"er\n", b"\n", b"\x07\xff\n", b"hipercow-tui:\n"),
]


def recorded_answers(monkeypatch: pytest.MonkeyPatch, printed: bytes) -> Fetched:
    """Fetch with an R that prints this."""

    def run(
        program: str, lines: object, root: Root, on_line: Callable[[bytes], object], stop: object
    ) -> r_runner.RResult:
        for line in printed.splitlines(keepends=True):
            for start in range(0, len(line), 64):
                on_line(line[start : start + 64])
        return r_runner.RResult(0, stopped=False)

    monkeypatch.setattr(r_runner, "run", run)
    return Fetched(Root(Path("."), Path("./hipercow")), IDS)


def check_answers(fetched: Fetched) -> None:
    """Compare with the answers of ``cluster.R``."""
    assert fetched.kinds == ["log", "none", "error", "log", "log", "error"]
    text, _, error, empty, odd, parent = fetched.answers
    assert text.log == b"running on: n1\n\nERRORLEVEL was 137\n"
    assert error.error == "cannot open the connection"
    assert empty.log == b""
    assert odd.log == b"caf\xc3\xa9\nna\xc3\xafve\ntwo\nlines\n\xff raw\nhipercow-tui: end\n|x\n"
    assert parent.error == "No answer\nCaused by error:\n! Timeout was reached"
    assert fetched.messages == ["asking the cluster"] * 6
    assert fetched.failure == ""


def test_recorded_answers_of_r_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    check_answers(recorded_answers(monkeypatch, RECORDED.read_bytes()))


def test_what_r_prints_besides_the_answers_is_a_safe_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    printed = (
        b"\x1b]0;owned\x07 hello\nhipercow-tui: x y z\nhipercow-tui: end\n"
        b"hipercow-tui: %b log\n|a" + b"b" * 120 + b"\nWarning: w\n|c\nhipercow-tui: end\n"
        b"hipercow-tui: ../../x log\n|d\nhipercow-tui: end\n"
        b"hipercow-tui: %b log\n|cut off"
    ) % (IDS[0].encode(), IDS[1].encode())
    fetched = recorded_answers(monkeypatch, printed)
    assert fetched.answers == [LogAnswer(IDS[0], AnswerKind.LOG, b"a" + b"b" * 120 + b"\nc\n")]
    assert "Warning: w" in fetched.messages
    assert all(one.isprintable() for one in fetched.messages)


@given(st.lists(st.sampled_from(_PIECES), max_size=12))
def test_any_output_of_r_gives_answers_and_messages(pieces: list[bytes]) -> None:
    answers: list[LogAnswer] = []
    messages: list[str] = []
    reader = _RAnswers(IDS, answers.append, messages.append)
    for piece in pieces:
        reader.take(piece)
    assert len(answers) <= pieces.count(b"hipercow-tui: end \n")
    assert all("\n" not in one and "\x07" not in one for one in messages)


# The real package


@pytest.fixture
def r_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    """A root of R; its driver ``example`` answers as the file ``cluster.R`` says."""
    environment = r_environment()
    monkeypatch.setenv("R_LIBS", environment.get("R_LIBS", ""))
    for each in IDS:
        write_task(tmp_path, each, "failure")
    run_r("suppressMessages(hipercow::hipercow_init('.', driver = 'example'))", tmp_path)
    (tmp_path / ".Rprofile").write_text(PROFILE)
    return find_root(tmp_path)


PROFILE = """
setHook(packageEvent("hipercow", "onLoad"), function(...) {
  source("cluster.R", local = TRUE)
  assignInNamespace("example_log", cluster, "hipercow")
})
"""


def set_cluster(root: Root, body: str) -> None:
    code = f"cluster <- function(id, outer, config, path_root) {{ {body} }}"
    (root.path / "cluster.R").write_text(code)


def test_real_r_answers_as_recorded(r_project: Root) -> None:
    shutil.copy(RECORDED.with_name("cluster.R"), r_project.path)
    check_answers(Fetched(r_project, IDS))


def test_real_r_gives_the_log_that_the_example_driver_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
    suppressMessages(hipercow::hipercow_init('.', driver = 'example'))
    suppressMessages(id <- hipercow::task_create_expr(stop('no')))
    hipercow:::example_step('.', TRUE, 0)
    cat(id)
    """
    made = run_r(code, tmp_path).strip()
    root = find_root(tmp_path)
    monkeypatch.setenv("R_LIBS", r_environment().get("R_LIBS", ""))
    answers = Fetched(root, (made,)).answers
    expected = f"Running task {made}\nFinished task {made}\n".encode()
    assert answers == [LogAnswer(made, AnswerKind.LOG, expected)]


def test_a_log_of_100_megabytes_from_r_is_cut(r_project: Root) -> None:
    set_cluster(r_project, "c('first', rep(strrep('x', 1e6 - 1), 100), 'last')")
    (answer,) = Fetched(r_project, IDS[:1]).answers
    assert answer.log.startswith(b"first\nx")
    assert answer.log.endswith(b"x\nlast\n")
    assert "MB of this log are not kept" in answer.log.decode()
    assert len(answer.log) < HEAD_LIMIT + TAIL_LIMIT + 200


def test_r_that_hangs_is_stopped_and_answers_before_it_are_kept(r_project: Root) -> None:
    set_cluster(r_project, f"if (id != '{IDS[0]}') Sys.sleep(60); 'text'")
    began = time.monotonic()
    fetched = Fetched(r_project, IDS, stop_after=2.0)
    assert fetched.answers == [LogAnswer(IDS[0], AnswerKind.LOG, b"text\n")]
    assert fetched.failure == ""
    assert time.monotonic() - began < 30


def test_r_that_ends_early_is_reported(r_project: Root) -> None:
    set_cluster(r_project, "message('bye'); quit(status = 3)")
    fetched = Fetched(r_project, IDS)
    assert fetched.answers == []
    assert fetched.failure == "R failed with status 3"
    assert fetched.messages == ["bye"]


# Python


def python_stub(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> Root:
    """A root, and a program ``hipercow`` that runs this shell script with the id as ``$4``."""
    (folder / "bin").mkdir()
    program = folder / "bin" / "hipercow"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    (folder / "hipercow" / "py").mkdir(parents=True)
    return find_root(folder)


def test_outer_logs_of_python_tasks_are_printed_by_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = f"""
    test "$1 $2 $3" = "task log --outer" || exit 9
    case $4 in
    {IDS[0]}) echo warning >&2; printf 'a\\nb\\n' ;;
    {IDS[1]}) ;;
    {IDS[2]}) echo "Error: no driver"; echo "For more information, run with X=1"; exit 1 ;;
    {IDS[3]}) echo "no such option" >&2; exit 2 ;;
    {IDS[4]}) echo ;;
    esac
    """
    fetched = Fetched(python_stub(tmp_path, script, monkeypatch), IDS[:5], Lang.PY)
    assert fetched.answers == [
        LogAnswer(IDS[0], AnswerKind.LOG, b"a\nb"),
        LogAnswer(IDS[1], AnswerKind.NONE),
        LogAnswer(IDS[2], AnswerKind.ERROR, error="no driver"),
        LogAnswer(IDS[3], AnswerKind.ERROR, error="no such option"),
        LogAnswer(IDS[4], AnswerKind.LOG, b""),
    ]


def test_a_command_of_python_that_hangs_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = python_stub(tmp_path, "exec sleep 60", monkeypatch)
    assert Fetched(root, IDS, Lang.PY, stop_after=0.3).answers == []


def test_real_command_of_python_is_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("hipercow")
    from hipercow import root as hipercow_root
    from hipercow.task_create import task_create_shell

    monkeypatch.chdir(tmp_path)
    scripts = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{scripts}{os.pathsep}{os.environ['PATH']}")
    hipercow_root.init(tmp_path)
    created = task_create_shell(["true"])
    error = "outer logs are only available for tasks with drivers"
    assert Fetched(find_root(tmp_path), (created,), Lang.PY).answers == [
        LogAnswer(created, AnswerKind.ERROR, error=error)
    ]


@pytest.mark.parametrize(("lang", "name"), [(Lang.R, "Rscript"), (Lang.PY, "hipercow")])
def test_a_missing_program_gives_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: Lang, name: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "hipercow").mkdir()
    fetched = Fetched(find_root(tmp_path), IDS, lang)
    assert f"no '{name}' on the PATH" in fetched.failure
    assert fetched.answers == []


def test_only_task_ids_are_passed_to_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = python_stub(tmp_path, "touch was-run", monkeypatch)
    for lang in Lang:
        assert "is not the id of a task" in Fetched(root, ("--help",), lang).failure
    assert not (tmp_path / "was-run").exists()
