"""The functions of the package, such as ``scan``, ``purge`` and ``wait``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from hipercow_tui.domain.blocked import BlockedError
from hipercow_tui.domain.cutoff_time import When
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status
from hipercow_tui.support.errors import BadFilterError, FilterError, GoalError, PurgeError

if TYPE_CHECKING:
    from hipercow_tui.analysis.goal import Goal
    from hipercow_tui.domain.notes import Note
    from hipercow_tui.domain.pins import Pin
    from hipercow_tui.domain.plan import PurgePlan
    from hipercow_tui.domain.records import RecordTarget
    from hipercow_tui.domain.waits import WaitProgress
    from hipercow_tui.formats.root import Root
    from hipercow_tui.purging import PurgeReport

_T = TypeVar("_T")


class PartlyFailedError(PurgeError):
    """A part of the plan was not carried out.

    ``report`` lists the removed tasks, and the others with the reasons.
    """

    def __init__(self, message: str, report: PurgeReport) -> None:
        super().__init__(message)
        self.report = report


def scan(root: str | os.PathLike[str] | None = None) -> Snapshot:
    """Read all tasks, bundles and retry chains of a root.

    Args:
        root: A folder. The root is searched for in it, then in each parent. None is the working
            directory.

    Returns:
        A snapshot; it does not change when the root does. Times are seconds since the epoch.

    Raises:
        RootError: There is no root, or it can't be read.
    """
    from hipercow_tui.formats.root import find_root
    from hipercow_tui.scanning.scanner import read_root

    return read_root(find_root(root))


def space(root: str | os.PathLike[str] | None = None, *, by: str = "bundle") -> dict[str, Any]:
    """Measure a root, and return where its space went.

    Args:
        root: As for ``scan``.
        by: How the tasks are grouped: ``"bundle"``, ``"runs"``, ``"status"``, ``"age"``,
            ``"environment"``, ``"task"`` or ``"kind"`` (kinds of files).

    Returns:
        The object of ``hipercow-tui space --json``: ``total``, ``tasks``, ``purgeable``, ``held``,
        ``groups``, ``rest``; sizes are in bytes.

    Raises:
        BadFilterError: There is no such grouping.
        RootError: There is no root, or it can't be read.
    """
    from hipercow_tui.analysis.space_measuring import measure_space, read_and_group_space
    from hipercow_tui.analysis.space_usage import SpaceGrouping
    from hipercow_tui.formats.root import find_root
    from hipercow_tui.output.space_report import space_as_json
    from hipercow_tui.scanning.scanner import read_root
    from hipercow_tui.scanning.usage_reader import UsageCache

    names = [one.value for one in SpaceGrouping]
    if by not in names:
        raise BadFilterError(f"by takes one of {', '.join(names)}, not {by!r}")
    grouping, now, found = SpaceGrouping(by), time.time(), find_root(root)
    usage = measure_space(found, read_root(found), UsageCache.of(found), now=now)
    groups = read_and_group_space(found, usage, grouping, now=now)
    return space_as_json(usage, grouping, groups)


def errors(root: str | os.PathLike[str] | None = None, *, by: str = "message") -> dict[str, Any]:
    """Read the errors of all failed tasks of a root, and return them in groups.

    Args:
        root: As for ``scan``.
        by: ``"message"`` groups messages that are alike, ``"frame"`` tasks that failed in the same
            function, ``"node"`` tasks that ran on the same node of the cluster.

    Returns:
        The object of ``hipercow-tui errors --json``. The user's rules for errors are used, but
        those that can't be used are ignored.

    Raises:
        BadFilterError: There is no such grouping.
        RootError: There is no root, or it can't be read.
    """
    from hipercow_tui.analysis.error_groups import ErrorGrouping
    from hipercow_tui.analysis.error_listing import list_errors
    from hipercow_tui.formats.root import find_root
    from hipercow_tui.output.error_report import errors_as_json
    from hipercow_tui.scanning.scanner import read_root
    from hipercow_tui.settings.rule_file import ErrorRules, RuleFile

    names = [one.value for one in ErrorGrouping]
    if by not in names:
        raise BadFilterError(f"by takes one of {', '.join(names)}, not {by!r}")
    found = find_root(root)
    snapshot = read_root(found)
    failed = [snapshot.tasks[i] for i in snapshot.with_status(Status.FAILURE)]
    file = RuleFile.of_user()
    rules = ErrorRules() if file is None else file.read()
    listing = list_errors(found, failed, ErrorGrouping(by), rules.rules)
    return errors_as_json(str(snapshot.root), listing)


def purge(
    task_ids: str | Iterable[str] | None = None,
    *,
    finished_before: When | None = None,
    in_bundle: str | Iterable[str] | None = None,
    with_status: str | Iterable[str] | None = None,
    follow: bool = True,
    skip_blocked: bool = False,
    ignore_unreadable_bundles: bool = False,
    keep: str | Iterable[str] | None = None,
    free: str | int | None = None,
    until_free: str | float | None = None,
    free_files: int | None = None,
    order: str | None = None,
    include_recent: bool = False,
    dry_run: bool = False,
    lang: str | None = None,
    root: str | os.PathLike[str] | None = None,
) -> list[str]:
    """Delete the tasks that pass all given filters, their whole retry chains, and their bundles.

    There is no question and no trash. The rules are those of ``hipercow_purge()`` in R, as in
    docs/spec.md, section 4. An empty list is a filter that no task passes.

    Args:
        task_ids: One id or several.
        finished_before: Tasks that finished strictly before this time: a datetime (local time if it
            has no time zone), a date (its midnight, local time), a timedelta (before now), or a
            text such as ``"9 days"``, ``"3 months"`` or ``"2026-01-31"``.
        in_bundle: Tasks in bundles with a name that matches a glob; ``!GLOB`` excludes.
        with_status: Tasks with a status of created, success, failure, cancelled.
        follow: Whether a retried task counts by the status of its latest attempt. If False, it
            counts by its own.
        skip_blocked: Leave out retry chains with a blocked task, instead of raising BlockedError.
        ignore_unreadable_bundles: Purge although a bundle can't be read. It stays, and may list
            tasks that are gone. Otherwise it blocks every task.
        keep: One id or several. Their whole retry chains stay, block nothing, and take no bundle.
        free: Purge only as much as frees this size, such as ``"20 GB"`` or a number of bytes in
            files: whole chains in the ``order``, until it is reached. Blocked, pinned and
            unmeasured chains are left out then, and those with a task of the last hour.
        until_free: The same, until this part of the file system is free, such as ``"15 %"`` or 15.
        free_files: The same for a number of files.
        order: ``"oldest"`` (the default), ``"largest"``, or ``"status"``: failures first, then
            cancelled, then successes.
        include_recent: Whether ``free`` and the others may take tasks of the last hour.
        dry_run: Only return the ids.
        lang: Only tasks of hipercow for R (``"r"``) or for Python (``"py"``).
        root: As for ``scan``.

    Returns:
        The ids of the tasks that existed and were deleted; for a dry run, that would be. Tasks that
        pins hold back are not among them: ``scan().held`` has the pin of each.

    Raises:
        NoFilterError: None of the first four arguments is given.
        UnknownTasksError: Some of ``task_ids`` or ``keep`` do not exist.
        BadFilterError: A filter is invalid, or an argument has a wrong type.
        GoalError: The plan can't free as much as ``free`` and the others ask. Nothing was deleted.
        BlockedError: Tasks of the plan are blocked. Nothing was deleted.
        PartlyFailedError: A part of the plan was not carried out.
        PurgeError: The purge as a whole failed. The message says in which state the root is. All of
            the above are PurgeErrors too.
        RootError: There is no root, or it can't be read.
    """
    from hipercow_tui.analysis.goal_request import GoalRequest
    from hipercow_tui.domain.filters import requested_filters, requested_ids
    from hipercow_tui.domain.plan import make_plan
    from hipercow_tui.formats.folder_size import SizeKind
    from hipercow_tui.formats.free_space import read_free_space
    from hipercow_tui.formats.root import find_root
    from hipercow_tui.output.report import blocked_message
    from hipercow_tui.scanning.scanner import read_root

    flags = {
        "follow": follow,
        "skip_blocked": skip_blocked,
        "ignore_unreadable_bundles": ignore_unreadable_bundles,
        "include_recent": include_recent,
        "dry_run": dry_run,
    }
    for name, flag in flags.items():
        if not isinstance(flag, bool):
            raise BadFilterError(f"{name} takes True or False, not {type(flag).__name__}")
    now = time.time()
    try:
        filters = requested_filters(
            task_ids, finished_before, in_bundle, with_status, follow=follow, now=now
        )
        kept = requested_ids("keep", () if keep is None else keep)
        found = find_root(root)
        whole = read_root(found)
        snapshot = whole.of_lang(lang)
        filters.check(snapshot)
        kept.check(whole)
        request = GoalRequest(free, until_free, free_files, order, include_recent)
        goal = request.goal(lambda: read_free_space(found.path), SizeKind.APPARENT)
    except PurgeError:
        raise
    except FilterError as error:
        raise BadFilterError(str(error)) from None
    plan = make_plan(
        snapshot,
        filters,
        now=now,
        skip_blocked=skip_blocked or goal is not None,
        ignore_unreadable_bundles=ignore_unreadable_bundles,
        kept_ids=kept.ids,
    )
    if plan.refused:
        raise BlockedError(blocked_message(plan), plan.blocked)
    if goal is not None:
        plan = _limit(plan, snapshot, found, goal, ignore_unreadable_bundles)
    return list(plan.ids if dry_run else _carry_out(plan, found))


def _limit(
    plan: PurgePlan, snapshot: Snapshot, root: Root, goal: Goal, ignore_unreadable_bundles: bool
) -> PurgePlan:
    """Return the part of a plan that a goal chooses. Raises GoalError."""
    from hipercow_tui.analysis.goal import plan_for_goal
    from hipercow_tui.formats.folder_size import measure_many

    limited, choice = plan_for_goal(
        plan,
        snapshot,
        measure_many(root, plan.ids),
        goal,
        ignore_unreadable_bundles=ignore_unreadable_bundles,
    )
    if not choice.met:
        raise GoalError(f"Nothing was purged. {limited.goal}")
    return limited


def _carry_out(plan: PurgePlan, root: Root) -> tuple[str, ...]:
    from hipercow_tui.output.report import report_lines
    from hipercow_tui.purging import execute

    report = execute(plan, root)
    if not report.complete:
        raise PartlyFailedError("\n".join(report_lines(report)), report)
    return report.removed


def pin(
    task_ids: str | Iterable[str] = (),
    *,
    bundles: str | Iterable[str] = (),
    note: str = "",
    root: str | os.PathLike[str] | None = None,
) -> list[Pin]:
    """Hold retry chains and bundles back from every purge, for all users of the root.

    ``scan().pins.pins`` are the pins of a root.

    Args:
        task_ids: One id or several: the whole retry chain of each is held.
        bundles: The name of a bundle, or several: the retry chains of its tasks are held.
        note: Why; at most 500 characters. It replaces the note of an earlier pin.
        root: As for ``scan``.

    Returns:
        The pins that were made.

    Raises:
        UnknownTasksError: Some of ``task_ids`` do not exist.
        BadFilterError: There is no bundle of a name, or an argument has a wrong type.
        PurgeError: The root can't be written. All of the above are PurgeErrors too.
        RootError: There is no root, or it can't be read.
    """
    from hipercow_tui.domain.record_requests import named_targets
    from hipercow_tui.purging.record_files import add_pin

    if not isinstance(note, str):
        raise BadFilterError(f"note takes a string, not {type(note).__name__}")
    found, targets = _find_records(task_ids, bundles, root, named_targets)
    return [add_pin(found, target, note) for target in targets]


def unpin(
    task_ids: str | Iterable[str] = (),
    *,
    bundles: str | Iterable[str] = (),
    root: str | os.PathLike[str] | None = None,
) -> list[Pin]:
    """Remove the pins of retry chains and bundles, also those of other users.

    The arguments and errors are those of ``pin``, but chains and bundles that are gone can be
    unpinned too.

    Returns:
        The pins that were removed; empty if nothing of this was pinned.
    """
    from hipercow_tui.domain.record_requests import pins_to_remove
    from hipercow_tui.purging.record_files import remove_pin

    found, pins = _find_records(task_ids, bundles, root, pins_to_remove)
    return [one for one in pins if remove_pin(found, one.target)]


def note(
    task_ids: str | Iterable[str] = (),
    *,
    bundles: str | Iterable[str] = (),
    text: str,
    root: str | os.PathLike[str] | None = None,
) -> list[Note]:
    """Write a note on retry chains and bundles, for all users of the root.

    It has no effect on a purge. ``scan().notes.notes`` are the notes of a root.

    Args:
        task_ids: One id or several: the note is on the whole retry chain of each.
        bundles: The name of a bundle, or several.
        text: At most 500 characters. It replaces an earlier note. An empty text removes it, also
            where the chain or bundle is gone.
        root: As for ``scan``.

    Returns:
        The notes that were written, or with an empty text those that were removed.

    Raises:
        The errors of ``pin``.
    """
    from hipercow_tui.domain.record_requests import named_targets, note_targets, notes_to_remove
    from hipercow_tui.purging.record_files import write_note

    if not isinstance(text, str):
        raise BadFilterError(f"text takes a string, not {type(text).__name__}")
    if not text.strip():
        found, notes = _find_records(task_ids, bundles, root, notes_to_remove)
        for one in notes:
            write_note(found, one.target, "")
        return notes

    def find(
        snapshot: Snapshot, ids: Collection[str], names: Collection[str]
    ) -> list[RecordTarget]:
        return note_targets(snapshot, named_targets(snapshot, ids, names))

    found, targets = _find_records(task_ids, bundles, root, find)
    written = (write_note(found, target, text) for target in targets)
    return [one for one in written if one is not None]


def _find_records(
    task_ids: str | Iterable[str],
    bundles: str | Iterable[str],
    root: str | os.PathLike[str] | None,
    find: Callable[[Snapshot, Collection[str], Collection[str]], list[_T]],
) -> tuple[Root, list[_T]]:
    """Return the root, and what ``find`` finds in its snapshot for these ids and names."""
    from hipercow_tui.domain.filters import requested_strings
    from hipercow_tui.formats.root import find_root
    from hipercow_tui.scanning.scanner import read_root

    try:
        ids = requested_strings("task_ids", task_ids)
        names = requested_strings("bundles", bundles)
        found = find_root(root)
        return found, find(read_root(found), ids, names)
    except PurgeError:
        raise
    except FilterError as error:
        raise BadFilterError(str(error)) from None


def wait(
    task_ids: str | Iterable[str] | None = None,
    *,
    in_bundle: str | Iterable[str] | None = None,
    with_status: str | Iterable[str] | None = None,
    follow: bool = True,
    any_task: bool = False,
    timeout: float | str | timedelta | None = None,
    lang: str | None = None,
    root: str | os.PathLike[str] | None = None,
) -> WaitProgress:
    """Wait until all tasks have ended that pass the filters now; without a filter, all tasks.

    Tasks that are created later are not waited for, but retries are. The status is what files say:
    a task that the cluster killed stays running until R asks the cluster, so give a timeout.

    Args:
        task_ids: One id or several.
        in_bundle: Tasks in bundles with a name that matches a glob; ``!GLOB`` excludes.
        with_status: Tasks with any status but broken.
        follow: Whether a retried task counts by its latest attempt.
        any_task: Return when the first of the unfinished tasks has ended.
        timeout: Seconds, a timedelta, or a text such as ``"2h"``, counted from the first reading of
            the root; 0 looks once. None waits without a limit.
        lang: Only tasks of hipercow for R (``"r"``) or for Python (``"py"``).
        root: As for ``scan``.

    Returns:
        How each task ended: ``statuses`` by id, and ``counts`` of tasks by status. A task that was
        purged or removed meanwhile is ``"gone"``.

    Raises:
        UnknownTasksError: Some of ``task_ids`` do not exist.
        BadFilterError: A filter is invalid, or an argument has a wrong type.
        UnsubmittedError: A task was never submitted, so it might never end.
        WaitTimeoutError: Not all tasks ended in time. It is a TimeoutError too, and its
            ``progress`` has the status of each task.
        RootError: There is no root, or it has disappeared.
    """
    from hipercow_tui.domain.cutoff_time import timeout_seconds
    from hipercow_tui.domain.filters import requested_filters
    from hipercow_tui.formats.root import find_root
    from hipercow_tui.scanning.waiting import WaitRequest, wait_until_over

    try:
        filters = requested_filters(
            task_ids, None, in_bundle, with_status, follow=follow, now=time.time(), listing=True
        )
        request = WaitRequest(filters, lang, follow, any_task, timeout_seconds(timeout))
        return wait_until_over(find_root(root), request)
    except PurgeError:
        raise
    except FilterError as error:
        raise BadFilterError(str(error)) from None
