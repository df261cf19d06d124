"""Carry a plan out: for good, or into the trash (SPEC section 4, rules 12, 13 and 15)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from hipercow_tui.errors import PurgeError
from hipercow_tui.model import Lang
from hipercow_tui.plan import PurgePlan
from hipercow_tui.purging.history import Kind, remember_purge
from hipercow_tui.purging.lot import Lot, NoRoomError, TakenOverError, new_lot
from hipercow_tui.purging.manifest import Aim
from hipercow_tui.purging.names import State, new_stamp
from hipercow_tui.purging.outcome import Outcome, Progress, PurgeReport, beside
from hipercow_tui.purging.places import Places, open_places
from hipercow_tui.purging.purge import Purge
from hipercow_tui.purging.recent import is_of_removal, remove_ids
from hipercow_tui.purging.units import units_of
from hipercow_tui.purging.watch import Watch, unheard
from hipercow_tui.purging.without_lot import free_chains
from hipercow_tui.roots import Root
from hipercow_tui.text import count, visible


def carry_out(
    plan: PurgePlan,
    root: Root,
    *,
    on_progress: Callable[[Progress], None] = unheard,
    stop: threading.Event | None = None,
    jobs: int = 1,
) -> PurgeReport:
    """Delete what the plan says, nothing else; returns what became of each task and bundle.

    ``on_progress`` is called at most every 50 ms and when a phase begins or ends. Setting ``stop``
    ends the purge and brings back all that has not been erased; ``jobs`` chains are erased at a
    time. An error with one task or bundle keeps it, and its chain, and is in the report.

    Raises PurgeError, a sentence, if the plan is refused or the root can't be purged, and if the
    purge as a whole fails; then everything is where it was, unless the sentence says otherwise.
    """
    return _carry_out(plan, root, Aim.PURGE, Watch(on_progress, stop, jobs))


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


def safety_check(plan: PurgePlan, root: Root) -> str | None:
    """What a purge by this plan would lack in safety, or why it would fail, to be said before it is
    confirmed; None if all is well. It makes a lot, with all that is written into one, and removes
    it again."""
    try:
        for part, place in _parts(plan, root):
            with open_places(place) as places, new_lot(places, part, Aim.PURGE) as lot:
                lot.discard()
    except NoRoomError:
        return (
            "There is no room for the record of a purge. To make some, chains are freed one by one,"
            " without it: what is freed so can't be brought back by an undo, and nothing can be"
            " moved to the trash."
        )
    except PurgeError as error:
        return str(error)
    return None


def _carry_out(plan: PurgePlan, root: Root, aim: Aim, watch: Watch) -> PurgeReport:
    _check(plan, root)
    if plan.empty:
        return PurgeReport(plan)
    units_of(plan)  # refuses a plan that leads out of the root before anything is made
    stamp = new_stamp(time.time())
    reports: list[PurgeReport] = []
    for part, place in _parts(plan, root):
        try:
            reports.append(_carry_out_in(place, part, aim, watch, stamp))
        except PurgeError as error:
            done = sum(len(report.removed) for report in reports)
            if not done:
                raise
            raise PurgeError(
                f"Of R {count(done, 'task')} {'is' if done == 1 else 'are'} gone as planned, but"
                f" of Python: {error}"
            ) from None
        if watch.stopped:
            break
    return beside(plan, reports)


def _parts(plan: PurgePlan, root: Root) -> Iterator[tuple[PurgePlan, Root]]:
    """What is to be done in the root of each language: no chain and no bundle is of both."""
    for lang in Lang:
        part = plan.of_lang(lang)
        if not part.empty:
            yield part, root.part(lang)


def _carry_out_in(root: Root, plan: PurgePlan, aim: Aim, watch: Watch, stamp: str) -> PurgeReport:
    """Carry out what is to be done in the root of one language."""
    fresh: str | None = stamp
    with open_places(root) as places:
        total, rest, chains = PurgeReport(plan), plan, 1
        try:
            while True:
                try:
                    with new_lot(places, rest, aim, fresh) as lot:
                        fresh = None
                        report = run_in(lot, rest, aim, watch)
                except NoRoomError as error:
                    if aim is Aim.TRASH:
                        raise PurgeError(f"{error} Purging for good makes room.") from None
                    report = free_chains(places, rest, watch, chains)
                    chains *= 2  # so that the rest is not written down, in vain, for each of them
                    if not (report.removed or total.removed or watch.stopped):
                        raise PurgeError(_no_room(report, error)) from None
                total = total.then(report)
                rest = _rest(rest, report)
                if rest.empty or watch.stopped or not report.no_room:
                    break
                if not report.removed:
                    total = total.then(_left_for_lack_of_room(rest))
                    break
        finally:
            if aim is Aim.PURGE:
                total = forgotten(places, total)
            if total.removed or total.removed_bundles or total.put_back or total.failed:
                kind = Kind.TRASH if aim is Aim.TRASH else Kind.PURGE
                remember_purge(places, kind, total)
        return total


def forgotten(places: Places, report: PurgeReport) -> PurgeReport:
    """The report of a purge after what it erased was taken out of Python's list of recent tasks, as
    far as there was no room for that before."""
    failed = remove_ids(places, report.removed)
    others = tuple(one for one in report.failed if not is_of_removal(one))
    return replace(report, failed=(*others, failed) if failed else others)


def run_in(lot: Lot, plan: PurgePlan, aim: Aim, watch: Watch) -> PurgeReport:
    """Carry the plan out in this lot. Raises PurgeError as ``carry_out`` does."""
    began = time.monotonic()
    purge = Purge(plan, lot, units_of(plan), watch, aim)
    try:
        purge.run()
    except TakenOverError:
        raise
    except BaseException as error:  # also ctrl+c, and an error in on_progress
        purge.watch = Watch(unheard)
        ours = isinstance(error, (OSError, PurgeError))
        purge.bring_back("the purge failed" if ours else "the purge was interrupted")
        lot.discard()
        if purge.record.removed:
            report = purge.report(time.monotonic() - began, discarded=True)
            remember_purge(lot.places, Kind.PURGE, report)
        if isinstance(error, (OSError, PurgeError)):
            raise PurgeError(purge.failure(error)) from None
        raise
    discarded = lot.name.state is not State.TRASH and lot.discard()
    return purge.report(time.monotonic() - began, discarded=discarded)


def _rest(plan: PurgePlan, report: PurgeReport) -> PurgePlan:
    """What of the plan is still to do after a part of it."""
    settled = {*report.removed, *report.removed_bundles}
    settled |= {one.name for one in report.vanished}
    settled |= {one.name for one in report.failed if one.where is not None}
    return replace(
        plan,
        tasks=tuple(one for one in plan.tasks if one.task.id not in settled),
        bundles=tuple(one for one in plan.bundles if one.bundle.name not in settled),
    )


def _left_for_lack_of_room(rest: PurgePlan) -> PurgeReport:
    why = "there is no room to move it: try again when there is"
    names = [(one.bundle.name, True) for one in rest.bundles] + [(i, False) for i in rest.ids]
    failed = tuple(Outcome(name, why, is_bundle=is_bundle) for name, is_bundle in names)
    return PurgeReport(rest, failed=failed)


def _no_room(report: PurgeReport, error: NoRoomError) -> str:
    why = next((f" ({one.reason})" for one in (*report.failed, *report.put_back)), "")
    return (
        f"{error} Nor could a single chain of the plan be freed to make room{why}: delete a file or"
        " two by hand, for example the log of a task, and try again."
    )


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
