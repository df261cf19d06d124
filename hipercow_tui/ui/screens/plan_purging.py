"""Purges, saves and copies the plan on the screen, or says why not."""

from __future__ import annotations

from collections.abc import Callable

from textual.screen import Screen
from textual.worker import get_current_worker

from hipercow_tui.analysis.plan_tree import KnownFacts
from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.root import Root
from hipercow_tui.output import report
from hipercow_tui.purging import preflight
from hipercow_tui.purging.manifest import PurgeMode
from hipercow_tui.ui.clipboard import copy
from hipercow_tui.ui.dialogs.confirm import ConfirmScreen
from hipercow_tui.ui.dialogs.save_plan import SavePlanScreen
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.workers.plan_view import PlanView
from hipercow_tui.ui.workers.purge_job import JobSpec, purge_job

_NO_R_CALL = "R has nothing to purge here, so there is no call to copy"


class PlanPurging:
    """Handles what the user does with a whole plan.

    ``current_view`` returns the view of the plan that the user chose, None while another plan is
    shown. The screen is dismissed with the job that the user confirmed.
    """

    def __init__(
        self,
        screen: Screen[JobSpec | None],
        root: Root,
        current_view: Callable[[], PlanView | None],
        known: KnownFacts,
        *,
        read_only: bool,
    ) -> None:
        self._screen = screen
        self._root = root
        self._current_view = current_view
        self._known = known
        self._read_only = read_only

    def refusal(self, plan: PurgePlan) -> str | None:
        """Return why a plan can't be purged, with a remedy; None if it can."""
        return _purge_refusal(plan, self._root, read_only=self._read_only)

    def why_disabled(self, action: str, plan: PurgePlan) -> str:
        """Return why a plan can't be purged, saved or copied; empty if it can."""
        if action == "purge":
            return self.refusal(plan) or ""
        if action == "save":
            return _save_refusal(plan)
        return "" if Lang.R in plan.langs else _NO_R_CALL

    def purge(self, plan: PurgePlan) -> None:
        """Check the root in a thread, then ask for confirmation."""
        if refusal := self.refusal(plan):
            self._screen.notify(refusal, severity="warning", markup=False)
            return

        def check() -> None:
            warning = preflight(plan, self._root)
            if not get_current_worker().is_cancelled:
                self._screen.call_later(self._ask, plan, warning)

        self._screen.run_worker(check, thread=True, exclusive=True, group="check")

    def _ask(self, plan: PurgePlan, warning: str | None) -> None:
        view = self._current_view()
        if view is None or view.plan is not plan or not self._screen.is_current:
            return  # changed or closed during the check

        def answered(mode: str | None) -> None:
            if mode is not None:
                job = purge_job(plan, self._root, PurgeMode(mode), self._known.sizes)
                self._screen.dismiss(job)

        question = ConfirmScreen(plan, view.total, warning, self._known.size_kind)
        self._screen.app.push_screen(question, answered)

    def save(self, plan: PurgePlan) -> None:
        """Save a plan to a file for ``hipercow-tui apply``."""
        self._screen.app.push_screen(SavePlanScreen(plan))

    def copy(self, plan: PurgePlan) -> None:
        """Copy the R call that purges the same tasks."""
        call = report.r_call(plan)
        if call:
            alternative = with_keys("save the plan (<plan.save=e>)")
            copy(self._screen.app, call, "R call", alternative=alternative)
        else:
            self._screen.notify(_NO_R_CALL, markup=False)


def _purge_refusal(plan: PurgePlan, root: Root, *, read_only: bool) -> str | None:
    """Return why a plan can't be purged and what to do; None if it can."""
    if plan.empty and plan.goal:
        return plan.goal
    if plan.empty and not plan.refused:
        everything = with_keys(
            "You keep everything: <plan.keep=space> takes a chain back into the plan"
        )
        if plan.kept:
            return everything
        unpin = with_keys(": <plan.pin=P> unpins what pins hold back")
        return f"Nothing to purge{unpin if plan.pinned else ''}"
    if read_only:
        return "Started with --read-only: you can save this plan, but not purge it"
    if root.purge_refusal:
        return f"This root can't be purged: {root.purge_refusal}"
    if plan.refused:
        return with_keys(
            "Blocked tasks stop the purge: leave out their chains first (<plan.skip=x>)"
        )
    return None


def _save_refusal(plan: PurgePlan) -> str:
    if plan.refused:
        return with_keys(
            "A plan with blocked tasks can't be saved: leave out their chains first (<plan.skip=x>)"
        )
    return "There is nothing in the plan to save" if plan.empty else ""
