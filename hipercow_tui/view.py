"""What the table shows: which tasks in which order, which of them are matched, which are found.

Pure: made from a snapshot, the filters and what was read of the tasks so far. Knows no screen.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import inf
from operator import attrgetter
from typing import Any, TypeAlias

from hipercow_tui.elapsed import ran, waited
from hipercow_tui.failures import Failure
from hipercow_tui.filters import FilterStack
from hipercow_tui.model import Bundle, Lang, Snapshot, Status, Task
from hipercow_tui.task_sizes import Sizes, Total, total


class Key(StrEnum):
    """What the tasks can be sorted by."""

    STATUS = "status"
    WHAT = "what"
    INPUTS = "inputs"
    BUNDLE = "bundle"
    CREATED = "created"
    WAITED = "waited"
    RAN = "ran"
    FINISHED = "finished"
    ATTEMPTS = "attempts"
    LANG = "lang"
    ID = "id"
    SIZE = "size"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class Sort:
    """An order of the tasks; ``reverse`` puts the largest, the newest, first. What is equal stands
    newest first either way."""

    key: Key = Key.FINISHED
    reverse: bool = True

    def turned(self, key: Key) -> Sort:
        """By this key, or if it is by that already, the other way round. Times and numbers begin
        with the newest and largest, words with the first."""
        if key is self.key:
            return Sort(key, not self.reverse)
        largest_first = (Key.FINISHED, Key.CREATED, Key.ATTEMPTS, *BY_SPAN, *BY_SIZE)
        return Sort(key, key in largest_first)


@dataclass(frozen=True, slots=True)
class Gist:
    """What a task runs, in the words of a row: ``run_sir(beta, gamma)`` and ``beta = 0.91``.

    ``rest`` is what no row has room for, case-folded: the inputs that ``varies`` does not tell
    whole, and code that ``what`` does not. It is for searches alone.
    """

    what: str = ""
    varies: str = ""
    problem: str | None = None
    rest: tuple[str, ...] = ()

    def says(self, needle: str) -> bool:
        """Whether the needle, which is case-folded, stands in it."""
        if needle in self.what.casefold() or needle in self.varies.casefold():
            return True
        return any(needle in text for text in self.rest) if self.rest else False


Gists: TypeAlias = Mapping[str, Gist]
Failures: TypeAlias = Mapping[str, Failure]
NO_GIST = Gist()
BY_SIZE = (Key.SIZE, Key.FILES)
BY_SPAN = (Key.WAITED, Key.RAN)
# Orders that change while more is read of the tasks, or as time goes by.
_UNSETTLED = (Key.WHAT, Key.INPUTS, *BY_SIZE, *BY_SPAN)


@dataclass(frozen=True, slots=True)
class View:
    """The rows of the task table.

    ``ids`` are the rows in order, ``rows`` where each of them stands; ``order`` is every task in
    that order. ``matched`` are the ids
    of tasks that pass all filters; without a filter none does, and ``filtered`` is false.
    ``markable`` are those that pass all but the marks: what "mark all" means. ``hits`` are the
    rows, ascending, in which ``query`` was found.
    """

    snapshot: Snapshot
    stack: FilterStack = field(default_factory=FilterStack)
    sort: Sort = field(default_factory=Sort)
    query: str = ""
    ids: tuple[str, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict, repr=False)
    order: tuple[str, ...] = field(default=(), repr=False)
    matched: frozenset[str] = frozenset()
    markable: frozenset[str] = frozenset()
    hits: tuple[int, ...] = ()

    @property
    def filtered(self) -> bool:
        """Whether there is any filter."""
        return bool(self.stack.given)

    def dims(self, task_id: str) -> bool:
        """Whether the row stands outside the intersection of the filters."""
        return self.filtered and task_id not in self.matched

    @property
    def takes(self) -> frozenset[str]:
        """What "mark all" marks of the rows: all that pass the other filters, and while something
        is searched for, of these what was found."""
        rows = [self.ids[row] for row in self.hits] if self.query else self.ids
        return self.markable.intersection(rows)


def next_hit(hits: Sequence[int], row: int, step: int) -> int | None:
    """Of these rows, ascending, the next one below ``row``, with a negative ``step`` above; past
    the last it is the first, past the first the last; None without any."""
    if not hits:
        return None
    return hits[bisect_right(hits, row) % len(hits) if step > 0 else bisect_left(hits, row) - 1]


def make_view(
    snapshot: Snapshot,
    stack: FilterStack,
    sort: Sort,
    *,
    only_matched: bool = False,
    query: str = "",
    gists: Gists | None = None,
    failures: Failures | None = None,
    sizes: Sizes | None = None,
    now: float = 0.0,
    before: View | None = None,
) -> View:
    """The rows for these filters, this order and this search.

    ``gists`` and ``failures`` are what was read of the tasks so far, ``sizes`` what was measured.
    ``now`` is the time, in seconds since the epoch, until which tasks under way have waited or run.
    ``before`` is the view that stood there: its order and its matches are used again where
    nothing that decides them has changed.
    """
    known = gists or {}
    same = before is not None and before.snapshot is snapshot
    if before is not None and same and before.sort == sort and sort.key not in _UNSETTLED:
        order = before.order
    else:
        near = before.order if before is not None and before.sort == sort else ()
        order = ordered(snapshot, sort, known, sizes or {}, now, near)
    if before is not None and same and before.stack == stack:
        matched, markable = before.matched, before.markable
    else:
        passing, gone = stack.matched(snapshot), snapshot.gone
        matched = passing if passing.isdisjoint(gone) else passing - gone
        markable = _markable(snapshot, stack, matched)
    ids = order
    if only_matched and stack.given:
        ids = tuple(filter(matched.__contains__, order))
    if before is not None and ids == before.ids:
        ids, rows = before.ids, before.rows
    else:
        rows = dict(zip(ids, range(len(ids)), strict=True))
    hits = _hits(snapshot, ids, query, known, failures or {}) if query else ()
    return View(snapshot, stack, sort, query, ids, rows, order, matched, markable, hits)


def _markable(snapshot: Snapshot, stack: FilterStack, matched: frozenset[str]) -> frozenset[str]:
    others = replace(stack, task_ids=None)
    if not others.given:
        return frozenset(snapshot.tasks)
    return others.matched(snapshot) if stack.task_ids else matched


def ordered(
    snapshot: Snapshot,
    sort: Sort,
    gists: Gists,
    sizes: Sizes,
    now: float,
    near: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """Every task of the snapshot in this order at the time ``now``. ``near`` is an order that comes
    near to it: what is nearly sorted is sorted in no time."""
    known = snapshot.tasks
    tasks = [known[task_id] for task_id in near if task_id in known]
    if len(tasks) < len(known):
        tasks += map(known.__getitem__, known.keys() - set(near))
    value = _sort_key(sort.key, gists, sizes, now)
    newest_first = 1.0 if sort.reverse else -1.0
    tasks.sort(key=lambda task: (value(task), newest_first * _created(task)), reverse=sort.reverse)
    return tuple([task.id for task in tasks])


def _created(task: Task) -> float:
    return task.created or 0.0


def _finished(task: Task) -> float:
    """What has not ended counts as ending last of all: it is the newest there is."""
    return inf if task.finished is None else task.finished


_RANK = {status: rank for rank, status in enumerate(Status)}


def _sort_key(key: Key, gists: Gists, sizes: Sizes, now: float) -> Callable[[Task], Any]:
    if key in BY_SPAN:
        span = waited if key is Key.WAITED else ran
        return lambda task: -1.0 if (found := span(task, now)) is None else found
    if key is Key.SIZE:
        return lambda task: one.size.bytes if (one := sizes.get(task.id)) else -1
    if key is Key.FILES:
        return lambda task: one.size.files if (one := sizes.get(task.id)) else -1
    if key is Key.WHAT:
        return lambda task: gists.get(task.id, NO_GIST).what.casefold()
    if key is Key.INPUTS:
        return lambda task: _natural(gists.get(task.id, NO_GIST).varies)
    return _KEYS[key]


_KEYS: Mapping[Key, Callable[[Task], Any]] = {
    Key.STATUS: lambda task: _RANK[task.status],
    Key.BUNDLE: lambda task: " ".join(task.bundles),
    Key.CREATED: _created,
    Key.FINISHED: _finished,
    Key.ATTEMPTS: lambda task: len(task.chain),
    Key.LANG: lambda task: task.lang.shown,
    Key.ID: lambda task: task.id,
}


def _natural(varies: str) -> tuple[str, float, str]:
    """``n = 9`` before ``n = 10``: by name, then by number, then by letter."""
    name, _, value = varies.partition(" = ")
    try:
        return name, float(value.partition(",")[0].rstrip("L")), value
    except ValueError:
        return name, inf, value


def _hits(
    snapshot: Snapshot, ids: tuple[str, ...], query: str, gists: Gists, failures: Failures
) -> tuple[int, ...]:
    needle = query.casefold()
    bundles = frozenset(b.name for b in snapshot.bundles if needle in b.name.casefold())
    tasks = snapshot.tasks
    return tuple(
        [
            row
            for row, task_id in enumerate(ids)
            if needle in task_id
            or (bundles and not bundles.isdisjoint(tasks[task_id].bundles))
            or gists.get(task_id, NO_GIST).says(needle)
            or ((failure := failures.get(task_id)) and failure.says(needle))
        ]
    )


_TIP = attrgetter("tip_status")
# The statuses of a bundle's tasks as one, in the order of R's hipercow_bundle_status(reduce = TRUE)
REDUCED = (
    Status.CREATED,
    Status.FAILURE,
    Status.CANCELLED,
    Status.RUNNING,
    Status.SUBMITTED,
    Status.SUCCESS,
)


@dataclass(frozen=True, slots=True)
class BundleLine:
    """A bundle as a list shows it: how many of its ids are tasks that exist, and of each status,
    a retried task counted as its tip; ``changed`` is the time of its file, ``held`` what its tasks
    hold as far as it was measured."""

    name: str
    tasks: int
    gone: int
    counts: Mapping[Status, int]
    changed: float | None
    held: Total = field(default_factory=Total)
    lang: Lang = Lang.R

    @property
    def reduced(self) -> Status | None:
        """One status for all: the first of R's order that any task has; None without tasks."""
        return next((status for status in REDUCED if self.counts.get(status)), None)


class BundleKey(StrEnum):
    """What the bundles can be sorted by."""

    NAME = "name"
    LANG = "lang"
    TASKS = "tasks"
    STATUS = "status"
    CHANGED = "changed"
    SIZE = "size"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class BundleSort:
    """An order of the bundles; the newest first unless asked otherwise."""

    key: BundleKey = BundleKey.CHANGED
    reverse: bool = True

    def turned(self, key: BundleKey) -> BundleSort:
        """By this key, or if it is by that already, the other way round."""
        if key is self.key:
            return BundleSort(key, not self.reverse)
        return BundleSort(key, key not in (BundleKey.NAME, BundleKey.LANG, BundleKey.STATUS))


def bundle_lines(
    snapshot: Snapshot, sort: BundleSort, sizes: Sizes | None = None
) -> tuple[BundleLine, ...]:
    """Every bundle of the snapshot in this order; what is equal by name."""
    lines = [
        _bundle_line(part, bundle, sizes or {})
        for part in snapshot.by_lang
        for bundle in part.bundles
    ]
    lines.sort(key=lambda line: line.name)
    lines.sort(key=_BUNDLE_KEYS[sort.key], reverse=sort.reverse)
    return tuple(lines)


_BUNDLE_KEYS: Mapping[BundleKey, Callable[[BundleLine], Any]] = {
    BundleKey.NAME: lambda line: line.name,
    BundleKey.LANG: lambda line: line.lang.shown,
    BundleKey.TASKS: lambda line: line.tasks,
    BundleKey.STATUS: lambda line: REDUCED.index(line.reduced) if line.reduced else len(REDUCED),
    BundleKey.CHANGED: lambda line: line.changed or 0.0,
    BundleKey.SIZE: lambda line: line.held.size.bytes,
    BundleKey.FILES: lambda line: line.held.size.files,
}


def _bundle_line(snapshot: Snapshot, bundle: Bundle, sizes: Sizes) -> BundleLine:
    ids: Collection[str] = bundle.task_ids
    if not snapshot.absent.isdisjoint(ids):
        ids = [task_id for task_id in ids if task_id not in snapshot.absent]
    members = list(map(snapshot.tasks.__getitem__, ids))
    counts = Counter(map(_TIP, members))
    del counts[None]
    gone = len(bundle.task_ids) - len(members)
    held = total(members, sizes) if sizes else Total(tasks=len(members))
    return BundleLine(bundle.name, len(members), gone, counts, bundle.changed, held, bundle.lang)
