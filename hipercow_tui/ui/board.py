"""All that the browser shows of a root at once, made in a thread of its own from a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hipercow_tui.counts import FilterCounts, count_passing
from hipercow_tui.filters import FilterStack
from hipercow_tui.model import Snapshot
from hipercow_tui.plan import Tally, tally
from hipercow_tui.stuck import stuck
from hipercow_tui.task_sizes import Sizes
from hipercow_tui.ui.widgets.header_line import Facts
from hipercow_tui.view import (
    BundleLine,
    BundleSort,
    Failures,
    Gists,
    Sort,
    View,
    bundle_lines,
    make_view,
)

STUCK_EVERY = 10.0  # seconds; to tell of 100,000 tasks costs up to 0.07 s


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


@dataclass(frozen=True, slots=True)
class Board:
    """What there is to show for a wish."""

    wish: Wish
    view: View
    bundles: tuple[BundleLine, ...]
    counts: FilterCounts
    facts: Facts
    stuck: Mapping[str, str]


@dataclass(slots=True)
class BoardMaker:
    """Makes one board after another and uses again what has not changed; for one thread."""

    gists: Gists
    sizes: Sizes
    failures: Failures
    _last: Board | None = field(default=None, init=False)
    _stuck_of: Wish | None = field(default=None, init=False)
    _known_stuck: Mapping[str, str] = field(default_factory=dict, init=False)

    def make(self, wish: Wish) -> Board:
        """The board for a wish."""
        last = self._last
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
        )
        if (
            last
            and last.wish.snapshot is wish.snapshot
            and last.wish.bundle_sort == wish.bundle_sort
            and last.wish.measured == wish.measured
        ):
            bundles = last.bundles
        else:
            bundles = bundle_lines(wish.snapshot, wish.bundle_sort, self.sizes)
        counts = count_passing(wish.snapshot, wish.stack, wish.now)
        same = last is not None and last.wish.snapshot is wish.snapshot
        facts = last.facts if last and same else Facts.of(wish.snapshot)
        self._last = Board(wish, view, bundles, counts, facts, self._stuck(wish))
        return self._last

    def _stuck(self, wish: Wish) -> Mapping[str, str]:
        """A filter or a search changes nothing of it, and need not wait for it."""
        known = self._stuck_of
        if (
            known is None
            or known.snapshot is not wish.snapshot
            or known.written is not wish.written
            or wish.now - known.now > STUCK_EVERY
        ):
            self._stuck_of = wish
            self._known_stuck = stuck(wish.snapshot, wish.now, wish.written)
        return self._known_stuck


def sum_of(wish: Wish) -> Tally:
    """How much a purge would take with these filters; nothing without filters."""
    return tally(wish.snapshot, wish.stack) if wish.stack.given else Tally()
