"""Wrong replies for calls on the list of recent tasks of Python: errors, errors although the call
was done, success although nothing was done. The list is right afterwards, or the report says that
it may be wrong."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from purge_stage import list_entries, plan_of
from py_stage import batches_of_both, in_place_of_both, recent
from small_py_root import write_py_task
from small_root import task_id

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import empty, execute, move_to_trash, restore
from hipercow_tui.purging.recent_list import append_ids, remove_ids
from hipercow_tui.purging.results import ItemResult
from hipercow_tui.purging.root_dirs import open_root_dirs
from hipercow_tui.support.errors import PurgeError

GONE = (task_id(1), task_id(2))
KEPT = (task_id(3), task_id(4))
BEFORE = [KEPT[0], *GONE, KEPT[1]]
BY_NAME = ("open", "rename", "unlink")
BY_DESCRIPTOR = ("write", "fsync", "fchmod", "fchown")
# The error instead of the call, or after it. None: nothing is done, and success is reported.
FAILS = [errno.EIO, errno.ENOSPC]
DONE = [errno.EIO, errno.ESTALE, errno.ENOENT, errno.EEXIST]
FAULTS = [
    *((code, False) for code in FAILS),
    *((code, True) for code in DONE),
    (None, False),
]


@dataclass
class Fault:
    """Gives a wrong reply to call number ``step`` of those that change the list or its draft."""

    step: int
    code: int | None
    done: bool
    spoiled: str = ""
    _calls: int = 0
    _ours: set[int] = field(default_factory=set)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            supported = os.supports_dir_fd
            for name in (*BY_NAME, *BY_DESCRIPTOR):
                hooked = self._hooked(name, getattr(os, name))
                patch.setattr(os, name, hooked)
                supported = supported | {hooked}
            patch.setattr(os, "supports_dir_fd", supported)
            patch.setattr(os, "close", self._closing(os.close))
            yield

    def _closing(self, real: Callable[[int], None]) -> Callable[[int], None]:
        def close(fd: int) -> None:
            self._ours.discard(fd)  # the next file that is opened may get the same number
            real(fd)

        return close

    def _hooked(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(what: Any, *args: Any, **kwargs: Any) -> Any:
            if not self._changes_the_list(name, what, args):
                return real(what, *args, **kwargs)
            self._calls += 1
            spoiled = self._calls == self.step
            if spoiled:
                self.spoiled = f"{name} {what}"
            lies = spoiled and self.code is None
            done = None
            if not spoiled or self.done or (lies and name == "open"):
                done = real(what, *args, **kwargs)
            if name == "open" and done is not None:
                self._ours.add(done)
            if spoiled and self.code is not None:
                raise OSError(self.code, os.strerror(self.code))
            return len(args[0]) if lies and name == "write" else done

        return call

    def _changes_the_list(self, name: str, what: Any, args: Any) -> bool:
        if name == "open":
            return str(what) in ("recent", "tui-recent") and bool(args[0] & os.O_WRONLY)
        return str(what) == "tui-recent" if name in BY_NAME else what in self._ours


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ABANDONED", "_POLL"):
        monkeypatch.setattr(f"hipercow_tui.purging.recent_list.{name}", 0.001)
    monkeypatch.setattr("hipercow_tui.purging.eraser._PAUSES", (0.0,))


@pytest.fixture
def root(tmp_path: Path) -> Root:
    for identity in BEFORE:
        write_py_task(tmp_path, identity, "failure" if identity in GONE else "success")
    return find_root(tmp_path)


def write_list(root: Root, ids: Collection[str]) -> None:
    (root.hipercow / "py" / "tui-recent").unlink(missing_ok=True)
    (root.hipercow / "py" / "recent").write_text("".join(f"{i}\n" for i in ids))


def says_so(failed: ItemResult | None) -> bool:
    return failed is not None and failed.name == "recent" and "--rebuild" in failed.reason


@pytest.mark.parametrize(("code", "done"), FAULTS)
def test_ids_are_removed_or_the_failure_is_reported(
    root: Root, code: int | None, done: bool
) -> None:
    spoiled = set()
    with open_root_dirs(root.part(Lang.PY)) as dirs:
        for step in range(1, 50):
            write_list(root, BEFORE)
            fault = Fault(step, code, done)
            with fault.at_work():
                failed = remove_ids(dirs, GONE)
            listed = recent(root)
            assert [i for i in listed if i not in GONE] == list(KEPT), fault.spoiled
            assert listed == list(KEPT) or says_so(failed), fault.spoiled
            if not fault.spoiled:
                break
            spoiled.add(fault.spoiled.split()[0])
            # The remains of a failed call do no harm.
            assert remove_ids(dirs, GONE) is None and recent(root) == list(KEPT)
    assert spoiled >= {"open", "write", "fsync", "rename", "fchmod", "fchown"}


@pytest.mark.parametrize(("code", "done"), FAULTS)
def test_ids_are_appended_once_or_the_failure_is_reported(
    root: Root, code: int | None, done: bool
) -> None:
    spoiled = set()
    with open_root_dirs(root.part(Lang.PY)) as dirs:
        for step in range(1, 50):
            write_list(root, KEPT)
            fault = Fault(step, code, done)
            with fault.at_work():
                failed = append_ids(dirs, GONE)
            listed = recent(root)
            assert listed == [*KEPT, *GONE] or (listed == list(KEPT) and says_so(failed))
            if not fault.spoiled:
                break
            spoiled.add(fault.spoiled.split()[0])
    assert spoiled == {"open", "write"}


@pytest.mark.parametrize("size", range(1, 80, 7))
def test_a_partial_write_is_completed(
    root: Root, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """As on a disk that has just been filled and emptied again; a torn line is not an id."""
    real, calls = os.write, []

    def write(fd: int, data: bytes) -> int:
        calls.append(len(data))
        return real(fd, data[:size] if len(calls) == 1 else data)

    write_list(root, KEPT)
    with open_root_dirs(root.part(Lang.PY)) as dirs:
        monkeypatch.setattr(os, "write", write)
        assert append_ids(dirs, GONE) is None
    listed = recent(root)
    assert [i for i in listed if i in BEFORE] == [*KEPT, *GONE]
    assert len(calls) == (1 if size > 65 else 2)


LATE = task_id(9)


@pytest.mark.parametrize(("code", "done"), FAULTS)
def test_lines_appended_meanwhile_are_kept_or_the_failure_is_reported(
    root: Root, code: int | None, done: bool
) -> None:
    """hipercow appends a task after the list was read and before the rename."""
    with open_root_dirs(root.part(Lang.PY)) as dirs:
        for step in range(1, 50):
            write_list(root, BEFORE)
            fault = Fault(step, code, done)
            with fault.at_work(), pytest.MonkeyPatch.context() as patch:
                rename = os.rename

                def renamed(*args: Any, real: Any = rename, **kwargs: Any) -> None:
                    with open(root.hipercow / "py" / "recent", "a") as file:
                        file.write(f"{LATE}\n")
                    real(*args, **kwargs)

                patch.setattr(os, "rename", renamed)
                failed = remove_ids(dirs, GONE)
            listed = recent(root)
            assert len(set(listed)) == len(listed)
            assert listed == [*KEPT, LATE] or says_so(failed), fault.spoiled
            assert set(KEPT) <= set(listed)
            if not fault.spoiled:
                break
    assert step > 8


def purge(plan: PurgePlan, root: Root, _: str) -> tuple[ItemResult, ...]:
    return execute(plan, root).failed


def trash(plan: PurgePlan, root: Root, _: str) -> tuple[ItemResult, ...]:
    return move_to_trash(plan, root).failed


def undo(_: PurgePlan, root: Root, batch_id: str) -> tuple[ItemResult, ...]:
    return restore(root, batch_id).failed


def erase(_: PurgePlan, root: Root, batch_id: str) -> tuple[ItemResult, ...]:
    return empty(root, list_entries(root, batch_id)).failed


Action = Callable[[PurgePlan, Root, str], tuple[ItemResult, ...]]


@pytest.mark.parametrize("action", [purge, trash, undo, erase])
@pytest.mark.parametrize(("code", "done"), FAULTS[1:3] + FAULTS[-1:])
def test_the_report_of_every_action_names_possible_errors_in_the_list(
    tmp_path: Path, action: Action, code: int | None, done: bool
) -> None:
    for step in range(1, 50):
        where = tmp_path / str(step)
        for identity in BEFORE:
            write_py_task(where, identity, "failure" if identity in GONE else "success")
        root = find_root(where)
        plan, batch_id = plan_of(root), ""
        if action in (undo, erase):
            batch_id = str(move_to_trash(plan, root).trash)
        if action is erase:
            write_list(root, BEFORE)  # as a move to the trash on a full disk leaves it
        fault = Fault(step, code, done)
        with fault.at_work():
            failed = action(plan, root, batch_id)
        listed = recent(root)
        assert sorted(listed) == sorted(in_place_of_both(root)) or any(map(says_so, failed))
        assert action is trash or batches_of_both(root) == []
        assert set(KEPT) <= set(listed) and len(set(listed)) == len(listed)
        if not fault.spoiled:
            break
    assert step > 2


def test_a_failed_purge_reports_lines_that_may_be_missing(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(root)
    real, append = os.rename, os.write

    def rename(source: str, target: str, **kwargs: int) -> None:
        if target.endswith(".erasing"):
            monkeypatch.setattr(os, "write", write)
            raise OSError(errno.EIO, "Input/output error")
        real(source, target, **kwargs)

    def write(fd: int, data: bytes) -> int:
        if GONE[0].encode() in data:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return append(fd, data)

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(PurgeError) as raised:
        execute(plan, root)
    said = str(raised.value)
    assert (
        "Nothing was deleted; all tasks and bundles are back where they were."
        " recent: tasks may be missing" in said
    )
    assert said.endswith("'hipercow task recent --rebuild' corrects it.")
    assert in_place_of_both(root) == set(BEFORE) and recent(root) == list(KEPT)
