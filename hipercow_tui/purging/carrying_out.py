"""Carry a plan out: for good, or into the trash (SPEC section 4, rules 12, 13 and 15)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hipercow_tui.errors import PurgeError
from hipercow_tui.plan import PurgePlan
from hipercow_tui.purging.history import Kind, remember_purge
from hipercow_tui.purging.lot import Lot, TakenOverError, new_lot
from hipercow_tui.purging.manifest import Aim
from hipercow_tui.purging.outcome import Progress, PurgeReport
from hipercow_tui.purging.places import Places, open_places
from hipercow_tui.purging.purge import Purge
from hipercow_tui.purging.units import units_of
from hipercow_tui.purging.watch import Watch, unheard
from hipercow_tui.roots import Root
from hipercow_tui.text import count, visible


def carry_out(
    plan: PurgePlan,
    root: Root,
    *,
    on_progress: Callable[[Progress], None] = unheard,
    stop: threading.Event | None = None,
) -> PurgeReport:
    """Delete what the plan says, nothing else; returns what became of each task and bundle.

    ``on_progress`` is called at most every 50 ms and when a phase begins or ends. Setting ``stop``
    ends the purge and brings back all that has not been erased. An error with one task or bundle
    keeps it, and its chain, and is in the report.

    Raises PurgeError, a sentence, if the plan is refused or the root can't be purged, and if the
    purge as a whole fails; then everything is where it was, unless the sentence says otherwise.
    """
    return _carry_out(plan, root, Aim.PURGE, Watch(on_progress, stop))


def move_to_trash(
    plan: PurgePlan,
    root: Root,
    *,
    on_progress: Callable[[Progress], None] = unheard,
    stop: threading.Event | None = None,
) -> PurgeReport:
    """Like ``carry_out``, but what goes is kept, in a lot in the trash that the report names: it
    frees no space until it is emptied, and can be restored until then."""
    return _carry_out(plan, root, Aim.TRASH, Watch(on_progress, stop))


def _carry_out(plan: PurgePlan, root: Root, aim: Aim, watch: Watch) -> PurgeReport:
    _check(plan, root)
    if plan.empty:
        return PurgeReport(plan)
    units_of(plan)  # refuses a plan that leads out of the root before anything is made
    with open_places(root) as places, new_lot(places, plan, aim) as lot:
        return run_in(lot, places, plan, aim, watch)


def run_in(lot: Lot, places: Places, plan: PurgePlan, aim: Aim, watch: Watch) -> PurgeReport:
    """Carry the plan out in this lot, whatever happens, and remember it in the history.

    Raises PurgeError as ``carry_out`` does.
    """
    began = time.monotonic()
    purge = Purge(plan, lot, units_of(plan), watch, aim)
    discarded = False
    try:
        purge.run()
    except TakenOverError:
        raise
    except BaseException as error:  # also ctrl+c, and an error in on_progress
        purge.watch = Watch(unheard)
        ours = isinstance(error, (OSError, PurgeError))
        purge.bring_back("the purge failed" if ours else "the purge was interrupted")
        lot.discard()
        report = purge.report(time.monotonic() - began, discarded=True)
        if report.removed:
            remember_purge(places, Kind.PURGE, lot.stamp, report)
        if isinstance(error, (OSError, PurgeError)):
            raise PurgeError(purge.failure(error)) from None
        raise
    if lot.name.state is lot.name.state.TRASH:
        lot.heart.end()
    else:
        discarded = lot.discard()
    report = purge.report(time.monotonic() - began, discarded=discarded)
    remember_purge(places, Kind.TRASH if aim is Aim.TRASH else Kind.PURGE, lot.stamp, report)
    return report


def _check(plan: PurgePlan, root: Root) -> None:
    if root.purge_refusal:
        raise PurgeError(root.purge_refusal)
    if plan.refused:
        raise PurgeError(
            f"{count(len(plan.blocked), 'task')} of the plan can't be purged, so nothing was:"
            " leave out their chains, or free them first"
        )
    if plan.root != root.path:
        raise PurgeError(
            f"The plan is for {visible(str(plan.root))}, not for {visible(str(root.path))}"
        )
