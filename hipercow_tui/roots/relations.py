"""What ties the tasks of a root together: its bundles and its retry chains, kept up to date."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping

from hipercow_tui.chains import Chains, Retry
from hipercow_tui.model import Bundle, Lang
from hipercow_tui.roots import Root, py_root, r_root
from hipercow_tui.roots.files import open_folder, read_file
from hipercow_tui.text import visible

LIMIT = 256 << 20  # bytes of one bundle, or of ``retry``: several million lines


def relations_of(root: Root) -> Relations:
    """What ties the tasks of a root together, by its language."""
    return _PythonRelations(root) if root.lang is Lang.PY else Relations(root)


class Relations:
    """Bundles and retry chains of an R root; a file is read again only when its stamp moved.

    A stamp is a file's inode, size and time of change. ``problems`` are sentences on what could
    not be read.
    """

    def __init__(self, root: Root) -> None:
        self.lang = root.lang
        self._root = root
        self._folder = str(root.bundles)
        self._retry_stamp: r_root.Stamp | None = None
        self._lines: tuple[Retry, ...] = ()
        self._retry_problem: str | None = None
        self._own: dict[str, Retry] = {}
        self._kept: dict[str, Bundle] = {}  # from the last time, not read since
        self._bundle_problems: dict[str, str] = {}
        self.bundles: Mapping[str, Bundle] = {}
        self.all_bundles: tuple[Bundle, ...] = ()
        self._bundles_of: Mapping[str, tuple[str, ...]] | None = None
        self.chains = Chains()
        self.retried: frozenset[str] = frozenset()

    @property
    def problems(self) -> tuple[str, ...]:
        """Sentences on what could not be read, or was no id."""
        found = [bundle.problem for bundle in self.bundles.values()]
        return tuple(
            text for text in (self._retry_problem, *self._bundle_problems.values(), *found) if text
        )

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

    def keep(self, bundles: Iterable[Bundle]) -> None:
        """Take these from the last time, where their files still have the same stamps."""
        self._kept = {bundle.name: bundle for bundle in bundles}

    def doubt(self) -> bool:
        """Have the next refresh read the bundles that are known from the last time alone; whether
        there are any."""
        unread = {name for name, kept in self._kept.items() if self.bundles.get(name) is kept}
        self._kept = {}
        self.bundles = {name: one for name, one in self.bundles.items() if name not in unread}
        return bool(unread)

    def adopt(self, links: Iterable[Retry]) -> None:
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
            if stamp == self._retry_stamp:
                return
            raw = read_file(str(path), limit=LIMIT)
            self._lines, self._retry_problem = r_root.parse_retry(raw)
            self._retry_stamp = stamp
        except FileNotFoundError:
            if self._retry_stamp is None:
                return
            self._lines, self._retry_problem, self._retry_stamp = (), None, None
        except OSError as error:
            self._retry_problem = f"'retry' can't be read: {visible(error.strerror or str(error))}"
            return
        self._link()

    def _link(self) -> None:
        lines = {link.id for link in self._lines}
        own = tuple(link for task_id, link in self._own.items() if task_id not in lines)
        self.chains = Chains(self._lines + own)
        self.retried = frozenset(lines | self._own.keys())

    def _refresh_bundles(self, between: Callable[[], object]) -> None:
        found: dict[str, Bundle] = {}
        self._bundle_problems = {}
        for name, status in self._bundle_files():
            between()
            if (bundle := self._known(name, status) or self._read_bundle(name, status)) is not None:
                found[name] = bundle
        self._tie(found)

    def _known(self, name: str, status: os.stat_result) -> Bundle | None:
        known = self.bundles.get(name) or self._kept.get(name)
        return known if known is not None and known.stamp == _stamp(status) else None

    def _tie(self, found: Mapping[str, Bundle]) -> None:
        before = self.bundles
        if list(map(id, found.values())) != list(map(id, before.values())):
            self.bundles, self.all_bundles = found, tuple(found.values())
            self._bundles_of = None

    def _bundle_files(self) -> Iterable[tuple[str, os.stat_result]]:
        try:
            with os.scandir(self._root.bundles) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except FileNotFoundError:
            return
        except OSError as error:
            self._problem("bundles", error)
            return
        for entry in listed:
            name = entry.name
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            except OSError as error:
                self._problem(name, error)
                continue
            if stat.S_ISREG(status.st_mode) and r_root.BUNDLE_NAME.match(name):
                yield name, status
            elif not name.startswith("."):
                self._bundle_problems[name] = f"'bundles/{visible(name)}' is no bundle, passed over"

    def _read_bundle(self, name: str, status: os.stat_result) -> Bundle | None:
        try:
            raw = read_file(f"{self._folder}/{name}", limit=LIMIT)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._problem(name, error)
            return None
        return r_root.parse_bundle(raw, name, status.st_mtime, _stamp(status))

    def _problem(self, name: str, error: OSError) -> None:
        reason = visible(error.strerror or str(error))
        self._bundle_problems[name] = f"'{visible(name)}' can't be read: {reason}"


class _PythonRelations(Relations):
    """The same of a Python root, which knows no retries, and whose bundles are JSON and may stand
    in folders. A bundle is opened by way of these, so that none of them is a link."""

    def refresh_chains(self) -> None:
        """There are none."""

    def _refresh_bundles(self, between: Callable[[], object]) -> None:
        found: dict[str, Bundle] = {}
        self._bundle_problems = {}
        try:
            folder = open_folder(self._root.bundles)
        except FileNotFoundError:
            self._tie(found)
            return
        except OSError as error:
            self._problem("bundles", error)
            return
        try:
            for name, inside, status in py_root.bundle_files(folder, self._bundle_problems):
                between()
                known = self._known(name, status)
                if (bundle := known or self._bundle_in(inside, name, status)) is not None:
                    found[name] = bundle
        except OSError as error:
            self._problem("bundles", error)
            return
        finally:
            os.close(folder)
        self._tie(found)

    def _bundle_in(self, folder: int, name: str, status: os.stat_result) -> Bundle | None:
        try:
            raw = read_file(name.rpartition("/")[2], limit=LIMIT, dir_fd=folder)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._problem(name, error)
            return None
        return py_root.parse_bundle(raw, name, status.st_mtime, _stamp(status))


def _stamp(status: os.stat_result) -> r_root.Stamp:
    return (status.st_ino, status.st_size, status.st_mtime_ns)


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
