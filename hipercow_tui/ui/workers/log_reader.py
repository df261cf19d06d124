"""Reads the pages of a log in the background, and follows a log that grows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from hipercow_tui.formats.log_file import Log
from hipercow_tui.formats.log_patterns import LogQuery
from hipercow_tui.support.errors import LogError
from hipercow_tui.ui.workers.base import BackgroundWorker
from hipercow_tui.ui.workers.log_paging import (
    Navigation,
    Page,
    Viewport,
    find,
    follow,
    stay,
    to_end,
)

FOLLOW_EVERY = 1.0  # seconds between two checks whether the log has grown
PROGRESS_EVERY = 0.2  # seconds between two pages that show how far a search is


class LogReader(BackgroundWorker):
    """Pages through a log on request, beginning with its last page, and follows it in between.

    ``deliver`` is called in the thread with each new page, except those that are left before they
    could be seen.
    """

    def __init__(
        self,
        log: Log,
        deliver: Callable[[Page], object],
        on_error: Callable[[Exception], object],
    ) -> None:
        super().__init__(on_error)
        self._log = log
        self._deliver = deliver
        self._viewport = Viewport(80, 24)  # until the size on the screen is known
        self._page = Page(self._viewport)
        self._delivered: Page | None = None
        # Each navigation has the number of the last ``navigate`` before it.
        self._queue: deque[tuple[int, Navigation]] = deque([(0, to_end)])
        self._newest = 0
        self._current = 0
        self._wake()

    def navigate(self, navigation: Navigation) -> None:
        """Go to another page; a running search ends."""
        self._newest += 1
        self._queue.append((self._newest, navigation))
        self._wake()

    def find(self, query: LogQuery, *, backwards: bool) -> None:
        """Go to the next line that matches, or the previous one."""
        self.navigate(partial(find, query=query, backwards=backwards, goes_on=self._show_progress))

    def resize(self, viewport: Viewport) -> None:
        """Show the same place in another size; a running search continues."""
        self._viewport = viewport
        self._queue.append((self._newest, stay))
        self._wake()

    def _step(self) -> float:
        navigation: Navigation = follow
        if self._queue:
            self._current, navigation = self._queue.popleft()
        try:
            self._page = navigation(self._log, self._page, self._viewport)
        except LogError as error:
            if self._page.error != str(error):
                self._page = replace(self._page, error=str(error), message="")
        if self._page is not self._delivered and not self._superseded:
            self._delivered = self._page
            self._deliver(self._page)
        return 0 if self._queue else FOLLOW_EVERY

    @property
    def _superseded(self) -> bool:
        """Whether the result of the current navigation is not wanted any more."""
        return self._stopped or self._newest != self._current

    def _show_progress(self, page: Page) -> bool:
        """Show how far a search is, now and then; return whether the search goes on."""
        if self._superseded:
            return False
        if self._is_due(PROGRESS_EVERY):
            self._deliver(page)
        return True
