"""What the batches of a purge hold, task by task, by their manifests or by the history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hipercow_tui.domain.plan import PlannedTask
from hipercow_tui.domain.task import BundleId, Lang, Status
from hipercow_tui.formats.root import TUI_FOLDER, Root
from hipercow_tui.purging.history import HistoryEntry, HistoryKind, read_history
from hipercow_tui.purging.trash_listing import (
    TrashEntry,
    as_purge_error,
    list_trash,
    read_manifest_of,
)


@dataclass(frozen=True, slots=True)
class HeldTask:
    """A task of a purge. ``status``, ``finished`` (seconds since the epoch) and ``bundles`` are
    those of the manifest or of the history; None and empty if there is none.

    ``folder`` is the folder in a batch that has the task's folder in it, under its id. With
    ``in_place`` it is the folder ``tasks`` of the root, to which the task was restored. None if it
    is in neither. ``note`` is a remark on it.
    """

    id: str
    lang: Lang | None = None
    status: Status | None = None
    finished: float | None = None
    bundles: tuple[str, ...] = ()
    folder: Path | None = None
    note: str = ""
    in_place: bool = False


@dataclass(frozen=True, slots=True)
class BatchContents:
    """The tasks and the names of the bundles of a purge. ``kept_back`` are tasks and bundles that
    stayed or failed, each with the reason. ``kept`` are tasks of chains that the user kept."""

    tasks: tuple[HeldTask, ...] = ()
    bundles: tuple[str, ...] = ()
    kept_back: tuple[tuple[str, str], ...] = ()
    kept: tuple[HeldTask, ...] = ()


def contents_of_batches(root: Root, entries: Sequence[TrashEntry]) -> BatchContents:
    """Return what the batches of one purge hold. Takes seconds for a million tasks.

    Raises PurgeError if a manifest can't be read.
    """
    records = _Records(root, entries)
    return BatchContents(
        tuple(records.held_tasks(entries)),
        tuple(name for entry in entries for name in entry.bundles),
        kept=tuple(map(records.described, records.kept)),
    )


def contents_of_action(root: Root, action: HistoryEntry) -> BatchContents:
    """Return what an action of the history was about. If its batch is still in the trash, the
    manifest adds statuses and bundles; else statuses are those of the history, as it recorded them
    for this or another action on the same batch. Raises PurgeError if these can't be read."""
    ids = set(action.batch_ids) if action.kind is not HistoryKind.EMPTY else set[str]()
    entries = [entry for entry in list_trash(root) if entry.batch_id in ids] if ids else []
    records = _Records(root, entries)
    held = {task.id: task for task in records.held_tasks(entries)}
    recorded = _recorded_tasks(root, action) if len(held) < len(action.tasks) else {}
    return BatchContents(
        tuple(
            held.get(task_id) or recorded.get(task_id) or records.described(task_id)
            for task_id in action.tasks
        ),
        action.bundles,
        action.kept_back,
        tuple(map(records.described, action.kept_tasks)),
    )


def _recorded_tasks(root: Root, action: HistoryEntry) -> Mapping[str, HeldTask]:
    """Return the tasks of an action with the statuses that the history has of them."""
    lang, facts = action.lang, dict[str, tuple[Status | None, float | None]]()
    same_batch = (
        entry
        for entry in (read_history(root) if not action.statuses else ())
        if entry.lang is lang and set(entry.batch_ids) & set(action.batch_ids)
    )
    for entry in (*same_batch, action):
        found = zip(entry.statuses, entry.finished, strict=False)
        facts.update(zip(entry.tasks, found, strict=False))
    restored = action.kind is HistoryKind.RESTORE
    folder = root.part(lang).tasks if restored and lang is not None else None
    return {
        task_id: HeldTask(
            task_id, lang, *facts.get(task_id, (None, None)), folder=folder, in_place=restored
        )
        for task_id in action.tasks
    }


class _Records:
    """The manifests of batches. ``kept`` are the ids of tasks in chains that the user kept."""

    def __init__(self, root: Root, entries: Iterable[TrashEntry]) -> None:
        self._root = root
        self._planned: dict[str, PlannedTask] = {}
        self._bundles: dict[BundleId, tuple[str, ...]] = {}
        self.kept: dict[str, None] = {}
        with as_purge_error("The manifest can't be read"):
            for entry in entries:
                self._read(entry)
        self._names = _names_by_id(self._bundles)

    def _read(self, entry: TrashEntry) -> None:
        manifest = read_manifest_of(self._root.part(entry.lang), entry.name)
        if manifest is None:
            return
        plan = manifest.plan
        self._planned.update((one.task.id, one) for one in (*plan.tasks, *plan.kept))
        self.kept.update(dict.fromkeys(one.task.id for one in plan.kept))
        for planned in plan.bundles:
            bundle = planned.bundle
            self._bundles[bundle.lang, bundle.name] = bundle.task_ids

    def held_tasks(self, entries: Iterable[TrashEntry]) -> Iterator[HeldTask]:
        """Yield the tasks of batches, partly erased ones last."""
        for entry in entries:
            folder = self._root.part(entry.lang).hipercow / TUI_FOLDER / str(entry.name)
            for task_id in entry.tasks:
                yield self.described(task_id, entry.lang, folder / "tasks")
            for task_id in entry.partly_erased:
                yield self.described(task_id, entry.lang, folder / "erasing", "partly erased")

    def described(
        self, task_id: str, lang: Lang | None = None, folder: Path | None = None, note: str = ""
    ) -> HeldTask:
        """Return a task with what the manifests say about it."""
        planned = self._planned.get(task_id)
        if planned is None:
            return HeldTask(task_id, lang, folder=folder, note=note)
        task = planned.task
        names = self._names.get(task_id, ())
        return HeldTask(task_id, task.lang, task.status, task.finished, names, folder, note)


def _names_by_id(bundles: Mapping[BundleId, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """Return the names of the bundles that list each id."""
    names: dict[str, tuple[str, ...]] = {}
    for (_, name), ids in bundles.items():
        for task_id in ids:
            names[task_id] = (*names.get(task_id, ()), name)
    return names
