"""Each name in a root, in each state that it can be in: the table of docs/spec.md, section 6.

The bold words in the table are the outcomes of a purge. Each cell is tested by the command line:
the dry run, a saved plan and the real run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ordinary_user import open_to_all, ordinary_user
from purge_stage import batches
from small_py_root import write_py_bundle, write_py_task
from small_root import task_id, tree, write_bundle, write_retries, write_task

import hipercow_tui
from hipercow_tui import HipercowTuiError, PurgeError
from hipercow_tui.cli.main import main
from hipercow_tui.domain.filters import requested_filters
from hipercow_tui.domain.plan import make_plan
from hipercow_tui.formats.root import find_root
from hipercow_tui.purging import execute
from hipercow_tui.scanning.scanner import read_root

SPEC = Path(hipercow_tui.__file__).with_name("docs") / "spec.md"
# A failure that was retried with success, a failure in a bundle, one that is new, one of Python.
BASE, RETRY, LONE, NEW, PYTHON = map(task_id, range(1, 6))
R_TASKS = frozenset({BASE, RETRY, LONE})
REST = R_TASKS - {RETRY}
IGNORE = "--ignore-unreadable-bundles"

TASKS, BUNDLES, BUNDLE, RECENT = "tasks", "bundles", "bundles/mine", "py/recent"
SHARD = f"tasks/{RETRY[:2]}"
TASK = f"{SHARD}/{RETRY[2:]}"
PY_BUNDLE = "py/bundles/mine"

Spoil = Callable[[Path], object]


@dataclass(frozen=True)
class Case:
    """A state of a name in ``hipercow/``: ``spoil`` makes it, for the path of the name.

    ``outcome`` is a word of the specification. Of a purge of the failures of ``lang`` the tasks
    ``gone`` are gone afterwards, or the tasks ``blocked`` block. ``shown`` is in a problem that a
    scan reports, and ``tasks`` are the tasks that it finds. ``stays`` says that the name is there
    afterwards as it was before.
    """

    outcome: str
    name: str
    spoil: Spoil
    gone: frozenset[str] = R_TASKS
    blocked: frozenset[str] = R_TASKS
    shown: str = ""
    tasks: frozenset[str] = R_TASKS
    lang: str = "r"
    options: tuple[str, ...] = ()
    stays: bool = False


def make_root(where: Path) -> None:
    write_task(where, BASE, "failure")
    write_task(where, RETRY, "success", retry_of=(BASE, BASE))
    write_task(where, LONE, "failure")
    write_retries(where, [(RETRY, BASE, BASE)])
    write_bundle(where, "mine", [LONE])
    write_py_task(where, PYTHON, "failure")
    write_py_bundle(where, "mine", [PYTHON])


# Ways to spoil a name, which is a file or a folder


def absent(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def empty(path: Path) -> None:
    folder = path.is_dir()
    absent(path)
    path.mkdir() if folder else path.touch()


def unreadable(path: Path) -> None:
    path.chmod(0)


def link(path: Path) -> None:
    """Move the entry out of the root and put a link to it in its place."""
    project = path.parents[len(path.parts) - path.parts.index("hipercow") - 1]
    path.symlink_to(path.rename(project / f"moved {path.name}"))


def link_into_root(path: Path) -> None:
    path.symlink_to(Path("..") / path.rename(path.parent.parent / "a list").name)


def dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def other_kind(path: Path) -> None:
    """Put a file in place of a folder, or a folder in place of a file."""
    folder = path.is_dir()
    absent(path)
    path.touch() if folder else path.mkdir()


def fifo(path: Path) -> None:
    absent(path)
    os.mkfifo(path)


def torn(content: str, age: float = 0.0) -> Spoil:
    """Write this content, with a time ``age`` seconds ago."""

    def spoil(path: Path) -> None:
        path.write_text(content)
        os.utime(path, (time.time() - age,) * 2)

    return spoil


def damaged_files(path: Path) -> None:
    for name in ("data", "info"):
        (path / name).write_bytes(b"no RDS")


def queued(path: Path) -> None:
    empty(path)
    (path / "run.sh").touch()


def with_line(line: str) -> Spoil:
    def spoil(path: Path) -> None:
        with path.open("a") as file:
            file.write(line)

    return spoil


def cases_of_a_place(name: str) -> dict[str, list[Case]]:
    """Return the cases in which a member of a retry chain can't be examined."""
    ways = {"unreadable": unreadable, "a link": link, "in place of": other_kind, "a FIFO": fifo}
    cases = {}
    for state, spoil in ways.items():
        found = R_TASKS if (name, state) == (TASK, "unreadable") else REST
        shown = "" if found is R_TASKS else Path(name).name
        blocked = frozenset({RETRY})
        cases[state] = [Case("blocks", name, spoil, blocked=blocked, shown=shown, tasks=found)]
    return cases


TORN_LINE = f"{RETRY},{BASE},{BASE}\n{NEW},{LONE},{LONE[:9]}"
NO_TASKS: Any = {"gone": frozenset(), "tasks": frozenset()}
OF_PYTHON: Any = {"lang": "py", "gone": frozenset({PYTHON}), "blocked": frozenset({PYTHON})}
CASES: dict[str, dict[str, list[Case]]] = {
    "tasks": {
        "absent": [Case("nothing", TASKS, absent, **NO_TASKS)],
        "empty": [Case("nothing", TASKS, empty, **NO_TASKS)],
        "unreadable": [Case("no root", TASKS, unreadable)],
        "a link": [Case("refused", TASKS, link)],
        "in place of": [Case("nothing", TASKS, other_kind, shown="'tasks'", **NO_TASKS)],
        "a FIFO": [Case("nothing", TASKS, fifo, shown="'tasks'", **NO_TASKS)],
        "changes": [Case("stopped", TASKS, link)],
    },
    "tasks/ab": {
        "absent": [Case("goes", SHARD, absent, gone=REST, tasks=REST)],
        "empty": [Case("goes", SHARD, empty, gone=REST, tasks=REST, stays=True)],
        **cases_of_a_place(SHARD),
        "changes": [Case("put back", SHARD, link, gone=frozenset({LONE}))],
    },
    "a task": {
        "absent": [Case("goes", TASK, absent, gone=REST, tasks=REST)],
        "empty": [Case("goes", TASK, empty, gone=REST, stays=True)],
        "torn": [
            Case("goes", TASK, damaged_files),
            Case("blocks", TASK, queued, blocked=frozenset({RETRY})),
        ],
        **cases_of_a_place(TASK),
        "changes": [Case("put back", TASK, queued, gone=frozenset({LONE}))],
    },
    "bundles": {
        "absent": [Case("goes", BUNDLES, absent)],
        "empty": [Case("goes", BUNDLES, empty, stays=True)],
        "unreadable": [Case("blocks", BUNDLES, unreadable, shown="'bundles'")],
        "a link": [Case("refused", BUNDLES, link)],
        "in place of": [Case("blocks", BUNDLES, other_kind, shown="'bundles'")],
        "a FIFO": [Case("blocks", BUNDLES, fifo, shown="'bundles'")],
        "changes": [Case("stopped", BUNDLES, link)],
    },
    "a bundle": {
        "absent": [Case("goes", BUNDLE, absent)],
        "empty": [
            Case("goes", BUNDLE, empty, stays=True),
            Case("blocks", PY_BUNDLE, empty, shown="'bundles/mine'", **OF_PYTHON),
        ],
        "torn": [
            Case("goes", BUNDLE, torn(f"{LONE}\n{BASE[:9]}"), shown="1 line of bundle 'mine'"),
            Case("blocks", PY_BUNDLE, torn('{"task_ids": ["'), shown="'bundles/mine'", **OF_PYTHON),
        ],
        "unreadable": [
            Case("blocks", BUNDLE, unreadable, shown="'bundles/mine'"),
            Case("goes", BUNDLE, unreadable, options=(IGNORE,), stays=True),
        ],
        "a link": [
            Case("goes", BUNDLE, link_into_root),
            Case("blocks", BUNDLE, link, shown="leads out of the root"),
        ],
        "in place of": [
            Case("blocks", BUNDLE, other_kind, shown="'bundles/mine'"),
            Case("goes", PY_BUNDLE, other_kind, **OF_PYTHON),
        ],
        "a FIFO": [Case("blocks", BUNDLE, fifo, shown="'bundles/mine'")],
        "changes": [
            Case("put back", BUNDLE, torn(f"{LONE}\n{BASE}\n"), gone=frozenset()),
            Case("stopped", BUNDLE, fifo),
        ],
    },
    "retry": {
        "absent": [Case("goes", "retry", absent, gone=REST)],
        "empty": [Case("goes", "retry", empty, gone=REST)],
        "torn": [
            Case("blocks", "retry", torn(TORN_LINE), blocked=frozenset({LONE}), shown="1 line"),
            Case("goes", "retry", torn(TORN_LINE, 120), shown="1 line", stays=True),
        ],
        "unreadable": [Case("blocks", "retry", unreadable, blocked=REST, shown="'retry'")],
        "a link": [
            Case("blocks", "retry", link, blocked=REST, shown="'retry' can't be read"),
            Case("blocks", "retry", dangling, blocked=REST, shown="'retry' can't be read"),
        ],
        "in place of": [Case("blocks", "retry", other_kind, blocked=REST, shown="'retry'")],
        "a FIFO": [Case("blocks", "retry", fifo, blocked=REST, shown="'retry'")],
        "changes": [
            Case("put back", "retry", with_line(f"{NEW},{BASE},{BASE}\n"), gone=frozenset({LONE})),
            Case("stopped", "retry", dangling),
        ],
    },
    "recent": {
        "absent": [Case("goes", RECENT, absent, **OF_PYTHON)],
        "empty": [Case("goes", RECENT, empty, stays=True, **OF_PYTHON)],
        "torn": [Case("goes", RECENT, torn("no id\n"), stays=True, **OF_PYTHON)],
        "unreadable": [Case("reported", RECENT, unreadable, stays=True, **OF_PYTHON)],
        "a link": [Case("reported", RECENT, link, stays=True, **OF_PYTHON)],
        "in place of": [Case("reported", RECENT, other_kind, stays=True, **OF_PYTHON)],
        "a FIFO": [Case("reported", RECENT, fifo, stays=True, **OF_PYTHON)],
        "changes": [Case("goes", RECENT, with_line(f"{NEW}\n"), stays=True, **OF_PYTHON)],
    },
}
EACH = [
    pytest.param(state, case, id=f"{name}: {state} {number}")
    for name, states in CASES.items()
    for state, cases in states.items()
    for number, case in enumerate(cases, 1)
]


def test_every_cell_of_the_table_has_a_test_of_each_outcome() -> None:
    section = SPEC.read_text("utf-8").split("\n## 6. ")[1]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    cells = {(name.strip("`"), state): purge for name, state, _, purge in rows[2:]}
    states = {state for _, state in cells}
    assert len(cells) == len(rows) - 2 == len(CASES) * len(states)
    outcomes = {key: re.findall(r"\*\*(.+?)\*\*", purge) for key, purge in cells.items()}
    assert {key: words for key, words in outcomes.items() if words} == {
        (name, state): [case.outcome for case in cases]
        for name, states in CASES.items()
        for state, cases in states.items()
    }
    defined = set(re.findall(r"^- \*\*(.+?)\*\*:", section, re.MULTILINE))
    assert defined == {word for words in outcomes.values() for word in words} | {"–"}


@pytest.fixture
def where(open_path: Path) -> Path:
    make_root(open_path)
    open_to_all(open_path)
    return open_path


def purge_words(case: Case, where: Path) -> list[str]:
    filters = ["--with-status", "failure", "--no-follow", "--lang", case.lang]
    return ["purge", str(where), *filters, *case.options, "--json"]


def in_place(where: Path) -> frozenset[str]:
    folders = [*where.glob("hipercow/tasks/??/*"), *where.glob("hipercow/py/tasks/??/*")]
    return frozenset(path.parent.name + path.name for path in folders)


@pytest.mark.parametrize(("state", "case"), EACH)
def test_a_purge_does_what_the_table_says(
    state: str, case: Case, where: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = where / "hipercow" / case.name
    if state == "changes":
        check_change(case, name, where, capsys)
        return
    case.spoil(name)
    tasks, held = in_place(where), tree(where)
    expected = {"goes": 0, "nothing": 0, "blocks": 1, "no root": 1, "refused": 1, "reported": 1}
    words = purge_words(case, where)
    with ordinary_user() if state == "unreadable" else nullcontext():
        check_scan(case, where)
        planned = main([*words, "--save-plan", str(where / "plan.json")])
        if (where / "plan.json").exists():
            (where / "plan.json").unlink()
        foretold = main([*words, "--dry-run"])
        said = capsys.readouterr().out.splitlines()
        done = main([*words, "--yes"])
    assert done == expected[case.outcome]
    if case.outcome in ("refused", "reported"):
        assert foretold == planned == 0
    else:
        assert foretold == planned == done
    check_dry_run(case, [json.loads(line) for line in said])
    if case.outcome in ("goes", "reported"):
        assert tasks - in_place(where) == case.gone
    else:
        assert tree(where) == held
    if case.stays:
        assert os.path.lexists(name)
    if case.outcome == "reported":
        assert "recent" in capsys.readouterr().out


def check_scan(case: Case, where: Path) -> None:
    if case.outcome == "no root":
        with pytest.raises(HipercowTuiError, match="Couldn't read"):
            hipercow_tui.scan(where)
        return
    part = hipercow_tui.scan(where).of_lang(case.lang)
    if case.lang == "r":
        assert part.tasks.keys() == case.tasks
    assert case.shown in " ".join(part.problems)


def check_dry_run(case: Case, said: list[dict[str, Any]]) -> None:
    for one in said:
        going = {task["id"] for task in one["tasks"]}
        blocked = {task["id"] for task in one["blocked"]}
        if case.outcome == "blocks":
            assert not going and blocked == case.blocked
        elif case.outcome in ("goes", "reported", "nothing"):
            assert going == case.gone and not blocked
    assert bool(said) == (case.outcome != "no root")


def check_change(case: Case, name: Path, where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Check a change between the plan and the real run, for a saved plan and for one in memory."""
    root, saved = find_root(where), where / "plan.json"
    assert main([*purge_words(case, where), "--save-plan", str(saved)]) == 0
    filters = requested_filters(None, None, None, "failure", follow=False, now=0.0)
    plan = make_plan(read_root(root).of_lang(case.lang), filters, now=time.time())
    case.spoil(name)
    tasks, held = in_place(where), tree(where)
    status = main(["apply", str(saved), "--yes"])
    if case.outcome == "goes":
        assert status == 0 and tasks - in_place(where) == case.gone
        assert name.read_text().split() == [NEW]
        return
    assert status == 1 and tree(where) == held
    if case.outcome == "put back":
        assert not execute(plan, root).complete
        assert tasks - in_place(where) == case.gone
    else:
        with pytest.raises(PurgeError):
            execute(plan, root)
        assert in_place(where) == tasks
    assert not batches(root)
    capsys.readouterr()
