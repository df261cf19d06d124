"""Browse, filter and safely purge the tasks of a hipercow root.

``scan`` reads a root, ``purge`` deletes by filters; the command line and the app do the same.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from hipercow_tui.domain.cutoff_time import When
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Bundle, Lang, Status, Task
from hipercow_tui.support.errors import (
    BadFilterError,
    BlockedError,
    FilterError,
    HipercowTuiError,
    NoFilterError,
    PartlyFailedError,
    PurgeError,
    RootError,
    UnknownTasksError,
)

__version__ = "0.1.0"

__all__ = [
    "BadFilterError",
    "BlockedError",
    "Bundle",
    "FilterError",
    "HipercowTuiError",
    "Lang",
    "NoFilterError",
    "PartlyFailedError",
    "PurgeError",
    "RootError",
    "Snapshot",
    "Status",
    "Task",
    "UnknownTasksError",
    "purge",
    "scan",
]


def scan(root: str | os.PathLike[str] | None = None) -> Snapshot:
    """All there is to know of the root at or above ``root`` (default: the working directory).

    Raises RootError if there is none.
    """
    from hipercow_tui.formats.root import find_root
    from hipercow_tui.scanning.scanner import read_root

    return read_root(find_root(root))


def purge(
    task_ids: str | Iterable[str] | None = None,
    *,
    finished_before: When | None = None,
    in_bundle: str | Iterable[str] | None = None,
    with_status: str | Iterable[str] | None = None,
    follow: bool = True,
    skip_blocked: bool = False,
    ignore_unreadable_bundles: bool = False,
    dry_run: bool = False,
    lang: str | None = None,
    root: str | os.PathLike[str] | None = None,
) -> list[str]:
    """Delete the tasks that pass all given filters, their retry chains, and their bundles.

    The rules are those of docs/spec.md, section 4, which are those of R's ``hipercow_purge()``.
    A bundle that can't be read blocks every task, unless ``ignore_unreadable_bundles``. Returns the
    ids of the tasks that existed and went, or, for a ``dry_run``, would go. Raises PurgeError or
    one of its kinds: NoFilterError, UnknownTasksError, BadFilterError (also for an argument of a
    wrong type), BlockedError (nothing was deleted), PartlyFailedError (its ``report`` says what
    was); RootError without a root.
    """
    from hipercow_tui.domain.filters import requested_filters
    from hipercow_tui.domain.plan import make_plan
    from hipercow_tui.formats.root import find_root
    from hipercow_tui.output.report import blocked_message, report_lines
    from hipercow_tui.purging import execute
    from hipercow_tui.scanning.scanner import read_root

    for name, flag in (("follow", follow), ("skip_blocked", skip_blocked), ("dry_run", dry_run)):
        if not isinstance(flag, bool):
            raise BadFilterError(f"{name} takes True or False, not {type(flag).__name__}")
    now = time.time()
    try:
        filters = requested_filters(
            task_ids, finished_before, in_bundle, with_status, follow=follow, now=now
        )
        found = find_root(root)
        snapshot = read_root(found).of_lang(lang)
        filters.check(snapshot)
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
    )
    if plan.refused:
        raise BlockedError(blocked_message(plan), plan.blocked)
    if dry_run:
        return list(plan.ids)
    report = execute(plan, found)
    if not report.complete:
        raise PartlyFailedError("\n".join(report_lines(report)), report)
    return list(report.removed)
