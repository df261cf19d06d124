"""Reads what tasks run, for each screen that shows it, into one cache.

Errors of failed tasks take longer to read, and ``failure_worker`` reads them in another thread: on
a slow disk, the rows on the screen must not wait for them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import replace
from functools import lru_cache
from itertools import chain

from hipercow_tui.analysis.error_groups import inputs_of
from hipercow_tui.analysis.task_summary import NO_SUMMARY, TaskSummary, pack_inputs
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Bundle, Lang
from hipercow_tui.formats.details import TaskDetails
from hipercow_tui.formats.py_details import read_details_without_error
from hipercow_tui.formats.root import Root
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.workers.base import BackgroundWorker

MAX_SUMMARIES = 250_000  # about 400 bytes each
MAX_INPUT_BYTES = 100_000_000  # of the packed inputs of all summaries
MAX_SEARCH_TEXT = 2000  # characters of one input, or of the code
MAX_SEARCH_TEXTS = 32_000_000  # characters of all search texts
NOTIFY_INTERVAL = 0.1  # seconds


class SummaryRequests:
    """The tasks that one screen wants to read.

    ``summaries`` is the cache of the loader. ``full`` becomes true, and ``want_all`` reads no more,
    when a summary that it read was dropped for a newer one: all of them don't fit into the cache.
    """

    def __init__(self, loader: SummaryLoader, on_loaded: Callable[[], object]) -> None:
        self.summaries = loader.summaries
        self.on_loaded = on_loaded
        self.rows: Iterator[str] = iter(())
        self.others: Iterator[str] = iter(())
        self.read: set[str] = set()  # those of ``others`` that were read
        self.full = False
        self._loader = loader

    def want(self, ids: Iterable[str]) -> None:
        """Read these rows next, instead of the rows of the previous call."""
        self.rows = iter([task_id for task_id in ids if self._loader.is_outdated(task_id)])
        self._loader.wake()

    def want_all(self, ids: Iterable[str]) -> None:
        """Read these tasks after the rows, instead of the tasks of the previous call."""
        self.others = iter(ids)
        self._loader.wake()

    def dropped(self, task_id: str) -> None:
        """Stop ``want_all`` if this summary, which was dropped for a newer one, was read by it."""
        if task_id in self.read:
            self.read.discard(task_id)
            self.others = iter(())
            self.full = True

    def close(self) -> None:
        """Cancel the requests."""
        self._loader.unsubscribe(self)


class SummaryLoader(BackgroundWorker):
    """Fills ``summaries``, by task id, in a thread.

    A summary is replaced if its task changed and a screen wants it again. ``on_error`` is called
    with an unexpected error, in the thread.
    """

    def __init__(
        self,
        root: Root,
        summaries: dict[str, TaskSummary],
        on_error: Callable[[Exception], object],
    ) -> None:
        super().__init__(on_error)
        self.summaries = summaries
        self._root = root
        self._snapshot = Snapshot(root.path)
        self._bundles: Mapping[str, Bundle] = {}
        self._outdated: set[str] = set()  # ids of changed tasks that have a summary
        self._requests: tuple[SummaryRequests, ...] = ()  # the newest first
        self._lock = threading.Lock()  # for changes of ``summaries`` and ``_input_bytes``
        self._input_bytes = 0
        # The same object for equal texts: tasks of a sweep have most of them in common.
        self._shared_text = lru_cache(maxsize=1000)(str)
        self._search_texts: dict[str, str] = {}
        self._search_space = MAX_SEARCH_TEXTS
        self._varying = lru_cache(maxsize=1000)(self._read_ends)

    def subscribe(self, on_loaded: Callable[[], object]) -> SummaryRequests:
        """Requests of another screen, which go first. ``on_loaded`` is called in the thread, at
        most ten times a second, after summaries were read."""
        requests = SummaryRequests(self, on_loaded)
        self._requests = (requests, *self._requests)
        return requests

    def unsubscribe(self, requests: SummaryRequests) -> None:
        """Read no more for a screen, and do not call it."""
        self._requests = tuple(each for each in self._requests if each is not requests)

    def update(
        self, snapshot: Snapshot, changed: Set[str] = frozenset(), removed: Iterable[str] = ()
    ) -> None:
        """Use a new snapshot. ``changed`` and ``removed`` are the ids that differ from the one
        before; summaries of removed tasks are dropped."""
        for task_id in removed:
            with self._lock:
                self._drop(task_id)
        if snapshot is self._snapshot:
            return
        self._bundles = {bundle.name: bundle for bundle in snapshot.of_lang(Lang.R).bundles}
        self._snapshot = snapshot
        self._varying.cache_clear()
        self._outdated.update(filter(self.summaries.__contains__, changed))

    def is_outdated(self, task_id: str) -> bool:
        """Whether the summary of a task has to be read, for the first time or again."""
        return task_id not in self.summaries or task_id in self._outdated

    def wake(self) -> None:
        """Look for new requests."""
        self._wake()

    def _step(self) -> None:
        pending = False
        while not self._stopped and (task_id := self._next_id()) is not None:
            self._read(task_id)
            pending = True
            if self._is_due(NOTIFY_INTERVAL):
                self._notify()
                pending = False
        if pending:
            self._notify()

    def _notify(self) -> None:
        for requests in self._requests:
            requests.on_loaded()

    def _next_id(self) -> str | None:
        """The task to read next: rows of any screen before other tasks."""
        rows = chain(*(requests.rows for requests in self._requests))
        task_id = next(filter(self.is_outdated, rows), None)
        if task_id is not None:
            return task_id
        for requests in self._requests:
            task_id = next(filter(self.is_outdated, requests.others), None)
            if task_id is not None:
                requests.read.add(task_id)
                return task_id
        return None

    def _read(self, task_id: str) -> None:
        task = self._snapshot.tasks.get(task_id)
        self._outdated.discard(task_id)
        details = read_details_without_error(self._root, task_id, task.lang if task else Lang.R)
        self._store(task_id, self._summary(task_id, details))
        if self._snapshot.tasks.get(task_id) is not task:  # changed while it was read
            self._outdated.add(task_id)

    def _store(self, task_id: str, summary: TaskSummary) -> None:
        with self._lock:
            before = self.summaries.get(task_id, NO_SUMMARY)
            self.summaries[task_id] = summary
            self._input_bytes += len(summary.packed_inputs) - len(before.packed_inputs)
            while len(self.summaries) > MAX_SUMMARIES or self._input_bytes > MAX_INPUT_BYTES:
                oldest = next(iter(self.summaries))
                self._drop(oldest)
                for requests in self._requests:
                    requests.dropped(oldest)

    def _drop(self, task_id: str) -> None:
        """Remove a summary, if there is one; call it with the lock."""
        self._input_bytes -= len(self.summaries.pop(task_id, NO_SUMMARY).packed_inputs)
        self._outdated.discard(task_id)

    def _summary(self, task_id: str, details: TaskDetails) -> TaskSummary:
        inputs = pack_inputs(inputs_of(details))
        if len(details.short_inputs) > 1:
            details = self._varying_first(task_id, details)
        code_text = self._shared_text(plain_text(details.code_text))
        inputs_text = plain_text(details.inputs_text)
        problem = details.problem and plain_text(details.problem)
        texts = map(self._shared_search_text, _search_texts(details, code_text, inputs_text))
        search_texts = tuple(filter(None, texts))
        environment = self._shared_text(plain_text(details.environment or ""))
        return TaskSummary(code_text, inputs_text, problem, search_texts, inputs, environment)

    def _varying_first(self, task_id: str, details: TaskDetails) -> TaskDetails:
        """The details with those inputs first that differ in the task's bundle. hipercow writes
        inputs that are equal in all tasks of ``task_create_bulk_expr`` before the others."""
        ends = self._ends_of_bundle(task_id)

        def is_same(pair: tuple[tuple[str, str], str]) -> bool:
            (name, value), _ = pair
            return all(end.get(name) == hash(value) for end in ends)

        pairs = sorted(zip(details.inputs, details.short_inputs, strict=True), key=is_same)
        inputs, short_inputs = zip(*pairs, strict=True)
        return replace(details, inputs=inputs, short_inputs=short_inputs)

    def _ends_of_bundle(self, task_id: str) -> list[dict[str, int]]:
        """Hashes of the inputs of the first and the last task of the bundle of a task, or of its
        retry chain. All columns of a grid differ between these two."""
        known = self._snapshot.tasks
        task = known.get(task_id)
        ids = (task_id, *(task.chain if task else ()))
        tasks = filter(None, map(known.get, ids))
        name = next((name for each in tasks for name in each.bundles), "")
        bundle = self._bundles.get(name)
        members = bundle.task_ids if bundle else ()
        return self._varying(members[0], members[-1]) if members else []

    def _read_ends(self, *ids: str) -> list[dict[str, int]]:
        read = [read_details_without_error(self._root, task_id, Lang.R).inputs for task_id in ids]
        return [{name: hash(value) for name, value in inputs} for inputs in read if inputs]

    def _shared_search_text(self, text: str) -> str:
        """The same object for equal texts; an empty text if there is no space left."""
        known = self._search_texts.get(text)
        if known is None and self._search_space >= len(text):
            self._search_space -= len(text)
            known = self._search_texts[text] = text
        return known or ""


def _search_texts(details: TaskDetails, code_text: str, inputs_text: str) -> Iterator[str]:
    """Code and inputs that the texts of the row do not show completely."""
    if code_text != details.code_text:
        yield details.code_text[:MAX_SEARCH_TEXT].casefold()
    unaltered = inputs_text == details.inputs_text
    for name, value in details.inputs:
        line = " ".join(value.split())
        text = f"{name} = {line}"
        if (line if unaltered else text) not in inputs_text:
            yield text[:MAX_SEARCH_TEXT].casefold()
