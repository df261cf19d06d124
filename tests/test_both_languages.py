"""One folder that is a root of R and of Python: one list, and no cascade crosses."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from small_py_root import py_dir, write_py_bundle, write_py_task
from small_root import NOW, task_id, write_bundle, write_retries, write_task

from hipercow_tui import UnknownTasksError, purge, scan
from hipercow_tui.filters import FilterStack, InBundle, TaskIds, WithStatus
from hipercow_tui.model import Lang, Snapshot
from hipercow_tui.plan import make_plan
from hipercow_tui.roots import find_root

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


def test_both_are_one_list(root: Path) -> None:
    snapshot = scan(root)
    langs = {i: task.lang for i, task in snapshot.tasks.items()}
    assert langs == {R1: Lang.R, R2: Lang.R, P1: Lang.PY, P2: Lang.PY}
    assert [(b.name, b.lang) for b in snapshot.bundles] == [("same", Lang.R), ("same", Lang.PY)]
    assert set(snapshot.by_status["failure"]) == {R1, P1}  # type: ignore[index]


@pytest.mark.parametrize(
    ("lang", "ids"), [("r", {R1, R2}), ("py", {P1, P2}), (None, {R1, R2, P1, P2})]
)
def test_each_is_a_part(root: Path, lang: str | None, ids: set[str]) -> None:
    part = scan(root).of_lang(lang)
    assert set(part.tasks) == ids
    assert len(part.bundles) == (2 if lang is None else 1)


def test_a_root_of_one_language_is_that_part_alone(root: Path) -> None:
    shutil.rmtree(root / "hipercow" / "tasks")
    shutil.rmtree(root / "hipercow" / "bundles")
    snapshot = scan(root)
    assert snapshot.lang is Lang.PY and not snapshot.parts
    assert not snapshot.of_lang("r").tasks
    shutil.rmtree(py_dir(root))
    assert not scan(root).tasks


def test_a_bundle_of_one_takes_no_task_of_the_other(root: Path) -> None:
    """Whoever writes an id of R into a bundle of Python gains nothing."""
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


def test_a_retry_of_one_draws_no_task_of_the_other_in(root: Path) -> None:
    write_retries(root, [(P1, R1, R1)])
    snapshot = scan(root)
    assert going(snapshot, FilterStack(task_ids=TaskIds(frozenset([R1]))))[0] == {R1}
    assert going(snapshot, FilterStack(task_ids=TaskIds(frozenset([P1])))) == (
        {P1},
        {("py", "same")},
    )
    assert snapshot.tasks[R1].tip_status is None  # R's tip is gone, whatever Python has
    followed = FilterStack(with_status=WithStatus.purgeable(["failure"]))
    assert followed.matched(snapshot) == {P1}


def test_gone_ids_of_one_take_no_bundle_of_the_other(root: Path) -> None:
    write_py_bundle(root, "old", [GONE])
    write_bundle(root, "ancient", [GONE])
    stack = FilterStack(in_bundle=InBundle.of("old"))
    assert going(scan(root), stack) == (set(), {("py", "old")})


def test_one_bundle_name_matches_both(root: Path) -> None:
    stack = FilterStack(in_bundle=InBundle.of("same"))
    assert going(scan(root), stack) == ({R1, P1}, {("r", "same"), ("py", "same")})


def test_a_copied_id_is_passed_over_with_a_sentence(root: Path) -> None:
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
