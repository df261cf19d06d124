"""Tasks with what they hang together by: bundles, retry chains, what they count as in these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import compress, count, repeat

from hipercow_tui.domain.retry_chains import RetryLink
from hipercow_tui.domain.task import Status, Task, tasks_from_rows
from hipercow_tui.formats.r_layout import LATEST_STATUS_BY_MASK, STATUS_BY_MASK, Columns
from hipercow_tui.formats.relations import Relations


class TaskLinker:
    """Makes the tasks of a root while it is read, and tells which have to be tied again. ``known``
    are the tasks there are so far."""

    def __init__(self, relations: Relations) -> None:
        self._relations = relations
        self._links: list[RetryLink] = []
        self._stale: set[str] = set()  # members of chains whose tips may be others than they say

    def make_tasks(
        self, ids: Sequence[str], columns: Columns, known: Mapping[str, Task]
    ) -> list[Task]:
        """The tasks of these rows. Column by column, for a million of them: 1 µs a task."""
        relations = self._relations
        listings, created, started, finished, estimated, _, problems, _ = columns
        bundles = map(relations.bundles_of.get, ids, repeat(()))
        chains: list[tuple[str, ...]] = [()] * len(ids)
        tips = list(map(LATEST_STATUS_BY_MASK.__getitem__, listings))
        for place in compress(count(), map(relations.chains.is_member, ids)):
            chains[place] = relations.chains.chain(ids[place])
            tips[place] = self._latest_status(ids[place], tips[place], known)
            self._record_stale(ids[place], known)
        statuses = map(STATUS_BY_MASK.__getitem__, listings)
        times, lang = (created, started, finished, estimated), relations.lang
        return tasks_from_rows(
            zip(ids, statuses, listings, *times, tips, bundles, chains, problems, repeat(lang))
        )

    def _record_stale(self, task_id: str, known: Mapping[str, Task]) -> None:
        """A member of a chain is being made: who says of the chain's tip what may not hold?"""
        chains = self._relations.chains
        tip = chains.latest_attempt(task_id)
        if tip == task_id:
            self._stale.update(filter(known.__contains__, chains.chain(task_id)))
        elif tip not in known:
            self._stale.add(task_id)

    def add_link(self, link: RetryLink) -> None:
        """A link stands in a task's own ``data``; its line may be lost."""
        self._links.append(link)

    def record_removed(self, task_id: str) -> None:
        """This task is gone, which may have been the tip of others."""
        self._stale.update(self._relations.chains.chain(task_id))

    def refresh(self, known: Mapping[str, Task], between: Callable[[], object]) -> set[str]:
        """Read bundles and chains anew, ``between`` as there; the ids of those that may be tied
        otherwise now."""
        relations = self._relations
        bundles_before, chains_before = relations.all_bundles, relations.chains
        relations.refresh(between)
        touched: set[str] = set()
        if not known:
            return touched
        if relations.all_bundles is not bundles_before:
            before, now = [
                {bundle.name: bundle.task_ids for bundle in some}
                for some in (bundles_before, relations.all_bundles)
            ]
            changed = [name for name in before | now if before.get(name) != now.get(name)]
            for bundles in (before, now):
                touched.update(*(bundles.get(name, ()) for name in changed))
        if relations.chains is not chains_before:
            touched |= {*chains_before.members(), *relations.chains.members()}
        return touched

    def stale_ids(self) -> set[str]:
        """The ids of those that have to be tied again now that all is read: the tip of their chain
        was read after them, or is gone."""
        before = self._relations.chains
        self._relations.add_links(self._links)
        self._links.clear()
        stale, self._stale = self._stale, set()
        chains = self._relations.chains
        return stale if chains is before else stale.union(chains.members())

    def with_relations(self, task: Task, known: Mapping[str, Task]) -> Task:
        """The task with its bundles and chain as they are now; itself where it has these."""
        relations = self._relations
        bundles = relations.bundles_of.get(task.id, ())
        chain = relations.chains.chain(task.id)
        tip = self._latest_status(task.id, LATEST_STATUS_BY_MASK[task.files_mask], known)
        if (task.latest_status, task.chain, task.bundles) == (tip, chain, bundles):
            return task
        return task._replace(bundles=bundles, chain=chain, latest_status=tip)

    def _latest_status(
        self, task_id: str, own: Status | None, known: Mapping[str, Task]
    ) -> Status | None:
        tip_id = self._relations.chains.latest_attempt(task_id)
        if tip_id == task_id:
            return own
        tip = known.get(tip_id) if tip_id else None
        return LATEST_STATUS_BY_MASK[tip.files_mask] if tip is not None else None
