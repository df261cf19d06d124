"""The main screen as far as it is used: what keys and clicks do to what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType
from textual.widgets import ContentSwitcher

from hipercow_tui.analysis.bundle_rows import BundleKey
from hipercow_tui.analysis.error_groups import ErrorKey
from hipercow_tui.analysis.task_sorting import SortKey
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui import messages
from hipercow_tui.ui.browse.live import BUNDLES, ERRORS, TASKS
from hipercow_tui.ui.browse.searching import SearchingScreen
from hipercow_tui.ui.keymap import BROWSE
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.header import HeaderBar
from hipercow_tui.ui.widgets.search_bar import SearchBar
from hipercow_tui.ui.widgets.task_details import TaskDetailsView
from hipercow_tui.ui.widgets.task_table import TaskTable
from hipercow_tui.ui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from hipercow_tui.output.r_calls import RCallTargets
    from hipercow_tui.ui.dialogs.copy_menu import CopySource
    from hipercow_tui.ui.workers.purge_job import JobRunner, JobSpec
    from hipercow_tui.ui.workers.trash_monitor import TrashState


class BrowseScreen(SearchingScreen):
    """Filters, marks, orders, searches, plans; only a plan that was confirmed changes the disk."""

    BINDINGS: ClassVar[list[BindingType]] = [*BROWSE]

    job: JobRunner | None = None  # what changes the disk
    _trash: TrashState | None = None
    _told_of: frozenset[str] = frozenset()
    _undoing = False

    @on(messages.ServicesReady)
    def _look_for_what_broke_off(self) -> None:
        """It is told of as soon as it is found."""
        self.services.refresh_trash()

    # Details

    def action_details(self) -> None:
        """Show the task under the cursor on the whole screen, or no longer."""
        full = not self.has_class("-details")
        self.set_class(full, "-details")
        (self.query_one(TaskDetailsView) if full else self.table).focus()

    @on(VirtualTable.Opened)
    def _opened(self, message: VirtualTable.Opened) -> None:
        if message.table is self.tasks:
            self.action_details()
        elif message.table is self.bundles and (line := self.bundles.line_of(message.key)):
            self.filters.set_bundle(line.name, line.lang)
            self.action_show(TASKS)

    # Marks

    @on(TaskTable.Marked)
    def _marked(self, message: TaskTable.Marked) -> None:
        self.filters.marks = message.marks

    # Order and tabs

    def action_show(self, tab: str) -> None:
        """Show tasks, bundles or errors."""
        self._mount_tabs()
        self.remove_class("-details")
        self.query_one(ContentSwitcher).current = tab
        self.set_class(tab == BUNDLES, "-bundles")
        self.set_class(tab == ERRORS, "-errors")
        self.table.focus()
        self._tab_shown()
        self._tell_counts()

    def action_switch(self) -> None:
        """From another table to the bundles, and back to the tasks."""
        self.action_show(TASKS if self._tab == BUNDLES else BUNDLES)

    def action_sort(self) -> None:
        """Sort the other way round."""
        self._sort_by(self._sort_key)

    def action_sort_by(self, step: int) -> None:
        """Sort by the column before or after."""
        key = self._sort_key
        keys = [one for one in type(key) if self.sorts_by(one)]
        self._sort_by(keys[(keys.index(key) + step) % len(keys)])

    @property
    def _sort_key(self) -> SortKey | BundleKey | ErrorKey:
        """What the table that is shown is sorted by."""
        if self._tab == ERRORS:
            return self._error_sort.key
        return self._bundle_sort.key if self._tab == BUNDLES else self._sort.key

    @on(VirtualTable.HeaderClicked)
    def _header_clicked(self, message: VirtualTable.HeaderClicked) -> None:
        self._sort_by(message.column)

    def _sort_by(self, column: str) -> None:
        """By this column, or if it is that already, the other way round."""
        if self._tab == ERRORS:
            if column in tuple(ErrorKey):
                self._sort_errors(ErrorKey(column))
            return
        if self._tab == BUNDLES:
            if column in tuple(BundleKey):
                self._bundle_sort = self._bundle_sort.toggled(BundleKey(column))
        else:
            self._sort = self._sort.toggled(SortKey(column))
        if self._needs_all_gists:
            self.services.summaries.want_all(self.snapshot.tasks)
        self._tell_counts()
        self.renew()

    def key_escape(self) -> None:
        """Leave what was begun last: full details, a range, a search."""
        if self.has_class("-details"):
            self.action_details()
        elif not (self.tasks.drop_range() or self.stop_measuring()) and self._query:
            self.query_one(SearchBar).action_leave()

    # The rest of the keys

    def action_refresh(self) -> None:
        """Look at the disk now."""
        self.services.poller.refresh_now()
        self.read_saved()
        self.services.trash.forget()
        self.services.refresh_trash()

    def action_log(self) -> None:
        """Show the log of the task under the cursor."""
        from hipercow_tui.ui.screens.log import LogScreen

        task = self.tasks.current
        if self._tab != TASKS:
            self.notify("A log is one task's: Enter or b leads to the tasks")
        elif task is None:
            self.notify("There is no task here, and so no log")
        else:
            root = self.root.part(task.lang)
            self.app.push_screen(LogScreen(root, task.id, lambda: self.snapshot.tasks.get(task.id)))

    def action_copy(self) -> None:
        """Choose what to copy of the marked tasks, else of what is under the cursor; or have R
        cancel or retry them."""
        from hipercow_tui.ui.dialogs.copy_menu import CopyMenuScreen

        if self._tab == ERRORS and self.errors.current is not None:
            self.app.copy_to_clipboard(self.errors.current.text)
            self.notify("Copied the message")
        elif (chosen := self._chosen()) is not None:
            refusal = "started with --read-only" if self.read_only else ""
            self.app.push_screen(CopyMenuScreen(chosen, refusal=refusal), self._let_r)

    def _chosen(self) -> CopySource | None:
        from hipercow_tui.ui.dialogs.copy_menu import CopySource, called

        snapshot, marks = self.snapshot, self.tasks.marks
        summaries = self.services.summaries.summaries
        if self._tab == BUNDLES:
            line = self.bundles.current
            bundle = snapshot.bundle(line.name, line.lang) if line else None
            if bundle is None:
                return None
            tasks = tuple(snapshot.of_lang(bundle.lang).existing(bundle.task_ids))
            called_so = f"bundle {bundle.name}"
            return CopySource(called_so, tasks, snapshot, summaries, bundle.name, bundle.lang)
        if marks:
            tasks = tuple(snapshot.tasks[i] for i in self.tasks.keys if i in marks)
            return CopySource(f"{pluralize(len(tasks), 'marked task')}", tasks, snapshot, summaries)
        task = self.tasks.current
        return None if task is None else CopySource(called(task), (task,), snapshot, summaries)

    def _let_r(self, reach: RCallTargets | None) -> None:
        from hipercow_tui.ui.dialogs.run_r import RunRScreen

        def ended(started: bool | None) -> None:
            if started:
                self.action_refresh()

        if reach is not None:
            self.app.push_screen(RunRScreen(reach, self.root), ended)

    def action_problems(self) -> None:
        """Tell what could not be read."""
        from hipercow_tui.ui.dialogs.problems import ProblemsScreen

        self.app.push_screen(ProblemsScreen(self.snapshot))

    @on(HeaderBar.ProblemsClicked)
    def _problems_clicked(self) -> None:
        self.action_problems()

    # Plan and purge

    def action_plan(self) -> None:
        """Look at the root anew and show what a purge would take."""
        stack = self.filters.stack
        if not stack.given:
            self.notify("Set a filter first (1 to 6, tab) or mark tasks (space)", title="No filter")
        elif self.is_purging:
            self.notify(self.is_busy)
        elif not self._planning:
            self._planning = True
            self.services.make_plan(stack)

    @on(messages.PlanReady)
    def _show_plan(self, message: messages.PlanReady) -> None:
        from hipercow_tui.ui.screens.plan import PlanScreen

        self._planning = False
        screen = PlanScreen(
            message.plan,
            message.snapshot,
            self.root,
            self.services.summary_loader,
            read_only=self.read_only,
            clock=self.clock,
        )
        self.app.push_screen(screen, self._purge)

    def _purge(self, job: JobSpec | None) -> None:
        """Carry out what was confirmed."""
        from hipercow_tui.ui.widgets.purge_bar import PurgeBar

        if job is not None and self.is_purging:
            self.notify(self.is_busy)
        elif job is not None:
            bar = PurgeBar(job)
            self.job = bar.run
            self.mount(bar, before=self.query_one(KeyFooter))
            self.refresh_bindings()

    @on(messages.JobEnded)
    async def _purge_ended(self, message: messages.JobEnded) -> None:
        from hipercow_tui.ui.dialogs.job_result import JobResultScreen

        self.job = None
        await self.query("PurgeBar").remove()
        self.action_refresh()
        if message.report is not None:
            self.app.push_screen(JobResultScreen(message.report), self._go_on)
        elif message.error is not None:
            self.notify(message.error, title="Not done", severity="error", timeout=30, markup=False)

    @property
    def is_purging(self) -> bool:
        """Whether a purge, or any other job on the disk, is under way."""
        return self.job is not None

    @property
    def is_busy(self) -> str:
        """A sentence on the job under way, and what to do; empty if there is none."""
        return self.job.waited_for if self.job else ""

    # Trash and undo

    @property
    def _refusal(self) -> str:
        """Why nothing may be changed; nothing if it may."""
        if self.read_only:
            return "Started with --read-only: the trash can be looked at, not changed"
        return self.root.purge_refusal or ""

    @on(messages.ScanUpdated)
    def _look_in_trash_too(self) -> None:
        if not self.is_purging:  # whoever purges knows, and is told at the end
            self.services.refresh_trash()

    @on(messages.TrashUpdated)
    def _trash_seen(self, message: messages.TrashUpdated) -> None:
        from hipercow_tui.ui.workers.trash_monitor import made

        look, now = message.trash, self.clock()
        broke_off = look.interrupted
        self.header.trash = "! interrupted: T" if broke_off else look.in_short(now)
        if look is not self._trash:
            self._trash = look
            self.refresh_bindings()
        new = [batch for batch in broke_off if batch.batch_id not in self._told_of]
        self._told_of |= {batch.batch_id for batch in new}
        for batch in new:
            self.notify(
                f"A purge of {made(batch, now)} was interrupted: T to finish or restore it",
                severity="warning",
                timeout=30,
                markup=False,
            )
        if self._undoing:
            self._undoing = False
            self._ask_to_undo()

    def _go_on(self, action: str | None) -> None:
        """A report names keys that act on what it tells of."""
        if action == "undo":
            self.action_undo()
        elif action == "trash":
            self.call_after_refresh(self.action_trash)  # the report is still being taken away

    def action_undo(self) -> None:
        """Stop the purge that is under way; else bring back the last of the trash."""
        if self.is_purging:
            from hipercow_tui.ui.widgets.purge_bar import PurgeBar

            for bar in self.query(PurgeBar):
                bar.stop()
        elif self._refusal:
            self.notify(self._refusal, severity="warning", markup=False)
        else:
            self._undoing = True
            self.services.refresh_trash()

    def _ask_to_undo(self) -> None:
        from rich.text import Text

        from hipercow_tui.ui.dialogs.choice import Choice, ChoiceScreen
        from hipercow_tui.ui.workers.purge_job import restore_job
        from hipercow_tui.ui.workers.trash_monitor import contents, made

        look = self._trash
        batches = look.undoable if look else ()
        if not batches:
            self.notify(
                (look.problem if look else "") or "Nothing to undo: the trash is empty",
                markup=False,
            )
            return
        job = restore_job(self.root, batches[0].batch_id)
        held, when = contents(*batches, verb="goes/go"), made(batches[0], self.clock())
        what = f"{held} back in place, moved away {when}."

        def answered(answer: str | None) -> None:
            self._purge(job if answer else None)

        question = ChoiceScreen("Undo?", Text(what), [Choice("yes", "y", "Undo")])
        self.app.push_screen(question, answered)

    def action_trash(self) -> None:
        """Show what is in the trash."""
        from hipercow_tui.ui.screens.trash import TrashScreen

        self.app.push_screen(
            TrashScreen(self.root, refusal=self._refusal, clock=self.clock), self._purge
        )

    def action_history(self) -> None:
        """Show what was done before."""
        from hipercow_tui.ui.screens.history import HistoryScreen

        self.app.push_screen(HistoryScreen(self.root, clock=self.clock))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Undo is offered while there is a purge to stop or something to bring back."""
        if action == "undo":
            return self.is_purging or bool(self._trash and self._trash.undoable)
        return True
