"""The last look before anything is erased: was a task retried or bundled since the plan?"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.retry_chains import RetryLink
from hipercow_tui.domain.task import QUEUED, Bundle, Lang, Status
from hipercow_tui.domain.unread import UnfinishedLine, unread_bundles
from hipercow_tui.formats.bundles import BUNDLE_LIMIT, read_bundle, read_linked_bundle
from hipercow_tui.formats.layout import LAYOUTS, BundleFile
from hipercow_tui.formats.r_layout import parse_retry, unfinished_ids
from hipercow_tui.formats.safe_open import open_folder, read_file
from hipercow_tui.formats.task_row import status_from_mask
from hipercow_tui.purging.chain_units import ChainUnit, by_member
from hipercow_tui.purging.root_dirs import RootDirs
from hipercow_tui.support.errors import PurgeError, os_error_text
from hipercow_tui.support.text import escape_controls, short_id


def recheck(
    dirs: RootDirs,
    plan: PurgePlan,
    staged: Sequence[ChainUnit],
    *,
    bundles_in_place: bool = False,
) -> Mapping[ChainUnit, str]:
    """The staged units that must be put back, and why: a line of ``retry`` connects one of their
    tasks with a task that the plan did not know of, a member of their chain that was gone may
    exist, or a bundle in its place names one of their tasks.

    With ``bundles_in_place`` the plan's own bundles were not moved. Raises PurgeError if ``retry``,
    ``bundles`` or a bundle that the plan does not ignore can't be read: it may name any task.
    """
    unit_of = by_member(staged)
    held: dict[ChainUnit, str] = {}

    def hold(ids: Iterable[str], why: str) -> None:
        for unit in {unit_of[i] for i in ids if i in unit_of}:
            held.setdefault(unit, why)

    links, unfinished = _retries(dirs)
    for link in links:
        for unit in {unit_of[i] for i in link if i in unit_of}:
            if not unit.members.issuperset(link):
                held.setdefault(unit, "it was retried since the plan was made")
    if unfinished is not None:
        # By the plan's own time, so that nothing blocks here that did not block the plan.
        named = [i for i in unit_of if unfinished.may_name(i, plan.made)]
        hold(named, "a retry of it is being written to 'retry'")
    known = {one.bundle.name: one.bundle for one in plan.bundles} if bundles_in_place else {}
    for bundle in _bundles(dirs, plan):
        if bundle.name not in known or known[bundle.name].task_ids != bundle.task_ids:
            hold(bundle.task_ids, f"bundle '{escape_controls(bundle.name)}' names it since")
    for unit in staged:
        for task_id in unit.members.difference(unit.ids):
            if there := _place_of_gone(dirs, task_id):
                held.setdefault(unit, f"{short_id(task_id)} of its retry chain {there}")
    return held


def _retries(dirs: RootDirs) -> tuple[Iterable[RetryLink], UnfinishedLine | None]:
    if dirs.lang is Lang.PY:
        return (), None
    try:
        raw = read_file("retry", limit=BUNDLE_LIMIT, dir_fd=dirs.hipercow)
        if not (ids := unfinished_ids(raw)):
            return parse_retry(raw)[0], None
        changed = os.stat("retry", dir_fd=dirs.hipercow, follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return (), None
    except OSError as error:
        raise PurgeError(f"'retry' can't be read: {os_error_text(error)}") from None
    return parse_retry(raw)[0], UnfinishedLine(ids, changed)


def _bundles(dirs: RootDirs, plan: PurgePlan) -> Iterator[Bundle]:
    """The bundles in their places; the folder is opened again, for it may be new."""
    try:
        folder = open_folder("bundles", dir_fd=dirs.hipercow)
    except FileNotFoundError:
        return
    except OSError as error:
        raise PurgeError(f"'bundles' can't be opened: {os_error_text(error)}") from None
    unread: dict[str, str] = {}
    try:
        for file in LAYOUTS[dirs.lang].bundle_files(folder, unread):
            try:
                yield _bundle(dirs, file)
            except FileNotFoundError:
                continue
            except OSError as error:
                unread[file[0]] = os_error_text(error)
    except OSError as error:
        raise PurgeError(f"'bundles' can't be read: {os_error_text(error)}") from None
    finally:
        os.close(folder)
    if names := [one for one in unread if (dirs.lang, one) not in plan.ignored_bundles]:
        raise PurgeError(f"{unread_bundles(names, unread[names[0]])}, so it may name any task")


def _bundle(dirs: RootDirs, file: BundleFile) -> Bundle:
    name, entry, folder = file
    if entry.is_symlink():
        return read_linked_bundle(name, dirs.path, dirs.lang)
    return read_bundle(name, entry.path, dirs.lang, dir_fd=folder)


def link_difference(dirs: RootDirs, bundle: Bundle) -> str | None:
    """What differs from the plan in a bundle that is a link and was not moved yet; None if nothing
    does."""
    try:
        found = read_linked_bundle(bundle.name, dirs.path, bundle.lang)
    except OSError as error:
        return f"it can't be read any more: {os_error_text(error)}"
    same = found.task_ids == bundle.task_ids
    return None if same else "it was rewritten since the plan was made"


def _place_of_gone(dirs: RootDirs, task_id: str) -> str | None:
    """What speaks against a task being gone; None if it is, or if there is only a folder that is
    no task (docs/spec.md, section 2). One call for a task that is gone."""
    try:
        folder = open_folder(task_id[2:], dir_fd=dirs.shard(task_id))
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"can't be examined: {os_error_text(error)}"
    try:
        listing = LAYOUTS[dirs.lang].files_mask_of(os.listdir(folder))
    except OSError as error:
        return f"can't be examined: {os_error_text(error)}"
    finally:
        os.close(folder)
    no_task = status_from_mask(listing) is Status.BROKEN and not listing & QUEUED
    return None if no_task else "is there again"
