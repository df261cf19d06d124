"""The relations of the tasks of a root, kept up to date: its bundles and its retry chains."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

from hipercow_tui.domain.retry_chains import RetryChains, RetryLink
from hipercow_tui.domain.task import Bundle, Lang
from hipercow_tui.domain.unread import UnfinishedLine, Unread
from hipercow_tui.formats import r_layout
from hipercow_tui.formats.bundles import BUNDLE_LIMIT, read_bundle, read_linked_bundle
from hipercow_tui.formats.layout import LAYOUTS, BundleFile
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import os_error_text

_TIME_STEP = 2.0  # seconds: the largest step of the times of a file server
_TIME_STEP_NS = int(_TIME_STEP * 1e9)


def relations_of(root: Root) -> Relations:
    """Return the relations of a root of R or Python, without reading them."""
    return _PythonRelations(root) if root.lang is Lang.PY else Relations(root)


class Relations:
    """Bundles and retry chains of an R root. A file is read again only when its stamp changed. The
    times of a file server can have steps of two seconds, so a bundle that changed shortly before it
    was read is read again until two seconds have passed.

    Attributes:
        lang: The language of the root.
        bundles: The bundles that could be read, by name.
        all_bundles: The same as a tuple, which is the same object as long as no bundle changed.
        chains: The retry chains; the same object as long as no link changed.
        retried: The ids of all tasks that are retries.
    """

    def __init__(self, root: Root) -> None:
        self.lang = root.lang
        self._root = root
        self._retry_stamp: r_layout.Stamp | None = None
        self._file_links: tuple[RetryLink, ...] = ()
        self._retry_problem: str | None = None  # a sentence on lines that are not links
        self._retry_unread: str | None = None
        self._unfinished: UnfinishedLine | None = None
        self._data_links: dict[str, RetryLink] = {}
        self._cached: dict[str, Bundle] = {}  # from the index, not read since
        self._folder_unread: str | None = None
        self._bundles_unread: dict[str, str] = {}
        # By name, when the stamp of a bundle was first seen that a further change may not change.
        self._unsettled: dict[str, float] = {}
        self.bundles: Mapping[str, Bundle] = {}
        self.all_bundles: tuple[Bundle, ...] = ()
        self._bundles_of: Mapping[str, tuple[str, ...]] | None = None
        self.chains = RetryChains()
        self.retried: frozenset[str] = frozenset()

    @property
    def problems(self) -> tuple[str, ...]:
        """Sentences on lines and entries that are not ids."""
        found = [bundle.problem for bundle in self.bundles.values()]
        return tuple(text for text in (self._retry_problem, *found) if text)

    @property
    def unread(self) -> Unread:
        """The files that could not be read."""
        files = tuple(filter(None, (self._retry_unread, self._folder_unread)))
        return Unread(files, {}, self._bundles_unread, self._unfinished)

    @property
    def bundles_of(self) -> Mapping[str, tuple[str, ...]]:
        """The names of the bundles that list a task, by its id."""
        if self._bundles_of is None:
            self._bundles_of = _names_by_task(self.all_bundles)
        return self._bundles_of

    def release_memory(self) -> None:
        """Drop ``bundles_of`` until it is needed: for 100,000 tasks it has 5 MB and takes 10 ms."""
        self._bundles_of = None

    def refresh(self) -> None:
        """Read changed files: one stat for ``retry`` and one for each bundle."""
        self.refresh_chains()
        self._refresh_bundles()

    def seed_from_cache(self, bundles: Iterable[Bundle]) -> None:
        """Use bundles from the index if their files still have the same stamps."""
        self._cached = {bundle.name: bundle for bundle in bundles}

    def invalidate(self) -> bool:
        """Make the next refresh read the bundles that came from the index and were not read since.

        Returns whether there are any.
        """
        unread = {name for name, cached in self._cached.items() if self.bundles.get(name) is cached}
        self._cached = {}
        self.bundles = {name: one for name, one in self.bundles.items() if name not in unread}
        return bool(unread)

    def add_links(self, links: Iterable[RetryLink]) -> None:
        """Add links from the ``data`` of tasks; ``retry`` may lack their lines."""
        new = {link.id: link for link in links if link.id not in self.retried}
        if new:
            self._data_links.update(new)
            self._update_chains()

    def refresh_chains(self) -> None:
        """Read ``retry`` if it has changed: one stat."""
        path = self._root.retry
        try:
            stamp = _file_stamp(filesystem.lstat(path))
            if stamp == self._retry_stamp and self._retry_unread is None:
                return
            raw = read_file(str(path), limit=BUNDLE_LIMIT)
            self._retry_unread = None
            self._file_links, self._retry_problem = r_layout.parse_retry(raw)
            ids = r_layout.unfinished_ids(raw)
            # The time is read again, because a line may have been added before the file was read.
            self._unfinished = UnfinishedLine(ids, filesystem.lstat(path).st_mtime) if ids else None
            self._retry_stamp = stamp
        except FileNotFoundError:
            self._retry_unread = None
            if self._retry_stamp is None:
                return
            self._file_links, self._retry_problem, self._retry_stamp = (), None, None
            self._unfinished = None
        except OSError as error:
            self._retry_unread = f"'retry' can't be read: {os_error_text(error)}"
            return
        self._update_chains()

    def _update_chains(self) -> None:
        lines = {link.id for link in self._file_links}
        missing = tuple(link for task_id, link in self._data_links.items() if task_id not in lines)
        self.chains = RetryChains(self._file_links + missing)
        self.retried = frozenset(lines | self._data_links.keys())

    def _refresh_bundles(self) -> None:
        found: dict[str, Bundle] = {}
        unread: dict[str, str] = {}
        self._folder_unread = None
        try:
            for file in LAYOUTS[self.lang].bundle_files(str(self._root.bundles), unread):
                self._add_bundle(file, found, unread)
        except FileNotFoundError:
            found.clear()
        except OSError as error:
            self._folder_unread = f"'bundles' can't be read: {os_error_text(error)}"
        self._bundles_unread = unread
        settled = max((one.stamp[3] for one in found.values()), default=0) - _TIME_STEP_NS
        self._unsettled = {
            name: seen
            for name, seen in self._unsettled.items()
            if name in found and max(found[name].stamp[2:]) > settled
        }
        self._set_bundles(found)

    def _add_bundle(
        self, file: BundleFile, found: dict[str, Bundle], unread: dict[str, str]
    ) -> None:
        """Add a bundle to ``found``, or the reason why it can't be read to ``unread``."""
        name, entry, folder = file
        try:
            status = entry.stat(follow_symlinks=False)
            changed, stamp = status.st_mtime, _file_stamp(status)
            if entry.is_symlink():
                found[name] = self._read_link(name, changed, stamp)
            else:
                known, seen = self._known_bundle(name, stamp), time.monotonic()
                if known is not None and name not in self._unsettled:
                    found[name] = known
                    return
                first_seen = self._unsettled.get(name, seen) if known else seen
                bundle = read_bundle(
                    name, entry.path, self.lang, dir_fd=folder, changed=changed, stamp=stamp
                )
                before = self.bundles.get(name)
                found[name] = before if before and _is_same(before, bundle) else bundle
                self._unsettled[name] = first_seen
                if seen - first_seen >= _TIME_STEP:
                    del self._unsettled[name]
        except FileNotFoundError:
            return
        except OSError as error:
            unread[name] = os_error_text(error)

    def _read_link(self, name: str, changed: float, stamp: r_layout.Stamp) -> Bundle:
        """Read a bundle that is a link; its target may change without a change of the link."""
        bundle = read_linked_bundle(
            name, self._root.hipercow, self.lang, changed=changed, stamp=stamp
        )
        known = self.bundles.get(name)
        return known if known is not None and known == bundle else bundle

    def _known_bundle(self, name: str, stamp: r_layout.Stamp) -> Bundle | None:
        known = self.bundles.get(name) or self._cached.get(name)
        return known if known is not None and known.stamp == stamp else None

    def _set_bundles(self, found: Mapping[str, Bundle]) -> None:
        before = self.bundles
        if list(map(id, found.values())) != list(map(id, before.values())):
            self.bundles, self.all_bundles = found, tuple(found.values())
            self._bundles_of = None


class _PythonRelations(Relations):
    """Bundles of a Python root, which has no retries."""

    def refresh_chains(self) -> None:
        """Do nothing."""


def _file_stamp(status: filesystem.Status) -> r_layout.Stamp:
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _is_same(one: Bundle, other: Bundle) -> bool:
    """Return whether a bundle did not change. On some shares its inode number does."""
    return one.stamp[1:] == other.stamp[1:] and replace(one, stamp=other.stamp) == other


def _names_by_task(bundles: Iterable[Bundle]) -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for bundle in bundles:
        ids = bundle.task_ids
        shared: dict[str, tuple[str, ...]] = {}
        if not names.keys().isdisjoint(ids):
            shared = {i: (*names[i], bundle.name) for i in names.keys() & ids}
        names.update(dict.fromkeys(ids, (bundle.name,)))
        names.update(shared)
    return names
