"""Tasks that can't be purged now, and the error that lists them (docs/spec.md, rule 9)."""

from __future__ import annotations

from dataclasses import dataclass

from hipercow_tui.domain.task import Task
from hipercow_tui.support.errors import PurgeError


@dataclass(frozen=True, slots=True)
class Blocked:
    """A task that can't be purged, the reason, and the ids of its retry chain, which stays with
    it."""

    task: Task
    reason: str
    chain: tuple[str, ...]


class BlockedError(PurgeError):
    """Something blocks the purge, so nothing was deleted.

    ``blocked`` has one entry for each blocked task. It is empty if a bundle that can't be read
    blocks all tasks.
    """

    def __init__(self, message: str, blocked: tuple[Blocked, ...] = ()) -> None:
        super().__init__(message)
        self.blocked = blocked
