"""The last look before anything is erased: was a task retried or bundled since the plan?"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from hipercow_tui.chains import Retry
from hipercow_tui.errors import PurgeError
from hipercow_tui.model import Bundle, Lang
from hipercow_tui.purging.places import Places, because
from hipercow_tui.purging.units import Unit, by_member
from hipercow_tui.roots import py_root
from hipercow_tui.roots.files import open_folder, read_file
from hipercow_tui.roots.layouts import LAYOUTS
from hipercow_tui.roots.r_root import BUNDLE_NAME, parse_retry
from hipercow_tui.roots.relations import LIMIT
from hipercow_tui.text import visible


def recheck(
    places: Places, staged: Sequence[Unit], known: Mapping[str, Bundle] = MappingProxyType({})
) -> Mapping[Unit, str]:
    """The staged units that must be put back, and why: a line of ``retry`` ties one of their tasks
    to a task that the plan did not know of, or a bundle that still stands names one, and is not as
    the plan knew it if it is one of the ``known``.

    Raises PurgeError if ``retry`` or ``bundles`` can't be read, for then nobody knows.
    """
    unit_of = by_member(staged)
    held: dict[Unit, str] = {}
    for link in _links(places):
        ids = {link.id, link.parent, link.base}
        for unit in {unit_of[i] for i in ids if i in unit_of}:
            if not ids <= unit.members:
                held.setdefault(unit, "it was retried since the plan was made")
    for bundle in _bundles(places):
        if bundle.name in known and known[bundle.name].task_ids == bundle.task_ids:
            continue
        for unit in {unit_of[i] for i in bundle.task_ids if i in unit_of}:
            held.setdefault(unit, f"bundle '{visible(bundle.name)}' names it since")
    return held


def _links(places: Places) -> Iterable[Retry]:
    if places.lang is Lang.PY:
        return ()
    try:
        raw = read_file("retry", limit=LIMIT, dir_fd=places.hipercow)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise PurgeError(f"'retry' can't be read: {because(error)}") from None
    return parse_retry(raw)[0]


def _bundles(places: Places) -> Iterable[Bundle]:
    """The bundles that stand now; the folder is opened anew, for it may be new. A bundle that can't
    be read the plan could not know either."""
    try:
        folder = open_folder("bundles", dir_fd=places.hipercow)
    except FileNotFoundError:
        return
    except OSError as error:
        raise PurgeError(f"'bundles' can't be opened: {because(error)}") from None
    try:
        parse = LAYOUTS[places.lang].parse_bundle
        for name, inside, last in _named(places, folder):
            try:
                raw = read_file(last, limit=LIMIT, dir_fd=inside)
            except OSError:
                continue
            yield parse(raw, name, 0.0, (0, 0, 0))
    except OSError as error:
        raise PurgeError(f"'bundles' can't be read: {because(error)}") from None
    finally:
        os.close(folder)


def _named(places: Places, folder: int) -> Iterable[tuple[str, int, str]]:
    """The name of each bundle, the open folder it stands in, and its name there."""
    if places.lang is Lang.PY:
        for name, inside, _ in py_root.bundle_files(folder, {}):
            yield name, inside, name.rpartition("/")[2]
    else:
        for name in filter(BUNDLE_NAME.match, os.listdir(folder)):
            yield name, folder, name
