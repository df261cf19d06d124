"""Carry out a plan: erase, or move to the trash (docs/spec.md, rules 12, 13 and 15)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from types import MappingProxyType

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.folder_size import Size
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
from hipercow_tui.purging.results import (
    ItemResult,
    Progress,
    PurgeReport,
    merge_reports,
    sum_known,
)
from hipercow_tui.purging.root_dirs import RootDirs, open_root_dirs
from hipercow_tui.purging.transaction import PurgeTransaction
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import escape_controls, pluralize

_LOGGER = logging.getLogger(__name__)


def execute(
    plan: PurgePlan,
    root: Root,
    *,
    on_progress: Callable[[Progress], None] = ignore_progress,
    stop: threading.Event | None = None,
    jobs: int = 1,
) -> PurgeReport:
    """Delete the tasks and bundles of a plan, and nothing else.

    ``on_progress`` is called at most every 50 ms, and when a phase begins or ends. Setting ``stop``
    ends the purge and puts back all that is not erased. Up to ``jobs`` chains are erased at once. A
    task or bundle with an error stays, with its chain, and is listed in the report.

    Raises PurgeError if the plan is refused, the root can't be purged, or the purge as a whole
    fails. Then all files are back where they were, unless the message says otherwise.
    """
    return _check_and_execute(
        plan, root, PurgeMode.PURGE, ProgressReporter(on_progress, stop, jobs)
    )


def move_to_trash(
    plan: PurgePlan,
    root: Root,
    *,
    sizes: Mapping[str, Size] = MappingProxyType({}),
    on_progress: Callable[[Progress], None] = ignore_progress,
    stop: threading.Event | None = None,
) -> PurgeReport:
    """Like ``execute``, but move to the trash; the report has the id of the batch.

    This frees no space until the trash is emptied; until then the batch can be restored. ``sizes``
    are those of the tasks, by id, for the report and the history.
    """
    progress = ProgressReporter(on_progress, stop)
    return _check_and_execute(plan, root, PurgeMode.TRASH, progress, sizes)


def preflight(plan: PurgePlan, root: Root) -> str | None:
    """Return a warning for the question before a purge; None if there is no warning.

    It says that a safeguard is unavailable, or why the purge would fail. This makes a folder of the
    size of a batch, which no process takes for one, and removes it again.
    """
    try:
        for lang in _langs_of(plan):
            with open_root_dirs(root.part(lang)) as dirs:
                check_space(dirs, plan, PurgeMode.PURGE)
    except NoSpaceError:
        return (
            "There is too little disk space for the batch of a purge. To free space, retry chains"
            " are erased one by one without a batch: an undo can't bring these back, and nothing"
            " can be moved to the trash."
        )
    except PurgeError as error:
        return str(error)
    return None


def _check_and_execute(
    plan: PurgePlan,
    root: Root,
    mode: PurgeMode,
    progress: ProgressReporter,
    sizes: Mapping[str, Size] = MappingProxyType({}),
) -> PurgeReport:
    _ensure_purgeable(plan, root)
    if plan.empty:
        return PurgeReport(plan)
    chain_units(plan)  # raises an error for names that point outside the root
    batch_id = new_batch_id(time.time())
    _LOGGER.info(
        "%s of %d tasks and %d bundles of %s, batch %s",
        *(mode.value, len(plan.tasks), len(plan.bundles), root.path, batch_id),
    )
    report = execute_confirmed(plan, root, _langs_of(plan), mode, progress, batch_id, sizes)
    _LOGGER.info(
        "batch %s: %d removed, %d put back, %d missing, %d failed, %d bytes in %.2f s",
        *(batch_id, len(report.removed), len(report.put_back), len(report.vanished)),
        *(len(report.failed), report.bytes, report.seconds),
    )
    return report


def execute_confirmed(
    plan: PurgePlan,
    root: Root,
    langs: Sequence[Lang],
    mode: PurgeMode,
    progress: ProgressReporter,
    batch_id: str,
    sizes: Mapping[str, Size] = MappingProxyType({}),
) -> PurgeReport:
    """Carry out a confirmed plan for these languages, one after the other.

    ``batch_id`` is the id of the batches in both roots. They are made before anything is moved. So
    the purge can be finished in both roots after a process dies while it purges the first root.
    Raises PurgeError.
    """
    reports: list[PurgeReport] = []
    with ExitStack() as stack:
        dirs = [stack.enter_context(open_root_dirs(root.part(lang))) for lang in langs]
        batches = _create_batches(stack, dirs, plan, mode, batch_id)
        for lang, root_dirs in zip(langs, dirs, strict=True):
            language_plan = plan.part_for_purge(lang)
            if progress.stopped:
                reports.append(_not_started(language_plan))
                continue
            try:
                reports.append(
                    _execute_language(
                        root_dirs, language_plan, mode, progress, batches.pop(lang, None), sizes
                    )
                )
            except PurgeError as error:
                raise _partly_done_error(reports, mode, error) from None
    return merge_reports(plan, reports)


def _langs_of(plan: PurgePlan) -> list[Lang]:
    """Return the languages of the plan. No chain and no bundle belongs to both."""
    return [lang for lang in Lang if not plan.of_lang(lang).empty]


def _create_batches(
    stack: ExitStack, dirs: Sequence[RootDirs], plan: PurgePlan, mode: PurgeMode, batch_id: str
) -> dict[Lang, Batch]:
    """Make a batch in each of these roots; none at all if there is no space for one of them.

    Batches that the caller did not take out of the result are discarded when the stack closes.
    """
    batches: dict[Lang, Batch] = {}
    batch_stack = stack.enter_context(ExitStack())
    # This runs before ``batch_stack`` is closed.
    stack.callback(lambda: [batch.discard() for batch in batches.values()])
    try:
        for root_dirs in dirs:
            batches[root_dirs.lang] = batch_stack.enter_context(
                create_batch(root_dirs, plan, mode, batch_id)
            )
    except NoSpaceError:
        for batch in batches.values():
            batch.discard()
        batches.clear()
    return batches


def _not_started(language_plan: PurgePlan) -> PurgeReport:
    """Return the report of a plan that was not begun, because the purge was stopped before."""
    return PurgeReport(
        language_plan,
        put_back=_same_result_for_all(language_plan, "the purge was stopped"),
        stopped=True,
    )


def _partly_done_error(
    reports: Sequence[PurgeReport], mode: PurgeMode, error: PurgeError
) -> PurgeError:
    """Add to the error of the second root how many tasks of the first were purged."""
    done = sum(len(report.removed) for report in reports)
    if not done:
        return error
    tasks, was = pluralize(done, "task"), "was" if done == 1 else "were"
    verb = "moved to the trash" if mode is PurgeMode.TRASH else "purged"
    return PurgeError(f"{tasks} of R {was} {verb}; those of Python were not: {error}")


def _execute_language(
    dirs: RootDirs,
    plan: PurgePlan,
    mode: PurgeMode,
    progress: ProgressReporter,
    batch: Batch | None,
    sizes: Mapping[str, Size],
) -> PurgeReport:
    """Carry out the plan for one language, in ``batch``.

    If there was no space for a batch, chains are erased without one until there is.
    """
    total, rest, chains = PurgeReport(plan), plan, 1
    try:
        while True:
            try:
                with (
                    nullcontext(batch) if batch else create_batch(dirs, rest, mode) as current_batch
                ):
                    batch = None
                    report = run_in_batch(current_batch, rest, mode, progress)
            except NoSpaceError as error:
                if mode is PurgeMode.TRASH:
                    raise PurgeError(f"{error} Purging for good frees space.") from None
                report = erase_unbatched(dirs, rest, progress, chains)
                chains *= 2  # to avoid retrying the batch after every chain
                if not (report.removed or total.removed or progress.stopped):
                    raise PurgeError(_no_space_message(report, error)) from None
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
            kind = HistoryKind.PURGE
            if mode is PurgeMode.TRASH:
                kind = HistoryKind.TRASH
                total = replace(total, moved=sum_known(map(sizes.get, total.removed)))
            record_purge(dirs, kind, total)
    return total


def remove_from_recent(dirs: RootDirs, report: PurgeReport) -> PurgeReport:
    """Remove the erased tasks from the list of recent tasks of Python, and update the report.

    This was not possible before if the disk was full.
    """
    failed = remove_ids(dirs, report.removed)
    others = tuple(one for one in report.failed if not is_of_removal(one))
    return replace(report, failed=(*others, failed) if failed else others)


def run_in_batch(
    batch: Batch, plan: PurgePlan, mode: PurgeMode, progress: ProgressReporter
) -> PurgeReport:
    """Carry out the plan in this batch. Raises PurgeError as ``execute`` does."""
    began = time.monotonic()
    purge = PurgeTransaction(plan, batch, chain_units(plan), progress, mode)
    try:
        purge.run()
    except BaseException as error:  # also ctrl+c, and an error in on_progress
        message = _roll_back_and_describe(purge, error)
        if purge.record.removed:
            report = purge.report(time.monotonic() - began, discarded=True)
            record_purge(batch.dirs, HistoryKind.PURGE, report)
        if isinstance(error, (OSError, PurgeError)):
            raise PurgeError(message) from None
        raise
    discarded = batch.name.state is not BatchState.TRASH and batch.discard()
    return purge.report(time.monotonic() - began, discarded=discarded)


def _roll_back_and_describe(purge: PurgeTransaction, error: BaseException) -> str:
    """Put everything back, unless another process took over the batch, and return a message.

    It says what failed, and in which state the root is. It is empty for an unexpected error.
    """
    purge.progress = ProgressReporter(ignore_progress)
    expected = isinstance(error, (OSError, PurgeError))
    try:
        if isinstance(error, TakenOverError):
            raise error
        purge.abort("the purge failed" if expected else "the purge was interrupted")
        purge.batch.discard()
    except (OSError, PurgeError) as second_error:
        return purge.interrupted_message(second_error)
    return purge.failure_message(error) if isinstance(error, (OSError, PurgeError)) else ""


def _remaining_plan(plan: PurgePlan, report: PurgeReport) -> PurgePlan:
    """Return the part of the plan that is not done yet."""
    finished_names = {*report.removed, *report.removed_bundles}
    finished_names |= {one.name for one in report.vanished}
    finished_names |= {one.name for one in report.failed if one.where is not None}
    return replace(
        plan,
        tasks=tuple(one for one in plan.tasks if one.task.id not in finished_names),
        bundles=tuple(one for one in plan.bundles if one.bundle.name not in finished_names),
    )


def _failed_for_lack_of_space(rest: PurgePlan) -> PurgeReport:
    why = "it was not moved, because the disk is full: free some space and try again"
    return PurgeReport(rest, failed=_same_result_for_all(rest, why))


def _same_result_for_all(plan: PurgePlan, why: str) -> tuple[ItemResult, ...]:
    """Return the same result for each bundle and task of a plan."""
    names = [(one.bundle.name, True) for one in plan.bundles] + [(i, False) for i in plan.ids]
    return tuple(ItemResult(name, why, is_bundle=is_bundle) for name, is_bundle in names)


def _no_space_message(report: PurgeReport, error: NoSpaceError) -> str:
    reason = next((f" ({one.reason})" for one in (*report.failed, *report.put_back)), "")
    return (
        f"{error} No retry chain could be erased to free space{reason}: delete one or two files"
        " manually, for example the log of a task, and try again."
    )


def _ensure_purgeable(plan: PurgePlan, root: Root) -> None:
    if root.purge_refusal:
        raise PurgeError(root.purge_refusal)
    if plan.refused:
        raise PurgeError(
            f"Nothing was purged, because the plan has"
            f" {pluralize(len(plan.blocked), 'blocked task')}: leave out their retry chains"
        )
    if plan.root != root.path:
        raise PurgeError(
            f"The plan is for {escape_controls(str(plan.root))}, not for"
            f" {escape_controls(str(root.path))}"
        )
