"""Pins: retry chains and bundles that no purge takes, until someone removes the pin.

A pin is one small file in the root, so that all users of a share see it (docs/spec.md, rule 18).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from hipercow_tui.domain.retry_chains import RetryChains
from hipercow_tui.domain.task import Bundle, Lang
from hipercow_tui.support.text import escape_controls, format_age


class PinKind(StrEnum):
    """What a pin or a note is about."""

    CHAIN = "chain"
    BUNDLE = "bundle"


@dataclass(frozen=True, slots=True, order=True)
class PinTarget:
    """What a pin or a note is about: a retry chain by the id of one of its tasks, or a bundle by
    its name."""

    kind: PinKind
    lang: Lang
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {escape_controls(self.name)}"


@dataclass(frozen=True, slots=True)
class Record:
    """What a user wrote about a chain or a bundle: ``user`` did it on ``host`` at ``time``, in
    seconds since the epoch."""

    target: PinTarget
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
        of_bundle = self.target.kind is PinKind.BUNDLE
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
        return frozenset(one.name for one in targets if one.kind is PinKind.BUNDLE)

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


def _task_ids(target: PinTarget, bundles: Collection[Bundle]) -> Iterator[str]:
    """Yield the ids of the tasks that a target names; a bundle that is gone names none."""
    if target.kind is PinKind.CHAIN:
        yield target.name
    for bundle in bundles:
        if target.kind is PinKind.BUNDLE and bundle.name == target.name:
            yield from bundle.task_ids
