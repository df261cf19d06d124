"""Lets R ask the cluster about the tasks that block a plan, and makes the plan again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.screen import Screen

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.formats.root import Root
from hipercow_tui.output.reconciling import targets_among
from hipercow_tui.ui.dialogs.reconcile import READ_ONLY, AskChoice, ReconcileScreen


class PlanReconciling:
    """Asks about blocked tasks. ``reread`` reads the root and passes the snapshot from a thread;
    ``show`` is called in the UI thread with it."""

    def __init__(
        self,
        screen: Screen[Any],
        root: Root,
        show: Callable[[Snapshot], object],
        reread: Callable[[Callable[[Snapshot], None]], object],
        *,
        read_only: bool,
    ) -> None:
        self._screen = screen
        self._root = root
        self._show = show
        self._reread = reread
        self._read_only = read_only

    def ask(self, plan: PurgePlan) -> None:
        """Ask about the tasks that block a plan."""
        if self._read_only:
            self._screen.notify(READ_ONLY, severity="warning", markup=False)
            return
        targets = targets_among(one.task for one in plan.blocked)
        number = len(targets.tasks)
        label = "the task that blocks" if number == 1 else f"the {number:,} tasks that block"
        choice = AskChoice(f"{label} the plan", "Ask", targets)

        def read(snapshot: Snapshot) -> None:
            self._screen.call_later(self._show, snapshot)

        def ended(started: bool | None) -> None:
            if started:
                self._reread(read)

        self._screen.app.push_screen(ReconcileScreen([choice], self._root), ended)
