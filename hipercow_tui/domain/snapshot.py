"""A root at one moment: a frozen value, no input or output."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import TypeVar, cast

from hipercow_tui.domain.retry_chains import RetryChains
from hipercow_tui.domain.task import Bundle, Lang, Status, Task
from hipercow_tui.domain.task_columns import TaskColumns, TaskMask, mask_where
from hipercow_tui.domain.unread import Unread
from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.text import escape_controls

_T = TypeVar("_T")


@dataclass(frozen=True)
class Snapshot:
    """A root at one moment: every task by id, every bundle by name, the retry chains.

    ``problems`` are sentences about what could not be read outside the tasks: bundles, ``retry``.
    ``unread`` is the part of that which may hold anything; of a root of both languages the parts
    have it.
    ``by_language`` are what it was put together from where one folder is a root of R and of Python, each
    of one ``lang``; no rule ever looks from one part into the other.
    """

    root: Path
    tasks: Mapping[str, Task] = field(default_factory=dict)
    bundles: tuple[Bundle, ...] = ()
    chains: RetryChains = field(default_factory=RetryChains)
    problems: tuple[str, ...] = ()
    lang: Lang = Lang.R
    by_language: tuple[Snapshot, ...] = ()
    unread: Unread = field(default_factory=Unread)

    @property
    def language_parts(self) -> tuple[Snapshot, ...]:
        """The part of each language; itself where there is but one."""
        return self.by_language or (self,)

    @cached_property
    def columns(self) -> TaskColumns:
        """All tasks, the newest first."""
        return TaskColumns.from_tasks(self.tasks.values())

    @cached_property
    def chained(self) -> TaskMask:
        """The tasks that are in a retry chain."""
        return self.columns.where_relations(attrgetter("chained"))

    def with_status(self, *statuses: Status) -> Iterator[str]:
        """The ids of the tasks that have one of these statuses themselves."""
        return self.columns.select(mask_where(self.columns.status_codes, statuses))

    @cached_property
    def missing_ids(self) -> frozenset[str]:
        """The ids that bundles and chains name though there is nothing of that name."""
        named = (bundle.task_ids for bundle in self.bundles)
        chained = (part.chains.members() for part in self.language_parts)
        return frozenset().union(*named, *chained).difference(self.tasks)

    @cached_property
    def non_task_ids(self) -> frozenset[str]:
        """The ids of which lists, filters and chains know no task: gone ones, and folders that are
        none."""
        return self.missing_ids.union(self.columns.select(self.columns.non_task_mask))

    def memoized(self, what: str, of: object, make: Callable[[], _T]) -> _T:
        """What ``make`` gives, or gave the last time if that was for the same ``of``: counts and
        views ask the same filters for the same."""
        known = self._memo.get(what)
        if known is None or known[0] != of:
            known = self._memo[what] = (of, make())
        return cast(_T, known[1])

    @cached_property
    def _memo(self) -> dict[str, tuple[object, object]]:
        return {}

    def of_lang(self, lang: str | None) -> Snapshot:
        """The part that hipercow of that language wrote; None is both.

        Raises FilterError for a language that is neither.
        """
        if lang is None:
            return self
        if lang not in tuple(Lang):
            raise FilterError(
                f"lang can't be '{escape_controls(str(lang))}': use 'r', 'py', or neither for both"
            )
        for part in self.language_parts:
            if part.lang == lang:
                return part
        return Snapshot(self.root, lang=Lang(lang))

    def bundle(self, name: str, lang: Lang) -> Bundle | None:
        """The bundle of that name and language; None if there is none."""
        named = (one for one in self.bundles if one.name == name and one.lang is lang)
        return next(named, None)

    def may_exist(self, task_id: str) -> bool:
        """Whether there is no task of that id only because its place could not be examined."""
        return task_id not in self.tasks and self.unread.place(task_id) is not None

    def existing(self, ids: Collection[str]) -> Iterator[Task]:
        """The tasks among these ids that lists, filters and chains know."""
        tasks = self.tasks
        for task_id in ids:
            task = tasks.get(task_id)
            if task is not None and task.exists:
                yield task

    def latest_status(self, task_id: str) -> Status | None:
        """The status of the end of a task's retry chain; None where there is none."""
        tip = self.chains.latest_attempt(task_id)
        task = self.tasks.get(tip) if tip else None
        return task.status if task is not None and task.exists else None
