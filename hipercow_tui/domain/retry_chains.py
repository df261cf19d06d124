"""Retry chains: the tasks that lines of ``hipercow/retry`` connect (docs/spec.md, section 2)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple


class RetryLink(NamedTuple):
    """One line of ``retry``: ``id`` is a retry of ``parent``; ``base`` is the first attempt."""

    id: str
    parent: str
    base: str


@dataclass(frozen=True)
class RetryChains:
    """All retry chains of a root, from its links in the order of the file.

    Usually a chain is linear. ``task_retry(c(a, a))`` forks it, and a damaged file may contain a
    cycle. A member still connects the others after its task is gone.
    """

    links: tuple[RetryLink, ...] = ()

    @cached_property
    def _index(self) -> tuple[dict[str, tuple[str, ...]], dict[str, str | None]]:
        """The chain of each member, and the latest attempt of each member of a nonlinear chain."""
        linear, others = _split_linear_chains(self.links)
        chains: dict[str, tuple[str, ...]] = {}
        latest: dict[str, str | None] = {}
        for chain in linear:
            chains.update(dict.fromkeys(chain, tuple(chain)))
        retries: dict[str, list[str]] = {}
        for link in others:
            retries.setdefault(link.parent, []).append(link.id)
        for members in _connected_components(others):
            ordered = _order_attempts(members, retries)
            chains.update(dict.fromkeys(ordered, ordered))
            latest.update((member, _follow_retries(member, retries)) for member in ordered)
        return chains, latest

    def __len__(self) -> int:
        return len(set(map(id, self._index[0].values())))

    def members(self) -> Collection[str]:
        """Return the ids that are in some chain."""
        return self._index[0].keys()

    @property
    def is_member(self) -> Callable[[str], bool]:
        """A function that returns whether an id is in some chain; fast enough for each task."""
        return self._index[0].__contains__

    def chain(self, task_id: str) -> tuple[str, ...]:
        """Return the ids of a task's chain, the first attempt first; () if it is in none."""
        return self._index[0].get(task_id, ())

    def latest_attempt(self, task_id: str) -> str | None:
        """Return the last retry that follows from a task, at a fork by the first line.

        The id itself if the task was never retried; None in a cycle.
        """
        chains, latest = self._index
        return latest.get(task_id, chains.get(task_id, (task_id,))[-1])


def _split_linear_chains(links: Sequence[RetryLink]) -> tuple[list[list[str]], Sequence[RetryLink]]:
    """Return the chains that are linear and in order, and the links of all other chains.

    Nearly all chains are linear. The general algorithm takes ten times as long.
    """
    chain_of: dict[str, list[str]] = {}
    chains: list[list[str]] = []
    others: list[RetryLink] = []
    for link in links:
        retry, parent, base = link
        chain = chain_of.get(parent)
        if retry in chain_of or retry == parent:
            others.append(link)
        elif chain is None and parent == base:
            chains.append([parent, retry])
            chain_of[parent] = chain_of[retry] = chains[-1]
        elif chain is not None and chain[-1] == parent and chain[0] == base:
            chain.append(retry)
            chain_of[retry] = chain
        else:
            others.append(link)
    if not others:
        return chains, others
    nonlinear = {id(chain_of[member]) for link in others for member in link if member in chain_of}
    linear = [chain for chain in chains if id(chain) not in nonlinear]
    known = {member for chain in linear for member in chain}
    return linear, [link for link in links if link.id not in known]


def _connected_components(links: Iterable[RetryLink]) -> Iterator[list[str]]:
    """Yield the sets of ids connected by id–parent and id–base, in the order of their links."""
    neighbours: dict[str, list[str]] = {}
    for link in links:
        for other in (link.parent, link.base):
            neighbours.setdefault(other, []).append(link.id)
            neighbours.setdefault(link.id, []).append(other)
    seen: set[str] = set()
    for start in neighbours:
        if start in seen:
            continue
        seen.add(start)
        members = [start]
        for member in members:
            for other in neighbours[member]:
                if other not in seen:
                    seen.add(other)
                    members.append(other)
        yield members


def _order_attempts(members: list[str], retries: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Order attempts before their retries; a cycle is in the order of the file."""
    are_retries = {retry for member in members for retry in retries.get(member, ())}
    ordered: dict[str, None] = {}
    starts = [member for member in members if member not in are_retries] + members
    for start in starts:
        pending = [start]
        while pending:
            member = pending.pop()
            if member not in ordered:
                ordered[member] = None
                pending.extend(reversed(retries.get(member, ())))
    return tuple(ordered)


def _follow_retries(task_id: str, retries: Mapping[str, list[str]]) -> str | None:
    seen = {task_id}
    while next_attempts := retries.get(task_id):
        task_id = next_attempts[0]
        if task_id in seen:
            return None
        seen.add(task_id)
    return task_id
