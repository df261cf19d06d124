"""Everything that works behind the browser in threads of its own, and what it has to say."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from textual.message import Message

from hipercow_tui.analysis.error_groups import ErrorSort
from hipercow_tui.analysis.failure_cache import ErrorMemory
from hipercow_tui.analysis.task_summary import Gist
from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.domain.plan import make_plan
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.py_details import details_of
from hipercow_tui.formats.root import Root
from hipercow_tui.scanning.combined_scanner import RootScanner
from hipercow_tui.scanning.scan_cache import Index
from hipercow_tui.ui.messages import (
    BoardMade,
    Broke,
    DetailsRead,
    ErrorsMade,
    GistsRead,
    LogsSeen,
    Looked,
    PlanMade,
    SizesRead,
    SumMade,
    TrashSeen,
)
from hipercow_tui.ui.workers.base import Newest
from hipercow_tui.ui.workers.failure_worker import ErrorDesk, ErrorWish
from hipercow_tui.ui.workers.log_activity import LogWatch
from hipercow_tui.ui.workers.loop_priority import give_way
from hipercow_tui.ui.workers.poller import Poller
from hipercow_tui.ui.workers.size_worker import SizeReader
from hipercow_tui.ui.workers.summary_loader import GistReader
from hipercow_tui.ui.workers.view_model import BoardMaker, Wish, sum_of

if TYPE_CHECKING:
    from hipercow_tui.ui.workers.trash_monitor import TrashLooker

SUM_AFTER = 0.1  # seconds without another change of the filters, which is to be answered first
PATIENCE = 0.015  # seconds; a board of 100,000 tasks takes 10 ms, a frame that says nothing yet too
DETAILS_AFTER = 0.05  # seconds on one row: who holds a key down reads nothing in between


class Backstage:
    """The threads of a browser; ``post`` takes their messages from any thread.

    ``gists`` is filled with what tasks run; ``indexed`` says whether what was read is kept for the
    next start.
    """

    def __init__(
        self,
        root: Root,
        gists: dict[str, Gist],
        *,
        indexed: bool,
        clock: Callable[[], float],
        post: Callable[[Message], object],
    ) -> None:
        index = Index.of(root) if indexed else None
        self._scanner = scanner = RootScanner(root, index=index, between=give_way)
        self._root = root
        self._clock = clock
        self._post = post

        def broke(error: Exception) -> None:
            post(Broke(error))

        self.poller = Poller(scanner, lambda: post(Looked()), broke)
        self.gists = GistReader(root, gists, lambda: post(GistsRead()), broke)
        self.sizes = SizeReader(root, lambda: post(SizesRead()), broke)
        self.logs = LogWatch(root, lambda: post(LogsSeen()), broke)
        memory = None if index is None else ErrorMemory.beside(index)
        self.errors = ErrorDesk(root, memory, lambda board: post(ErrorsMade(board)), broke)
        maker = BoardMaker(gists, self.sizes.sizes, self.errors.failures)
        self._boards = Newest(maker.make, lambda board: post(BoardMade(board)), broke)
        self._sums = Newest(sum_of, lambda found: post(SumMade(found)), broke, rest=SUM_AFTER)
        self._details = Newest(self._read_details, post, broke, rest=DETAILS_AFTER)
        self._trash = Newest(self._look_in_trash, post, broke)

    def stop(self) -> None:
        """Say nothing more; what is under way ends by itself."""
        self.sizes.stop()
        self.logs.stop()
        self.errors.stop()
        for part in (self.poller, self.gists, self._boards, self._sums, self._details, self._trash):
            part.stop()

    def look_into(self, snapshot: Snapshot, sort: ErrorSort) -> None:
        """Answered by ErrorsMade, again and again as failures are read."""
        self.errors.look(ErrorWish(snapshot, sort))

    def make_board(self, wish: Wish, *, asked_for: bool) -> None:
        """Answered by BoardMade; where somebody asked for it, soon enough for the same frame."""
        self._boards.ask(wish, patience=PATIENCE if asked_for else 0.0)

    def make_sum(self, wish: Wish) -> None:
        """Answered by SumMade."""
        self._sums.ask(wish)

    def read(self, task: Task) -> None:
        """Answered by DetailsRead."""
        self._details.ask(task)

    def look_in_trash(self) -> None:
        """Answered by TrashSeen, twice if there is something new."""
        self._trash.ask(None)

    def make_plan(self, stack: FilterStack) -> None:
        """Answered by PlanMade, once all that it names has been read since the start."""

        def planned(snapshot: Snapshot) -> None:
            plan = make_plan(snapshot, stack, now=self._clock())
            if self._scanner.doubt(plan.ids):
                self.poller.look_now(planned)
            else:
                self._post(PlanMade(plan, snapshot))

        self.poller.look_now(planned)

    def _read_details(self, task: Task) -> DetailsRead:
        return DetailsRead(task, details_of(self._root, task))

    @cached_property
    def trash(self) -> TrashLooker:
        """Knows what is in the trash. It takes 20 ms to import, for which no row waits."""
        from hipercow_tui.ui.workers.trash_monitor import TrashLooker

        return TrashLooker(self._root)

    def _look_in_trash(self, _: None) -> TrashSeen:
        from hipercow_tui.ui.workers.trash_monitor import TrashLook

        seen = None
        for look in self.trash.look():
            if seen is not None:
                self._post(seen)
            seen = TrashSeen(look)
        return seen or TrashSeen(TrashLook())
