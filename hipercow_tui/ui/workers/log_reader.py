"""Turns the pages of a log in a thread of its own, and follows a log that grows."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from hipercow_tui.formats.log_file import Log
from hipercow_tui.formats.log_patterns import LogQuery
from hipercow_tui.support.errors import LogError
from hipercow_tui.ui.workers.base import start_thread
from hipercow_tui.ui.workers.log_paging import (
    Navigation,
    Page,
    Viewport,
    find,
    follow,
    stay,
    to_end,
)

POLL = 1.0  # seconds between two looks at a log that may grow
TELL_EVERY = 0.2  # seconds between two words on how far a search is


class LogReader:
    """A thread that turns pages as it is asked to, and follows the log in between.

    ``deliver`` is called in that thread with each new page; not for those that were turned over
    before they could be seen. Leaving the app does not wait for it.
    """

    def __init__(
        self,
        log: Log,
        deliver: Callable[[Page], object],
        broke: Callable[[Exception], object],
    ) -> None:
        self._log = log
        self._deliver = deliver
        self._shape = Viewport(80, 24)  # until it is known how much room there is
        self._turns: queue.SimpleQueue[tuple[int, Navigation]] = queue.SimpleQueue()
        self._asked = 0
        self._answering = 0
        self._told = 0.0
        self._stopped = False
        start_thread(self._run, broke)

    def turn(self, turn: Navigation) -> None:
        """Turn the page; a search that is under way ends."""
        self._asked += 1
        self._turns.put((self._asked, turn))

    def find(self, sought: LogQuery, *, backwards: bool) -> None:
        """Turn to the next line that is sought, or the one before."""
        self.turn(partial(find, sought=sought, backwards=backwards, goes_on=self._tell))

    def reshape(self, shape: Viewport) -> None:
        """Fill another room with the same place; a search goes on."""
        self._shape = shape
        self._turns.put((self._asked, stay))

    def stop(self) -> None:
        """Deliver nothing more."""
        self._stopped = True
        self.turn(follow)

    def _interrupted(self) -> bool:
        """Whether another turn is wanted than the one under way."""
        return self._stopped or self._asked != self._answering

    def _tell(self, page: Page) -> bool:
        """Show how far a search is, now and then; whether it is to go on."""
        if self._interrupted():
            return False
        if time.monotonic() - self._told >= TELL_EVERY:
            self._told = time.monotonic()
            self._deliver(page)
        return True

    def _run(self) -> None:
        page, delivered = Page(self._shape), None
        turn: Navigation = to_end
        while not self._stopped:
            self._told = time.monotonic()
            try:
                page = turn(self._log, page, self._shape)
            except LogError as error:
                if page.error != str(error):
                    page = replace(page, error=str(error), said="")
            if page is not delivered and not self._interrupted():
                self._deliver(page)
                delivered = page
            try:
                self._answering, turn = self._turns.get(timeout=POLL)
            except queue.Empty:
                turn = follow
