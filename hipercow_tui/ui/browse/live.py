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
from hipercow_tui.analysis.task_sorting import Key, Sort
from hipercow_tui.analysis.task_summary import Gist
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.formats.root import Root
from hipercow_tui.ui import messages
from hipercow_tui.ui.warm_up import warm_up
from hipercow_tui.ui.widgets.bundle_table import BundleTable
from hipercow_tui.ui.widgets.error_details import ErrorDetails
from hipercow_tui.ui.widgets.error_table import ErrorTable
from hipercow_tui.ui.widgets.filters.panel import FilterPanel
from hipercow_tui.ui.widgets.footer import KeyLine
from hipercow_tui.ui.widgets.header import Facts, Freshness, HeaderLine
from hipercow_tui.ui.widgets.search_bar import SearchBar
from hipercow_tui.ui.widgets.task_details import Details, Shown
from hipercow_tui.ui.widgets.task_table import TaskTable
from hipercow_tui.ui.widgets.titled_frame import Frame
from hipercow_tui.ui.widgets.virtual_table import RowTable
from hipercow_tui.ui.workers.base import in_background

if TYPE_CHECKING:
    from hipercow_tui.formats.details import TaskDetails
    from hipercow_tui.ui.workers.services import Backstage
    from hipercow_tui.ui.workers.view_model import Board

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
        self._gists: dict[str, Gist] = {}
        self._backstage: Backstage | None = None
        self._making = threading.Lock()
        self._complete = False
        self._whole = False  # whether all tabs are in their place
        self._looked_at = time.monotonic()
        self._renew_at = 0.0
        self._board: Board | None = None
        self._sort = Sort()
        self._bundle_sort = BundleSort()
        self._only_matched = False
        self._query = ""
        self._details: tuple[str, TaskDetails] | None = None
        self._planning = False
        self._settling: Timer | None = None

    def compose(self) -> ComposeResult:
        """Header, filters, tables over or beside details, keys; tabs that nobody sees yet follow
        behind the first frame."""
        yield HeaderLine()
        with Container(id="body"):
            yield FilterPanel(self.clock, id="filters")
            with Container(id="main"):
                with Frame(id="tables"):
                    with ContentSwitcher(initial=TASKS):
                        yield TaskTable(self._gists, id=TASKS)
                    yield SearchBar()
                yield Details(id="details")
        yield KeyLine(palette=True)

    def on_mount(self) -> None:
        """Begin to look; the first frame does not wait for it."""
        self.header.facts = Facts(self.root.path, read_only=self._read_only_text)
        self.tasks.say_if_empty("Reading …")
        self.tasks.filling = True
        self._tell_counts()
        self.set_interval(1.0, self._tell_freshness)
        self.set_interval(AGES_EVERY, self.renew)
        self.call_after_refresh(in_background, self._begin, self._broke)

    def _begin(self) -> None:
        """Behind the first frame: what the screen needs from now on is imported and at work."""
        backstage = self.backstage
        self.post_message(messages.Ready())
        backstage.poller.start()

    def _mount_tabs(self) -> None:
        """Put the other tabs in their place, if they are not there."""
        if self._whole or not self.is_attached:
            return
        self._whole = True
        others = [BundleTable(id=BUNDLES), ErrorTable(id=ERRORS)]
        for table in others:
            table.display, table.filling = False, True
        self.query_one(ContentSwitcher).mount_all(others)
        self.query_one("#main").mount(ErrorDetails(id="error-details"))

    def on_resize(self, event: events.Resize) -> None:
        """Where there is room, details stand beside the table."""
        self.set_class(event.size.width >= WIDE, "-wide")

    def on_unmount(self) -> None:
        """No thread outlives the screen."""
        if self._backstage is not None:
            self._backstage.stop()

    @property
    def backstage(self) -> Backstage:
        """What works for the screen, made when it is first needed: it takes 0.1 s to import."""
        with self._making:
            if self._backstage is None:
                from hipercow_tui.ui.workers.services import Backstage

                self._backstage = Backstage(
                    self.root,
                    self._gists,
                    indexed=self._indexed,
                    clock=self.clock,
                    post=self.post_message,
                )
            return self._backstage

    def _broke(self, error: Exception) -> None:
        self.post_message(messages.Broke(error))

    # Parts

    @property
    def header(self) -> HeaderLine:
        """The first line."""
        return self.query_one(HeaderLine)

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
    def table(self) -> RowTable:
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

    @on(messages.Looked)
    def _looked(self) -> None:
        state = self.backstage.poller.take()
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
        self.backstage.gists.forget(state.gone)
        self.backstage.gists.know(state.snapshot, state.changed)
        self.backstage.sizes.forget(state.gone)
        self.backstage.gists.forget_broken(state.changed)
        if state.complete or self._planning or not self._complete:
            percent = 100 * state.folders // max(1, state.of_folders)
            self.header.freshness = Freshness(None if state.complete else percent)
        if state.snapshot is not self.snapshot or self._board is None or first_whole:
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
        if self._backstage is None:
            return  # nothing was read yet
        from hipercow_tui.ui.workers.view_model import Wish

        wish = Wish(
            self.snapshot,
            self.clock(),
            self.filters.stack,
            self._sort,
            self._bundle_sort,
            self._only_matched,
            self._query,
            self.backstage.sizes.known,
            self.backstage.logs.written,
        )
        asked_for = self._board is not None and self._board.wish.asks != wish.asks
        self.backstage.make_board(wish, asked_for=asked_for)
        self.backstage.make_sum(wish)

    @on(messages.LogsSeen)
    def _logs_seen(self) -> None:
        self.renew()

    @on(messages.BoardMade)
    async def _board_made(self, message: messages.BoardMade) -> None:
        if not self.is_attached:  # the app is being left
            return
        with self.app.batch_update():
            self._show_board(message.board)
            # What changed tells the screen of it a turn of the loop later: a frame that was asked
            # for before that would show one half of it.
            for _ in range(TURNS):
                await asyncio.sleep(0)

    def _show_board(self, board: Board) -> None:
        before = self._board
        if before is None:
            self.call_after_refresh(in_background, warm_up, self._broke)
        self._board = board
        self._renew_at = time.monotonic() + REST * board.took
        self.header.facts = replace(board.facts, read_only=self._read_only_text)
        self._say_if_empty()
        self.tasks.stuck = board.stuck
        self.tasks.show(board.view, board.wish.now)
        self.bundles.show(board.bundles, board.wish.bundle_sort, board.view, board.wish.now)
        if self._complete and board.wish.snapshot is self.snapshot:
            self.tasks.filling = self.bundles.filling = False
        if self._complete:
            self.backstage.logs.watch(board.wish.snapshot)
        self.filters.show(board.counts)
        self._tell_counts()
        if before is not None and before.wish.stack.given != board.wish.stack.given:
            self._show_a_match()
        self._read_rows()
        # What somebody asks for changes no task; time, logs and the disk do.
        asked_for = before is not None and before.wish.asks != board.wish.asks
        if before is None or not asked_for or before.wish.snapshot is not board.wish.snapshot:
            self._show_details()

    def _show_a_match(self) -> None:
        """Who sets a filter sees a matched row: where none is on the screen, the next one."""
        row = self.tasks.view.match_beside(self.tasks.visible_rows)
        if row is not None:
            self.tasks.move_to(row)
            # Not on the last line: what else is matched comes below it.
            self.tasks.scroll_to(y=row - MATCH_AT, animate=False, force=True)

    @on(messages.SumMade)
    def _show_sum(self, message: messages.SumMade) -> None:
        found = message.sum
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
        frame = self.query_one(Frame)
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
        view = self._board.view if self._board else None
        if view is not None and view.filtered:
            said.append(f"[b]matched {view.matches:,}[/]")
        if self._only_matched:
            said.append("only matched")
        if self._tab == TASKS:
            said.append(f"by {self._sort.key} {'↓' if self._sort.reverse else '↑'}")
        elif self._tab == ERRORS and self.errors.progress:
            said.append(self.errors.progress)
        frame.entitle(title, " · ".join([*said, *self._asides()]))

    def _asides(self) -> list[str]:
        """What else is told at the foot of the table."""
        return []

    # What tasks run

    @on(messages.GistsRead)
    def _gists_read(self) -> None:
        self.tasks.forget_strips()
        if self._needs_all_gists:
            self.renew()
        if self._details is None or self._details[0] != self.tasks.cursor_key:
            self._show_details()

    @property
    def _needs_all_gists(self) -> bool:
        return bool(self._query) or self._sort.key in (Key.WHAT, Key.INPUTS)

    def _read_rows(self) -> None:
        """Read the rows on the screen and a page around, from the top of the screen."""
        rows = self.tasks.visible_rows
        page = len(rows)
        ids = self.tasks.keys
        self.backstage.gists.want([*ids[rows.start : rows.stop + page], *self._above(page)])

    def _above(self, page: int) -> tuple[str, ...]:
        top = self.tasks.visible_rows.start
        return tuple(self.tasks.keys[max(0, top - page) : top])

    @on(TaskTable.Scrolled)
    def _scrolled(self) -> None:
        self._read_rows()

    # The task under the cursor

    @on(RowTable.CursorMoved, "#tasks")
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
            self.backstage.read(task)

    @on(messages.DetailsRead)
    def _details_read(self, message: messages.DetailsRead) -> None:
        self._details = (message.task.id, message.details)
        self._show_details()

    def _show_details(self) -> None:
        task = self.tasks.current
        if task is None:
            self.query_one(Details).show(None)
            return
        known = self._details[1] if self._details and self._details[0] == task.id else None
        if known is None and self._settling is not None:
            return  # it comes in a moment
        gist = self._gists.get(task.id, Gist())
        snapshot, stuck = self.tasks.view.snapshot, self.tasks.stuck.get(task.id, "")
        self.query_one(Details).show(Shown(task, snapshot, known, gist, self.clock(), stuck))
