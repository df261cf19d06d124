"""What of a root could not be read or examined. It may hold anything, so it blocks a purge
(docs/spec.md, rule 9). Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from hipercow_tui.support.text import escape_controls, pluralize

RETRY_WRITE_TIME = (
    60.0  # seconds after the last change of ``retry`` during which its end may be unfinished
)


@dataclass(frozen=True, slots=True)
class UnfinishedLine:
    """The last line of ``retry``, where it may be half written.

    ``ids`` are the task ids in it, of which one may be cut off; ``changed`` is when the file
    changed, in seconds since the epoch.
    """

    ids: tuple[str, ...]
    changed: float

    def may_name(self, task_id: str, now: float) -> bool:
        """Whether a retry of that task may be being written at ``now``. Clocks differ, so a time in
        the future counts as young."""
        return now - self.changed < RETRY_WRITE_TIME and task_id.startswith(self.ids)


@dataclass(frozen=True, slots=True)
class Unread:
    """What could not be read of the root of one language.

    ``files`` are sentences on ``tasks``, ``bundles`` and ``retry`` themselves: each blocks every
    task. ``places`` has a sentence for each ``tasks/ab`` that could not be listed, by ``ab``, and
    for each entry in one that is not a folder, by its task's id. ``bundles`` has the reason for
    each bundle that could not be read, by name.
    """

    files: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    bundles: Mapping[str, str] = field(default_factory=dict)
    unfinished: UnfinishedLine | None = None

    def __bool__(self) -> bool:
        return bool(self.files or self.places or self.bundles or self.unfinished)

    @property
    def sentences(self) -> Iterator[str]:
        """A sentence for each, for a list of problems."""
        yield from self.files
        for name, why in self.bundles.items():
            yield f"'bundles/{escape_controls(name)}' can't be read: {why}"
        yield from self.places.values()

    def place(self, task_id: str) -> str | None:
        """Why the place of a task could not be examined; None if it could."""
        return self.places.get(task_id) or self.places.get(task_id[:2])

    def blocks(self, task_id: str, now: float) -> str | None:
        """Why this task can't be purged at ``now``, in seconds since the epoch; None if nothing
        that concerns it alone is unread."""
        if place := self.place(task_id):
            return f"its place can't be examined ({place}), so it may be running: repair that"
        if self.unfinished and self.unfinished.may_name(task_id, now):
            return "a retry of it is being written to 'retry': try again in a minute"
        return None

    def blocks_all(self, ignored: Collection[str] = ()) -> str | None:
        """Why no task can be purged; None if nothing blocks them all. Bundles of the ``ignored``
        names do not block."""
        if self.files:
            return f"{'; '.join(self.files)}. Repair that: until then nothing can be purged"
        bundles = [name for name in self.bundles if name not in ignored]
        if not bundles:
            return None
        return (
            f"{unread_bundles(bundles, self.bundles[bundles[0]])}, so any task may be in it: repair"
            " or remove it, or ignore it (--ignore-unreadable-bundles)"
        )


def unread_bundles(names: Collection[str], why: str) -> str:
    """``bundle 'a' can't be read (Permission denied)``; ``why`` is that of the first."""
    first = escape_controls(next(iter(names)))
    if len(names) == 1:
        return f"bundle '{first}' can't be read ({why})"
    return f"{pluralize(len(names), 'bundle')} can't be read (first '{first}': {why})"
