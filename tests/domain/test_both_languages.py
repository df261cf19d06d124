"""A folder that is a root of R and of Python: one list, and no cascade between them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_py_root import py_dir, py_folder, write_py_bundle, write_py_task
from small_root import NOW, task_id, write_bundle, write_retries, write_task

from hipercow_tui import UnknownTasksError, purge, scan
from hipercow_tui.cli.main import main
from hipercow_tui.domain.combined_snapshot import combine_snapshots
from hipercow_tui.domain.filter_counts import count_passing
from hipercow_tui.domain.filters import FilterStack, InBundle, OfLang, TaskIds, WithStatus
from hipercow_tui.domain.plan import make_plan
from hipercow_tui.domain.retry_chains import RetryChains, RetryLink
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import DATA, Bundle, Lang, Status, Task
from hipercow_tui.formats.folder_size import measure_many
from hipercow_tui.formats.root import find_root
from hipercow_tui.purging.plan_file import save_plan
from hipercow_tui.purging.plan_format import plan_from_dict, plan_to_dict
from hipercow_tui.scanning.combined_scanner import CombinedScanner

R1, R2, P1, P2, GONE = map(task_id, range(1, 6))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_task(tmp_path, R1, "failure")
    write_task(tmp_path, R2, "success")
    write_py_task(tmp_path, P1, "failure")
    write_py_task(tmp_path, P2, "success")
    write_bundle(tmp_path, "same", [R1])
    write_py_bundle(tmp_path, "same", [P1])
    return tmp_path


def going(snapshot: Snapshot, stack: FilterStack) -> tuple[set[str], set[tuple[str, str]]]:
    plan = make_plan(snapshot, stack, now=NOW)
    return set(plan.ids), {(one.bundle.lang.value, one.bundle.name) for one in plan.bundles}


def test_tasks_of_both_languages_are_in_one_list(root: Path) -> None:
    snapshot = scan(root)
    langs = {i: task.lang for i, task in snapshot.tasks.items()}
    assert langs == {R1: Lang.R, R2: Lang.R, P1: Lang.PY, P2: Lang.PY}
    assert [(b.name, b.lang) for b in snapshot.bundles] == [("same", Lang.R), ("same", Lang.PY)]
    assert set(snapshot.with_status(Status.FAILURE)) == {R1, P1}


@pytest.mark.parametrize(
    ("lang", "ids"), [("r", {R1, R2}), ("py", {P1, P2}), (None, {R1, R2, P1, P2})]
)
def test_each_language_is_a_part_of_the_snapshot(
    root: Path, lang: str | None, ids: set[str]
) -> None:
    part = scan(root).of_lang(lang)
    assert set(part.tasks) == ids
    assert len(part.bundles) == (2 if lang is None else 1)


def test_root_of_one_language_has_only_that_part(root: Path) -> None:
    shutil.rmtree(root / "hipercow" / "tasks")
    shutil.rmtree(root / "hipercow" / "bundles")
    snapshot = scan(root)
    assert snapshot.lang is Lang.PY and not snapshot.by_language
    assert not snapshot.of_lang("r").tasks
    shutil.rmtree(py_dir(root))
    assert not scan(root).tasks


def test_bundle_of_one_language_takes_no_task_of_the_other(root: Path) -> None:
    """An id of R in a bundle of Python has no effect."""
    write_py_bundle(root, "crossing", [R1, P2])
    write_bundle(root, "back", [P2, P1])
    snapshot = scan(root)
    stack = FilterStack(in_bundle=InBundle.of("crossing"))
    assert stack.matched(snapshot) == {P2}
    assert going(snapshot, stack) == ({P2}, {("py", "crossing")})
    assert going(snapshot, FilterStack(task_ids=TaskIds(frozenset([P1])))) == (
        {P1},
        {("py", "same")},
    )


def test_retry_of_one_language_cascades_to_no_task_of_the_other(root: Path) -> None:
    write_retries(root, [(P1, R1, R1)])
    snapshot = scan(root)
    assert going(snapshot, FilterStack(task_ids=TaskIds(frozenset([R1]))))[0] == {R1}
    assert going(snapshot, FilterStack(task_ids=TaskIds(frozenset([P1])))) == (
        {P1},
        {("py", "same")},
    )
    assert (
        snapshot.tasks[R1].latest_status is None
    )  # the latest attempt of R is missing; Python has one
    followed = FilterStack(with_status=WithStatus.for_purge(["failure"]))
    assert followed.matched(snapshot) == {P1}


def test_missing_ids_of_one_language_take_no_bundle_of_the_other(root: Path) -> None:
    write_py_bundle(root, "old", [GONE])
    write_bundle(root, "ancient", [GONE])
    stack = FilterStack(in_bundle=InBundle.of("old"))
    assert going(scan(root), stack) == (set(), {("py", "old")})


def test_one_bundle_name_matches_both(root: Path) -> None:
    stack = FilterStack(in_bundle=InBundle.of("same"))
    assert going(scan(root), stack) == ({R1, P1}, {("r", "same"), ("py", "same")})


def test_copied_id_is_ignored_and_reported(root: Path) -> None:
    write_py_task(root, R1, "running")
    snapshot = scan(root)
    assert snapshot.tasks[R1].lang is Lang.R
    assert any(R1 in problem for problem in snapshot.problems)


def test_lang_chooses_what_a_dry_run_names(root: Path) -> None:
    assert set(purge(with_status="failure", dry_run=True, root=root)) == {R1, P1}
    assert purge(with_status="failure", lang="py", dry_run=True, root=root) == [P1]
    with pytest.raises(UnknownTasksError):
        purge(P1, lang="r", dry_run=True, root=root)


def test_a_linked_python_root_is_browsed_and_not_purged(root: Path) -> None:
    elsewhere = py_dir(root).rename(root / "elsewhere")
    py_dir(root).symlink_to(elsewhere)
    assert P1 in scan(root).tasks
    assert "symbolic link" in str(find_root(root).purge_refusal)
    py_dir(root).unlink()
    elsewhere.rename(py_dir(root))
    bundles = (py_dir(root) / "bundles").rename(root / "elsewhere")
    (py_dir(root) / "bundles").symlink_to(bundles)
    assert "symbolic link" in str(find_root(root).purge_refusal)


def test_scanner_follows_changes_of_both_languages(root: Path) -> None:
    now = 1000.0
    scanner = CombinedScanner(find_root(root), monotonic=lambda: now)

    def look() -> tuple[Snapshot, set[str], set[str]]:
        nonlocal now
        now += 5
        changed: set[str] = set()
        gone: set[str] = set()
        for state in scanner.scan():
            changed |= state.changed
            gone |= state.removed_ids
        assert state.complete
        return state.snapshot, changed, gone

    assert look()[1] == {R1, R2, P1, P2}
    for _ in range(3):
        snapshot, *rest = look()
    assert rest == [set(), set()] and look()[0] is snapshot
    (py_folder(root, P2) / "status-failure").touch()
    shutil.rmtree(py_folder(root, P1))
    write_py_task(root, GONE, "created")
    snapshot, changed, gone = look()
    assert changed >= {GONE} and gone == {P1}
    assert P1 not in snapshot.tasks and snapshot.tasks[GONE].lang is Lang.PY
    shutil.rmtree(py_dir(root))
    snapshot, _, gone = look()
    assert gone == {P2, GONE} and set(snapshot.tasks) == {R1, R2} and not snapshot.by_language


def test_only_the_last_state_of_a_pass_is_complete(root: Path) -> None:
    scanner = CombinedScanner(find_root(root))
    *others, last = [state.complete for state in scanner.scan()]
    assert last and others and not any(others)
    shutil.rmtree(py_dir(root))
    *others, last = [state.complete for state in CombinedScanner(find_root(root)).scan()]
    assert last and not any(others)


def test_a_python_root_that_comes_later_is_found(root: Path) -> None:
    loose_task = py_dir(root).rename(root / "aside")
    scanner = CombinedScanner(find_root(root))
    assert len([*scanner.scan()][-1].snapshot.tasks) == 2
    loose_task.rename(py_dir(root))
    assert len([*scanner.scan()][-1].snapshot.tasks) == 4


def test_sizes_are_measured_in_either_language(root: Path) -> None:
    sizes = measure_many(find_root(root), [R1, P1, GONE])
    assert sizes[P1].bytes == sum(p.stat().st_size for p in py_folder(root, P1).iterdir())
    assert set(sizes) == {R1, P1}


def test_the_command_line_lists_both_with_their_details(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", str(root), "--details", "--json"]) == 0
    lines = {line["id"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert lines[P1]["lang"] == "py" and lines[R1]["lang"] == "r"
    assert (lines[P1]["type"], lines[P1]["runs"]) == ("shell", "echo hello")
    assert main(["list", str(root)]) == 0
    assert sorted(line.split()[1] for line in capsys.readouterr().out.splitlines()) == [
        *["Python"] * 2,
        *["R"] * 2,
    ]
    assert main(["list", str(root), "--lang", "py", "--json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_language_filter_keeps_tasks_that_missing_ids_take(root: Path) -> None:
    write_py_bundle(root, "old", [GONE])
    snapshot = scan(root)
    assert FilterStack(lang=OfLang(Lang.PY)).matched(snapshot) == {P1, P2}
    assert FilterStack(lang=OfLang(Lang.R)).matched(snapshot.of_lang("py")) == set()
    stack = FilterStack(in_bundle=InBundle.of("*"), lang=OfLang(Lang.PY))
    assert going(snapshot, stack) == ({P1}, {("py", "same"), ("py", "old")})
    assert str(stack) == "in bundle * · of Python"


def test_a_plan_of_both_is_saved_and_carried_out_later(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_py_bundle(root, "in/a folder", [P1, P2])
    write_py_bundle(root, "crossing", [R1])
    stack = FilterStack(with_status=WithStatus.for_purge(["failure"]))
    saved = str(root / "plan.json")
    for lang in (None, OfLang(Lang.PY), OfLang(Lang.R)):
        plan = make_plan(scan(root), replace(stack, lang=lang), now=NOW)
        assert plan_from_dict(plan_to_dict(plan)).filters == plan.filters
    save_plan(make_plan(scan(root), stack, now=NOW), saved)
    assert main(["apply", saved, "--yes"]) == 0
    assert "Purged 2 tasks and 3 bundles" in capsys.readouterr().out
    assert set(scan(root).tasks) == {R2, P2}
    assert [bundle.name for bundle in scan(root).bundles] == ["crossing"]


def test_trash_of_both_languages_names_the_language(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["purge", str(root), "--with-status", "failure", "--trash", "--yes"]) == 0
    capsys.readouterr()
    assert main(["trash", str(root)]) == 0
    of_r, of_python = capsys.readouterr().out.splitlines()
    assert "1 task and 1 bundle of Python" in of_python and "Python" not in of_r
    assert main(["trash", str(root), "--json"]) == 0
    batches = json.loads(capsys.readouterr().out)["lots"]
    assert [batch["lang"] for batch in batches] == ["r", "py"]
    assert main(["trash", str(root), "--restore", batches[0]["stamp"]]) == 0
    assert "Restored 2 tasks and 2 bundles" in capsys.readouterr().out
    assert set(scan(root).tasks) == {R1, R2, P1, P2}


def test_filter_counts_include_both_languages(root: Path) -> None:
    write_retries(root, [(P1, R1, R1)])
    counts = count_passing(scan(root), FilterStack(), NOW)
    assert counts.langs == {Lang.R: 2, Lang.PY: 2}
    assert counts.statuses[Status.FAILURE] == 1  # the task of R has a missing retry
    assert counts.statuses[Status.SUCCESS] == 2


# Any two roots in one folder, with ids of each other in retries and bundles

IDS = [task_id(number) for number in range(1, 9)]
ids = st.sampled_from(IDS)
statuses = st.sampled_from([Status.FAILURE, Status.SUCCESS, Status.RUNNING, Status.CREATED])
named = st.dictionaries(st.sampled_from(["a", "b", "c/d"]), st.sets(ids, max_size=4), max_size=3)


@given(
    tasks=st.dictionaries(ids, st.tuples(st.sampled_from(Lang), statuses)),
    retries=st.lists(st.tuples(ids, ids, ids), max_size=4),
    bundles=st.fixed_dictionaries(dict.fromkeys(Lang, named)),
    given=st.fixed_dictionaries(
        {},
        optional={
            "task_ids": st.sets(ids).map(lambda these: TaskIds(frozenset(these))),
            "in_bundle": st.sampled_from(["*", "a", "[bc]*"]).map(InBundle.of),
            "with_status": st.sampled_from(["failure", "success"]).map(
                lambda one: WithStatus.for_purge([one])
            ),
        },
    ),
)
@settings(max_examples=150, deadline=None)
def test_no_cascade_crosses_the_languages(
    tasks: dict[str, tuple[Lang, Status]],
    retries: list[tuple[str, str, str]],
    bundles: dict[Lang, dict[str, set[str]]],
    given: dict[str, Any],
) -> None:
    """A plan of both languages is the sum of the plans of R and of Python."""
    chains = RetryChains(tuple(RetryLink(*line) for line in retries))
    parts = [
        Snapshot(
            Path("/project"),
            {
                i: Task(i, status, DATA, latest_status=status, chain=chain, lang=lang)
                for i, (whose, status) in tasks.items()
                for chain in [chains.chain(i) if lang is Lang.R else ()]
                if whose is lang
            },
            tuple(Bundle(name, tuple(sorted(held)), lang=lang) for name, held in named.items()),
            chains if lang is Lang.R else RetryChains(),
            lang=lang,
        )
        for lang, named in bundles.items()
    ]
    stack = FilterStack(**given)
    whole = make_plan(combine_snapshots(*parts), stack, now=NOW, skip_blocked=True)
    known = {lang: {i for i, (whose, _) in tasks.items() if whose is lang} for lang in Lang}
    assert set(whole.ids) == {one.task.id for one in whole.tasks} <= tasks.keys()
    for part in parts:
        alone = make_plan(part, stack, now=NOW, skip_blocked=True)
        mine = whole.of_lang(part.lang)
        assert mine.ids == alone.ids and set(mine.ids) <= known[part.lang]
        assert {one.task.id for one in mine.blocked} == {one.task.id for one in alone.blocked}
        # Here, an id of a task of the other language is neither a task nor missing.
        strangers = tasks.keys() - known[part.lang]
        for one in alone.bundles:
            if strangers.isdisjoint(one.bundle.task_ids):
                assert one in mine.bundles
        assert {one.bundle.name for one in mine.bundles} <= {
            one.bundle.name for one in alone.bundles
        }
