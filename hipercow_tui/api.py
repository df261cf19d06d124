"""The functions of the package, for Python: ``scan``, ``space`` and ``purge``."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hipercow_tui.domain.blocked import BlockedError
from hipercow_tui.domain.cutoff_time import When
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.support.errors import BadFilterError, FilterError, PurgeError

if TYPE_CHECKING:
    from hipercow_tui.domain.plan import PurgePlan
    from hipercow_tui.formats.root import Root
    from hipercow_tui.purging import PurgeReport


class PartlyFailedError(PurgeError):
    """A part of the plan was not carried out.

    ``report`` lists the removed tasks, and the others with the reasons.
    """

    def __init__(self, message: str, report: PurgeReport) -> None:
        super().__init__(message)
        self.report = report


class PurgedIds(list[str]):
    """The ids of purged tasks; ``kept`` are the ids of tasks in the chains that ``keep`` saved."""

    def __init__(self, ids: Iterable[str], kept: Iterable[str] = ()) -> None:
        super().__init__(ids)
        self.kept = tuple(kept)


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
            ``"task"`` or ``"kind"`` (kinds of files).

    Returns:
        The object of ``hipercow-tui space --json``: ``total``, ``tasks``, ``purgeable``, ``held``,
        ``groups``, ``rest``; sizes are in bytes.

    Raises:
        BadFilterError: There is no such grouping.
        RootError: There is no root, or it can't be read.
    """
    from hipercow_tui.analysis.space_measuring import measure_space
    from hipercow_tui.analysis.space_usage import SpaceGrouping, group_space
    from hipercow_tui.formats.py_details import read_task_details
    from hipercow_tui.formats.root import find_root
    from hipercow_tui.output.space_report import space_as_json
    from hipercow_tui.scanning.scanner import read_root
    from hipercow_tui.scanning.usage_reader import UsageCache

    names = [one.value for one in SpaceGrouping]
    if by not in names:
        raise BadFilterError(f"by takes one of {', '.join(names)}, not {by!r}")
    grouping, now, found = SpaceGrouping(by), time.time(), find_root(root)
    usage = measure_space(found, read_root(found), UsageCache.of(found), now=now)
    groups = group_space(
        usage, grouping, now=now, runs=lambda task: read_task_details(found, task).code_text
    )
    return space_as_json(usage, grouping, groups)


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
    dry_run: bool = False,
    lang: str | None = None,
    root: str | os.PathLike[str] | None = None,
) -> PurgedIds:
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
        dry_run: Only return the ids.
        lang: Only tasks of hipercow for R (``"r"``) or for Python (``"py"``).
        root: As for ``scan``.

    Returns:
        The ids of the tasks that existed and were deleted; for a dry run, that would be. It is a
        list with an attribute ``kept``: the ids of the tasks that only ``keep`` saved.

    Raises:
        NoFilterError: None of the first four arguments is given.
        UnknownTasksError: Some of ``task_ids`` or ``keep`` do not exist.
        BadFilterError: A filter is invalid, or an argument has a wrong type.
        BlockedError: Tasks of the plan are blocked. Nothing was deleted.
        PartlyFailedError: A part of the plan was not carried out.
        PurgeError: The purge as a whole failed. The message says in which state the root is. All of
            the above are PurgeErrors too.
        RootError: There is no root, or it can't be read.
    """
    from hipercow_tui.domain.filters import requested_filters, requested_ids
    from hipercow_tui.domain.plan import make_plan
    from hipercow_tui.formats.root import find_root
    from hipercow_tui.output.report import blocked_message
    from hipercow_tui.scanning.scanner import read_root

    flags = {
        "follow": follow,
        "skip_blocked": skip_blocked,
        "ignore_unreadable_bundles": ignore_unreadable_bundles,
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
    except PurgeError:
        raise
    except FilterError as error:
        raise BadFilterError(str(error)) from None
    plan = make_plan(
        snapshot,
        filters,
        now=now,
        skip_blocked=skip_blocked,
        ignore_unreadable_bundles=ignore_unreadable_bundles,
        kept_ids=kept.ids,
    )
    if plan.refused:
        raise BlockedError(blocked_message(plan), plan.blocked)
    ids = plan.ids if dry_run else _carry_out(plan, found)
    return PurgedIds(ids, (one.task.id for one in plan.kept))


def _carry_out(plan: PurgePlan, root: Root) -> tuple[str, ...]:
    from hipercow_tui.output.report import report_lines
    from hipercow_tui.purging import execute

    report = execute(plan, root)
    if not report.complete:
        raise PartlyFailedError("\n".join(report_lines(report)), report)
    return report.removed
