"""Carry a plan out: move, check, then erase (SPEC section 4, rules 12, 13 and 15)."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hipercow_tui.errors import PurgeError
from hipercow_tui.plan import PurgePlan
from hipercow_tui.purging.outcome import Progress, PurgeReport
from hipercow_tui.roots import Root


def carry_out(
    plan: PurgePlan,
    root: Root,
    *,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    stop: threading.Event | None = None,
) -> PurgeReport:
    """Delete what the plan says, nothing else; returns what became of each task and bundle.

    ``on_progress`` is called at most every 50 ms and when a phase begins or ends. Setting ``stop``
    ends the purge and brings back all that has not been erased.

    Raises PurgeError, a sentence, if the plan is refused or the root can't be purged, and if the
    purge as a whole fails; then everything is where it was, unless the sentence says otherwise.
    """
    if plan.empty:
        return PurgeReport(plan)
    raise PurgeError("purging is not there yet")
