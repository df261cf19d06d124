"""What ties the tasks of a root together: its bundles and its retry chains, kept up to date."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping

from hipercow_tui.domain.retry_chains import RetryChains, RetryLink
from hipercow_tui.domain.task import Bundle, Lang
from hipercow_tui.domain.unread import UnfinishedLine, Unread
from hipercow_tui.formats import r_layout
from hipercow_tui.formats.bundles import LIMIT, read_bundle, read_linked_bundle
from hipercow_tui.formats.layout import LAYOUTS, BundleFile
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.support.errors import os_error_text


def relations_of(root: Root) -> Relations:
    """What ties the tasks of a root together, by its language."""
    return _PythonRelations(root) if root.lang is Lang.PY else Relations(root)


class Relations:
    """Bundles and retry chains of an R root; a file is read again only when its stamp moved.

    A stamp is a file's inode, size and times of change. ``unread`` is what could not be read, and
    ``problems`` are sentences on lines that are no ids.
    """

    def __init__(self, root: Root) -> None:
        self.lang = root.lang
        self._root = root
        self._retry_stamp: r_layout.Stamp | None = None
        self._lines: tuple[RetryLink, ...] = ()
        self._retry_problem: str | None = None  # lines in it that are no links
        self._retry_unread: str | None = None
        self._unfinished: UnfinishedLine | None = None
        self._own: dict[str, RetryLink] = {}
        self._kept: dict[str, Bundle] = {}  # from the last time, not read since
        self._folder_unread: str | None = None
        self._bundles_unread: dict[str, str] = {}
        self.bundles: Mapping[str, Bundle] = {}
        self.all_bundles: tuple[Bundle, ...] = ()
        self._bundles_of: Mapping[str, tuple[str, ...]] | None = None
        self.chains = RetryChains()
        self.retried: frozenset[str] = frozenset()

    @property
    def problems(self) -> tuple[str, ...]:
        """Sentences on lines and entries that are no ids."""
        found = [bundle.problem for bundle in self.bundles.values()]
        return tuple(text for text in (self._retry_problem, *found) if text)

    @property
    def unread(self) -> Unread:
        """What could not be read."""
        files = tuple(filter(None, (self._retry_unread, self._folder_unread)))
        return Unread(files, {}, self._bundles_unread, self._unfinished)

    @property
    def bundles_of(self) -> Mapping[str, tuple[str, ...]]:
        """The names of the bundles that name a task, of all that are in any."""
        if self._bundles_of is None:
            self._bundles_of = _inverted(self.all_bundles)
        return self._bundles_of

    def let_go(self) -> None:
        """Forget what can be worked out again: which bundles name 100,000 tasks takes 5 MB to keep
        and 10 ms to find."""
        self._bundles_of = None

    def refresh(self, between: Callable[[], object]) -> None:
        """Read what has changed: one stat for ``retry`` and one a bundle. ``between`` is called
        between two bundles."""
        self.refresh_chains()
        self._refresh_bundles(between)

    def seed_from_cache(self, bundles: Iterable[Bundle]) -> None:
        """Take these from the last time, where their files still have the same stamps."""
        self._kept = {bundle.name: bundle for bundle in bundles}

    def invalidate(self) -> bool:
        """Have the next refresh read the bundles that are known from the last time alone; whether
        there are any."""
        unread = {name for name, kept in self._kept.items() if self.bundles.get(name) is kept}
        self._kept = {}
        self.bundles = {name: one for name, one in self.bundles.items() if name not in unread}
        return bool(unread)

    def add_links(self, links: Iterable[RetryLink]) -> None:
        """Take in links that stand in the tasks' own ``data``, whose lines may be lost."""
        fresh = {link.id: link for link in links if link.id not in self.retried}
        if fresh:
            self._own.update(fresh)
            self._link()

    def refresh_chains(self) -> None:
        """Read ``retry`` if it has changed: one stat."""
        path = self._root.retry
        try:
            stamp = _stamp(os.lstat(path))
            if stamp == self._retry_stamp and self._retry_unread is None:
                return
            raw = read_file(str(path), limit=LIMIT)
            self._retry_unread = None
            self._lines, self._retry_problem = r_layout.parse_retry(raw)
            ids = r_layout.unfinished_ids(raw)
            # Its time is asked for again: more may have been written before it was read.
            self._unfinished = UnfinishedLine(ids, os.lstat(path).st_mtime) if ids else None
            self._retry_stamp = stamp
        except FileNotFoundError:
            self._retry_unread = None
            if self._retry_stamp is None:
                return
            self._lines, self._retry_problem, self._retry_stamp = (), None, None
            self._unfinished = None
        except OSError as error:
            self._retry_unread = f"'retry' can't be read: {os_error_text(error)}"
            return
        self._link()

    def _link(self) -> None:
        lines = {link.id for link in self._lines}
        own = tuple(link for task_id, link in self._own.items() if task_id not in lines)
        self.chains = RetryChains(self._lines + own)
        self.retried = frozenset(lines | self._own.keys())

    def _refresh_bundles(self, between: Callable[[], object]) -> None:
        found: dict[str, Bundle] = {}
        unread: dict[str, str] = {}
        self._folder_unread = None
        try:
            for file in LAYOUTS[self.lang].bundle_files(str(self._root.bundles), unread):
                between()
                self._take(file, found, unread)
        except FileNotFoundError:
            found.clear()
        except OSError as error:
            self._folder_unread = f"'bundles' can't be read: {os_error_text(error)}"
        self._bundles_unread = unread
        self._tie(found)

    def _take(self, file: BundleFile, found: dict[str, Bundle], unread: dict[str, str]) -> None:
        """Add a bundle to those that are ``found``, or the reason to those that are ``unread``."""
        name, entry, folder = file
        try:
            status = entry.stat(follow_symlinks=False)
            changed, stamp = status.st_mtime, _stamp(status)
            if entry.is_symlink():
                found[name] = self._linked(name, changed, stamp)
            else:
                found[name] = self._known(name, stamp) or read_bundle(
                    name, entry.path, self.lang, dir_fd=folder, changed=changed, stamp=stamp
                )
        except FileNotFoundError:
            return
        except OSError as error:
            unread[name] = os_error_text(error)

    def _linked(self, name: str, changed: float, stamp: r_layout.Stamp) -> Bundle:
        """Read a bundle that is a link: what it leads to may change without the link."""
        bundle = read_linked_bundle(
            name, self._root.hipercow, self.lang, changed=changed, stamp=stamp
        )
        known = self.bundles.get(name)
        return known if known is not None and known == bundle else bundle

    def _known(self, name: str, stamp: r_layout.Stamp) -> Bundle | None:
        known = self.bundles.get(name) or self._kept.get(name)
        return known if known is not None and known.stamp == stamp else None

    def _tie(self, found: Mapping[str, Bundle]) -> None:
        before = self.bundles
        if list(map(id, found.values())) != list(map(id, before.values())):
            self.bundles, self.all_bundles = found, tuple(found.values())
            self._bundles_of = None


class _PythonRelations(Relations):
    """The same of a Python root, which knows no retries."""

    def refresh_chains(self) -> None:
        """There are none."""


def _stamp(status: os.stat_result) -> r_layout.Stamp:
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _inverted(bundles: Iterable[Bundle]) -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for bundle in bundles:
        ids = bundle.task_ids
        shared: dict[str, tuple[str, ...]] = {}
        if not names.keys().isdisjoint(ids):
            shared = {i: (*names[i], bundle.name) for i in names.keys() & ids}
        names.update(dict.fromkeys(ids, (bundle.name,)))
        names.update(shared)
    return names
