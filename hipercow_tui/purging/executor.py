"""Carry a plan out: for good, or into the trash (docs/spec.md, rules 12, 13 and 15)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import replace

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.root import Root
from hipercow_tui.purging.batch import Lot, NoRoomError, TakenOverError, check_room, new_lot
from hipercow_tui.purging.batch_name import State, new_stamp
from hipercow_tui.purging.chain_units import units_of
from hipercow_tui.purging.full_disk import free_chains
from hipercow_tui.purging.history import Kind, remember_purge
from hipercow_tui.purging.manifest import Aim
from hipercow_tui.purging.progress import Watch, unheard
from hipercow_tui.purging.recent_list import is_of_removal, remove_ids
from hipercow_tui.purging.results import Outcome, Progress, PurgeReport, beside
from hipercow_tui.purging.root_dirs import Places, open_places
from hipercow_tui.purging.transaction import Purge
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import count, visible


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
    """What a purge by this plan would lack in safety, or why it would fail, for the question before
    it; None if all is well. It prepares a lot that recovery never takes for a purge, and removes it
    again."""
    try:
        for lang in _langs_of(plan):
            with open_places(root.part(lang)) as places:
                check_room(places, plan, Aim.PURGE)
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
    return carry_out_confirmed(plan, root, _langs_of(plan), aim, watch, new_stamp(time.time()))


def carry_out_confirmed(
    plan: PurgePlan, root: Root, langs: Sequence[Lang], aim: Aim, watch: Watch, stamp: str
) -> PurgeReport:
    """Carry out what the plan holds of these languages, one after the other, in lots of one stamp.

    All lots are made before anything moves, so that a purge which dies in the first of two roots
    can be finished in both. Raises PurgeError.
    """
    reports: list[PurgeReport] = []
    with ExitStack() as stack:
        places = [stack.enter_context(open_places(root.part(lang))) for lang in langs]
        lots = _lots_of(stack, places, plan, aim, stamp)
        for lang, place in zip(langs, places, strict=True):
            part = plan.of_lang(lang)
            if watch.stopped:
                reports.append(_not_begun(part))
                continue
            try:
                reports.append(_carry_out_in(place, part, aim, watch, lots.pop(lang, None)))
            except PurgeError as error:
                raise _half_done(reports, error) from None
    return beside(plan, reports)


def _langs_of(plan: PurgePlan) -> list[Lang]:
    """The languages in whose roots something is to be done: no chain and no bundle is of both."""
    return [lang for lang in Lang if not plan.of_lang(lang).empty]


def _lots_of(
    stack: ExitStack, places: Sequence[Places], plan: PurgePlan, aim: Aim, stamp: str
) -> dict[Lang, Lot]:
    """A lot in each of these places; none at all where there is no room for one. What is still in
    the result when the stack closes was not used, and is removed."""
    lots: dict[Lang, Lot] = {}
    made = stack.enter_context(ExitStack())
    stack.callback(lambda: [lot.discard() for lot in lots.values()])  # before ``made`` is closed
    try:
        for place in places:
            lots[place.lang] = made.enter_context(new_lot(place, plan, aim, stamp))
    except NoRoomError:
        for lot in lots.values():
            lot.discard()
        lots.clear()
    return lots


def _not_begun(part: PurgePlan) -> PurgeReport:
    """The report of a part that was not begun because the purge was stopped before it."""
    return PurgeReport(part, put_back=_outcomes(part, "the purge was stopped"), stopped=True)


def _half_done(reports: Sequence[PurgeReport], error: PurgeError) -> PurgeError:
    done = sum(len(report.removed) for report in reports)
    if not done:
        return error
    return PurgeError(
        f"{count(done, 'task')} of R {'is' if done == 1 else 'are'} gone as planned, but not those"
        f" of Python: {error}"
    )


def _carry_out_in(
    places: Places, plan: PurgePlan, aim: Aim, watch: Watch, lot: Lot | None
) -> PurgeReport:
    """Carry out what is to be done in the root of one language, in ``lot`` or, where there was no
    room for it, in lots that are made once there is."""
    total, rest, chains = PurgeReport(plan), plan, 1
    try:
        while True:
            try:
                with nullcontext(lot) if lot else new_lot(places, rest, aim) as used:
                    lot = None
                    report = run_in(used, rest, aim, watch)
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
    except BaseException as error:  # also ctrl+c, and an error in on_progress
        sentence = _brought_back(purge, error)
        if purge.record.removed:
            report = purge.report(time.monotonic() - began, discarded=True)
            remember_purge(lot.places, Kind.PURGE, report)
        if isinstance(error, (OSError, PurgeError)):
            raise PurgeError(sentence) from None
        raise
    discarded = lot.name.state is not State.TRASH and lot.discard()
    return purge.report(time.monotonic() - began, discarded=discarded)


def _brought_back(purge: Purge, error: BaseException) -> str:
    """What went wrong, in a sentence, after all was put back, as far as the lot is still ours."""
    purge.watch = Watch(unheard)
    ours = isinstance(error, (OSError, PurgeError))
    try:
        if isinstance(error, TakenOverError):
            raise error
        purge.abort("the purge failed" if ours else "the purge was interrupted")
        purge.lot.discard()
    except (OSError, PurgeError) as lost:
        return purge.left_behind(lost)
    return purge.failure(error) if isinstance(error, (OSError, PurgeError)) else ""


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
    return PurgeReport(rest, failed=_outcomes(rest, why))


def _outcomes(plan: PurgePlan, why: str) -> tuple[Outcome, ...]:
    """The same outcome for each bundle and task of a plan."""
    names = [(one.bundle.name, True) for one in plan.bundles] + [(i, False) for i in plan.ids]
    return tuple(Outcome(name, why, is_bundle=is_bundle) for name, is_bundle in names)


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
