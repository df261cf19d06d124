"""Attach bundles, retry chain and latest status to tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress, count, repeat

from hipercow_tui.domain.retry_chains import RetryLink
from hipercow_tui.domain.task import Status, Task, tasks_from_rows
from hipercow_tui.formats.relations import Relations
from hipercow_tui.formats.task_row import LATEST_STATUS_BY_MASK, STATUS_BY_MASK, Columns


class TaskLinker:
    """Makes tasks from rows during a scan, and records which tasks have stale relations.

    ``known`` in its methods are the tasks read so far, by id.
    """

    def __init__(self, relations: Relations) -> None:
        self._relations = relations
        self._links: list[RetryLink] = []
        self._stale: set[str] = set()  # ids with a ``latest_status`` that may be out of date

    def make_tasks(
        self, ids: Sequence[str], columns: Columns, known: Mapping[str, Task]
    ) -> list[Task]:
        """Make the tasks with these ids from their columns: 1 µs a task."""
        relations = self._relations
        bundles = map(relations.bundles_of.get, ids, repeat(()))
        chains: list[tuple[str, ...]] = [()] * len(ids)
        latest = list(map(LATEST_STATUS_BY_MASK.__getitem__, columns.files_mask))
        for place in compress(count(), map(relations.chains.is_member, ids)):
            chains[place] = relations.chains.chain(ids[place])
            latest[place] = self._latest_status(ids[place], latest[place], known)
            self._record_stale(ids[place], known)
        rows = zip(
            ids,
            map(STATUS_BY_MASK.__getitem__, columns.files_mask),
            columns.files_mask,
            columns.created,
            columns.started,
            columns.finished,
            columns.finished_estimated,
            latest,
            bundles,
            chains,
            columns.problem,
            repeat(relations.lang),
        )
        return tasks_from_rows(rows)

    def _record_stale(self, task_id: str, known: Mapping[str, Task]) -> None:
        """Record the tasks of a chain with a stale latest status, when one of them is read."""
        chains = self._relations.chains
        latest = chains.latest_attempt(task_id)
        if latest == task_id:
            self._stale.update(filter(known.__contains__, chains.chain(task_id)))
        elif latest not in known:
            self._stale.add(task_id)

    def add_link(self, link: RetryLink) -> None:
        """Add a link that was read from a task's own ``data``; ``retry`` may lack its line."""
        self._links.append(link)

    def record_removed(self, task_id: str) -> None:
        """Record that a task was removed; it may have been the latest attempt of others."""
        self._stale.update(self._relations.chains.chain(task_id))

    def refresh(self, known: Mapping[str, Task]) -> set[str]:
        """Read changed bundles and chains; return the ids of tasks with other relations.

        Some of them may be the same as before.
        """
        relations = self._relations
        bundles_before, chains_before = relations.all_bundles, relations.chains
        relations.refresh()
        affected: set[str] = set()
        if not known:
            return affected
        if relations.all_bundles is not bundles_before:
            before, now = [
                {bundle.name: bundle.task_ids for bundle in bundles}
                for bundles in (bundles_before, relations.all_bundles)
            ]
            changed = [name for name in before | now if before.get(name) != now.get(name)]
            for ids_by_name in (before, now):
                affected.update(*(ids_by_name.get(name, ()) for name in changed))
        if relations.chains is not chains_before:
            affected |= {*chains_before.members(), *relations.chains.members()}
        return affected

    def stale_ids(self) -> set[str]:
        """Return the ids of stale tasks after everything was read, and forget them.

        The latest attempt of a stale task was read after it, or is gone.
        """
        before = self._relations.chains
        self._relations.add_links(self._links)
        self._links.clear()
        stale, self._stale = self._stale, set()
        chains = self._relations.chains
        return stale if chains is before else stale.union(chains.members())

    def with_relations(self, task: Task, known: Mapping[str, Task]) -> Task:
        """Return the task with its current relations: the same object if they are the same."""
        relations = self._relations
        bundles = relations.bundles_of.get(task.id, ())
        chain = relations.chains.chain(task.id)
        latest = self._latest_status(task.id, LATEST_STATUS_BY_MASK[task.files_mask], known)
        if (task.latest_status, task.chain, task.bundles) == (latest, chain, bundles):
            return task
        return task._replace(bundles=bundles, chain=chain, latest_status=latest)

    def _latest_status(
        self, task_id: str, own: Status | None, known: Mapping[str, Task]
    ) -> Status | None:
        latest_id = self._relations.chains.latest_attempt(task_id)
        if latest_id == task_id:
            return own
        latest = known.get(latest_id) if latest_id else None
        return LATEST_STATUS_BY_MASK[latest.files_mask] if latest is not None else None
