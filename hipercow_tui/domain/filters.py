"""The four filters as values, and the stack of them whose intersection is matched.

Pure: a filter looks at a snapshot and says which tasks pass, as flags in the order of its lineup,
and which ids of gone tasks. Source: docs/spec.md, rules 1 to 6.
"""

from __future__ import annotations

import difflib
from collections.abc import Container, Iterable, Sequence, Set
from dataclasses import dataclass
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
from hipercow_tui.support.text import escape_controls, pluralize

if TYPE_CHECKING:
    from hipercow_tui.domain.bundle_globs import Globs

_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TaskIds:
    """Passes the tasks of these ids: ``task_ids``, or the app's marks (rule 2)."""

    ids: frozenset[str]

    def mask(self, snapshot: Snapshot) -> TaskMask:
        """The tasks that pass."""
        return _among(self.ids, snapshot)

    def missing_ids(self, snapshot: Snapshot) -> frozenset[str]:
        """The ids of gone tasks that pass: those that may exist where nothing can be read."""
        return (
            frozenset(filter(snapshot.may_exist, self.ids)) if snapshot.unread.places else _NOTHING
        )

    def check(self, snapshot: Snapshot) -> None:
        """Raises UnknownTasksError, which counts them, if some ids do not exist."""
        missing = len(self.ids - snapshot.tasks.keys())
        if missing:
            unknown = (self.missing_ids(part) for part in snapshot.language_parts)
            missing = len(self.ids.difference(snapshot.tasks, *unknown))
        if missing:
            raise UnknownTasksError(
                f"{missing} / {pluralize(len(self.ids), 'task')} do not exist in"
                f" {escape_controls(str(snapshot.root))}: leave out the ids that are gone"
            )

    def __str__(self) -> str:
        return f"one of {pluralize(len(self.ids), 'id')}"


@dataclass(frozen=True, slots=True)
class FinishedBefore:
    """Passes what finished strictly before ``cutoff``, in seconds since the epoch (rule 3).

    ``text`` is the moment as it was asked for, such as ``1 week``.
    """

    cutoff: float
    text: str

    @classmethod
    def of(cls, when: When, now: float) -> FinishedBefore:
        """The filter for any form of ``finished_before``; raises FilterError if it is none."""
        return cls(parse_cutoff(when, now), escape_controls(str(when).strip()))

    def mask(self, snapshot: Snapshot) -> TaskMask:
        """The tasks that pass; what never finished does not."""
        older = snapshot.columns.count_older_than(self.cutoff)
        return bytes(len(snapshot.columns.ids) - older) + b"\1" * older

    def missing_ids(self, snapshot: Snapshot) -> frozenset[str]:
        """The ids of gone tasks that pass: none can."""
        return _NOTHING

    def __str__(self) -> str:
        return f"finished before {self.text}{' ago' if is_relative(self.text) else ''}"


@dataclass(frozen=True, slots=True)
class InBundle:
    """Passes every id, also of a gone task, of the bundles that the globs match (rule 4).

    ``*`` and ``?`` as in R; braces, character classes, and exclusion by a leading ``!``.
    """

    patterns: tuple[str, ...]
    _globs: Globs | None

    @classmethod
    def of(cls, patterns: str | Iterable[str]) -> InBundle:
        """The filter for one glob or several, which are one set; raises FilterError for globs that
        are unfinished, explode by their braces, or are exclusions alone."""
        from hipercow_tui.domain.bundle_globs import Globs

        words = _words("in_bundle", patterns)
        return cls(words, Globs.of(words) if words else None)

    def matches(self, name: str) -> bool:
        """Whether a bundle of that name is meant; case matters."""
        return self._globs is not None and self._globs.match(name)

    def bundles(self, snapshot: Snapshot) -> tuple[Bundle, ...]:
        """The bundles that match."""
        matching = filter(lambda bundle: self.matches(bundle.name), snapshot.bundles)
        return snapshot.memoized("bundles", self, lambda: tuple(matching))

    def mask(self, snapshot: Snapshot) -> TaskMask:
        """The tasks that pass."""
        # Globs that are typed further often mean the bundles that they meant before.
        bundles = self.bundles(snapshot)
        return snapshot.memoized("in bundles", bundles, lambda: _tasks_of(bundles, snapshot))

    def missing_ids(self, snapshot: Snapshot) -> frozenset[str]:
        """The ids of gone tasks that pass."""
        named = chain.from_iterable(bundle.task_ids for bundle in self.bundles(snapshot))
        return frozenset(filter(snapshot.missing_ids.__contains__, named))

    def check(self, snapshot: Snapshot) -> None:
        """Raises FilterError if no bundle at all matches, BlockedError if only an unreadable one
        does."""
        if self.patterns and not self.bundles(snapshot):
            unread = (name for part in snapshot.language_parts for name in part.unread.bundles)
            if name := next(filter(self.matches, unread), None):
                raise BlockedError(
                    f"Bundle '{escape_controls(name)}' can't be read: repair or remove it"
                )
            known = ", ".join(sorted(bundle.name for bundle in snapshot.bundles)[:5])
            raise FilterError(
                f"No bundle matches '{escape_controls(' '.join(self.patterns))}' in"
                f" {escape_controls(str(snapshot.root))}"
                + (f": there are {escape_controls(known)} …" if known else ": it has no bundles")
            )

    def __str__(self) -> str:
        return f"in bundle {escape_controls(' '.join(self.patterns))}"


@dataclass(frozen=True, slots=True)
class WithStatus:
    """Passes tasks of these statuses; with ``follow`` a retried task counts as its tip
    (rules 5 and 6)."""

    statuses: frozenset[Status]
    follow: bool = True

    @classmethod
    def purgeable(cls, statuses: Iterable[str], *, follow: bool = True) -> WithStatus:
        """The filter for a purge; raises FilterError for a status that can't be purged by."""
        return cls(_known(statuses, PURGEABLE), follow)

    @classmethod
    def any_of(cls, statuses: Iterable[str], *, follow: bool = True) -> WithStatus:
        """The filter for a list, which knows all six; raises FilterError for other words."""
        return cls(_known(statuses, [s for s in Status if s is not Status.BROKEN]), follow)

    def mask(self, snapshot: Snapshot) -> TaskMask:
        """The tasks that pass."""
        columns = snapshot.columns
        return mask_where(
            columns.latest_codes if self.follow else columns.status_codes, self.statuses
        )

    def missing_ids(self, snapshot: Snapshot) -> frozenset[str]:
        """The ids of gone tasks that pass: those whose tip does."""
        if not self.follow:
            return _NOTHING
        tip = snapshot.latest_status
        return frozenset(i for i in snapshot.missing_ids if tip(i) in self.statuses)

    def __str__(self) -> str:
        words = [status for status in Status if status in self.statuses]
        return f"status is {' or '.join(words) if words else 'none'}" + (
            "" if self.follow else ", its own"
        )


@dataclass(frozen=True, slots=True)
class OfLang:
    """Passes what one of R's and Python's hipercow wrote, where a root is of both. A choice of the
    app's: for a purge elsewhere it says which part of the root is meant."""

    lang: Lang

    def mask(self, snapshot: Snapshot) -> TaskMask:
        """The tasks that pass."""
        existing = mask_where(snapshot.columns.status_codes, Status)
        return mask_and([existing, self.wrote(snapshot)])

    def missing_ids(self, snapshot: Snapshot) -> frozenset[str]:
        """The ids of gone tasks that pass: none can."""
        return _NOTHING

    def wrote(self, snapshot: Snapshot) -> TaskMask:
        """All that it wrote, folders too that are no tasks."""
        return _among(snapshot.of_lang(self.lang).tasks, snapshot)

    def __str__(self) -> str:
        return f"of {self.lang.shown}"


Filter: TypeAlias = TaskIds | FinishedBefore | InBundle | WithStatus | OfLang


@dataclass(frozen=True, slots=True)
class FilterStack:
    """The filters that are given; None is "not given" (rule 1). What passes all is matched."""

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
        """The filters but that for the language: beside others it passes all that is of that, also
        folders that are no tasks, and gone ids of a bundle."""
        return tuple(one for one in self.given if one is not self.lang) or self.given

    def mask(self, snapshot: Snapshot) -> TaskMask:
        """The tasks that pass all filters; without any filter: none."""
        return snapshot.memoized("all filters", self, lambda: self._passes(snapshot))

    def _passes(self, snapshot: Snapshot) -> TaskMask:
        passing = [mask_of(one, snapshot) for one in self._selective_filters]
        if self.lang:
            passing.append(self.lang.wrote(snapshot))
        return mask_and(passing) if passing else bytes(len(snapshot.columns.ids))

    def matched(self, snapshot: Snapshot) -> frozenset[str]:
        """The ids that pass all filters; gone ones too, which cascade (rules 4, 7, 8). Without any
        filter: none. What passes in one language means nothing in the other."""
        if snapshot.by_language:
            return _NOTHING.union(*(self._own(part, snapshot) for part in snapshot.by_language))
        return frozenset(snapshot.columns.select(self.mask(snapshot))).union(
            self.missing_ids(snapshot)
        )

    def missing_ids(self, snapshot: Snapshot) -> frozenset[str]:
        """The ids of gone tasks of that one language that pass all filters."""
        if not self.given or (self.lang and self.lang.lang is not snapshot.lang):
            return _NOTHING
        return reduce(and_, (one.missing_ids(snapshot) for one in self._selective_filters))

    def _own(self, part: Snapshot, whole: Snapshot) -> Set[str]:
        """What matches in a part, but for ids that are tasks of the other: an R bundle may name
        anything."""
        matched = self.matched(part)
        return matched - ((matched - part.tasks.keys()) & whole.tasks.keys())

    def check(self, snapshot: Snapshot) -> None:
        """Raises FilterError if ids do not exist or no bundle at all matches (rules 2 and 4), and
        BlockedError if only an unreadable bundle does."""
        if self.task_ids:
            self.task_ids.check(snapshot)
        if self.in_bundle:
            self.in_bundle.check(snapshot)

    def __str__(self) -> str:
        return " · ".join(map(str, self.given)) or "no filter"


def mask_of(one: Filter, snapshot: Snapshot) -> TaskMask:
    """The tasks that pass this filter alone, worked out once."""
    return snapshot.memoized(type(one).__name__, one, lambda: one.mask(snapshot))


def _tasks_of(bundles: Iterable[Bundle], snapshot: Snapshot) -> TaskMask:
    names: dict[Lang, set[str]] = {lang: set() for lang in Lang}
    for bundle in bundles:
        names[bundle.lang].add(bundle.name)
    return snapshot.columns.where_relations(
        lambda relations: not names[relations.lang].isdisjoint(relations.bundles)
    )


def _among(ids: Container[str], snapshot: Snapshot) -> TaskMask:
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
    """The filters as a purge takes them, or, with ``files_mask``, as a list does: that needs none and
    knows all six statuses. None is not given, a string is a list of one.

    Raises NoFilterError, or FilterError for one that can't be understood or is of a wrong type.
    """
    statuses = WithStatus.any_of if listing else WithStatus.purgeable
    stack = FilterStack(
        task_ids=None if task_ids is None else TaskIds(frozenset(_words("task_ids", task_ids))),
        finished_before=None
        if finished_before is None
        else FinishedBefore.of(finished_before, now),
        in_bundle=None if in_bundle is None else InBundle.of(in_bundle),
        with_status=None
        if with_status is None
        else statuses(_words("with_status", with_status), follow=follow),
    )
    if not stack.given and not listing:
        raise NoFilterError(
            "No filter selected: give at least one of task_ids, finished_before, in_bundle,"
            " with_status"
        )
    return stack


def matched_tasks(snapshot: Snapshot, stack: FilterStack) -> list[str]:
    """What a list shows: ids of existing tasks that pass, all of them without a filter."""
    if not stack.given:
        return [task.id for task in snapshot.tasks.values() if task.exists]
    matched = stack.matched(snapshot)
    return [task.id for task in snapshot.tasks.values() if task.id in matched and task.exists]


def _words(name: str, value: str | Iterable[str]) -> tuple[str, ...]:
    """The words of a filter; raises FilterError for what is neither a string nor a list of them."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        words = tuple(value)
        wrong = [word for word in words if not isinstance(word, str)]
        if not wrong:
            return words
        given = f"{type(value).__name__} of {type(wrong[0]).__name__}"
    else:
        given = type(value).__name__
    raise FilterError(f"{name} takes a string or a list of strings, not {given}")


def _known(statuses: Iterable[str], allowed: Sequence[Status]) -> frozenset[Status]:
    asked = dict.fromkeys(statuses)
    wrong = [word for word in asked if word not in allowed]
    if not wrong:
        return frozenset(Status(word) for word in asked)
    noun = "status" if len(wrong) == 1 else "statuses"
    hints = (f"'{escape_controls(word)}': {_status_hint(word, allowed)}" for word in wrong)
    raise FilterError(f"Cannot select tasks with {noun} {'; '.join(hints)}")


def _status_hint(word: str, allowed: Sequence[Status]) -> str:
    if word in (Status.SUBMITTED, Status.RUNNING):
        return "cancel these tasks first, with hipercow::task_cancel()"
    words = [status.value for status in allowed]
    near = difflib.get_close_matches(word.lower(), words, n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else f"use one of {', '.join(words)}"
