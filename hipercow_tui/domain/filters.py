"""Filters as values, and the stack of filters that a task must pass to be matched.

A filter evaluates a snapshot. It returns the tasks that pass as a mask, in the order of
``Snapshot.columns``, and the ids of missing tasks that pass. Source: docs/spec.md, rules 1 to 6.
"""

from __future__ import annotations

import difflib
from collections.abc import Container, Iterable, Sequence, Set
from dataclasses import dataclass, field
from functools import reduce
from itertools import chain
from operator import and_
from typing import TYPE_CHECKING, TypeAlias

from hipercow_tui.domain.blocked import BlockedError
from hipercow_tui.domain.cutoff_time import When, is_relative, parse_cutoff
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import PURGEABLE, Bundle, Lang, Status
from hipercow_tui.domain.task_columns import TaskMask, mask_and, mask_where
from hipercow_tui.support.errors import FilterError, NoFilterError, UnknownTasksError
from hipercow_tui.support.text import escape_controls, first_of, pluralize, truncate_middle

if TYPE_CHECKING:
    from hipercow_tui.domain.bundle_globs import Globs

_NO_IDS: frozenset[str] = frozenset()
MARKED = "marked"  # the name of marked tasks in ``TaskIds.names``
_MAX_ID = 40  # characters of a wrong id in a message


@dataclass(frozen=True, slots=True)
class TaskIds:
    """Passes tasks by id: ``task_ids``, or the marks of the app (rule 2).

    ``names`` say what the tasks are, for the user: an error, marked tasks.
    """

    ids: frozenset[str]
    names: tuple[str, ...] = field(default=(), compare=False)

    def mask(self, snapshot: Snapshot) -> TaskMask:
        """Return the tasks that pass."""
        return _mask_of_ids(self.ids, snapshot)

    def missing_ids(self, snapshot: Snapshot) -> frozenset[str]:
        """Return the missing ids that pass: their folder may exist, but it can't be read."""
        return (
            frozenset(filter(snapshot.may_exist, self.ids)) if snapshot.unread.places else _NO_IDS
        )

    def check(self, snapshot: Snapshot) -> None:
        """Raise UnknownTasksError, with the number of ids and the first three, if some ids do not
        exist."""
        missing = self.ids - snapshot.tasks.keys()
        if missing:
            unknown = (self.missing_ids(part) for part in snapshot.language_parts)
            missing = self.ids.difference(snapshot.tasks, *unknown)
        if missing:
            named = [truncate_middle(escape_controls(one), _MAX_ID) for one in sorted(missing)]
            verb = "does not exist" if len(self.ids) == 1 else "do not exist"
            where = escape_controls(str(snapshot.root))
            advice = (
                "Leave out the ids of missing tasks"
                if len(self.ids) > 1
                else "Give all 32 digits of the id of a task that exists"
            )
            raise UnknownTasksError(
                f"{len(missing):,} / {pluralize(len(self.ids), 'task')} {verb} in {where}:"
                f" {first_of(named, 3)}. {advice}"
            )

    def __str__(self) -> str:
        if self.names:
            return f"{' · '.join(self.names)}, {pluralize(len(self.ids), 'task')}"
        return f"one of {pluralize(len(self.ids), 'id')}"


@dataclass(frozen=True, slots=True)
class FinishedBefore:
    """Passes tasks that finished strictly before ``cutoff``, in seconds since the epoch (rule 3).

    ``text`` is the time as the user gave it, such as ``1 week``.
    """

    cutoff: float
    text: str

    @classmethod
    def of(cls, when: When, now: float) -> FinishedBefore:
        """Make the filter from any form of ``finished_before``.

        ``now`` is in seconds since the epoch. Raises FilterError as ``parse_cutoff`` does.
        """
        return cls(parse_cutoff(when, now), escape_controls(str(when).strip()))

    def mask(self, snapshot: Snapshot) -> TaskMask:
        """Return the tasks that pass; a task that never finished does not."""
        older = snapshot.columns.count_older_than(self.cutoff)
        return bytes(len(snapshot.columns.ids) - older) + b"\1" * older

    def missing_ids(self, snapshot: Snapshot) -> frozenset[str]:
        """Return no ids: the time of a missing task is unknown."""
        return _NO_IDS

    def __str__(self) -> str:
        return f"finished before {self.text}{' ago' if is_relative(self.text) else ''}"


@dataclass(frozen=True, slots=True)
class InBundle:
    """Passes every id, missing ones included, of the bundles that the globs match (rule 4).

    Globs have ``*`` and ``?`` as in R, braces, character classes, and exclusion by a leading ``!``.
    """

    patterns: tuple[str, ...]
    _globs: Globs | None

    @classmethod
    def of(cls, patterns: str | Iterable[str]) -> InBundle:
        """Make the filter from one glob or several. Raises FilterError as ``Globs.of`` does."""
        from hipercow_tui.domain.bundle_globs import Globs

        words = requested_strings("in_bundle", patterns)
        return cls(words, Globs.of(words) if words else None)

    @classmethod
    def named(cls, name: str) -> InBundle:
        """Make the filter for the bundle of this name; the characters of a glob are escaped."""
        from hipercow_tui.domain.bundle_globs import escape_glob

        return cls.of(escape_glob(name))

    def matches(self, name: str) -> bool:
        """Return whether the globs match the name of a bundle; case matters."""
        return self._globs is not None and self._globs.match(name)

    def bundles(self, snapshot: Snapshot) -> tuple[Bundle, ...]:
        """Return the bundles that the globs match."""
        matching = filter(lambda bundle: self.matches(bundle.name), snapshot.bundles)
        return snapshot.memoized("bundles", self, lambda: tuple(matching))

    def mask(self, snapshot: Snapshot) -> TaskMask:
        """Return the tasks that pass."""
        # While a glob is typed, it often matches the same bundles as before.
        bundles = self.bundles(snapshot)
        return snapshot.memoized("in bundles", bundles, lambda: _mask_of_bundles(bundles, snapshot))

    def missing_ids(self, snapshot: Snapshot) -> frozenset[str]:
        """Return the missing ids that pass."""
        ids = chain.from_iterable(bundle.task_ids for bundle in self.bundles(snapshot))
        return frozenset(filter(snapshot.missing_ids.__contains__, ids))

    def check(self, snapshot: Snapshot) -> None:
        """Raise FilterError if no bundle matches, BlockedError if only an unreadable one does."""
        if self.patterns and not self.bundles(snapshot):
            unread = (name for part in snapshot.language_parts for name in part.unread.bundles)
            if name := next(filter(self.matches, unread), None):
                raise BlockedError(
                    f"Bundle '{escape_controls(name)}' can't be read: repair or remove it"
                )
            known = sorted(escape_controls(bundle.name) for bundle in snapshot.bundles)
            are = "is" if len(known) == 1 else "are"
            raise FilterError(
                f"No bundle matches '{escape_controls(' '.join(self.patterns))}' in"
                f" {escape_controls(str(snapshot.root))}"
                + (f": there {are} {first_of(known, 5)}" if known else ": it has no bundles")
            )

    def __str__(self) -> str:
        return f"in bundle {escape_controls(' '.join(self.patterns))}"


@dataclass(frozen=True, slots=True)
class WithStatus:
    """Passes tasks by status (rules 5 and 6).

    With ``follow``, a retried task counts by the status of its latest attempt.
    """

    statuses: frozenset[Status]
    follow: bool = True

    @classmethod
    def for_purge(cls, statuses: Iterable[str], *, follow: bool = True) -> WithStatus:
        """Make the filter for a purge. Raises FilterError for a status that can't be purged."""
        return cls(_parse_statuses(statuses, PURGEABLE), follow)

    @classmethod
    def for_list(cls, statuses: Iterable[str], *, follow: bool = True) -> WithStatus:
        """Make the filter for a list, with all six statuses. Raises FilterError for others."""
        return cls(_parse_statuses(statuses, [s for s in Status if s is not Status.BROKEN]), follow)

    def mask(self, snapshot: Snapshot) -> TaskMask:
        """Return the tasks that pass."""
        columns = snapshot.columns
        return mask_where(
            columns.latest_codes if self.follow else columns.status_codes, self.statuses
        )

    def missing_ids(self, snapshot: Snapshot) -> frozenset[str]:
        """Return the missing ids that pass: their latest attempt exists and passes."""
        if not self.follow:
            return _NO_IDS
        status_of = snapshot.latest_status
        return frozenset(i for i in snapshot.missing_ids if status_of(i) in self.statuses)

    def __str__(self) -> str:
        words = [status for status in Status if status in self.statuses]
        own = "" if self.follow else ", its own"
        return f"status is {' or '.join(words) if words else 'none'}{own}"


@dataclass(frozen=True, slots=True)
class OfLang:
    """Passes tasks of one language, for a root of R and Python.

    A filter of the app only. The command line and ``purge()`` select the language before filtering.
    """

    lang: Lang

    def mask(self, snapshot: Snapshot) -> TaskMask:
        """Return the tasks that pass."""
        existing = mask_where(snapshot.columns.status_codes, Status)
        return mask_and([existing, self.all_of_language(snapshot)])

    def missing_ids(self, snapshot: Snapshot) -> frozenset[str]:
        """Return no ids: the language of a missing task is unknown."""
        return _NO_IDS

    def all_of_language(self, snapshot: Snapshot) -> TaskMask:
        """Return all folders of the language, also those that are not tasks."""
        return _mask_of_ids(snapshot.of_lang(self.lang).tasks, snapshot)

    def __str__(self) -> str:
        return f"of {self.lang.shown}"


Filter: TypeAlias = TaskIds | FinishedBefore | InBundle | WithStatus | OfLang


@dataclass(frozen=True, slots=True)
class FilterStack:
    """The filters of a request; None is "not given". A task that passes all is matched (rule 1)."""

    task_ids: TaskIds | None = None
    finished_before: FinishedBefore | None = None
    in_bundle: InBundle | None = None
    with_status: WithStatus | None = None
    lang: OfLang | None = None

    @property
    def given(self) -> tuple[Filter, ...]:
        """The filters that are given."""
        every = (self.with_status, self.finished_before, self.in_bundle, self.task_ids, self.lang)
        return tuple(one for one in every if one is not None)

    @property
    def _selective_filters(self) -> tuple[Filter, ...]:
        """The filters without the language filter, unless that is the only one.

        Beside others, the language filter also passes folders that are not tasks, and missing ids.
        """
        return tuple(one for one in self.given if one is not self.lang) or self.given

    def mask(self, snapshot: Snapshot) -> TaskMask:
        """Return the tasks that pass all filters; none without a filter."""
        return snapshot.memoized("all filters", self, lambda: self._compute_mask(snapshot))

    def _compute_mask(self, snapshot: Snapshot) -> TaskMask:
        passing = [mask_of(one, snapshot) for one in self._selective_filters]
        if self.lang:
            passing.append(self.lang.all_of_language(snapshot))
        return mask_and(passing) if passing else bytes(len(snapshot.columns.ids))

    def matched(self, snapshot: Snapshot) -> frozenset[str]:
        """Return the ids that pass all filters; none without a filter.

        Missing ids are included: their chains and bundles go too (rules 4, 7 and 8). Each language
        is filtered by itself.
        """
        if snapshot.by_language:
            return _NO_IDS.union(
                *(self._matched_in_part(part, snapshot) for part in snapshot.by_language)
            )
        return frozenset(snapshot.columns.select(self.mask(snapshot))).union(
            self.missing_ids(snapshot)
        )

    def missing_ids(self, snapshot: Snapshot) -> frozenset[str]:
        """Return the missing ids of a snapshot of one language that pass all filters."""
        if not self.given or (self.lang and self.lang.lang is not snapshot.lang):
            return _NO_IDS
        return reduce(and_, (one.missing_ids(snapshot) for one in self._selective_filters))

    def _matched_in_part(self, part: Snapshot, whole: Snapshot) -> Set[str]:
        """Return the matched ids of one language, without ids of tasks of the other language.

        An R bundle can name any id.
        """
        matched = self.matched(part)
        return matched - ((matched - part.tasks.keys()) & whole.tasks.keys())

    def check(self, snapshot: Snapshot) -> None:
        """Check that the given ids exist and that a bundle matches (rules 2 and 4).

        Raises UnknownTasksError, FilterError if no bundle matches, or BlockedError if only an
        unreadable bundle does.
        """
        if self.task_ids:
            self.task_ids.check(snapshot)
        if self.in_bundle:
            self.in_bundle.check(snapshot)

    def __str__(self) -> str:
        return " · ".join(map(str, self.given)) or "no filter"


def mask_of(one: Filter, snapshot: Snapshot) -> TaskMask:
    """Return the tasks that pass one filter; the last mask of each kind of filter is kept."""
    return snapshot.memoized(type(one).__name__, one, lambda: one.mask(snapshot))


def _mask_of_bundles(bundles: Iterable[Bundle], snapshot: Snapshot) -> TaskMask:
    names: dict[Lang, set[str]] = {lang: set() for lang in Lang}
    for bundle in bundles:
        names[bundle.lang].add(bundle.name)
    return snapshot.columns.where_relations(
        lambda relations: not names[relations.lang].isdisjoint(relations.bundles)
    )


def _mask_of_ids(ids: Container[str], snapshot: Snapshot) -> TaskMask:
    return bytes(map(ids.__contains__, snapshot.columns.ids))


def requested_filters(
    task_ids: str | Iterable[str] | None,
    finished_before: When | None,
    in_bundle: str | Iterable[str] | None,
    with_status: str | Iterable[str] | None,
    *,
    follow: bool = True,
    now: float,
    listing: bool = False,
) -> FilterStack:
    """Make the filters from the arguments of a purge, or of a list with ``listing``.

    None is "not given", and a string is a list of one. A list needs no filter and accepts all six
    statuses. ``now`` is in seconds since the epoch. Raises NoFilterError, or FilterError for an
    argument of a wrong form or type.
    """
    statuses = WithStatus.for_list if listing else WithStatus.for_purge
    stack = FilterStack(
        task_ids=None if task_ids is None else requested_ids("task_ids", task_ids),
        finished_before=None
        if finished_before is None
        else FinishedBefore.of(finished_before, now),
        in_bundle=None if in_bundle is None else InBundle.of(in_bundle),
        with_status=None
        if with_status is None
        else statuses(requested_strings("with_status", with_status), follow=follow),
    )
    if not stack.given and not listing:
        raise NoFilterError(
            "No filter selected: give at least one of task_ids, finished_before, in_bundle,"
            " with_status"
        )
    return stack


def requested_ids(name: str, ids: str | Iterable[str]) -> TaskIds:
    """Make a filter from the argument ``name``; raises FilterError for a wrong type."""
    return TaskIds(frozenset(requested_strings(name, ids)))


def matched_tasks(snapshot: Snapshot, stack: FilterStack) -> list[str]:
    """Return the ids of existing tasks that pass; all existing tasks without a filter."""
    if not stack.given:
        return [task.id for task in snapshot.tasks.values() if task.exists]
    matched = stack.matched(snapshot)
    return [task.id for task in snapshot.tasks.values() if task.id in matched and task.exists]


def requested_strings(name: str, value: str | Iterable[str]) -> tuple[str, ...]:
    """Return the strings of the argument ``name``; raises FilterError for any other type."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        strings = tuple(value)
        wrong = [item for item in strings if not isinstance(item, str)]
        if not wrong:
            return strings
        given = f"{type(value).__name__} of {type(wrong[0]).__name__}"
    else:
        given = type(value).__name__
    raise FilterError(f"{name} takes a string or a list of strings, not {given}")


def _parse_statuses(statuses: Iterable[str], allowed: Sequence[Status]) -> frozenset[Status]:
    requested = dict.fromkeys(statuses)
    wrong = [word for word in requested if word not in allowed]
    if not wrong:
        return frozenset(Status(word) for word in requested)
    noun = "status" if len(wrong) == 1 else "statuses"
    hints = (f"'{escape_controls(word)}': {_status_hint(word, allowed)}" for word in wrong)
    raise FilterError(f"Cannot select tasks with {noun} {'; '.join(hints)}")


def _status_hint(word: str, allowed: Sequence[Status]) -> str:
    if word in (Status.SUBMITTED, Status.RUNNING):
        return "cancel these tasks first, with hipercow::task_cancel()"
    words = [status.value for status in allowed]
    near = difflib.get_close_matches(word.lower(), words, n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else f"use one of {', '.join(words)}"
