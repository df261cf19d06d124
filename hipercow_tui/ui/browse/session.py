"""The root on the main screen: the latest snapshot, what the user chose, the workers."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from textual.message import Message

from hipercow_tui.analysis.error_groups import ErrorGrouping
from hipercow_tui.analysis.task_summary import TaskSummary
from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.domain.narrowing import Selection
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.formats.root import Root
from hipercow_tui.settings.rule_file import RuleFile
from hipercow_tui.ui import messages
from hipercow_tui.ui.browse.state import ERRORS, TASKS, BrowseState
from hipercow_tui.ui.marks import Marks

if TYPE_CHECKING:
    from hipercow_tui.analysis.error_groups import ErrorGroup
    from hipercow_tui.scanning.scanner import ScanState
    from hipercow_tui.ui.workers.failure_worker import FailureViewModel
    from hipercow_tui.ui.workers.services import BackgroundServices
    from hipercow_tui.ui.workers.view_model import ViewModel, ViewRequest

# While the root is first read, the pause after a view model in multiples of its build time.
PAUSE_FACTOR = 8


class Session:
    """Data that the panes and controllers of the main screen share; it has no widget.

    ``indexed`` says whether tasks are stored for the next start. ``rules`` is the file of rules for
    errors. ``clock`` gives the time in seconds since the epoch, ``filters`` the filters of the
    panel at this moment. ``post`` takes the messages of workers, from any thread.
    ``marks_changed`` is called after the marks have changed.
    """

    def __init__(
        self,
        root: Root,
        *,
        read_only: bool,
        indexed: bool,
        rules: RuleFile | None,
        clock: Callable[[], float],
        filters: Callable[[], FilterStack],
        post: Callable[[Message], object],
        marks_changed: Callable[[], object],
    ) -> None:
        self.root = root
        self.read_only = read_only
        self.clock = clock
        self.snapshot = Snapshot(root.path)
        self.complete = False  # whether the complete root has been read
        self.state = BrowseState()
        self.marks = Marks(marks_changed)
        self.view_model: ViewModel | None = None  # the one that is shown
        self.errors: FailureViewModel | None = None
        self.summaries: dict[str, TaskSummary] = {}
        self._indexed = indexed
        self._rules = rules
        self._panel_filters = filters
        self._post = post
        self._services: BackgroundServices | None = None
        self._services_lock = threading.Lock()
        self._numbers = count()
        self._scanned_at = time.monotonic()
        self._next_view_at = 0.0

    # Workers

    @property
    def services(self) -> BackgroundServices:
        """The workers, started on first use. Their import takes 0.1 s."""
        with self._services_lock:
            if self._services is None:
                from hipercow_tui.ui.workers.services import BackgroundServices

                self._services = BackgroundServices(
                    self.root,
                    self.summaries,
                    indexed=self._indexed,
                    rules=self._rules,
                    clock=self.clock,
                    post=self._post,
                )
            return self._services

    def start(self) -> None:
        """Start the workers and the first scan; for a thread, because of the import."""
        services = self.services
        self._post(messages.ServicesReady())
        services.poller.refresh_now()

    def stop(self) -> None:
        """Stop the workers."""
        if self._services is not None:
            self._services.stop()

    def take_scan(self) -> ScanState | None:
        """Take over what the poller found since the last call; return it, None if nothing."""
        scan = self.services.poller.take_state()
        if scan is None:
            return None
        first_complete = scan.complete and not self.complete
        if first_complete:
            # The tasks stay in memory; a garbage collector that visits them blocks the UI for
            # 0.17 s.
            gc.freeze()
            gc.enable()
        if scan.complete:
            self.complete = True
            self._scanned_at = time.monotonic()
        self.services.summary_loader.update(scan.snapshot, scan.changed, scan.removed_ids)
        self.services.sizes.update(scan.snapshot, scan.removed_ids)
        self.services.usages.update(scan.snapshot, (*scan.changed, *scan.removed_ids))
        if scan.snapshot is not self.snapshot or self.view_model is None or first_complete:
            self.snapshot = scan.snapshot
            if scan.complete or time.monotonic() >= self._next_view_at:
                self.request_view()
        return scan

    @property
    def seconds_since_scan(self) -> float:
        """Seconds since the last complete scan."""
        return time.monotonic() - self._scanned_at

    # State and view model

    def set_state(self, state: BrowseState) -> None:
        """Take over the user's choices, and request a view model of them."""
        before, self.state = self.state, state
        self.set_priorities()
        if state != replace(before, pane=state.pane):
            self.request_view()

    def set_priorities(self) -> None:
        """Have the workers read first what the pane, the search and the sort order need."""
        if self._services is None:
            return
        if self.state.pane == ERRORS or self.state.query:
            self._services.errors.speed_up()
        else:
            self._services.errors.slow_down()
        if self.state.pane == TASKS and self.state.needs_summaries:
            self._services.summaries.want_all(self.snapshot.tasks)
        needs_usages = self.state.pane == TASKS and self.state.needs_usages
        self._services.usages.want_all(self.snapshot.tasks if needs_usages else ())

    @property
    def selection(self) -> Selection:
        """The filters of the panel, the narrowings and the marks at this moment."""
        return Selection(self._panel_filters(), self.state.narrowings, self.marks.ids)

    @property
    def filters(self) -> FilterStack:
        """The filters that a matched task passes."""
        return self.selection.matched_filters(self.snapshot)

    @property
    def purge_filters(self) -> FilterStack:
        """The filters of a purge: those of a matched task, and the marks."""
        return self.selection.purge_filters(self.snapshot)

    def request_view(self) -> int:
        """Request a view model of the present snapshot, state and filters; return its number."""
        if self._services is None:
            return -1  # nothing has been read yet
        request = self._view_request()
        urgent = (
            self.view_model is not None
            and self.view_model.request.user_choices != request.user_choices
        )
        self._services.build_view_model(request, urgent=urgent)
        self._services.compute_totals(request)
        return request.number

    def request_totals(self) -> None:
        """Request the totals of a purge after the marks have changed: the rows stay as they are."""
        if self._services is not None:
            self._services.compute_totals(self._view_request())

    def _view_request(self) -> ViewRequest:
        from hipercow_tui.ui.workers.view_model import ViewRequest

        return ViewRequest(
            snapshot=self.snapshot,
            now=self.clock(),
            selection=self.selection,
            sort=self.state.sort,
            bundle_sort=self.state.bundle_sort,
            only_matched=self.state.only_matched,
            query=self.state.query,
            sizes_version=self.services.sizes.measured_count,
            log_times=self.services.logs.log_times,
            number=next(self._numbers),
        )

    @property
    def selection_key(self) -> object:
        """A value that changes with the selection, but not while only time passes."""
        return selection_key(self.selection)

    @property
    def row_choices(self) -> object:
        """What selects and finds rows at this moment."""
        return row_choices(self.selection, self.state.query)

    def set_view_model(self, view_model: ViewModel) -> ViewModel | None:
        """Take over the view model that is shown from now on; return the previous one."""
        before, self.view_model = self.view_model, view_model
        self._next_view_at = time.monotonic() + PAUSE_FACTOR * view_model.seconds
        if self.complete:
            self.services.logs.watch(view_model.request.snapshot)
        return before

    @property
    def unread_errors(self) -> int:
        """How many failures are still to be read."""
        return self.errors.failed - self.errors.read if self.errors else 0

    def error_of(self, task_id: str) -> ErrorGroup | None:
        """The error by which a task failed, however errors are grouped; None if it is not known."""
        if self.errors is None:
            return None
        if self.errors.request.by is not ErrorGrouping.MESSAGE:
            from hipercow_tui.analysis.failure_grouping import group_with

            tasks = self.errors.request.snapshot.tasks
            return group_with(task_id, tasks, self.services.errors.failures)
        return next((group for group in self.errors.groups if task_id in group.ids), None)

    # Permissions

    @property
    def purge_label(self) -> str:
        """Why the root can't be purged, for the header; empty if it can."""
        return "read-only" if self.read_only else "can't purge" if self.root.purge_refusal else ""

    @property
    def purge_refusal(self) -> str:
        """A sentence on why the root and its trash can't be changed; empty if they can."""
        if self.read_only:
            return "Started with --read-only: the trash can be viewed but not changed"
        return self.root.purge_refusal or ""


def selection_key(selection: Selection) -> object:
    """Return a selection without the time that a relative age means at present."""
    age = selection.filters.finished_before
    filters = replace(selection.filters, finished_before=None)
    return replace(selection, filters=filters), age.text if age else ""


def row_choices(selection: Selection, query: str) -> object:
    """Return what selects and finds rows: a selection without marks, and the search."""
    return selection_key(replace(selection, marks=None)), query
