"""Measures the tasks of a plan in a thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.formats.folder_size import Size, measure
from hipercow_tui.formats.root import Root
from hipercow_tui.ui.workers.base import start_thread

_PROGRESS_INTERVAL = 0.1  # seconds between two calls of ``on_progress``


class PlanSizes:
    """Fills ``sizes``, by task id, for one plan at a time.

    ``on_progress`` is called in the thread with the plan and the part of it that is measured, from
    0 to 1; None if all tasks are. Tasks that can't be read completely have no size.
    """

    def __init__(
        self,
        root: Root,
        on_progress: Callable[[PurgePlan, float | None], object],
        on_error: Callable[[Exception], object],
    ) -> None:
        self.sizes: dict[str, Size] = {}
        self.plan: PurgePlan | None = None
        self._root = root
        self._on_progress = on_progress
        self._on_error = on_error

    def measure(self, plan: PurgePlan) -> None:
        """Measure the tasks of this plan that have no size, instead of those of the plan before."""
        self.plan = plan
        start_thread(partial(self._measure, plan), self._on_error, name="PlanSizes")

    def stop(self) -> None:
        """Measure no more."""
        self.plan = None

    def _measure(self, plan: PurgePlan) -> None:
        unknown = [task_id for task_id in plan.ids if task_id not in self.sizes]
        due = time.monotonic() + _PROGRESS_INTERVAL
        for done, task_id in enumerate(unknown):
            if self.plan is not plan:
                return
            if time.monotonic() >= due:
                self._on_progress(plan, done / len(unknown))
                due = time.monotonic() + _PROGRESS_INTERVAL
            measured = measure(self._root, task_id)
            if measured is not None:
                self.sizes[task_id] = measured
        if self.plan is plan:
            self._on_progress(plan, None)
