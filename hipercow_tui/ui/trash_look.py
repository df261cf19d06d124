"""What is in the trash of a root, as a screen tells it: looked at in a thread, sizes last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hipercow_tui.errors import PurgeError
from hipercow_tui.purging import State, TrashLot, trash, trash_size
from hipercow_tui.roots import Root
from hipercow_tui.roots.sizes import Size
from hipercow_tui.text import age, count, size, span


@dataclass(frozen=True, slots=True)
class TrashLook:
    """The lots, the latest first, with the sizes by name that are known so far; ``problem`` says
    why they can't be read."""

    lots: tuple[TrashLot, ...] = ()
    sizes: Mapping[str, Size] = field(default_factory=dict)
    problem: str = ""

    @property
    def undoable(self) -> TrashLot | None:
        """What an undo would bring back: the latest that is whole."""
        return next((lot for lot in self.lots if lot.state is State.TRASH), None)

    @property
    def interrupted(self) -> tuple[TrashLot, ...]:
        """In which something broke off."""
        return tuple(lot for lot in self.lots if lot.interrupted)

    def in_short(self, now: float) -> str:
        """``trash 1.2 GB, 3 days``, by the oldest of what waits there; nothing if nothing does."""
        waiting = [lot for lot in self.lots if lot.state in (State.TRASH, State.KEPT)]
        if not waiting:
            return ""
        words = "trash"
        known = [self.sizes.get(str(lot.name)) for lot in waiting]
        if any(known):
            words += f" {size(sum(one.bytes for one in known if one))}"
        times = [lot.when for lot in waiting if lot.when is not None]
        return f"{words}, {span(max(1.0, now - min(times)))}" if times else words


def look_in_trash(root: Root) -> Iterator[TrashLook]:
    """What is there, then the same with its sizes, which cost a stat a file."""
    try:
        lots = tuple(reversed(trash(root)))
        yield TrashLook(lots)
        if lots:
            sizes = {str(lot.name): trash_size(root, lot) for lot in lots}
            yield TrashLook(lots, {name: one for name, one in sizes.items() if one is not None})
    except PurgeError as error:
        yield TrashLook(problem=str(error))


def contents(lot: TrashLot) -> str:
    """``1,204 tasks and 12 bundles``."""
    return f"{count(len(lot.tasks), 'task')} and {count(len(lot.bundles), 'bundle')}"


def made(lot: TrashLot, now: float) -> str:
    """How long ago it was made."""
    return "at an unknown time" if lot.when is None else age(lot.when, now)
