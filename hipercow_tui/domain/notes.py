"""Notes: a line of text on a retry chain or a bundle, for all users of a root.

Unlike a pin, a note has no effect on a purge (docs/spec.md, rule 20).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from hipercow_tui.domain.records import Record, TargetKind
from hipercow_tui.domain.retry_chains import RetryChains
from hipercow_tui.domain.task import Bundle
from hipercow_tui.support.text import escape_controls, format_age


@dataclass(frozen=True, slots=True)
class Note(Record):
    """A note, which is never empty."""

    def text(self, now: float) -> str:
        """Return ``wrong data (ada on node1, 2 days ago)``.

        ``now`` is in seconds since the epoch.
        """
        note, user, host = map(escape_controls, (self.note, self.user, self.host))
        return f"{note} ({user} on {host}, {format_age(self.time, now)})"

    def text_for_task(self, now: float) -> str:
        """Return the note as ``text`` does; names the bundle, if it is on one."""
        of_bundle = self.target.kind is TargetKind.BUNDLE
        return f"{self.target}: {self.text(now)}" if of_bundle else self.text(now)

    def matches(self, needle: str) -> bool:
        """Return whether the note contains a case-folded text."""
        return needle in self.note.casefold()


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes of the root of one language.

    ``unread`` is a sentence on notes that can't be read, empty if there are none.
    """

    notes: tuple[Note, ...] = ()
    unread: str = ""

    def __bool__(self) -> bool:
        return bool(self.notes)

    def by_task(
        self, chains: RetryChains, bundles: Collection[Bundle]
    ) -> dict[str, tuple[Note, ...]]:
        """Return the notes on each task by its id: those of its chain, then those of its bundles.

        The chains and bundles are of the same language as the notes.
        """
        found: dict[str, dict[Note, None]] = {}
        for note in sorted(self.notes, key=lambda note: note.target.kind is TargetKind.BUNDLE):
            for task_id in note.ids(chains, bundles):
                found.setdefault(task_id, {})[note] = None
        return {task_id: tuple(notes) for task_id, notes in found.items()}
