"""The last check before anything is erased: new retries and bundles since the plan."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.records import TargetKind
from hipercow_tui.domain.retry_chains import RetryLink
from hipercow_tui.domain.task import QUEUED, Bundle, Lang, Status
from hipercow_tui.domain.unread import UnfinishedLine, unread_bundles
from hipercow_tui.formats.bundles import BUNDLE_LIMIT, read_bundle, read_linked_bundle
from hipercow_tui.formats.layout import LAYOUTS, BundleFile
from hipercow_tui.formats.r_layout import parse_retry, unfinished_ids
from hipercow_tui.formats.records import PinReader
from hipercow_tui.formats.safe_open import open_folder, read_file
from hipercow_tui.formats.task_row import status_from_mask
from hipercow_tui.purging.chain_units import ChainUnit, by_member
from hipercow_tui.purging.root_dirs import RootDirs
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import PurgeError, os_error_text
from hipercow_tui.support.text import escape_controls, short_id


def recheck(
    dirs: RootDirs,
    plan: PurgePlan,
    staged: Sequence[ChainUnit],
    *,
    bundles_in_place: bool = False,
) -> Mapping[ChainUnit, str]:
    """Return the staged units that must be put back, with the reason.

    These are units with a new retry (a line of ``retry`` names a task that is not in their chain),
    with a task that was deleted and may exist again, with a task in a new bundle, or with a pin.

    ``bundles_in_place`` means that the bundles of the plan were not moved. Raises PurgeError if
    ``retry``, ``bundles``, the pins, or a bundle that the plan does not ignore can't be read: it
    may name any task.
    """
    conflicts: dict[ChainUnit, str] = {}
    unit_of = by_member(staged)
    for task_ids, reason in _conflicts(dirs, plan, unit_of, bundles_in_place):
        for unit in {unit_of[i] for i in task_ids if i in unit_of}:
            conflicts.setdefault(unit, reason)
    for unit in staged:
        for task_id in unit.members.difference(unit.ids):
            if problem := _deleted_task_problem(dirs, task_id):
                conflicts.setdefault(unit, f"{short_id(task_id)} of its retry chain {problem}")
    return conflicts


def _conflicts(
    dirs: RootDirs, plan: PurgePlan, unit_of: Mapping[str, ChainUnit], bundles_in_place: bool
) -> Iterator[tuple[Sequence[str], str]]:
    """Yield ids of tasks that are named by a new retry or bundle, with the reason."""
    links, unfinished = _retries(dirs)
    for link in links:
        known = [i for i in link if i in unit_of]
        yield (
            [i for i in known if not unit_of[i].members.issuperset(link)],
            "it has been retried since the plan was made",
        )
    if unfinished is not None:
        # The time of the plan, so that nothing blocks here that did not block the plan.
        named = [i for i in unit_of if unfinished.may_name(i, plan.made)]
        yield named, "a retry of it is being written to 'retry'"
    yield from _pinned(dirs, plan)
    planned = {one.bundle.name: one.bundle for one in plan.bundles} if bundles_in_place else {}
    for bundle in _bundles(dirs, plan):
        if bundle.name not in planned or planned[bundle.name].task_ids != bundle.task_ids:
            reason = f"the new bundle '{escape_controls(bundle.name)}' lists it"
            yield bundle.task_ids, reason


def _pinned(dirs: RootDirs, plan: PurgePlan) -> Iterator[tuple[Sequence[str], str]]:
    """Yield ids of tasks that were pinned since the plan was made."""
    pins = PinReader(dirs.lang).read(dirs.hipercow)
    if pins.unread:
        raise PurgeError(pins.unread)
    bundles = {one.bundle.name: one.bundle for one in plan.bundles}
    for pin in pins.pins:
        reason = f"it is {pin}"
        if pin.target.kind is TargetKind.CHAIN:
            yield [pin.target.name], reason
        elif pin.target.name in bundles:
            yield bundles[pin.target.name].task_ids, reason


def _retries(dirs: RootDirs) -> tuple[Iterable[RetryLink], UnfinishedLine | None]:
    if dirs.lang is Lang.PY:
        return (), None
    try:
        raw = read_file("retry", limit=BUNDLE_LIMIT, dir_fd=dirs.hipercow)
        if not (ids := unfinished_ids(raw)):
            return parse_retry(raw)[0], None
        changed = filesystem.stat_in("retry", dirs.hipercow).st_mtime
    except FileNotFoundError:
        return (), None
    except OSError as error:
        raise PurgeError(f"'retry' can't be read: {os_error_text(error)}") from None
    return parse_retry(raw)[0], UnfinishedLine(ids, changed)


def _bundles(dirs: RootDirs, plan: PurgePlan) -> Iterator[Bundle]:
    """Yield the bundles that are in place. The folder is opened here, because it may be new."""
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
        raise PurgeError(f"{unread_bundles(names, unread[names[0]])}, so it may list any task")


def _bundle(dirs: RootDirs, file: BundleFile) -> Bundle:
    name, entry, folder = file
    if entry.is_symlink():
        return read_linked_bundle(name, dirs.path, dirs.lang)
    return read_bundle(name, entry.path, dirs.lang, dir_fd=folder)


def link_difference(dirs: RootDirs, bundle: Bundle) -> str | None:
    """Return how a link differs from the planned bundle, before it is moved; None if it does
    not."""
    try:
        found = read_linked_bundle(bundle.name, dirs.path, bundle.lang)
    except OSError as error:
        return f"it can't be read now: {os_error_text(error)}"
    same = found.task_ids == bundle.task_ids
    return None if same else "it has been rewritten since the plan was made"


def _deleted_task_problem(dirs: RootDirs, task_id: str) -> str | None:
    """Return why a deleted task may exist again; None if it does not.

    A folder that is not a task does not count (docs/spec.md, section 2). Costs one system call if
    there is none.
    """
    try:
        folder = open_folder(task_id[2:], dir_fd=dirs.shard(task_id))
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"can't be examined: {os_error_text(error)}"
    try:
        listing = LAYOUTS[dirs.lang].files_mask_of(filesystem.list_names(folder))
    except OSError as error:
        return f"can't be examined: {os_error_text(error)}"
    finally:
        os.close(folder)
    no_task = status_from_mask(listing) is Status.BROKEN and not listing & QUEUED
    return None if no_task else "exists again"
