"""What pins and notes have in common: a text of a user on a retry chain or a bundle."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from hipercow_tui.domain.retry_chains import RetryChains
from hipercow_tui.domain.task import Bundle, Lang
from hipercow_tui.support.text import escape_controls


class TargetKind(StrEnum):
    """What a pin or a note is about."""

    CHAIN = "chain"
    BUNDLE = "bundle"


@dataclass(frozen=True, slots=True, order=True)
class RecordTarget:
    """What a pin or a note is about: a retry chain by the id of one of its tasks, or a bundle by
    its name."""

    kind: TargetKind
    lang: Lang
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {escape_controls(self.name)}"


@dataclass(frozen=True, slots=True)
class Record:
    """What a user wrote about a chain or a bundle: ``user`` did it on ``host`` at ``time``, in
    seconds since the epoch."""

    target: RecordTarget
    note: str
    user: str
    host: str
    time: float

    def ids(self, chains: RetryChains, bundles: Collection[Bundle]) -> Iterator[str]:
        """Yield the ids of the tasks that it is about, whole chains, perhaps repeatedly.

        The chains and bundles are of the same language. A bundle that is gone has no tasks.
        """
        for task_id in _task_ids(self.target, bundles):
            yield from chains.chain(task_id) or (task_id,)


def _task_ids(target: RecordTarget, bundles: Collection[Bundle]) -> Iterator[str]:
    """Yield the ids of the tasks that a target names; a bundle that is gone names none."""
    if target.kind is TargetKind.CHAIN:
        yield target.name
    for bundle in bundles:
        if target.kind is TargetKind.BUNDLE and bundle.name == target.name:
            yield from bundle.task_ids
