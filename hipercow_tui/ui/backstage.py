"""Everything that works behind the browser in threads of its own, and what it has to say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.message import Message

from hipercow_tui.both import RootScanner
from hipercow_tui.filters import FilterStack
from hipercow_tui.model import Snapshot, Task
from hipercow_tui.plan import PurgePlan, Tally, make_plan
from hipercow_tui.roots.details import TaskDetails
from hipercow_tui.roots.py_details import details_of
from hipercow_tui.ui.background import Newest
from hipercow_tui.ui.board import Board, BoardMaker, Wish, sum_of
from hipercow_tui.ui.gist_reader import GistReader
from hipercow_tui.ui.log_watch import LogWatch
from hipercow_tui.ui.polling import Poller
from hipercow_tui.ui.size_reader import SizeReader
from hipercow_tui.ui.trash_look import TrashLook, TrashLooker
from hipercow_tui.view import Failures

SUM_AFTER = 0.1  # seconds without another change of the filters: 100,000 tasks cost 0.5 s
DETAILS_AFTER = 0.05  # seconds on one row: who holds a key down reads nothing in between


class Looked(Message):
    """The poller has a look to take."""


@dataclass
class BoardMade(Message):
    """There is a new board to show."""

    board: Board


@dataclass
class SumMade(Message):
    """How much a purge would take is known for the newest filters."""

    sum: Tally


class GistsRead(Message):
    """More is known of what tasks run."""


class LogsSeen(Message):
    """Logs of running tasks were written to, or are no longer of interest."""


class SizesRead(Message):
    """More is known of what tasks hold, or it is no longer asked for."""


@dataclass
class DetailsRead(Message):
    """The details of one task were read; they are of its status at that time."""

    task: Task
    details: TaskDetails


@dataclass
class PlanMade(Message):
    """The plan that was asked for, from a look that began after the asking."""

    plan: PurgePlan
    snapshot: Snapshot


@dataclass
class TrashSeen(Message):
    """What is in the trash, the same as before if nothing changed; comes again once the sizes of
    what is new are known."""

    look: TrashLook


@dataclass
class Broke(Message):
    """A thread has ended by an error that nothing foresaw."""

    error: Exception


class Backstage:
    """The threads of a browser; ``post`` takes their messages from any thread."""

    def __init__(
        self, scanner: RootScanner, clock: Callable[[], float], post: Callable[[Message], object]
    ) -> None:
        self._scanner = scanner
        self._root = root = scanner.root
        self._clock = clock
        self._post = post

        def broke(error: Exception) -> None:
            post(Broke(error))

        self.poller = Poller(scanner, lambda: post(Looked()), broke)
        self.gists = GistReader(root, lambda: post(GistsRead()), broke)
        self.sizes = SizeReader(root, lambda: post(SizesRead()), broke)
        self.logs = LogWatch(root, lambda: post(LogsSeen()), broke)
        self._maker = BoardMaker(self.gists.gists, self.sizes.sizes)
        self._boards = Newest(self._maker.make, lambda board: post(BoardMade(board)), broke)
        self._sums = Newest(sum_of, lambda found: post(SumMade(found)), broke, rest=SUM_AFTER)
        self._details = Newest(self._read_details, post, broke, rest=DETAILS_AFTER)
        self.trash = TrashLooker(root)
        self._trash = Newest(self._look_in_trash, post, broke)

    def stop(self) -> None:
        """Say nothing more; what is under way ends by itself."""
        self.sizes.stop()
        self.logs.stop()
        for part in (self.poller, self.gists, self._boards, self._sums, self._details, self._trash):
            part.stop()

    def search_in(self, failures: Failures) -> None:
        """Searches look at these too, which fill as they are read."""
        self._maker.failures = failures

    def make_board(self, wish: Wish) -> None:
        """Answered by BoardMade."""
        self._boards.ask(wish)

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

    def _look_in_trash(self, _: None) -> TrashSeen:
        seen = None
        for look in self.trash.look():
            if seen is not None:
                self._post(seen)
            seen = TrashSeen(look)
        return seen or TrashSeen(TrashLook())
