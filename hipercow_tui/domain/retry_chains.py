"""Retry chains: what hangs together through the lines of ``hipercow/retry`` (SPEC section 2)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple


class RetryLink(NamedTuple):
    """One line of ``retry``: ``id`` is a new attempt at ``parent``, in the chain of ``base``."""

    id: str
    parent: str
    base: str


@dataclass(frozen=True)
class RetryChains:
    """All retry chains of a root, made from its links in the order of the file.

    Usually a chain is a line; ``task_retry(c(a, a))`` forks it, and a damaged file may close it to
    a cycle. Members whose tasks are gone still tie the others together.
    """

    links: tuple[RetryLink, ...] = ()

    @cached_property
    def _index(self) -> tuple[dict[str, tuple[str, ...]], dict[str, str | None]]:
        """The chain of each member, and the tip of those whose tip may not be the chain's last."""
        lines, others = _split_linear_chains(self.links)
        chains: dict[str, tuple[str, ...]] = {}
        tips: dict[str, str | None] = {}
        for line in lines:
            chains.update(dict.fromkeys(line, tuple(line)))
        following: dict[str, list[str]] = {}
        for link in others:
            following.setdefault(link.parent, []).append(link.id)
        for members in _connected_components(others):
            ordered = _order_attempts(members, following)
            chains.update(dict.fromkeys(ordered, ordered))
            tips.update((member, _follow_retries(member, following)) for member in ordered)
        return chains, tips

    def __len__(self) -> int:
        return len(set(map(id, self._index[0].values())))

    def members(self) -> Collection[str]:
        """Every id that stands in some chain."""
        return self._index[0].keys()

    @property
    def is_member(self) -> Callable[[str], bool]:
        """Tells whether an id stands in some chain."""
        return self._index[0].__contains__

    def chain(self, task_id: str) -> tuple[str, ...]:
        """The ids of a task's chain, the first attempt first; () if it was never retried."""
        return self._index[0].get(task_id, ())

    def latest_attempt(self, task_id: str) -> str | None:
        """The last attempt: parent to id, at a fork the first line; None where that never ends."""
        chains, tips = self._index
        return tips.get(task_id, chains.get(task_id, (task_id,))[-1])


def _split_linear_chains(links: Sequence[RetryLink]) -> tuple[list[list[str]], Sequence[RetryLink]]:
    """The chains that are lines, written attempt by attempt, as nearly all are, and the links of
    all others: what is general takes ten times as long."""
    line_of: dict[str, list[str]] = {}
    lines: list[list[str]] = []
    others: list[RetryLink] = []
    for link in links:
        again, parent, base = link
        line = line_of.get(parent)
        if again in line_of or again == parent:
            others.append(link)
        elif line is None and parent == base:
            lines.append([parent, again])
            line_of[parent] = line_of[again] = lines[-1]
        elif line is not None and line[-1] == parent and line[0] == base:
            line.append(again)
            line_of[again] = line
        else:
            others.append(link)
    if not others:
        return lines, others
    tied = {id(line_of[member]) for link in others for member in link if member in line_of}
    plain = [line for line in lines if id(line) not in tied]
    known = {member for line in plain for member in line}
    return plain, [link for link in links if link.id not in known]


def _connected_components(links: Iterable[RetryLink]) -> Iterator[list[str]]:
    """The sets of ids that hang together through id–parent and id–base, in first-seen order."""
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


def _order_attempts(members: list[str], following: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Attempts before what retried them; in a cycle, in the order of the file."""
    retried = {link_id for member in members for link_id in following.get(member, ())}
    ordered: dict[str, None] = {}
    starts = [member for member in members if member not in retried] + members
    for start in starts:
        pending = [start]
        while pending:
            member = pending.pop()
            if member not in ordered:
                ordered[member] = None
                pending.extend(reversed(following.get(member, ())))
    return tuple(ordered)


def _follow_retries(task_id: str, following: Mapping[str, list[str]]) -> str | None:
    seen = {task_id}
    while after := following.get(task_id):
        task_id = after[0]
        if task_id in seen:
            return None
        seen.add(task_id)
    return task_id
