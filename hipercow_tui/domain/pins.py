"""Pins: retry chains and bundles that no purge takes, until someone removes the pin.

A pin is one small file in the root, so that all users of a share see it (docs/spec.md, rule 18).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from hipercow_tui.domain.records import Record, TargetKind
from hipercow_tui.domain.retry_chains import RetryChains
from hipercow_tui.domain.task import Bundle
from hipercow_tui.support.text import escape_controls, format_age


@dataclass(frozen=True, slots=True)
class Pin(Record):
    """A pin; ``note`` is the reason, and may be empty."""

    def __str__(self) -> str:
        note = f": {escape_controls(self.note)}" if self.note else ""
        return f"pinned by {escape_controls(self.user)}{note}"

    def text(self, now: float) -> str:
        """Return ``pinned by ada on node1, 2 days ago: for the paper``.

        ``now`` is in seconds since the epoch.
        """
        user, host, note = map(escape_controls, (self.user, self.host, self.note))
        text = f"pinned by {user} on {host}, {format_age(self.time, now)}"
        return f"{text}: {note}" if note else text

    def text_for_task(self, now: float) -> str:
        """Return why a task is held; names the bundle, if the pin is of one."""
        of_bundle = self.target.kind is TargetKind.BUNDLE
        return f"{self.target} is {self.text(now)}" if of_bundle else self.text(now)


@dataclass(frozen=True, slots=True)
class Pins:
    """The pins of the root of one language.

    ``unread`` is a sentence on pins that can't be read, empty if there are none. They may hold any
    task, so they block every purge.
    """

    pins: tuple[Pin, ...] = ()
    unread: str = ""

    def __bool__(self) -> bool:
        return bool(self.pins or self.unread)

    @property
    def bundle_names(self) -> frozenset[str]:
        """The names of the pinned bundles."""
        targets = (pin.target for pin in self.pins)
        return frozenset(one.name for one in targets if one.kind is TargetKind.BUNDLE)

    def held(self, chains: RetryChains, bundles: Collection[Bundle]) -> dict[str, Pin]:
        """Return the ids of the tasks that the pins hold, each with its pin, whole chains.

        A task of a pinned bundle is held, because a purge of it takes the bundle. The chains and
        bundles are of the same language as the pins.
        """
        held: dict[str, Pin] = {}
        for pin in self.pins:
            for task_id in pin.ids(chains, bundles):
                held.setdefault(task_id, pin)
        return held
