"""Reads what tasks run, for the rows of the table: first what is on the screen, then, if a search
or an order by it needs them, all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Set

from hipercow_tui.gist import Gist
from hipercow_tui.model import Lang
from hipercow_tui.roots import Root
from hipercow_tui.roots.details import TaskDetails
from hipercow_tui.roots.py_details import read_what_runs
from hipercow_tui.ui.background import in_background
from hipercow_tui.ui.cells import plain

KEPT = 250_000  # gists, some 300 bytes each
SEARCHED = 2000  # characters of an input, or of code, that a search goes over
ROOM = 32_000_000  # characters of these, over all tasks, that rows have no room for
TELL_EVERY = 0.1  # seconds


class GistReader:
    """Fills ``gists`` in a thread of its own; what runs in a task never changes.

    ``tell`` is called in that thread after every tenth of a second in which something was read.
    ``python`` are the ids that are tasks of Python, all others are of R.
    """

    def __init__(
        self,
        root: Root,
        gists: dict[str, Gist],
        tell: Callable[[], object],
        broke: Callable[[Exception], object],
    ) -> None:
        self.gists = gists
        self.python: Collection[str] = ()
        self._root = root
        self._texts: dict[str, str] = {}
        self._room = ROOM
        self._tell = tell
        self._troubled: set[str] = set()  # those of which something could not be read
        self._wanted: list[str] = []
        self._rest: Iterator[str] = iter(())
        self._wake = threading.Event()
        self._stopped = False
        in_background(self._run, broke)

    def want(self, ids: Iterable[str]) -> None:
        """Read these next, in place of those that were wanted before."""
        wanted = [task_id for task_id in ids if task_id not in self.gists]
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
            self.gists.pop(task_id, None)
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
            if task_id not in self.gists:
                yield task_id

    def _read(self, task_id: str) -> None:
        lang = Lang.PY if task_id in self.python else Lang.R
        details = read_what_runs(self._root, task_id, lang)
        while len(self.gists) >= KEPT:
            self.gists.pop(next(iter(self.gists)), None)
        self.gists[task_id] = gist = self._gist(details)
        if gist.problem:
            self._troubled.add(task_id)

    def _gist(self, details: TaskDetails) -> Gist:
        what, varies = plain(details.what), plain(details.varies)
        problem = details.problem and plain(details.problem)
        rest = map(self._once, _untold(details, what, varies))
        return Gist(what, varies, problem, tuple(filter(None, rest)))

    def _once(self, text: str) -> str:
        """The same object for the same text: the tasks of a sweep have most of it in common."""
        known = self._texts.get(text)
        if known is None and self._room >= len(text):
            self._room -= len(text)
            known = self._texts[text] = text
        return known or ""


def _untold(details: TaskDetails, what: str, varies: str) -> Iterator[str]:
    """What a search goes over beyond the words of the row."""
    if what != details.what:
        yield details.what[:SEARCHED].casefold()
    whole = varies == details.varies
    for name, value in details.inputs:
        line = " ".join(value.split())
        told = f"{name} = {line}"
        if (line if whole else told) not in varies:
            yield told[:SEARCHED].casefold()
