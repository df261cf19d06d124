"""Each command with standard streams that are closed, full, or a pipe without a reader."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from purge_stage import ALL, FREE, in_place, make_root, plan_of

from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import list_trash, move_to_trash, read_history
from hipercow_tui.purging.plan_file import save_plan
from hipercow_tui.support import streams

HERE = Path(__file__).parents[1] / "support"
ENV = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TERM": "xterm"}
OTHERS = set(ALL) - {FREE}
PURGE = ("purge", "ROOT", "--with-status", "failure")


@dataclass(frozen=True)
class Command:
    """A command on a root whose task FREE is in the trash: its exit status with whole streams,
    whether it prints on standard output then, which tasks are in their place afterwards, and how
    many entries the history has."""

    words: tuple[str, ...]
    status: int = 0
    prints: bool = True
    left: frozenset[str] = frozenset(OTHERS)
    entries: int = 1

    @property
    def acts(self) -> bool:
        """Whether it changes the root."""
        return self.entries > 1


NONE: frozenset[str] = frozenset()
COMMANDS = {
    "list": Command(("list", "ROOT")),
    "list as JSON": Command(("list", "ROOT", "--details", "--json")),
    "a dry run": Command((*PURGE, "--dry-run")),
    "a dry run as JSON": Command((*PURGE, "--dry-run", "--json")),
    "purge": Command((*PURGE, "--yes"), left=NONE, entries=2),
    "purge as JSON": Command((*PURGE, "--yes", "--json"), left=NONE, entries=2),
    "purge to the trash": Command((*PURGE, "--yes", "--trash"), left=NONE, entries=2),
    "purge without an answer": Command(PURGE, status=1),
    "purge without an answer as JSON": Command((*PURGE, "--json"), status=1, prints=False),
    "save a plan": Command((*PURGE, "--save-plan", "ROOT/saved.json")),
    "apply": Command(("apply", "ROOT/plan.json", "--yes"), left=NONE, entries=2),
    "apply without an answer": Command(("apply", "ROOT/plan.json"), status=1),
    "trash": Command(("trash", "ROOT")),
    "trash as JSON": Command(("trash", "ROOT", "--json")),
    "restore": Command(("trash", "ROOT", "--restore", "STAMP"), left=frozenset(ALL), entries=2),
    "empty": Command(("trash", "ROOT", "--empty", "--yes"), entries=2),
    "empty without an answer": Command(("trash", "ROOT", "--empty"), status=1, prints=False),
    "wait": Command(("wait", "ROOT", "--with-status", "failure")),
    "history": Command(("history", "ROOT")),
    "history as JSON": Command(("history", "ROOT", "--json")),
    "app": Command(("ROOT",), status=1, prints=False),
    "demo": Command(("--demo", "--demo-tasks", "3"), status=1, prints=False),
    "help": Command(("--help",)),
    "help of a command": Command(("purge", "--help")),
    "version": Command(("--version",)),
    "wrong option": Command(("--nonsense",), status=2, prints=False),
    "wrong option of a command": Command(("trash", "ROOT", "--nonsense"), status=2, prints=False),
    "wrong filter": Command(("list", "ROOT", "--with-status", "x"), status=2, prints=False),
    "no root": Command(("history", "/"), status=1, prints=False),
}


@dataclass(frozen=True)
class Ran:
    """The result of a command."""

    name: str
    root: Root
    status: int
    out: str
    err: str
    terminal: str

    @property
    def command(self) -> Command:
        return COMMANDS[self.name]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A function that copies the root for each case."""
    root = make_root(tmp_path_factory.mktemp("streams") / "model")
    move_to_trash(plan_of(root, [FREE]), root)
    save_plan(plan_of(root), root.path / "plan.json")
    return root.path


@pytest.fixture
def copies(model: Path, tmp_path: Path) -> Callable[[str], Root]:
    def copy_to(name: str) -> Root:
        path = tmp_path / name
        shutil.copytree(model, path)
        plan = path / "plan.json"
        plan.write_text(plan.read_text().replace(str(model), str(path)))
        return find_root(path)

    return copy_to


def words_of(command: Command, root: Root) -> list[str]:
    (batch,) = list_trash(root)
    words = (word.replace("ROOT", str(root.path)) for word in command.words)
    return [batch.batch_id if word == "STAMP" else word for word in words]


def run(
    copies: Callable[[str], Root],
    names: Iterable[str],
    *,
    stdin: str = "/dev/null",
    stdout: str = "FILE",
    stderr: str = "FILE",
    typed: str = "",
) -> list[Ran]:
    """Run each of these commands in one process."""
    shared = copies("shared")
    roots = {name: copies(name) if typed or COMMANDS[name].acts else shared for name in names}
    files = {name: [f"{shared.path} {name}{end}" for end in (".out", ".err")] for name in roots}
    cases = [
        {
            "words": words_of(COMMANDS[name], root),
            "streams": [
                stdin,
                files[name][0] if stdout == "FILE" else stdout,
                files[name][1] if stderr == "FILE" else stderr,
            ],
            "typed": typed,
        }
        for name, root in roots.items()
    ]
    ran = subprocess.run(
        [sys.executable, HERE / "run_with_streams.py"],
        env=ENV,
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,  # an app that found a terminal would wait for ever
    )
    return [
        Ran(name, root, status, text_of(files[name][0]), text_of(files[name][1]), terminal)
        for (name, root), (status, terminal) in zip(
            roots.items(), json.loads(ran.stdout), strict=True
        )
    ]


def text_of(path: str) -> str:
    return Path(path).read_text("utf-8") if os.path.exists(path) else ""


def check_effects(ran: Ran) -> None:
    """Check that the command did its work and recorded it, whether its output was written or
    not."""
    assert in_place(ran.root) == ran.command.left, ran
    assert len(read_history(ran.root)) == ran.command.entries, ran
    assert "Traceback" not in ran.err and "Exception" not in ran.err, ran


@pytest.mark.parametrize("stdout", ["closed", "full"])
def test_output_that_cannot_be_written_gives_a_message_and_status_1(
    copies: Callable[[str], Root], stdout: str
) -> None:
    for ran in run(copies, COMMANDS, stdout=stdout):
        check_effects(ran)
        command = ran.command
        assert ran.status == (1 if command.prints else command.status), ran
        sentence = "hipercow-tui: standard output can't be written: "
        assert ran.err.count(sentence) == command.prints, ran
        assert ran.err, ran
        assert ("carried out anyway" in ran.err) is command.acts, ran


def test_a_reader_that_closes_the_pipe_changes_nothing(copies: Callable[[str], Root]) -> None:
    for ran in run(copies, COMMANDS, stdout="no reader"):
        check_effects(ran)
        assert ran.status == ran.command.status, ran
        assert "can't be written" not in ran.err, ran


@pytest.mark.parametrize("stderr", ["closed", "full"])
def test_messages_that_cannot_be_written_change_nothing_else(
    copies: Callable[[str], Root], stderr: str
) -> None:
    for ran in run(copies, COMMANDS, stderr=stderr):
        check_effects(ran)
        assert ran.status == ran.command.status, ran
        assert bool(ran.out) is ran.command.prints, ran
        assert "hipercow-tui: " not in ran.out and "usage: hipercow-tui [" not in ran.out[:19], ran
        if "--json" in ran.command.words:
            assert [json.loads(line) for line in ran.out.splitlines()] or ran.status, ran
        if ran.name == "save a plan":
            assert json.loads((ran.root.path / "saved.json").read_bytes())["format"] == 1


def test_closed_input_is_not_a_confirmation(copies: Callable[[str], Root]) -> None:
    for ran in run(copies, COMMANDS, stdin="closed"):
        check_effects(ran)
        assert ran.status == ran.command.status, ran
        assert bool(ran.out) is ran.command.prints, ran
        asking = "without an answer" in ran.name
        assert ("there is no terminal for the question" in ran.err) is asking, ran


def test_commands_work_with_all_streams_closed(copies: Callable[[str], Root]) -> None:
    for ran in run(copies, COMMANDS, stdin="closed", stdout="closed", stderr="closed"):
        check_effects(ran)
        assert ran.status == (1 if ran.command.prints else ran.command.status), ran
        if ran.name == "save a plan":
            assert json.loads((ran.root.path / "saved.json").read_bytes())["format"] == 1


@pytest.mark.parametrize("stderr", ["closed", "FILE"])
def test_the_app_needs_standard_error_to_be_a_terminal(
    copies: Callable[[str], Root], stderr: str
) -> None:
    """The app draws on standard error."""
    streams = {"stdin": "terminal", "stdout": "terminal", "stderr": stderr}
    for ran in run(copies, ["app", "demo"], **streams):
        check_effects(ran)
        assert ran.status == 1
        assert ("the app needs a terminal" in ran.err) is (stderr == "FILE")


ASKING = ("purge without an answer", "purge without an answer as JSON", "apply without an answer")


@pytest.mark.parametrize("typed", ["y\n", "n\n", "\x04", "\xff\n"])
def test_an_answer_that_is_not_text_is_not_a_confirmation(
    copies: Callable[[str], Root], typed: str
) -> None:
    asked = run(copies, ASKING, stdin="terminal", stderr="terminal", typed=typed)
    for ran in asked:
        yes = typed == "y\n"
        assert "[y/N]" in ran.terminal and "Traceback" not in ran.terminal, ran
        assert ran.status == (0 if yes else 1), ran
        assert in_place(ran.root) == (NONE if yes else OTHERS), ran


@pytest.mark.parametrize(
    ("redirection", "status"),
    [(">&-", 1), (">/dev/full", 1), ("| true", 0), ("2>&-", 0), ("2>/dev/full", 0), ("<&-", 0)],
)
def test_a_started_process_behaves_the_same(
    copies: Callable[[str], Root], redirection: str, status: int
) -> None:
    root = copies("root")
    python = f"'{sys.executable}' -m hipercow_tui"
    command = f"set -o pipefail; {python} purge '{root.path}' --with-status failure --yes"
    ran = subprocess.run(
        ["bash", "-c", f"{command} {redirection}"], env=ENV, capture_output=True, text=True
    )
    assert ran.returncode == status, ran
    assert "Traceback" not in ran.stderr and "Exception" not in ran.stderr
    assert bool(ran.stderr) is (status == 1)
    assert in_place(root) == set() and len(read_history(root)) == 2


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_and_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_PROGRESS_AFTER", 0.0)
    for stream, shown in (
        (Terminal(), "\rmeasuring 50 %\rmeasuring 100 %\r               \r"),
        (io.StringIO(), ""),
    ):
        monkeypatch.setattr(sys, "stderr", stream)
        with streams.ProgressLine("measuring", 2) as progress:
            progress.show(1)
            progress.show(2)
        assert stream.getvalue() == shown


def test_short_progress_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with streams.ProgressLine("measuring", 1) as progress:
        progress.show(1)
    assert not stream.getvalue()
