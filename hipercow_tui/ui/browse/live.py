"""The main screen as far as it shows: filters, tables, details, kept up to date from the disk."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import ContentSwitcher

from hipercow_tui.analysis.bundle_rows import BundleSort
from hipercow_tui.analysis.task_sorting import SortKey, TaskSort
from hipercow_tui.analysis.task_summary import TaskSummary
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.formats.root import Root
from hipercow_tui.ui import messages
from hipercow_tui.ui.warm_up import warm_up
from hipercow_tui.ui.widgets.bundle_table import BundleTable
from hipercow_tui.ui.widgets.error_details import ErrorDetailsView
from hipercow_tui.ui.widgets.error_table import ErrorTable
from hipercow_tui.ui.widgets.filters.panel import FilterPanel
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.header import Freshness, HeaderBar, HeaderFacts
from hipercow_tui.ui.widgets.search_bar import SearchBar
from hipercow_tui.ui.widgets.task_details import ShownTask, TaskDetailsView
from hipercow_tui.ui.widgets.task_table import TaskTable
from hipercow_tui.ui.widgets.titled_frame import TitledFrame
from hipercow_tui.ui.widgets.virtual_table import VirtualTable
from hipercow_tui.ui.workers.base import start_thread

if TYPE_CHECKING:
    from hipercow_tui.formats.details import TaskDetails
    from hipercow_tui.ui.workers.services import BackgroundServices
    from hipercow_tui.ui.workers.view_model import ViewModel

FRESH = 5  # seconds, and the steps in which more are told: a line that ticks is 1 kB a second
AGES_EVERY = 15.0  # seconds after which ages on the screen are told anew
SETTLE = 0.2  # seconds that the details of the row before may stand, until those of this one come
REST = 8  # times as long as a board took, until the next one while the root is first read
TURNS = 2  # of the loop, in which all that is shown of a board comes into one frame
MATCH_AT = 3  # rows above the first match that is brought into sight
WIDE = 150  # cells from which details stand beside the table
TASKS, BUNDLES, ERRORS = "tasks", "bundles", "errors"


class LiveScreen(Screen[None]):
    """Shows a root and what filters, marks and search pick of it; changes nothing on disk.

    ``indexed`` says whether what was read is kept for the next start. ``clock`` gives the time in
    seconds since the epoch.
    """

    AUTO_FOCUS = "TaskTable"

    def __init__(
        self, root: Root, *, read_only: bool, indexed: bool, clock: Callable[[], float]
    ) -> None:
        super().__init__()
        self.root = root
        self.clock = clock
        self.read_only = read_only
        self.snapshot = Snapshot(root.path)
        self._indexed = indexed
        self._summaries: dict[str, TaskSummary] = {}
        self._services: BackgroundServices | None = None
        self._making = threading.Lock()
        self._complete = False
        self._whole = False  # whether all tabs are in their place
        self._looked_at = time.monotonic()
        self._renew_at = 0.0
        self._view_model: ViewModel | None = None
        self._sort = TaskSort()
        self._bundle_sort = BundleSort()
        self._only_matched = False
        self._query = ""
        self._details: tuple[str, TaskDetails] | None = None
        self._planning = False
        self._settling: Timer | None = None

    def compose(self) -> ComposeResult:
        """Header, filters, tables over or beside details, keys; tabs that nobody sees yet follow
        behind the first frame."""
        yield HeaderBar()
        with Container(id="body"):
            yield FilterPanel(self.clock, id="filters")
            with Container(id="main"):
                with TitledFrame(id="tables"):
                    with ContentSwitcher(initial=TASKS):
                        yield TaskTable(self._summaries, id=TASKS)
                    yield SearchBar()
                yield TaskDetailsView(id="details")
        yield KeyFooter(palette=True)

    def on_mount(self) -> None:
        """Begin to look; the first frame does not wait for it."""
        self.header.facts = HeaderFacts(self.root.path, read_only=self._read_only_text)
        self.tasks.say_if_empty("Reading …")
        self.tasks.filling = True
        self._tell_counts()
        self.set_interval(1.0, self._tell_freshness)
        self.set_interval(AGES_EVERY, self.renew)
        self.call_after_refresh(start_thread, self._begin, self._broke)

    def _begin(self) -> None:
        """Behind the first frame: what the screen needs from now on is imported and at work."""
        services = self.services
        self.post_message(messages.ServicesReady())
        services.poller.refresh_now()

    def _mount_tabs(self) -> None:
        """Put the other tabs in their place, if they are not there."""
        if self._whole or not self.is_attached:
            return
        self._whole = True
        others = [BundleTable(id=BUNDLES), ErrorTable(id=ERRORS)]
        for table in others:
            table.display, table.filling = False, True
        self.query_one(ContentSwitcher).mount_all(others)
        self.query_one("#main").mount(ErrorDetailsView(id="error-details"))

    def on_resize(self, event: events.Resize) -> None:
        """Where there is room, details stand beside the table."""
        self.set_class(event.size.width >= WIDE, "-wide")

    def on_unmount(self) -> None:
        """No thread outlives the screen."""
        if self._services is not None:
            self._services.stop()

    @property
    def services(self) -> BackgroundServices:
        """What works for the screen, made when it is first needed: it takes 0.1 s to import."""
        with self._making:
            if self._services is None:
                from hipercow_tui.ui.workers.services import BackgroundServices

                self._services = BackgroundServices(
                    self.root,
                    self._summaries,
                    indexed=self._indexed,
                    clock=self.clock,
                    post=self.post_message,
                )
            return self._services

    def _broke(self, error: Exception) -> None:
        self.post_message(messages.WorkerFailed(error))

    # Parts

    @property
    def header(self) -> HeaderBar:
        """The first line."""
        return self.query_one(HeaderBar)

    @property
    def filters(self) -> FilterPanel:
        """The filter stack."""
        return self.query_one(FilterPanel)

    @property
    def tasks(self) -> TaskTable:
        """The table of tasks."""
        return self.query_one(TaskTable)

    @property
    def bundles(self) -> BundleTable:
        """The table of bundles."""
        self._mount_tabs()
        return self.query_one(BundleTable)

    @property
    def errors(self) -> ErrorTable:
        """The table of errors."""
        self._mount_tabs()
        return self.query_one(ErrorTable)

    @property
    def table(self) -> VirtualTable:
        """The table that is shown."""
        if self._tab == ERRORS:
            return self.errors
        return self.tasks if self._tab == TASKS else self.bundles

    @property
    def _tab(self) -> str:
        return self.query_one(ContentSwitcher).current or TASKS

    @property
    def _read_only_text(self) -> str:
        return "read-only" if self.read_only else "can't purge" if self.root.purge_refusal else ""

    # What is on the disk

    @on(messages.ScanUpdated)
    def _looked(self) -> None:
        state = self.services.poller.take_state()
        if state is None:
            return
        first_whole = state.complete and not self._complete
        if first_whole:
            # What was read stays; a collector that walks over it stops the screen for 0.17 s.
            gc.freeze()
            gc.enable()
        if state.complete:
            self._complete = True
            self._looked_at = time.monotonic()
        self.services.summary_loader.update(state.snapshot, state.changed, state.removed_ids)
        self.services.sizes.forget(state.removed_ids)
        if state.complete or self._planning or not self._complete:
            percent = 100 * state.folders_done // max(1, state.folder_count)
            self.header.freshness = Freshness(None if state.complete else percent)
        if state.snapshot is not self.snapshot or self._view_model is None or first_whole:
            self.snapshot = state.snapshot
            if state.complete or time.monotonic() >= self._renew_at:
                self.renew()
        current = self.tasks.cursor_key
        if current in state.changed:
            self._read_details()

    def _tell_freshness(self) -> None:
        if self._complete:
            seconds = time.monotonic() - self._looked_at
            self.header.freshness = Freshness(None, int(seconds // FRESH * FRESH))

    # What is shown of it

    def renew(self) -> None:
        """Have everything that is shown made anew, with the filters as they are."""
        if self._services is None:
            return  # nothing was read yet
        from hipercow_tui.ui.workers.view_model import ViewRequest

        request = ViewRequest(
            self.snapshot,
            self.clock(),
            self.filters.stack,
            self._sort,
            self._bundle_sort,
            self._only_matched,
            self._query,
            self.services.sizes.measured_count,
            self.services.logs.log_times,
        )
        asked_for = (
            self._view_model is not None
            and self._view_model.request.user_choices != request.user_choices
        )
        self.services.build_view_model(request, urgent=asked_for)
        self.services.compute_totals(request)

    @on(messages.LogActivityChanged)
    def _logs_seen(self) -> None:
        self.renew()

    @on(messages.ViewModelReady)
    async def _board_made(self, message: messages.ViewModelReady) -> None:
        if not self.is_attached:  # the app is being left
            return
        with self.app.batch_update():
            self._show_board(message.view_model)
            # What changed tells the screen of it a turn of the loop later: a frame that was asked
            # for before that would show one half of it.
            for _ in range(TURNS):
                await asyncio.sleep(0)

    def _show_board(self, view_model: ViewModel) -> None:
        before = self._view_model
        if before is None:
            self.call_after_refresh(start_thread, warm_up, self._broke)
        self._view_model = view_model
        self._renew_at = time.monotonic() + REST * view_model.seconds
        self.header.facts = replace(view_model.facts, read_only=self._read_only_text)
        self._say_if_empty()
        self.tasks.stuck = view_model.stuck
        self.tasks.show(view_model.view, view_model.request.now)
        self.bundles.show(
            view_model.bundles,
            view_model.request.bundle_sort,
            view_model.view,
            view_model.request.now,
        )
        if self._complete and view_model.request.snapshot is self.snapshot:
            self.tasks.filling = self.bundles.filling = False
        if self._complete:
            self.services.logs.watch(view_model.request.snapshot)
        self.filters.show(view_model.counts)
        self._tell_counts()
        if before is not None and before.request.stack.given != view_model.request.stack.given:
            self._show_a_match()
        self._read_rows()
        # What somebody asks for changes no task; time, logs and the disk do.
        asked_for = (
            before is not None and before.request.user_choices != view_model.request.user_choices
        )
        if (
            before is None
            or not asked_for
            or before.request.snapshot is not view_model.request.snapshot
        ):
            self._show_details()

    def _show_a_match(self) -> None:
        """Who sets a filter sees a matched row: where none is on the screen, the next one."""
        row = self.tasks.view.nearest_match(self.tasks.visible_rows)
        if row is not None:
            self.tasks.move_to(row)
            # Not on the last line: what else is matched comes below it.
            self.tasks.scroll_to(y=row - MATCH_AT, animate=False, force=True)

    @on(messages.TotalsReady)
    def _show_sum(self, message: messages.TotalsReady) -> None:
        found = message.totals
        self.filters.show_sum(found.matched, found.cascaded, found.bundles, found.blocked)

    def _say_if_empty(self) -> None:
        if self.snapshot.tasks:
            self.tasks.say_if_empty("No task passes all filters", "m shows all · 0 clears filters")
        elif self._complete:
            self.tasks.say_if_empty(
                "No tasks yet",
                "task_create_expr() and the like make them in R,",
                "'hipercow task create' in Python",
                "they appear here by themselves; ? shows the keys",
            )

    def _tell_counts(self) -> None:
        """The tabs stand in the frame, what they show at its foot."""
        frame = self.query_one(TitledFrame)
        tabs = (
            (TASKS, "", len(self.snapshot.tasks)),
            (BUNDLES, "b ", len(self.snapshot.bundles)),
            (ERRORS, "e ", len(self.errors.groups) if self._whole else 0),
        )
        title = " ── ".join(
            f"[{'b' if name == self._tab else 'dim'}][@click=screen.show('{name}')]"
            f"{'' if name == self._tab else key}{name.capitalize()} {number:,}[/][/]"
            for name, key, number in tabs
        )
        said = []
        view = self._view_model.view if self._view_model else None
        if view is not None and view.filtered:
            said.append(f"[b]matched {view.matches:,}[/]")
        if self._only_matched:
            said.append("only matched")
        if self._tab == TASKS:
            said.append(f"by {self._sort.key} {'↓' if self._sort.reverse else '↑'}")
        elif self._tab == ERRORS and self.errors.progress:
            said.append(self.errors.progress)
        frame.entitle(title, " · ".join([*said, *self._loose_tasks()]))

    def _loose_tasks(self) -> list[str]:
        """What else is told at the foot of the table."""
        return []

    # What tasks run

    @on(messages.SummariesLoaded)
    def _gists_read(self) -> None:
        self.tasks.forget_strips()
        if self._needs_all_gists:
            self.renew()
        if self._details is None or self._details[0] != self.tasks.cursor_key:
            self._show_details()

    @property
    def _needs_all_gists(self) -> bool:
        return bool(self._query) or self._sort.key in (SortKey.WHAT, SortKey.INPUTS)

    def _read_rows(self) -> None:
        """Read the rows on the screen and a page around, from the top of the screen."""
        rows = self.tasks.visible_rows
        page = len(rows)
        ids = self.tasks.keys
        self.services.summaries.want([*ids[rows.start : rows.stop + page], *self._above(page)])

    def _above(self, page: int) -> tuple[str, ...]:
        top = self.tasks.visible_rows.start
        return tuple(self.tasks.keys[max(0, top - page) : top])

    @on(TaskTable.Scrolled)
    def _scrolled(self) -> None:
        self._read_rows()

    # The task under the cursor

    @on(VirtualTable.CursorMoved, "#tasks")
    def _cursor_moved(self) -> None:
        self._read_details()
        if self._settling is None:
            self._settling = self.set_timer(SETTLE, self._settled)

    def _settled(self) -> None:
        """Where the cursor runs, or the disk is slow, what is known anyway is shown."""
        self._settling = None
        self._show_details()

    def _read_details(self) -> None:
        task = self.tasks.current
        if task is not None:
            self.services.load_details(task)

    @on(messages.DetailsLoaded)
    def _details_read(self, message: messages.DetailsLoaded) -> None:
        self._details = (message.task.id, message.details)
        self._show_details()

    def _show_details(self) -> None:
        task = self.tasks.current
        if task is None:
            self.query_one(TaskDetailsView).show(None)
            return
        known = self._details[1] if self._details and self._details[0] == task.id else None
        if known is None and self._settling is not None:
            return  # it comes in a moment
        summary = self._summaries.get(task.id, TaskSummary())
        snapshot, stuck = self.tasks.view.snapshot, self.tasks.stuck.get(task.id, "")
        self.query_one(TaskDetailsView).show(
            ShownTask(task, snapshot, known, summary, self.clock(), stuck)
        )
