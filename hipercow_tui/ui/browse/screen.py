"""The main screen: its widgets, and which pane or controller handles a key or a message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import ContentSwitcher

from hipercow_tui.domain.task import FILTERABLE_STATUSES
from hipercow_tui.formats.root import Root
from hipercow_tui.settings.column_store import ColumnFile
from hipercow_tui.settings.rule_file import RuleFile
from hipercow_tui.settings.saved_filters import FilterFile, SavedFilter
from hipercow_tui.ui import messages
from hipercow_tui.ui.browse.arranging import Arranging
from hipercow_tui.ui.browse.bundles_pane import BundlesPane
from hipercow_tui.ui.browse.drilling import Drilling
from hipercow_tui.ui.browse.errors_pane import ErrorsPane
from hipercow_tui.ui.browse.filtering import Filtering
from hipercow_tui.ui.browse.folding import Folding
from hipercow_tui.ui.browse.inspecting import Inspecting
from hipercow_tui.ui.browse.panes import Panes
from hipercow_tui.ui.browse.presenter import Presenter
from hipercow_tui.ui.browse.purge_control import PurgeControl
from hipercow_tui.ui.browse.reconciling import Reconciling
from hipercow_tui.ui.browse.row_actions import RowActions
from hipercow_tui.ui.browse.searching import Searching
from hipercow_tui.ui.browse.session import Session
from hipercow_tui.ui.browse.sizing import Sizing
from hipercow_tui.ui.browse.space_pane import SpacePane
from hipercow_tui.ui.browse.state import ERRORS, SPACE, TASKS
from hipercow_tui.ui.browse.tasks_pane import TasksPane
from hipercow_tui.ui.browse.trash_control import TrashControl
from hipercow_tui.ui.browse.wait_control import WaitControl
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.keymap import BROWSE_KEYS
from hipercow_tui.ui.widgets.breadcrumb import Breadcrumb
from hipercow_tui.ui.widgets.filters.panel import FilterPanel
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.header import HeaderBar
from hipercow_tui.ui.widgets.search_bar import SearchBar
from hipercow_tui.ui.widgets.task_table import TaskTable
from hipercow_tui.ui.widgets.titled_frame import TitledFrame
from hipercow_tui.ui.widgets.virtual_table import VirtualTable
from hipercow_tui.ui.workers.base import start_thread

AGES_EVERY = 15.0  # seconds after which ages on the screen are updated


class BrowseScreen(Screen[None]):
    """Shows a root, and what filters, marks and a search select.

    ``indexed`` says whether tasks are stored for the next start. ``filters`` is the file of saved
    filters and ``columns`` the file of chosen columns, None if they can't be saved; ``rules`` is
    that of rules for errors. ``first`` are the filters to begin with. ``clock`` gives the time in
    seconds since the epoch.
    """

    AUTO_FOCUS = "TaskTable"
    BINDINGS: ClassVar[list[BindingType]] = [*BROWSE_KEYS]

    def __init__(
        self,
        root: Root,
        *,
        read_only: bool,
        indexed: bool,
        filters: FilterFile | None,
        columns: ColumnFile | None,
        rules: RuleFile | None,
        first: SavedFilter,
        clock: Callable[[], float],
    ) -> None:
        super().__init__()
        self._first_filters = first
        self.session = session = Session(
            root,
            read_only=read_only,
            indexed=indexed,
            rules=rules,
            clock=clock,
            filters=lambda: self.filters.stack,
            post=self.post_message,
            marks_changed=self._marks_changed,
        )
        self.tasks_pane = TasksPane(session, self)
        self.bundles_pane = BundlesPane(session, self)
        self.errors_pane = ErrorsPane(session, self)
        self.space_pane = SpacePane(session, self)
        self.panes = Panes(
            session, self, (self.tasks_pane, self.bundles_pane, self.errors_pane, self.space_pane)
        )
        self._create_controllers(filters, columns)

    def _create_controllers(self, filters: FilterFile | None, columns: ColumnFile | None) -> None:
        parts = self.session, self, self.panes
        self.filtering = Filtering(*parts, file=filters)
        self.folding = Folding(*parts)
        self.searching = Searching(*parts)
        self.drilling = Drilling(*parts, folding=self.folding, searching=self.searching)
        self.sizing = Sizing(*parts)
        self.arranging = Arranging(*parts, sizing=self.sizing, file=columns)
        self.purge = PurgeControl(*parts)
        self.reconciling = Reconciling(*parts, refresh=self.action_refresh)
        self.trash = TrashControl(*parts, purge=self.purge)
        self.waits = WaitControl(*parts)
        self.presenter = Presenter(
            *parts,
            drilling=self.drilling,
            folding=self.folding,
            searching=self.searching,
            sizing=self.sizing,
        )
        self.inspecting = Inspecting(
            *parts, drilling=self.drilling, plan=self.purge.plan, refresh=self.action_refresh
        )
        self.row_actions = RowActions(
            *parts, inspecting=self.inspecting, waits=self.waits, refresh=self.action_refresh
        )

    def compose(self) -> ComposeResult:
        """Header, filters, tables above or beside details, keys. Other panes are mounted later."""
        yield HeaderBar()
        with Container(id="body"):
            yield FilterPanel(self.session.clock, id="filters")
            with Container(id="main"):
                with TitledFrame(id="tables"):
                    yield Breadcrumb()
                    with ContentSwitcher(initial=TASKS):
                        yield self.tasks_pane.table
                    yield SearchBar()
                yield self.tasks_pane.details
        yield KeyFooter(palette=True)

    def on_mount(self) -> None:
        """Start timers, and after the first frame the workers."""
        self.filters.apply_saved(self._first_filters)
        self.filtering.read()
        self.arranging.read()
        self.presenter.begin()
        self.set_interval(1.0, self.presenter.update_freshness)
        self.set_interval(AGES_EVERY, self.session.request_view)
        self.call_after_refresh(start_thread, self.session.start, self.presenter.failed)

    def on_unmount(self) -> None:
        """Stop the workers."""
        self.session.stop()

    @property
    def filters(self) -> FilterPanel:
        """The filter panel."""
        return self.query_one(FilterPanel)

    @property
    def tasks(self) -> TaskTable:
        """The table of tasks."""
        return self.tasks_pane.table

    # Results of workers

    @on(messages.ServicesReady)
    def _workers_started(self) -> None:
        self.session.set_priorities()
        self.session.services.free_space.read_now()
        self.trash.refresh()

    @on(messages.ScanUpdated)
    def _take_scan(self) -> None:
        self.trash.refresh()
        scan = self.session.take_scan()
        if scan is not None:
            if scan.complete or self.purge.planning or not self.session.complete:
                self.presenter.show_progress(scan)
            self.tasks_pane.reload_details(scan.changed)
            if scan.complete:
                self.waits.update()

    @on(messages.ViewModelReady)
    async def _show_view_model(self, message: messages.ViewModelReady) -> None:
        await self.presenter.show(message.view_model)

    @on(messages.TotalsReady)
    def _show_totals(self, message: messages.TotalsReady) -> None:
        self.presenter.show_forecast(message.forecast)

    @on(messages.ErrorsReady)
    def _show_errors(self, message: messages.ErrorsReady) -> None:
        if self.is_attached:
            self.errors_pane.show_groups(message.view_model)
            self.presenter.update_hits()

    def outer_logs_fetched(self, ids: Sequence[str]) -> None:
        """Read the errors and details that outer logs explain."""
        self.session.services.errors.look_for_fetched_logs()
        self.tasks_pane.reload_details(ids)

    @on(messages.SummariesLoaded)
    def _show_summaries(self) -> None:
        self.tasks_pane.summaries_loaded()
        self.space_pane.summaries_loaded()

    @on(messages.SizesMeasured)
    def _show_sizes(self) -> None:
        self.sizing.measured()
        self.space_pane.measured()
        self.presenter.update_titles()

    @on(messages.UsagesLoaded)
    def _show_usages(self) -> None:
        self.tasks_pane.usages_loaded()

    @on(messages.BundleUsageReady)
    def _show_bundle_usage(self, message: messages.BundleUsageReady) -> None:
        self.bundles_pane.show_usage(message.usage)

    @on(messages.SpaceReady)
    def _show_space_list(self, message: messages.SpaceReady) -> None:
        if self.is_attached:
            self.space_pane.show_list(message.view)
            self.presenter.update_hits()

    @on(messages.DetailsLoaded)
    def _show_details(self, message: messages.DetailsLoaded) -> None:
        self.tasks_pane.details_loaded(message)

    @on(messages.PlanReady)
    def _show_plan(self, message: messages.PlanReady) -> None:
        self.purge.show_plan(message)

    @on(messages.JobEnded)
    async def _end_job(self, message: messages.JobEnded) -> None:
        await self.purge.end()
        self.action_refresh()
        self.trash.show_result(message)
        self.session.services.free_space.read_now()

    @on(messages.TrashUpdated)
    def _update_trash(self, message: messages.TrashUpdated) -> None:
        self.trash.update(message.trash)

    @on(messages.FreeSpaceRead)
    def _show_space(self, message: messages.FreeSpaceRead) -> None:
        self.query_one(HeaderBar).space = message.space
        self.trash.show_space(message.space)

    # Messages of widgets

    @on(FilterPanel.Changed)
    @on(messages.LogActivityChanged)
    def _request_view(self) -> None:
        self.session.request_view()
        self.presenter.update_forecast()

    @on(events.Resize)
    def _fit(self, event: events.Resize) -> None:
        self.folding.resize(event.size)
        self.presenter.update_titles()
        self.call_after_refresh(self.presenter.update_titles)  # other columns may be shown

    @on(FilterPanel.Left)
    def _leave_filters(self) -> None:
        self.folding.leave_filters()
        self.presenter.update_titles()

    @on(VirtualTable.CursorMoved)
    def _cursor_moved(self, message: VirtualTable.CursorMoved) -> None:
        self.panes.of(message.table).cursor_moved()

    @on(VirtualTable.Opened)
    def _open(self, message: VirtualTable.Opened) -> None:
        pane = self.panes.of(message.table)
        if pane is self.tasks_pane:
            self.action_details()
        elif pane is self.space_pane:
            self.space_pane.enter()
        elif pane.narrowing is not None:
            self.drilling.drill(pane.narrowing)

    @on(VirtualTable.HeaderClicked)
    def _sort(self, message: VirtualTable.HeaderClicked) -> None:
        self.panes.current.sort_by(message.column)

    @on(TaskTable.Scrolled)
    def _read_visible(self) -> None:
        self.tasks_pane.load_visible()
        self.sizing.measure_visible()

    def _marks_changed(self) -> None:
        """Show the marks in every pane, and the totals of a purge."""
        for pane in self.panes:
            pane.table.redraw()
        self.presenter.update_titles()
        self.session.request_totals()

    @on(SearchBar.Changed)
    def _search(self, message: SearchBar.Changed) -> None:
        self.searching.search(message.query)

    @on(SearchBar.Done)
    def _accept_search(self) -> None:
        self.searching.accept()

    # Keys: panes, sorting, search

    def action_show(self, name: str) -> None:
        """Show a pane."""
        self.presenter.show_pane(name)

    def action_toggle_pane(self, name: str) -> None:
        """Show a pane, or if it is shown the tasks."""
        self.action_show(TASKS if self.session.state.pane == name else name)

    def action_group(self) -> None:
        """Group the tasks of the pane in the next way."""
        if self.panes.current is self.errors_pane:
            self.errors_pane.group_by_next()
        else:
            self.space_pane.group_by_next()

    def action_details(self) -> None:
        """Show details on the whole screen, or beside the table."""
        self.folding.toggle_details()

    def action_fold(self) -> None:
        """Hide the filters, or show them."""
        self.folding.toggle_filters()
        self.presenter.update_titles()

    def action_sort(self) -> None:
        """Sort in the opposite direction."""
        self.panes.current.sort_by(self.panes.current.sort_key)

    def action_sort_by(self, step: int) -> None:
        """Sort by the next column, or with -1 by the previous one."""
        self.panes.current.sort_by_next(step)

    def action_sort_menu(self) -> None:
        """Choose a column to sort by, also one that is not shown."""
        self.arranging.choose_sort()

    def action_columns(self) -> None:
        """Choose the columns of the table."""
        self.arranging.choose_columns()

    def action_search(self) -> None:
        """Type a text to search for."""
        self.folding.close_details()
        self.searching.begin()

    def action_hit(self, step: int) -> None:
        """Move to the next hit, or with -1 to the previous one."""
        self.searching.move(step)

    def action_match(self, step: int) -> None:
        """Move to the next row that passes the filters, or with -1 to the previous one."""
        self.searching.move_to_match(step)

    def action_sizes(self) -> None:
        """Measure tasks; while they are measured, stop."""
        self.sizing.toggle()
        self.presenter.update_titles()

    def action_size_kind(self) -> None:
        """Show sizes as bytes in files, or as disk usage."""
        self.sizing.switch_kind()
        self.trash.show_summary()
        self.presenter.update_titles()

    def action_back(self) -> None:
        """End the first of these that there is: full details, the report of a job, a range of
        marks, a part of the pane that was entered, measuring, a search; else go back to the last
        place. If there is none, say which key shows the tasks."""
        pane = self.panes.current
        if self.folding.details_full:
            self.action_details()
        elif not any(
            leave()
            for leave in (
                self.trash.close_result,
                pane.table.drop_range,
                pane.go_up,
                self.sizing.stop,
                self.searching.leave,
                self.drilling.back,
            )
        ):
            self.query_one(KeyFooter).note = with_keys(pane.nothing_to_leave)
        self.presenter.update_titles()

    # Keys: filters

    def action_status(self, number: int) -> None:
        """Add a status to the filters, or remove it."""
        self.filters.toggle_status(FILTERABLE_STATUSES[number - 1])

    def action_clear_filters(self) -> None:
        """Remove all filters and marks, and show all tasks."""
        self.filters.apply_saved(SavedFilter())
        self.tasks.action_unmark()
        self.session.set_state(replace(self.session.state, narrowings=(), only_matched=False))

    def action_only_matched(self) -> None:
        """Hide the tasks that are not matched, or show them dimmed."""
        state = self.session.state
        self.session.set_state(replace(state, only_matched=not state.only_matched))

    def action_save_filters(self) -> None:
        """Save the filters under a name."""
        self.filtering.save()

    # Keys: the current row, the root

    def action_on_row(self, name: str) -> None:
        """Do something with the current row, or with the marked tasks."""
        self.row_actions.run(name)

    def action_export(self) -> None:
        """Export inputs to the clipboard or to a file."""
        self.inspecting.export_inputs()

    @on(HeaderBar.ProblemsClicked)
    def action_problems(self) -> None:
        """Show what could not be read."""
        self.inspecting.show_problems()

    def action_refresh(self) -> None:
        """Read the disk now."""
        self.session.services.poller.refresh_now()
        self.session.services.sizes.repeat()
        self.filtering.read()
        self.trash.reread()

    def action_reconcile(self) -> None:
        """Let R ask the cluster about marked, current or stuck tasks."""
        self.reconciling.ask()

    def action_plan(self) -> None:
        """Show what a purge would take."""
        self.purge.plan()

    def action_explain_purge(self) -> None:
        """Say how to purge, for keys that delete in other programs."""
        self.query_one(KeyFooter).note = with_keys(
            "Nothing is deleted here · <plan=p> shows the plan of a purge"
        )

    def action_undo(self) -> None:
        """Stop the running job, else restore the last batch of the trash."""
        self.trash.undo()

    def action_trash(self) -> None:
        """Show the trash."""
        self.trash.show_trash()

    def action_history(self) -> None:
        """Show the history of purges."""
        self.trash.show_history()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only the actions that do something now."""
        if action == "on_row":
            return self.row_actions.offers(str(*parameters))
        if action == "group":
            return self.session.state.pane in (SPACE, ERRORS)
        return self.trash.can_undo if action == "undo" else True
