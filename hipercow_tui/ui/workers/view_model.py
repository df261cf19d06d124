"""All that the browser shows of a root at once, made in a thread of its own from a snapshot."""

from __future__ import annotations

import time
from collections.abc import Mapping, Set
from contextlib import nullcontext
from dataclasses import dataclass, field

from hipercow_tui.analysis.bundle_rows import (
    BundleLine,
    BundleLines,
    BundleSort,
    sorted_lines,
)
from hipercow_tui.analysis.disk_usage import Sizes
from hipercow_tui.analysis.possibly_stuck import stuck
from hipercow_tui.analysis.task_sorting import Sort
from hipercow_tui.analysis.task_summary import Gists
from hipercow_tui.analysis.task_view import Failures, View, make_view
from hipercow_tui.domain.filter_counts import FilterCounts, count_passing
from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.domain.incremental import take_over
from hipercow_tui.domain.plan import Tally, tally
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import moved_tasks
from hipercow_tui.ui.widgets.header import Facts
from hipercow_tui.ui.workers.loop_priority import answering, give_way

STUCK_EVERY = 10.0  # seconds
STUCK_SHARE = 20  # of the time, at most one part: 100,000 tasks cost up to 0.07 s


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person at the screen wants to see; ``now`` is in seconds since the epoch."""

    snapshot: Snapshot
    now: float
    stack: FilterStack
    sort: Sort
    bundle_sort: BundleSort
    only_matched: bool
    query: str
    measured: int = 0  # how much was: a board that knew less is another
    written: Mapping[str, float] = field(default_factory=dict)  # when logs were, by task

    @property
    def asks(self) -> tuple[object, ...]:
        """What somebody asked for: the rest changes by itself."""
        return self.stack, self.sort, self.bundle_sort, self.only_matched, self.query


@dataclass(frozen=True, slots=True)
class Board:
    """What there is to show for a wish."""

    wish: Wish
    view: View
    bundles: tuple[BundleLine, ...]
    counts: FilterCounts
    facts: Facts
    stuck: Mapping[str, str]
    took: float  # seconds to make it


@dataclass(slots=True)
class BoardMaker:
    """Makes one board after another and uses again what has not changed; for one thread."""

    gists: Gists
    sizes: Sizes
    failures: Failures
    _last: Board | None = field(default=None, init=False)
    _lines: BundleLines = field(default_factory=BundleLines, init=False)
    _stuck_of: Wish | None = field(default=None, init=False)
    _stuck_due: float = field(default=0.0, init=False)  # on the monotonic clock
    _known_stuck: Mapping[str, str] = field(default_factory=dict, init=False)

    def make(self, wish: Wish) -> Board:
        """The board for a wish."""
        waited_for = self._last is not None and self._last.wish.asks != wish.asks
        with answering() if waited_for else nullcontext():
            return self._make(wish)

    def _make(self, wish: Wish) -> Board:
        began, last = time.monotonic(), self._last
        before = last.wish.snapshot if last else Snapshot(wish.snapshot.root)
        moved = moved_tasks(before.tasks, wish.snapshot.tasks)
        if before is not wish.snapshot:
            take_over(before, wish.snapshot, moved)
        give_way(to_answers=False)
        view = make_view(
            wish.snapshot,
            wish.stack,
            wish.sort,
            only_matched=wish.only_matched,
            query=wish.query,
            gists=self.gists,
            failures=self.failures,
            sizes=self.sizes,
            now=wish.now,
            before=last.view if last else None,
            moved=moved,
        )
        give_way(to_answers=False)
        counts = count_passing(wish.snapshot, wish.stack, wish.now)
        same = last is not None and last.wish.snapshot is wish.snapshot
        facts = last.facts if last and same else Facts.of(wish.snapshot)
        give_way(to_answers=False)
        bundles = self._bundles(wish, moved)
        give_way(to_answers=False)
        known_stuck, took = self._stuck(wish), time.monotonic() - began
        self._last = Board(wish, view, bundles, counts, facts, known_stuck, took)
        return self._last

    def _bundles(self, wish: Wish, moved: Set[str]) -> tuple[BundleLine, ...]:
        """The lines of the bundles, of which those are made anew whose tasks changed."""
        last = self._last
        if last is not None and last.wish.measured == wish.measured:
            before, now = last.wish.snapshot.tasks, wish.snapshot.tasks
            if before is now and last.wish.bundle_sort == wish.bundle_sort:
                return last.bundles
            moves = [(before.get(i), now.get(i)) for i in moved]
        else:
            moves = None
        return sorted_lines(self._lines.of(wish.snapshot, self.sizes, moves), wish.bundle_sort)

    def _stuck(self, wish: Wish) -> Mapping[str, str]:
        """A filter or a search changes nothing of it, and need not wait for it."""
        known = self._stuck_of
        began = time.monotonic()
        if (
            known is None
            or (known.snapshot is not wish.snapshot and began >= self._stuck_due)
            or known.written is not wish.written
            or wish.now - known.now > STUCK_EVERY
        ):
            self._stuck_of = wish
            self._known_stuck = stuck(wish.snapshot, wish.now, wish.written)
            ended = time.monotonic()
            self._stuck_due = ended + STUCK_SHARE * (ended - began)
        return self._known_stuck


def sum_of(wish: Wish) -> Tally:
    """How much a purge would take with these filters; nothing without filters."""
    return tally(wish.snapshot, wish.stack, now=wish.now) if wish.stack.given else Tally()
