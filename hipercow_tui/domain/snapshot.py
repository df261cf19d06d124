"""All tasks of a root at one moment, as a frozen value without input or output."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter, not_
from pathlib import Path
from typing import TypeVar, cast

from hipercow_tui.domain.notes import Note, Notes
from hipercow_tui.domain.pins import Pin, Pins
from hipercow_tui.domain.records import RecordTarget, TargetKind
from hipercow_tui.domain.retry_chains import RetryChains
from hipercow_tui.domain.task import Bundle, Lang, Status, Task
from hipercow_tui.domain.task_columns import TaskColumns, TaskMask, mask_where
from hipercow_tui.domain.unread import Unread
from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.text import escape_controls

_T = TypeVar("_T")


@dataclass(frozen=True)
class Snapshot:
    """All tasks, bundles and retry chains of a root at one moment.

    Attributes:
        root: The project folder.
        tasks: Tasks by id, folders that are not tasks included (``Task.exists``).
        bundles: All bundles that could be read.
        chains: The retry chains.
        problems: Sentences on everything outside the tasks that could not be read.
        lang: The language of the tasks, if the root has only one.
        by_language: If the folder is a root of R and of Python: the snapshot of each. No rule
            looks from one into the other.
        unread: What could not be read and may hold any task; empty if ``by_language`` is set,
            because its parts have their own.
        pins: What users pinned, so that no purge takes it.
        notes: The notes of users.
    """

    root: Path
    tasks: Mapping[str, Task] = field(default_factory=dict)
    bundles: tuple[Bundle, ...] = ()
    chains: RetryChains = field(default_factory=RetryChains)
    problems: tuple[str, ...] = ()
    lang: Lang = Lang.R
    by_language: tuple[Snapshot, ...] = ()
    unread: Unread = field(default_factory=Unread)
    pins: Pins = field(default_factory=Pins)
    notes: Notes = field(default_factory=Notes)

    @property
    def language_parts(self) -> tuple[Snapshot, ...]:
        """The snapshot of each language: this one if the root has only one language."""
        return self.by_language or (self,)

    @cached_property
    def columns(self) -> TaskColumns:
        """All tasks as columns, the newest first."""
        return TaskColumns.from_tasks(self.tasks.values())

    @cached_property
    def chained(self) -> TaskMask:
        """The tasks that are in a retry chain."""
        return self.columns.where_relations(attrgetter("chained"))

    def with_status(self, *statuses: Status) -> Iterator[str]:
        """Return the ids of the tasks that have one of the statuses themselves."""
        return self.columns.select(mask_where(self.columns.status_codes, statuses))

    @cached_property
    def held(self) -> Mapping[str, Pin]:
        """The ids that pins hold, whole chains, each with its pin."""
        if self.by_language:
            return {i: pin for part in self.by_language for i, pin in part.held.items()}
        return self.pins.held(self.chains, self.bundles)

    @cached_property
    def pin_of(self) -> Mapping[RecordTarget, Pin]:
        """The pin of each chain and bundle that is pinned itself."""
        return {pin.target: pin for pin in self.pins.pins}

    @cached_property
    def notes_of(self) -> Mapping[str, tuple[Note, ...]]:
        """The notes on each task, by its id: those of its chain, then those of its bundles."""
        if self.by_language:
            return {i: notes for part in self.by_language for i, notes in part.notes_of.items()}
        return self.notes.by_task(self.chains, self.bundles)

    def ids_noted_with(self, needle: str) -> frozenset[str]:
        """Return the ids of the tasks with a note that contains a case-folded text."""
        noted = self.notes_of.items()
        return frozenset(i for i, notes in noted if any(note.matches(needle) for note in notes))

    @cached_property
    def chain_note_of(self) -> Mapping[str, Note]:
        """The note on the chain of a task, by the id of the task."""
        first = {task_id: notes[0] for task_id, notes in self.notes_of.items()}
        return {i: note for i, note in first.items() if note.target.kind is TargetKind.CHAIN}

    @cached_property
    def note_of(self) -> Mapping[RecordTarget, Note]:
        """The note of each chain and bundle that has one itself."""
        return {note.target: note for note in self.notes.notes}

    @cached_property
    def not_held(self) -> TaskMask:
        """The tasks that no pin holds, if there are pins."""
        return bytes(map(not_, map(self.held.__contains__, self.columns.ids)))

    @cached_property
    def missing_ids(self) -> frozenset[str]:
        """The ids in bundles and chains that have no folder."""
        named = (bundle.task_ids for bundle in self.bundles)
        chained = (part.chains.members() for part in self.language_parts)
        return frozenset().union(*named, *chained).difference(self.tasks)

    @cached_property
    def non_task_ids(self) -> frozenset[str]:
        """The ids that are not tasks for lists, filters and chains: ``missing_ids``, and folders
        that are not tasks."""
        return self.missing_ids.union(self.columns.select(self.columns.non_task_mask))

    def memoized(self, name: str, argument: object, make: Callable[[], _T]) -> _T:
        """Return the value of ``make()``, from memory if the last call had the same arguments.

        Counts and views evaluate the same filters. One value is kept for each name.
        """
        known = self._memo.get(name)
        if known is None or known[0] != argument:
            known = self._memo[name] = (argument, make())
        return cast(_T, known[1])

    @cached_property
    def _memo(self) -> dict[str, tuple[object, object]]:
        return {}

    def of_lang(self, lang: str | None) -> Snapshot:
        """Return the snapshot of one language: ``r`` or ``py``. None returns this snapshot.

        Raises FilterError for any other language.
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
        """Return the bundle with that name and language; None if there is none."""
        matching = (one for one in self.bundles if one.name == name and one.lang is lang)
        return next(matching, None)

    def may_exist(self, task_id: str) -> bool:
        """Return whether a task is unknown only because its folder could not be examined."""
        return task_id not in self.tasks and self.unread.place(task_id) is not None

    def existing(self, ids: Collection[str]) -> Iterator[Task]:
        """Yield the tasks with these ids that exist for lists, filters and chains."""
        tasks = self.tasks
        for task_id in ids:
            task = tasks.get(task_id)
            if task is not None and task.exists:
                yield task

    def latest_status(self, task_id: str) -> Status | None:
        """Return the status of a task's latest attempt; None if that is gone or in a cycle."""
        latest = self.chains.latest_attempt(task_id)
        task = self.tasks.get(latest) if latest else None
        return task.status if task is not None and task.exists else None
