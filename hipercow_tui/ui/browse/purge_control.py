"""Plans a purge, and runs one job at a time that changes the root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui import messages
from hipercow_tui.ui.browse.controller import Controller
from hipercow_tui.ui.key_hints import filter_keys, with_keys
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.header import HeaderBar

if TYPE_CHECKING:
    from hipercow_tui.analysis.plan_arrangement import Arrangement
    from hipercow_tui.formats.free_space import FreeSpace
    from hipercow_tui.ui.workers.purge_job import JobRunner, JobSpec


class PurgeControl(Controller):
    """Plans and starts jobs. ``job`` is the running purge, restore or emptying, or None.

    Only a job that the user confirmed is started.
    """

    job: JobRunner | None = None
    planning = False  # whether a plan was requested
    space_before: FreeSpace | None = None  # when the last job began
    _arrangement: Arrangement | None = None  # of the plan that was shown last

    @property
    def busy(self) -> str:
        """A sentence on the running job and what to do; empty if there is none."""
        return self.job.status_text if self.job else ""

    def plan(self) -> None:
        """Scan the root and show what a purge with the present filters and marks would take."""
        filters = self._session.purge_filters
        if not filters.given:
            self._screen.notify(
                with_keys(f"Set a filter first ({filter_keys()}) or mark tasks (<mark=space>)"),
                title="No filter",
            )
        elif self.job is not None:
            self._screen.notify(self.busy)
        elif not self.planning and self._marks_pass(filters):
            self.planning = True
            self._session.services.make_plan(filters)

    def _marks_pass(self, filters: FilterStack) -> bool:
        """Return whether a marked task passes the filters, if any is marked; explain if not all
        pass."""
        marks = self._session.marks.ids
        if marks is None:
            return True
        passing = len(filters.matched(self._session.snapshot))
        if not marks:
            self._screen.notify(
                with_keys("All marked tasks are gone: <unmark=u> removes the marks")
            )
        elif not passing:
            self._screen.notify(
                with_keys("No marked task passes the filters: <clear=0> removes filters and marks")
            )
        elif passing < len(marks):
            marked = pluralize(len(marks), "marked task")
            self._screen.notify(f"{passing:,} of {marked} pass the filters: the plan is for these")
        return passing > 0

    def show_plan(self, message: messages.PlanReady) -> None:
        """Show the plan that was requested; start the job that is confirmed in it."""
        from hipercow_tui.analysis.plan_arrangement import Arrangement
        from hipercow_tui.ui.screens.plan import PlanScreen

        self.planning = False
        session = self._session
        screen = PlanScreen(
            message.plan,
            message.snapshot,
            session.root,
            session.services.summary_loader,
            session.services.errors.failures,
            arrangement=self._arrangement or Arrangement(),
            read_only=session.read_only,
            clock=session.clock,
            reread=session.services.poller.refresh_now,
            size_kind=session.state.size_kind,
        )

        def closed(job: JobSpec | None) -> None:
            self._arrangement = screen.arrangement
            if screen.pinning.changed:
                session.services.poller.refresh_now()
            session.services.sizes.add(screen.measured_sizes)
            session.request_totals()
            self._start_planned(job)

        self._screen.app.push_screen(screen, closed)

    def _start_planned(self, job: JobSpec | None) -> None:
        """Start the job of a plan on the main screen; without one, stay on the screen below."""
        app = self._screen.app
        while job is not None and app.screen is not self._screen:
            app.pop_screen()
        self.start(job)

    def start(self, job: JobSpec | None) -> None:
        """Start a job that was confirmed, unless one is running; None starts nothing."""
        from hipercow_tui.ui.widgets.purge_bar import PurgeBar

        if job is None:
            return
        if self.job is not None:
            self._screen.notify(self.busy)
            return
        self._screen.query("JobResult").remove()  # of the job before
        self.space_before = self._screen.query_one(HeaderBar).space
        bar = PurgeBar(job, size_kind=self._session.state.size_kind)
        self.job = bar.runner
        footer = self._screen.query_one(KeyFooter)
        footer.labels = {"undo": "Stop"}
        self._screen.mount(bar, before=footer)
        self._screen.refresh_bindings()

    def stop(self) -> None:
        """Stop the running job, if it can be stopped."""
        from hipercow_tui.ui.widgets.purge_bar import PurgeBar

        for bar in self._screen.query(PurgeBar):
            bar.stop()

    async def end(self) -> None:
        """Remove the progress bar of the job, which has ended."""
        self.job = None
        self._screen.query_one(KeyFooter).labels = {}
        await self._screen.query("PurgeBar").remove()
