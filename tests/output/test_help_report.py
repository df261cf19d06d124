"""Help reports on recorded and small roots."""

from __future__ import annotations

import os
import re
import string
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import DATA, unpack
from hypothesis import given, settings
from hypothesis import strategies as st
from real_r import run_r
from small_py_root import write_py_task
from small_root import DAY, NOW, task_id, write_bundle, write_task

from hipercow_tui.analysis.error_groups import ErrorGrouping, Failure
from hipercow_tui.analysis.failure_grouping import group_failures
from hipercow_tui.analysis.failure_reader import read_failure
from hipercow_tui.domain.notes import Note
from hipercow_tui.domain.records import RecordTarget, TargetKind
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.formats.details import SECRET, EnvVar, TaskDetails
from hipercow_tui.formats.root import find_root
from hipercow_tui.output import help_reader
from hipercow_tui.output.help_reader import read_error_report, read_task_report
from hipercow_tui.output.help_report import (
    Attempt,
    LogEnd,
    Machine,
    TaskFacts,
    error_report,
    task_report,
)
from hipercow_tui.output.masking import Masker
from hipercow_tui.purging.record_files import write_note
from hipercow_tui.scanning.outer_logs import FetchedLogs
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support import filesystem

RECORDED = DATA / "r" / "report"
MACHINE = Machine("1.0", "3.11.2", "Linux")
AT = MACHINE, Masker(), NOW
ONE, TWO = map(task_id, (1, 2))


@pytest.fixture(autouse=True)
def one_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(help_reader, "_machine", lambda: MACHINE)
    monkeypatch.setenv("HOME", "/tmp/ada")
    monkeypatch.setenv("USERPROFILE", "/tmp/ada")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("recorded")
    unpack(RECORDED / "root.tar.gz", where)
    return where


def report_on(where: Path, identity: str, now: float = NOW) -> str:
    root = find_root(where)
    snapshot = read_root(root)
    return read_task_report(root, snapshot.tasks[identity], snapshot, now)


def first_attempt(snapshot: Snapshot) -> Task:
    return next(task for task in snapshot.tasks.values() if task.id == task.chain[0])


def test_the_report_on_a_failed_attempt_of_a_real_chain(recorded: Path) -> None:
    snapshot = read_root(find_root(recorded))
    task = first_attempt(snapshot)
    report = report_on(recorded, task.id, (task.finished or 0) + 2 * DAY)
    assert report == (RECORDED / "report.md").read_text("utf-8")
    assert "correct-horse" not in report and "/tmp/ada" not in report


def test_the_report_on_an_error_of_real_tasks_has_both_as_examples(recorded: Path) -> None:
    root = find_root(recorded)
    snapshot = read_root(root)
    failed = [task for task in snapshot.tasks.values() if task.status is Status.FAILURE]
    (group,) = group_failures(failed, {task.id: read_failure(root, task) for task in failed})
    report = read_error_report(root, group, snapshot, max(t.finished or 0 for t in failed))
    lines = report.splitlines()
    assert lines[0] == "# 2 failed tasks with the same error"
    begin = lines.index("can't read `data.csv` for beta = 0.25")
    assert lines[begin - 1 : begin + 5 : 2] == ["```", "```", "- tasks: 2"]
    assert "- succeeded after a retry: 2" in lines
    assert "- `beta` = `0.25` (1 value)" in lines[lines.index("## Inputs that are the same") :]
    examples = [line for line in lines if line.startswith("## Example: task ")]
    assert {line[-32:] for line in examples} == {task.id for task in failed}
    assert lines.count("### Trace") == 2 and "correct-horse" not in report
    failures = {task.id: read_failure(root, task) for task in failed}
    (group,) = group_failures(failed, failures, by=ErrorGrouping.FRAME)
    many = replace(group, bundles=tuple((f"sweep_{number}", 1) for number in range(20)))
    report = read_error_report(root, many, snapshot, NOW)
    assert "`sweep_7` (1) and 12 more\n" in report
    assert report.startswith("# 2 failed tasks with the same frame\n")
    assert "- messages: ``can't read `data.csv` for beta = " in report


def test_the_report_on_a_python_task(tmp_path: Path) -> None:
    folder = write_py_task(
        tmp_path,
        ONE,
        "failure",
        cmd=["python3", "run.py", "--token=abcd1234", "it's `here`"],
        envvars={"LEVEL": "3", "MY_PASSWORD": "hunter22"},
        resources={"cores": 4},
    )
    log = 'Traceback (most recent call last):\n  File "run.py", line 1\nValueError: no hunter22\n'
    (folder / "log").write_text(log)
    config = tmp_path / "hipercow" / "py" / "env" / "default"
    config.mkdir(parents=True)
    (config / "config").write_text('{"engine": "pip"}')
    assert (
        report_on(tmp_path, ONE)
        == f"""\
# Task {ONE}

Made by hipercow-tui 1.0 (Python 3.11.2, Linux) on 2027-01-15 08:00:00 UTC. Values that look \
secret are hidden; please read the text before you send it.

- status: failure
- language: Python
- driver: `example`
- versions: hipercow not known
- created: 2026-12-16 08:00:00 UTC (1 month ago)
- started: 2026-12-16 08:01:00 UTC (4 weeks ago)
- finished: 2026-12-26 08:00:00 UTC (2 weeks ago)
- time in the queue: 1 minute
- run time: 1 week

## Error

```
ValueError: no ********
```

## What ran

```sh
python3 run.py --token=******** 'it'"'"'s `here`'
```

- type: `shell`
- folder: `.`
- environment: `default`
- engine: `pip`

## Resources

- `cores` = `4`

## Environment variables

- `LEVEL` = `3`
- `MY_PASSWORD` = `********`

## Last 3 lines of `log` (83 B)

```
Traceback (most recent call last):
  File "run.py", line 1
ValueError: no ********
```
"""
    )


def test_the_report_on_a_task_that_never_ran_says_what_is_not_known(tmp_path: Path) -> None:
    write_task(tmp_path, ONE, "created")
    lines = report_on(tmp_path, ONE).splitlines()
    assert lines[4:8] == [
        "- status: created",
        "- language: R",
        "- versions: hipercow not known, R not known",
        "- created: 2026-12-16 08:00:00 UTC (1 month ago)",
    ]
    assert lines[-3:-1] == ["## End of `log`", ""]
    assert "has no 'log' yet: it has not been submitted" in lines[-1]


def test_the_report_has_the_notes_on_the_chain_and_the_bundles(tmp_path: Path) -> None:
    write_task(tmp_path, ONE, "failure")
    write_bundle(tmp_path, "sweep", [ONE])
    root = find_root(tmp_path)
    write_note(root, RecordTarget(TargetKind.CHAIN, Lang.R, ONE), "`wrong`")
    write_note(root, RecordTarget(TargetKind.BUNDLE, Lang.R, "sweep"), "data")
    notes = [line for line in report_on(tmp_path, ONE).splitlines() if line.startswith("- note")]
    assert len(notes) == 2
    assert notes[0].startswith("- note: `` `wrong` (") and notes[1].startswith(
        "- note: `bundle sweep: data ("
    )


def test_a_damaged_task_is_a_report_with_problems(tmp_path: Path) -> None:
    folder = write_task(tmp_path, ONE, "failure")
    (folder / "result").write_bytes(b"no RDS")
    (folder / "data").write_bytes(b"\x1f\x8b damaged")
    report = report_on(tmp_path, ONE)
    assert "- status: failure" in report and "- problem: `" in report and "'result'" in report


def test_of_a_huge_log_only_the_end_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_task(tmp_path, ONE, "failure")
    with (folder / "log").open("wb") as file:
        file.truncate(100_000_000)  # a hole
        file.seek(0, 2)
        file.write(b"\nthe \x1b[31mlast\x1b[0m line\x07\n")
    read: list[int] = []
    real = filesystem.read_at

    def read_at(fd: int, size: int, offset: int) -> bytes:
        read.append(size)
        raw: bytes = real(fd, size, offset)
        return raw

    monkeypatch.setattr("hipercow_tui.support.filesystem.read_at", read_at)
    report = report_on(tmp_path, ONE)
    assert report.endswith("\nthe last line␇\n```\n")
    assert sum(read) < 10_000_000 and len(report) < 20_000


def test_versions_come_from_the_log_and_from_the_script_of_the_driver(tmp_path: Path) -> None:
    folder = write_task(tmp_path, ONE, "failure")
    (folder / "run.sh").write_text(
        "#!/bin/bash\necho hipercow version: 1.1.0\necho hipercow.dide version: 1.1.1\n"
        "module load R/4.4.2\n"
    )
    assert "- versions: hipercow `1.1.0`, hipercow.dide `1.1.1`, R `4.4.2`" in report_on(
        tmp_path, ONE
    )
    (folder / "log").write_text("\n── hipercow 1.1.8 running at '/root' ──\n")
    assert "- versions: hipercow `1.1.8`, hipercow.dide `1.1.1`, R `4.4.2`" in report_on(
        tmp_path, ONE
    )


def test_a_fetched_outer_log_gives_the_node_and_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_task(tmp_path, ONE, "failure")
    fetched = FetchedLogs.of(find_root(tmp_path))
    assert fetched is not None
    fetched.keep(ONE, b"running on: node7\nrun.sh: line 9: 41 Killed   Rscript -e x\n")
    os.utime(fetched.path(ONE), (NOW - 7200, NOW - 7200))
    report = report_on(tmp_path, ONE)
    assert "- node: `node7`\n" in report and "\nlog.outer: Killed\n" in report
    ending = "of `log.outer` (59 B, fetched 2027-01-15 06:00:00 UTC (2 hours ago))"
    assert f"## Last 2 lines {ending}\n" in report


# Hostile text


@settings(max_examples=60)
@given(text=st.text(st.sampled_from("`~# \n\t\x1b\x00ab<>|*_-[]()!\u202e"), max_size=60))
def test_no_text_ends_its_fence_or_its_code_span(text: str) -> None:
    details = TaskDetails(type="call", runs=text, inputs=(("x", text),), error=text)
    task = Task(ONE, Status.FAILURE, bundles=(text,), problem=text)
    facts = TaskFacts(task, details, logs=(LogEnd("log", tuple(text.split("\n"))),))
    report = task_report(facts, MACHINE, Masker(), NOW)
    outside = []
    fence = ""
    for line in report.split("\n"):
        if fence:
            fence = "" if line == fence else fence
        elif line.startswith("```"):
            fence = re.match("`+", line)[0]  # type: ignore[index]
        else:
            outside.append(line)
    assert not fence
    without_code = [re.sub(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "", line) for line in outside]
    allowed = set(string.ascii_letters + string.digits + " .,:;#-_=()+…")
    assert not set("".join(without_code)) - allowed
    assert all(line.isprintable() for line in report.split("\n"))


def test_a_private_key_in_a_log_is_hidden_with_its_last_line() -> None:
    key = ["-----BEGIN PRIVATE KEY-----", "MIIEv9" * 10, "c2VjcmV0==", "-----END PRIVATE KEY-----"]
    log = LogEnd("log", ("before", *key, f"end token={'t' * 9000}", "x" * 600))
    report = task_report(TaskFacts(Task(ONE, Status.FAILURE), TaskDetails(), logs=(log,)), *AT)
    end = report[report.rindex("before") :]
    assert end == f"before\n{SECRET}\nend token={SECRET}\n{'x' * 500}…\n```\n"


SECRETS = st.text(st.sampled_from("QXZ789\"'\\$&/@:;% é\n"), min_size=6, max_size=60).filter(
    lambda text: len(text.strip()) >= 6 and "\n" not in text.strip()[:4]
)


@settings(max_examples=60)
@given(secret=SECRETS, around=st.sampled_from(["", "x", "(", '"', "key=", "://u:", "\n"]))
def test_no_secret_of_a_task_is_in_its_reports(secret: str, around: str) -> None:
    dirty = f"{around}{secret}{around}"
    variable = EnvVar("MY_TOKEN", secret, secret=False)
    details = TaskDetails(
        type="call",
        runs=dirty,
        inputs=(("x", dirty), (dirty, "1")),
        environment=dirty,
        path=dirty,
        resources=(("queue", dirty),),
        envvars=(variable, EnvVar("OTHER", dirty, secret=False)),
        driver=dirty,
        error=dirty,
        warnings=dirty * 300,
        problem=dirty,
    )
    task = Task(ONE, Status.FAILURE, bundles=(dirty,), problem=dirty, chain=(ONE, TWO))
    facts = TaskFacts(
        task,
        details,
        versions={"R": dirty},
        trace=(dirty, "f(" + dirty * 20),
        logs=(LogEnd("log", (*dirty.split("\n"), dirty * 100)), LogEnd("log.outer", problem=dirty)),
        chain=(Attempt(ONE, task, dirty), Attempt(TWO, None)),
        notes=(Note(RecordTarget(TargetKind.BUNDLE, Lang.R, dirty), dirty, dirty, dirty, NOW),),
    )
    masker = Masker([variable])
    failure = Failure.from_details(details)
    (group,) = group_failures([task], {ONE: failure})
    for report in (
        task_report(facts, MACHINE, masker, NOW),
        error_report(group, [facts], MACHINE, masker, NOW),
    ):
        parts = [line.strip() for line in secret.strip().splitlines() if len(line.strip()) >= 4]
        assert SECRET in report
        for part in parts:
            assert part not in report
            # Nor is a piece of it left where a text was cut.
            assert len(part) < 12 or part[:12] not in report.replace(SECRET, "")


def test_the_report_on_a_real_task_of_now(tmp_path: Path) -> None:
    run_r(
        """
        suppressMessages({
          hipercow::hipercow_init(".")
          hipercow::hipercow_configure("example")
          id <- hipercow::task_create_expr(stop("no ", x), driver = "example",
            envvars = hipercow::hipercow_envvars(API_KEY = "do-not-tell"))
          hipercow:::example_step(".", with_logging = TRUE, 0)
        })
        """.replace('stop("no ", x)', "stop('no ', Sys.getenv('API_KEY'))"),
        tmp_path,
    )
    (task,) = read_root(find_root(tmp_path)).tasks.values()
    report = report_on(tmp_path, task.id)
    assert "no ********" in report and "do-not-tell" not in report
    assert re.search(r"- versions: hipercow `\d", report) and "base::stop(" in report
