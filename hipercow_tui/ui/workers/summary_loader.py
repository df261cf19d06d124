"""Reads what tasks run, for the rows of the table: first what is on the screen, then, if a search
or an order by it needs them, all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from dataclasses import replace

from hipercow_tui.analysis.task_summary import TaskSummary
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Bundle, Lang
from hipercow_tui.formats.details import TaskDetails
from hipercow_tui.formats.py_details import read_details_without_error
from hipercow_tui.formats.root import Root
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.workers.base import start_thread
from hipercow_tui.ui.workers.loop_priority import yield_to_ui

KEPT = 250_000  # gists, some 300 bytes each
SEARCHED = 2000  # characters of an input, or of code, that a search goes over
ROOM = 32_000_000  # characters of these, over all tasks, that rows have no room for
TELL_EVERY = 0.1  # seconds


class SummaryLoader:
    """Fills ``summaries`` in a thread of its own; what runs in a task never changes.

    ``tell`` is called in that thread after every tenth of a second in which something was read.
    """

    def __init__(
        self,
        root: Root,
        summaries: dict[str, TaskSummary],
        tell: Callable[[], object],
        broke: Callable[[Exception], object],
    ) -> None:
        self.summaries = summaries
        self._root = root
        self._snapshot = Snapshot(root.path)
        self._python: Collection[str] = ()
        self._bundles: Mapping[str, Bundle] = {}
        self._ends: dict[
            tuple[str, str], list[dict[str, int]]
        ] = {}  # hashes: values are of any length
        self._alone: set[str] = set()  # read while they were in no bundle
        self._texts: dict[str, str] = {}
        self._room = ROOM
        self._tell = tell
        self._troubled: set[str] = set()  # those of which something could not be read
        self._wanted: list[str] = []
        self._rest: Iterator[str] = iter(())
        self._wake = threading.Event()
        self._stopped = False
        start_thread(self._run, broke)

    def know(self, snapshot: Snapshot, changed: Set[str] = frozenset()) -> None:
        """Which tasks are of Python, and which stand in a bundle; ``changed`` are those of which
        that may be otherwise than before."""
        if snapshot is self._snapshot:
            return
        self._python = snapshot.of_lang(Lang.PY).tasks
        self._bundles = {bundle.name: bundle for bundle in snapshot.of_lang(Lang.R).bundles}
        self._snapshot = snapshot
        joined = [i for i in self._alone & changed if snapshot.tasks[i].bundles]
        self._alone.difference_update(joined)
        self.forget(joined)

    def want(self, ids: Iterable[str]) -> None:
        """Read these next, in place of those that were wanted before."""
        wanted = [task_id for task_id in ids if task_id not in self.summaries]
        if wanted:
            self._wanted = wanted[::-1]
            self._wake.set()

    def want_all(self, ids: Iterable[str]) -> None:
        """Read these too, when nothing else is wanted."""
        self._rest = iter(ids)
        self._wake.set()

    def forget(self, ids: Iterable[str]) -> None:
        """These are gone, or other tasks by the same id."""
        for task_id in ids:
            self.summaries.pop(task_id, None)
            self._troubled.discard(task_id)

    def forget_broken(self, ids: Set[str]) -> None:
        """These have changed: what could not be read of them may be there now."""
        self.forget(self._troubled & ids)

    def stop(self) -> None:
        """Read no more."""
        self._stopped = True
        self._wake.set()

    def _run(self) -> None:
        while not self._stopped:
            self._wake.wait()
            self._wake.clear()
            told = time.monotonic()
            unsaid = False
            for task_id in self._next():
                yield_to_ui()
                self._read(task_id)
                unsaid = True
                if time.monotonic() - told >= TELL_EVERY:
                    self._tell()
                    told, unsaid = time.monotonic(), False
            if unsaid:
                self._tell()

    def _next(self) -> Iterator[str]:
        while not self._stopped:
            wanted = self._wanted
            task_id = wanted.pop() if wanted else next(self._rest, None)
            if task_id is None:
                return
            if task_id not in self.summaries:
                yield task_id

    def _read(self, task_id: str) -> None:
        lang = Lang.PY if task_id in self._python else Lang.R
        details = read_details_without_error(self._root, task_id, lang)
        if len(details.short_inputs) > 1:
            details = self._varying_first(task_id, details)
        while len(self.summaries) >= KEPT:
            self.summaries.pop(next(iter(self.summaries)), None)
        self.summaries[task_id] = summary = self._summary(details)
        if summary.problem:
            self._troubled.add(task_id)

    def _varying_first(self, task_id: str, details: TaskDetails) -> TaskDetails:
        """With the inputs first that differ in the task's bundle. hipercow writes what is the same
        in all tasks of ``task_create_bulk_expr`` before what its table says."""
        ends = self._of_ends(task_id)

        def is_same(pair: tuple[tuple[str, str], str]) -> bool:
            (name, value), _ = pair
            return all(end.get(name) == hash(value) for end in ends)

        pairs = sorted(zip(details.inputs, details.short_inputs, strict=True), key=is_same)
        inputs, shown = zip(*pairs, strict=True)
        return replace(details, inputs=inputs, short_inputs=shown)

    def _of_ends(self, task_id: str) -> list[dict[str, int]]:
        """The inputs of the first and the last task of its bundle, as far as they can be read: from
        the one to the other all columns of a grid differ."""
        task = self._snapshot.tasks.get(task_id)
        chain = (task_id, *(task.chain if task else ()))
        tasks = filter(None, map(self._snapshot.tasks.get, chain))
        name = next((name for one in tasks for name in one.bundles), "")
        bundle = self._bundles.get(name)
        if bundle is None:
            self._alone.add(task_id)
            return []
        ids = bundle.task_ids[0], bundle.task_ids[-1]
        if ids not in self._ends:
            read = [read_details_without_error(self._root, one, Lang.R).inputs for one in ids]
            self._ends[ids] = [{n: hash(value) for n, value in each} for each in read if each]
        return self._ends[ids]

    def _summary(self, details: TaskDetails) -> TaskSummary:
        what, varies = plain_text(details.code_text), plain_text(details.inputs_text)
        problem = details.problem and plain_text(details.problem)
        rest = map(self._once, _untold(details, what, varies))
        return TaskSummary(what, varies, problem, tuple(filter(None, rest)))

    def _once(self, text: str) -> str:
        """The same object for the same text: the tasks of a sweep have most of it in common."""
        known = self._texts.get(text)
        if known is None and self._room >= len(text):
            self._room -= len(text)
            known = self._texts[text] = text
        return known or ""


def _untold(details: TaskDetails, what: str, varies: str) -> Iterator[str]:
    """What a search goes over beyond the words of the row."""
    if what != details.code_text:
        yield details.code_text[:SEARCHED].casefold()
    whole = varies == details.inputs_text
    for name, value in details.inputs:
        line = " ".join(value.split())
        told = f"{name} = {line}"
        if (line if whole else told) not in varies:
            yield told[:SEARCHED].casefold()
