"""The files and folders of a root that could not be read.

They may hold any task, also a running one, so they block a purge (docs/spec.md, rule 9).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from hipercow_tui.support.text import escape_controls, pluralize

# Seconds after the last change of ``retry`` during which its last line may be unfinished.
RETRY_WRITE_TIME = 60.0


@dataclass(frozen=True, slots=True)
class UnfinishedLine:
    """The last line of ``retry`` if it may be half written.

    ``ids`` are the task ids in it, one of which may be truncated. ``changed`` is the modification
    time of the file, in seconds since the epoch.
    """

    ids: tuple[str, ...]
    changed: float

    def may_name(self, task_id: str, now: float) -> bool:
        """Return whether a retry of that task may be being written at ``now``.

        ``now`` is in seconds since the epoch. Clocks differ, so a file that changed in the future
        counts as young.
        """
        return now - self.changed < RETRY_WRITE_TIME and task_id.startswith(self.ids)


@dataclass(frozen=True, slots=True)
class Unread:
    """The unreadable files and folders of the root of one language.

    Attributes:
        files: Sentences on ``tasks``, ``bundles`` and ``retry``; each of them blocks every task.
        places: Sentences on a ``tasks/ab`` that could not be listed, by ``ab``, and on an entry in
            it that is not a folder, by task id.
        bundles: Reasons why a bundle could not be read, by its name.
        unfinished: The last line of ``retry`` if it may be half written.
    """

    files: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    bundles: Mapping[str, str] = field(default_factory=dict)
    unfinished: UnfinishedLine | None = None

    def __bool__(self) -> bool:
        return bool(self.files or self.places or self.bundles or self.unfinished)

    @property
    def sentences(self) -> Iterator[str]:
        """Sentences on everything but ``unfinished``, for a list of problems."""
        yield from self.files
        for name, why in self.bundles.items():
            yield f"'bundles/{escape_controls(name)}' can't be read: {why}"
        yield from self.places.values()

    def place(self, task_id: str) -> str | None:
        """Return why the folder of a task could not be examined; None if it could."""
        return self.places.get(task_id) or self.places.get(task_id[:2])

    def blocks(self, task_id: str, now: float) -> str | None:
        """Return why one task can't be purged at ``now``, in seconds since the epoch.

        None if nothing blocks it; ``blocks_all`` is not considered.
        """
        if place := self.place(task_id):
            return f"its folder can't be examined ({place}), so it may be running: repair that"
        if self.unfinished and self.unfinished.may_name(task_id, now):
            return "a retry of it is being written to 'retry': try again in a minute"
        return None

    def blocks_all(self, ignored: Collection[str] = ()) -> str | None:
        """Return why no task can be purged; None if nothing blocks every task.

        Unreadable bundles with ``ignored`` names do not block.
        """
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
    """Return text such as ``bundle 'a' can't be read (Permission denied)``.

    ``why`` is the reason for the first name.
    """
    first = escape_controls(next(iter(names)))
    if len(names) == 1:
        return f"bundle '{first}' can't be read ({why})"
    return f"{pluralize(len(names), 'bundle')} can't be read (first '{first}': {why})"
