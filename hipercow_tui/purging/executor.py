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
from hipercow_tui.purging.batch import Batch, NoSpaceError, TakenOverError
from hipercow_tui.purging.batch_lifecycle import check_space, create_batch
from hipercow_tui.purging.batch_name import BatchState, new_batch_id
from hipercow_tui.purging.chain_units import chain_units
from hipercow_tui.purging.full_disk import erase_unbatched
from hipercow_tui.purging.history import HistoryKind, record_purge
from hipercow_tui.purging.manifest import PurgeMode
from hipercow_tui.purging.progress import ProgressReporter, ignore_progress
from hipercow_tui.purging.recent_list import is_of_removal, remove_ids
from hipercow_tui.purging.results import ItemResult, Progress, PurgeReport, merge_reports
from hipercow_tui.purging.root_dirs import RootDirs, open_root_dirs
from hipercow_tui.purging.transaction import PurgeTransaction
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import escape_controls, pluralize


def execute(
    plan: PurgePlan,
    root: Root,
    *,
    on_progress: Callable[[Progress], None] = ignore_progress,
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
    return _execute(plan, root, PurgeMode.PURGE, ProgressReporter(on_progress, stop, jobs))


def move_to_trash(
    plan: PurgePlan,
    root: Root,
    *,
    on_progress: Callable[[Progress], None] = ignore_progress,
    stop: threading.Event | None = None,
) -> PurgeReport:
    """Like ``execute``, but what goes is kept, in a lot in the trash that the report names: it
    frees no space until it is emptied, and can be restored until then."""
    return _execute(plan, root, PurgeMode.TRASH, ProgressReporter(on_progress, stop))


def preflight(plan: PurgePlan, root: Root) -> str | None:
    """What a purge by this plan would lack in safety, or why it would fail, for the question before
    it; None if all is well. It prepares a lot that recovery never takes for a purge, and removes it
    again."""
    try:
        for lang in _langs_of(plan):
            with open_root_dirs(root.part(lang)) as dirs:
                check_space(dirs, plan, PurgeMode.PURGE)
    except NoSpaceError:
        return (
            "There is no room for the record of a purge. To make some, chains are freed one by one,"
            " without it: what is freed so can't be brought back by an undo, and nothing can be"
            " moved to the trash."
        )
    except PurgeError as error:
        return str(error)
    return None


def _execute(
    plan: PurgePlan, root: Root, mode: PurgeMode, progress: ProgressReporter
) -> PurgeReport:
    _check(plan, root)
    if plan.empty:
        return PurgeReport(plan)
    chain_units(plan)  # refuses a plan that leads out of the root before anything is made
    return execute_confirmed(plan, root, _langs_of(plan), mode, progress, new_batch_id(time.time()))


def execute_confirmed(
    plan: PurgePlan,
    root: Root,
    langs: Sequence[Lang],
    mode: PurgeMode,
    progress: ProgressReporter,
    batch_id: str,
) -> PurgeReport:
    """Carry out what the plan holds of these languages, one after the other, in lots of one stamp.

    All lots are made before anything moves, so that a purge which dies in the first of two roots
    can be finished in both. Raises PurgeError.
    """
    reports: list[PurgeReport] = []
    with ExitStack() as stack:
        dirs = [stack.enter_context(open_root_dirs(root.part(lang))) for lang in langs]
        batches = _create_batches(stack, dirs, plan, mode, batch_id)
        for lang, place in zip(langs, dirs, strict=True):
            part = plan.of_lang(lang)
            if progress.stopped:
                reports.append(_not_started(part))
                continue
            try:
                reports.append(_execute_in(place, part, mode, progress, batches.pop(lang, None)))
            except PurgeError as error:
                raise _partly_done_error(reports, error) from None
    return merge_reports(plan, reports)


def _langs_of(plan: PurgePlan) -> list[Lang]:
    """The languages in whose roots something is to be done: no chain and no bundle is of both."""
    return [lang for lang in Lang if not plan.of_lang(lang).empty]


def _create_batches(
    stack: ExitStack, dirs: Sequence[RootDirs], plan: PurgePlan, mode: PurgeMode, batch_id: str
) -> dict[Lang, Batch]:
    """A lot in each of these places; none at all where there is no room for one. What is still in
    the result when the stack closes was not used, and is removed."""
    batches: dict[Lang, Batch] = {}
    made = stack.enter_context(ExitStack())
    stack.callback(
        lambda: [batch.discard() for batch in batches.values()]
    )  # before ``made`` is closed
    try:
        for place in dirs:
            batches[place.lang] = made.enter_context(create_batch(place, plan, mode, batch_id))
    except NoSpaceError:
        for batch in batches.values():
            batch.discard()
        batches.clear()
    return batches


def _not_started(part: PurgePlan) -> PurgeReport:
    """The report of a part that was not begun because the purge was stopped before it."""
    return PurgeReport(
        part, put_back=_same_result_for_all(part, "the purge was stopped"), stopped=True
    )


def _partly_done_error(reports: Sequence[PurgeReport], error: PurgeError) -> PurgeError:
    done = sum(len(report.removed) for report in reports)
    if not done:
        return error
    return PurgeError(
        f"{pluralize(done, 'task')} of R {'is' if done == 1 else 'are'} gone as planned, but not those"
        f" of Python: {error}"
    )


def _execute_in(
    dirs: RootDirs,
    plan: PurgePlan,
    mode: PurgeMode,
    progress: ProgressReporter,
    batch: Batch | None,
) -> PurgeReport:
    """Carry out what is to be done in the root of one language, in ``batch`` or, where there was no
    room for it, in lots that are made once there is."""
    total, rest, chains = PurgeReport(plan), plan, 1
    try:
        while True:
            try:
                with nullcontext(batch) if batch else create_batch(dirs, rest, mode) as used:
                    batch = None
                    report = run_in_batch(used, rest, mode, progress)
            except NoSpaceError as error:
                if mode is PurgeMode.TRASH:
                    raise PurgeError(f"{error} Purging for good makes room.") from None
                report = erase_unbatched(dirs, rest, progress, chains)
                chains *= 2  # so that the rest is not written down, in vain, for each of them
                if not (report.removed or total.removed or progress.stopped):
                    raise PurgeError(_no_space_sentence(report, error)) from None
            total = total.followed_by(report)
            rest = _remaining_plan(rest, report)
            if rest.empty or progress.stopped or not report.no_space:
                break
            if not report.removed:
                total = total.followed_by(_failed_for_lack_of_space(rest))
                break
    finally:
        if mode is PurgeMode.PURGE:
            total = remove_from_recent(dirs, total)
        if total.removed or total.removed_bundles or total.put_back or total.failed:
            kind = HistoryKind.TRASH if mode is PurgeMode.TRASH else HistoryKind.PURGE
            record_purge(dirs, kind, total)
    return total


def remove_from_recent(dirs: RootDirs, report: PurgeReport) -> PurgeReport:
    """The report of a purge after what it erased was taken out of Python's list of recent tasks, as
    far as there was no room for that before."""
    failed = remove_ids(dirs, report.removed)
    others = tuple(one for one in report.failed if not is_of_removal(one))
    return replace(report, failed=(*others, failed) if failed else others)


def run_in_batch(
    batch: Batch, plan: PurgePlan, mode: PurgeMode, progress: ProgressReporter
) -> PurgeReport:
    """Carry the plan out in this lot. Raises PurgeError as ``execute`` does."""
    began = time.monotonic()
    purge = PurgeTransaction(plan, batch, chain_units(plan), progress, mode)
    try:
        purge.run()
    except BaseException as error:  # also ctrl+c, and an error in on_progress
        sentence = _roll_back_sentence(purge, error)
        if purge.record.removed:
            report = purge.report(time.monotonic() - began, discarded=True)
            record_purge(batch.dirs, HistoryKind.PURGE, report)
        if isinstance(error, (OSError, PurgeError)):
            raise PurgeError(sentence) from None
        raise
    discarded = batch.name.state is not BatchState.TRASH and batch.discard()
    return purge.report(time.monotonic() - began, discarded=discarded)


def _roll_back_sentence(purge: PurgeTransaction, error: BaseException) -> str:
    """What went wrong, in a sentence, after all was put back, as far as the lot is still ours."""
    purge.progress = ProgressReporter(ignore_progress)
    ours = isinstance(error, (OSError, PurgeError))
    try:
        if isinstance(error, TakenOverError):
            raise error
        purge.abort("the purge failed" if ours else "the purge was interrupted")
        purge.batch.discard()
    except (OSError, PurgeError) as lost:
        return purge.interrupted_sentence(lost)
    return purge.failure_sentence(error) if isinstance(error, (OSError, PurgeError)) else ""


def _remaining_plan(plan: PurgePlan, report: PurgeReport) -> PurgePlan:
    """What of the plan is still to do after a part of it."""
    settled = {*report.removed, *report.removed_bundles}
    settled |= {one.name for one in report.vanished}
    settled |= {one.name for one in report.failed if one.where is not None}
    return replace(
        plan,
        tasks=tuple(one for one in plan.tasks if one.task.id not in settled),
        bundles=tuple(one for one in plan.bundles if one.bundle.name not in settled),
    )


def _failed_for_lack_of_space(rest: PurgePlan) -> PurgeReport:
    why = "there is no room to move it: try again when there is"
    return PurgeReport(rest, failed=_same_result_for_all(rest, why))


def _same_result_for_all(plan: PurgePlan, why: str) -> tuple[ItemResult, ...]:
    """The same outcome for each bundle and task of a plan."""
    names = [(one.bundle.name, True) for one in plan.bundles] + [(i, False) for i in plan.ids]
    return tuple(ItemResult(name, why, is_bundle=is_bundle) for name, is_bundle in names)


def _no_space_sentence(report: PurgeReport, error: NoSpaceError) -> str:
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
            f"{pluralize(len(plan.blocked), 'task')} of the plan can't be purged, so nothing was:"
            " leave out their chains, or free them first"
        )
    if plan.root != root.path:
        raise PurgeError(
            f"The plan is for {escape_controls(str(plan.root))}, not for {escape_controls(str(root.path))}"
        )
