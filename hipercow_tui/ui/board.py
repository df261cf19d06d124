"""All that the browser shows of a root at once, made in a thread of its own from a snapshot."""

from __future__ import annotations

from dataclasses import dataclass, field

from hipercow_tui.counts import FilterCounts, count_passing
from hipercow_tui.filters import FilterStack
from hipercow_tui.model import Snapshot
from hipercow_tui.plan import Tally, tally
from hipercow_tui.task_sizes import Sizes
from hipercow_tui.ui.widgets.header_line import Facts
from hipercow_tui.view import (
    BundleLine,
    BundleSort,
    Gists,
    Sort,
    View,
    bundle_lines,
    make_view,
)


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


@dataclass(frozen=True, slots=True)
class Board:
    """What there is to show for a wish."""

    wish: Wish
    view: View
    bundles: tuple[BundleLine, ...]
    counts: FilterCounts
    facts: Facts


@dataclass(slots=True)
class BoardMaker:
    """Makes one board after another and uses again what has not changed; for one thread."""

    gists: Gists
    sizes: Sizes
    _last: Board | None = field(default=None, init=False)

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
            sizes=self.sizes,
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
        self._last = Board(wish, view, bundles, counts, facts)
        return self._last


def sum_of(wish: Wish) -> Tally:
    """How much a purge would take with these filters; nothing without filters."""
    return tally(wish.snapshot, wish.stack) if wish.stack.given else Tally()
