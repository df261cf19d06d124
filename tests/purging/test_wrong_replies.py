"""The file system gives a wrong reply to each change of a root in turn: an error although the
change was made, or success although it was not."""

from __future__ import annotations

import errno
import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from purge_stage import batches, folder_of, in_place, list_entries, plan_of, release_heartbeat
from small_py_root import write_py_bundle, write_py_task
from small_root import DAY, NOW, task_id, tree, write_bundle, write_retries, write_task

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.py_layout import RECENT
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import (
    BatchState,
    EmptyReport,
    PurgeReport,
    RestoreReport,
    empty,
    execute,
    finish,
    list_interrupted,
    list_trash,
    move_to_trash,
    restore,
)
from hipercow_tui.support.errors import PurgeError

Report: TypeAlias = PurgeReport | RestoreReport | EmptyReport
Action: TypeAlias = Callable[["Stage"], Report]
Reply: TypeAlias = Callable[[int], int | None]

CHANGES = ("rename", "unlink", "rmdir", "mkdir", "link")
ERRORS = (errno.EIO, errno.ESTALE, errno.ENOENT, errno.EEXIST, errno.ETIMEDOUT)
NOT_DONE = 0  # the change is reported as done, but is not made


@contextmanager
def wrong_replies(reply: Reply, hipercow: Path) -> Iterator[list[str]]:
    """Gives wrong replies to the changing calls, counted from 1: an error number though the change
    is made, or NOT_DONE; a right reply for None. Yields the names of the calls made.

    Erasing a task is allowed only in a state in which a later process can detect it.
    """
    made: list[str] = []

    def replying(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> None:
            made.append(name)
            if args[0] == "data":
                batches = hipercow.glob("tui/*.erasing/manifest.json")
                assert any(batches) or any(hipercow.glob("tui-*.erasing"))
            code = reply(len(made))
            if code == NOT_DONE:
                return
            real(*args, **kwargs)
            if code is not None:
                raise OSError(code, os.strerror(code))

        return call

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hipercow_tui.purging.eraser._PAUSES", (0.0,))
        patch.setattr(os, "fsync", lambda fd: None)
        for name in CHANGES:
            patch.setattr(os, name, replying(name, getattr(os, name)))
        yield made


@dataclass
class Stage:
    """A root of one language with tasks to purge, reset before each run."""

    root: Root
    part: Root
    plan: PurgePlan
    chains: list[list[str]]
    bundles: dict[str, set[str]]
    contents: dict[str, dict[str, bytes | None]]

    @classmethod
    def make(cls, where: Path, lang: Lang, chains: int) -> Stage:
        """Make chains of two (not for Python) and a task without retries, each with a folder in it;
        a bundle of that task and the last task of each chain, and one of that task alone."""
        number = count(1)
        made = [[task_id(next(number)) for _ in range(2)] for _ in range(chains)]
        alone = task_id(next(number))
        ids = [*chain.from_iterable(made), alone]
        make_task: Callable[..., Path] = write_task if lang is Lang.R else write_py_task
        for identity in ids:
            folder = make_task(where, identity, "failure", finished=NOW - DAY)
            for marker in ("submitted", "running"):
                (folder / f"status-{marker}").unlink()
            (folder / "figures").mkdir()
            (folder / "figures" / "one").write_text(identity)
        if lang is Lang.R:
            write_retries(where, [(b, a, a) for a, b in made])
        else:
            made = []
        make_bundle = write_bundle if lang is Lang.R else write_py_bundle
        bundles = {"sweep": {*(ids[-1] for ids in made), alone}, "solo": {alone}}
        for name, members in bundles.items():
            make_bundle(where, name, sorted(members))
        (where / "hipercow" / "tasks").mkdir(exist_ok=True)
        root = find_root(where)
        part = root.part(lang)
        contents = {i: tree(folder_of(part, i)) for i in ids}
        return cls(root, part, plan_of(root), made, bundles, contents)

    @property
    def saved(self) -> Path:
        return self.root.path.with_name("saved")

    def save(self) -> None:
        shutil.copytree(self.root.path, self.saved)

    def reset(self) -> None:
        shutil.rmtree(self.root.path)
        shutil.copytree(self.saved, self.root.path, copy_function=shutil.copyfile)
        self.let_time_pass()

    def let_time_pass(self) -> None:
        """Let a minute pass without a heartbeat."""
        for path in self.part.hipercow.glob("tui/*Z-*/alive"):
            release_heartbeat(path)
        for pattern in ("tui/*Z-*", "tui-*"):
            for path in self.part.hipercow.glob(pattern):
                os.utime(path, (0, 0))

    def places(self, identity: str) -> dict[str, Path]:
        """Return the places of a task, complete or not."""
        found = {"place": folder_of(self.part, identity)}
        for batch in batches(self.part):
            for name in ("tasks", "erasing"):
                found[f"{batch.name}/{name}"] = batch / name / identity
        for name in (f"tui-{identity}", f"tui-{identity}.erasing"):
            found[name] = self.part.hipercow / name
        return {name: path for name, path in found.items() if path.exists()}

    def gone(self) -> set[str]:
        """Return the missing tasks. Check that each other one is in one place, complete or partly
        erased."""
        gone = set()
        for identity, contents in self.contents.items():
            found = self.places(identity)
            assert len(found) <= 1, found
            if not found:
                gone.add(identity)
            for name, path in found.items():
                assert name.endswith("erasing") or tree(path) == contents, name
        return gone

    @property
    def is_split(self) -> bool:
        """Return whether a retry is in its place without its previous attempt."""
        standing = in_place(self.part)
        left = [[i for i in ids if i in standing] for ids in self.chains]
        return any(some != ids[: len(some)] for some, ids in zip(left, self.chains, strict=True))

    def bundle_exists(self, name: str) -> bool:
        found = [self.part.bundles, *(batch / "bundles" for batch in batches(self.part))]
        return any((folder / name).exists() for folder in found)

    @property
    def batch_ids(self) -> list[str]:
        """Return the id of the batch, or those of the loose tasks, first attempt first."""
        return [batch.batch_id for batch in list_trash(self.root)]


def die_at(call: str, name: str, act: Callable[[], object]) -> None:
    """Run an action in a process that is killed before this call on this name."""
    child = os.fork()
    if child == 0:
        real = getattr(os, call)

        def dying(path: str, *args: Any, **kwargs: Any) -> None:
            if path == name:
                os._exit(9)
            real(path, *args, **kwargs)

        setattr(os, call, dying)
        act()
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@contextmanager
def full_disk() -> Iterator[None]:
    def mkdir(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "mkdir", mkdir)
        yield


def purge(stage: Stage) -> Report:
    return execute(stage.plan, stage.root)


def purge_full_disk(stage: Stage) -> Report:
    with full_disk():
        return execute(stage.plan, stage.root)


def move(stage: Stage) -> Report:
    return move_to_trash(stage.plan, stage.root)


def undo(stage: Stage) -> Report:
    return restore(stage.root, stage.batch_ids[0])


def empty_it(stage: Stage) -> Report:
    return empty(stage.root, list_entries(stage.root, stage.batch_ids[-1]))


def finish_it(stage: Stage) -> Report:
    return finish(stage.root, stage.batch_ids[-1])


def finish_the_first(stage: Stage) -> Report:
    return finish(stage.root, stage.batch_ids[0])


def nothing(stage: Stage) -> None:
    """Leave the root unchanged."""


def a_retry_runs_again(stage: Stage) -> None:
    """Run a retry again, so that its chain and the bundle that lists it are put back."""
    retry = list(stage.contents)[1]
    (folder_of(stage.part, retry) / "status-success").touch()
    stage.contents[retry] = tree(folder_of(stage.part, retry))


def die_while_moving(stage: Stage) -> None:
    name = list(stage.contents)[1][2:]
    die_at("rename", name, lambda: purge(stage))


def die_while_erasing(stage: Stage) -> None:
    die_at("rmdir", "figures", lambda: purge(stage))


def die_on_a_full_disk(stage: Stage) -> None:
    name = f"tui-{list(stage.contents)[1]}"
    die_at("rename", name, lambda: purge_full_disk(stage))


CASES: dict[str, tuple[Callable[[Stage], object], Action, Lang]] = {
    "purge": (nothing, purge, Lang.R),
    "purge of what changed": (a_retry_runs_again, purge, Lang.R),
    "purge on a full disk": (nothing, purge_full_disk, Lang.R),
    "move to the trash": (nothing, move, Lang.R),
    "undo": (move, undo, Lang.R),
    "empty": (move, empty_it, Lang.R),
    "finish a move": (die_while_moving, finish_it, Lang.R),
    "restore after a move": (die_while_moving, undo, Lang.R),
    "finish erasing": (die_while_erasing, finish_it, Lang.R),
    "restore after erasing": (die_while_erasing, undo, Lang.R),
    "restore from a full disk": (die_on_a_full_disk, undo, Lang.R),
    "finish on a full disk": (die_on_a_full_disk, finish_the_first, Lang.R),
    "purge of Python": (nothing, purge, Lang.PY),
    "undo of Python": (move, undo, Lang.PY),
    "restore of Python": (die_while_moving, undo, Lang.PY),
}


def check_report(stage: Stage, report: Report, gone: set[str], gone_before: set[str]) -> None:
    """Check that a report agrees with the disk."""
    standing = in_place(stage.part)
    bundles = {path.name for path in stage.part.bundles.iterdir()}
    if isinstance(report, RestoreReport):
        assert set(report.restored) <= standing and set(report.restored_bundles) <= bundles
        assert not standing & set(report.missing_ids)
        assert gone <= set(report.missing_ids) | gone_before
    elif isinstance(report, PurgeReport) and report.trash:
        for identity in report.removed:
            assert f"{report.trash}.trash/tasks" in stage.places(identity)
    else:
        assert set(report.removed) <= gone and gone - gone_before <= set(report.removed)
        assert not any(map(stage.bundle_exists, report.removed_bundles))
    if isinstance(report, RestoreReport) and not report.batch_id.startswith("tui"):
        assert not any(stage.bundles[name] & gone for name in bundles)
    if isinstance(report, PurgeReport):
        for one in report.put_back:
            assert one.name in (bundles if one.is_bundle else standing), one
        for one in report.vanished:
            assert not stage.places(one.name), one
    for one in report.failed:
        assert one.where is None or one.where.exists(), one


def bring_to_an_end(stage: Stage, *, by_restoring: bool) -> None:
    """Restore or finish everything that is left. Check that nothing is interrupted then."""
    root = stage.root
    stage.let_time_pass()
    broken_off = {batch.batch_id for batch in list_interrupted(root)}
    for batch_id in sorted({batch.batch_id for batch in list_trash(root)}):
        if by_restoring:
            restore(root, batch_id)
        elif batch_id in broken_off:
            finish(root, batch_id)
        else:
            empty(root, list_entries(root, batch_id))
    gone, left = stage.gone(), list_trash(root)
    assert not list_interrupted(root) and not stage.is_split
    assert not any(batch.partly_erased for batch in left)
    if by_restoring:
        assert {batch.state for batch in left} <= {BatchState.QUARANTINED}
        kept = {i for batch in left for i in batch.tasks}
        assert in_place(stage.part) == set(stage.contents) - gone - kept
        for name, members in stage.bundles.items():
            assert stage.bundle_exists(name) or not members <= in_place(stage.part)


def run(
    stage: Stage, act: Action, reply: Reply, *, by_restoring: bool
) -> tuple[int, Report | None]:
    """Run once with wrong replies, then recover. Return the number of changes that the run made,
    and its report if it did not fail as a whole."""
    stage.reset()
    gone_before, split_before = stage.gone(), stage.is_split
    report: Report | None = None
    with wrong_replies(reply, stage.part.hipercow) as made:
        try:
            report = act(stage)
        except PurgeError as error:
            assert str(error)
    gone = stage.gone()
    assert not stage.is_split or (split_before and report is None)
    if report is not None:
        check_report(stage, report, gone, gone_before)
    bring_to_an_end(stage, by_restoring=by_restoring)
    return len(made), report


def at_each_change(where: Path, case: str, reply: Callable[[int], int]) -> Iterator[Report | None]:
    """Run the case with one wrong reply: to its first change, then to its second, and so on."""
    prepare, act, lang = CASES[case]
    stage = Stage.make(where / "project", lang, 1)
    prepare(stage)
    stage.save()
    for step in count(1):
        by_restoring = step % 2 == 0
        made, report = run(stage, act, {step: reply(step)}.get, by_restoring=by_restoring)
        yield report
        if made < step:  # it was over before
            assert step > 3
            return


@pytest.mark.parametrize("case", CASES)
def test_a_change_that_is_done_but_reported_as_an_error_is_taken_as_done(
    tmp_path: Path, case: str
) -> None:
    reports = list(
        at_each_change(tmp_path, case, lambda step: ERRORS[(step + len(case)) % len(ERRORS)])
    )
    # If a batch can't be made or taken over, the run ends before anything is moved.
    assert reports[2:].count(None) == 0
    outcomes = [summary(one) for one in reports if one is not None]
    assert outcomes == outcomes[-1:] * len(outcomes), "not as without wrong replies"


def summary(report: Report) -> tuple[int, list[str]]:
    """Return the results of a report, without errors of the list of recent tasks of Python."""
    done = report.restored if isinstance(report, RestoreReport) else report.removed
    return len(done), [one.name for one in report.failed if one.name != RECENT]


@pytest.mark.parametrize("case", CASES)
def test_a_change_that_is_reported_but_not_done_loses_and_hides_nothing(
    tmp_path: Path, case: str
) -> None:
    reports = list(at_each_change(tmp_path, case, lambda step: NOT_DONE))
    assert reports[-1] is not None


def test_one_wrong_error_in_a_hundred_changes_nothing(tmp_path: Path) -> None:
    stage = Stage.make(tmp_path / "project", Lang.R, 8)
    stage.save()
    wrong = 0
    for seed in range(30):
        dice = random.Random(seed)
        codes = [dice.choice(ERRORS) if dice.random() < 0.01 else None for _ in range(1000)]
        act = (purge, move, purge_full_disk)[seed % 3]
        made, report = run(stage, act, codes.__getitem__, by_restoring=seed % 2 == 0)
        wrong += len(list(filter(None, codes[:made])))
        assert report is not None
    assert wrong > 15
