"""The first line: the root, the trash, the free space, numbers of tasks, the last update."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status
from hipercow_tui.formats.free_space import FreeSpace
from hipercow_tui.support.text import escape_controls, pluralize
from hipercow_tui.ui.cells import fit, plain_text

NAME = "hipercow-tui"
_MUCH_SPACE = 9  # the rank of the free space if it is not short


@dataclass(frozen=True, slots=True)
class Freshness:
    """The progress of the first scan in percent, or None and the seconds since the last scan."""

    percent: int | None = 0
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class HeaderFacts:
    """Facts about the root; ``langs`` has the number of tasks of R and Python in a root of both."""

    root: Path
    running: int = 0
    waiting: int = 0
    problems: int = 0
    read_only: str = ""
    langs: tuple[tuple[str, int], ...] = ()

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot) -> HeaderFacts:
        """Return the facts of a snapshot."""
        count = snapshot.columns.count_status
        broken = count(Status.BROKEN) + len(snapshot.non_task_ids - snapshot.missing_ids)
        return cls(
            snapshot.root,
            count(Status.RUNNING),
            count(Status.SUBMITTED),
            len(snapshot.problems) + broken,
            langs=tuple((part.lang.shown, len(part.tasks)) for part in snapshot.by_language),
        )


@dataclass(frozen=True, slots=True)
class _Item:
    """A text on the right; on a narrow terminal, the largest ``rank`` is left out first."""

    text: str
    colour: str
    rank: int


class HeaderBar(Widget):
    """One line. On a narrow terminal, the path is cut first, then items on the right are left out.

    The free space is left out first, unless it is short, and numbers of tasks before problems.
    """

    facts: reactive[HeaderFacts] = reactive(HeaderFacts(Path()))
    freshness: reactive[Freshness] = reactive(Freshness())
    trash: reactive[str] = reactive("")
    """A short text about the trash; empty if the trash is."""
    waits: reactive[str] = reactive("")
    """A short text about the tasks that the user waits for; empty if there are none."""
    space: reactive[FreeSpace | None] = reactive(None)
    """The free space of the file system; None if it is not known."""

    class ProblemsClicked(Message):
        """The line was clicked while it shows problems."""

    def on_click(self, event: events.Click) -> None:
        """Request the list of problems."""
        if self.facts.problems:
            self.post_message(self.ProblemsClicked())

    def render(self) -> Content:
        """Return the line in exactly the width of the widget."""
        name = f" {NAME}  "
        items = self._right_items()
        while len(items) > 1:
            last = max(items, key=lambda item: item.rank)
            # The name of the root is more important than much free space.
            path_width = cell_len(self.facts.root.name) + 3 if last.rank == _MUCH_SPACE else 0
            if self._width(items) + path_width <= self.size.width - len(name):
                break
            items.remove(last)
        right = Content(" · ").join(
            Content.styled(item.text, f"${item.colour}" if item.colour else "") for item in items
        )
        width = self.size.width - right.cell_length - len(name) - 3
        path = plain_text(shown_path(self.facts.root, max(width, 1)))
        path = fit(path, min(width, cell_len(path))) if width >= 6 else ""
        left = Content.assemble((name, "bold $text-primary"), (path, "bold"))
        gap = " " * max(1, self.size.width - left.cell_length - right.cell_length - 1)
        return Content.assemble(left, gap, right)

    @staticmethod
    def _width(items: Sequence[_Item]) -> int:
        return sum(cell_len(item.text) + len(" · ") for item in items)

    def _right_items(self) -> list[_Item]:
        facts, items = self.facts, []
        if self.waits:
            items.append(_Item(self.waits, "text-accent", 1))
        if facts.read_only:
            items.append(_Item(facts.read_only, "text-warning", 1))
        if self.trash:
            items.append(_Item(self.trash, "text-warning", 2))
        if self.space is not None:
            short = self.space.short
            items.append(
                _Item(str(self.space), "text-warning" if short else "", 4 if short else _MUCH_SPACE)
            )
        if facts.problems:
            items.append(_Item(f"! {pluralize(facts.problems, 'problem')}", "text-error", 3))
        if self.freshness.percent is not None:
            items.append(_Item(f"reading {self.freshness.percent} %", "text-warning", 0))
            return items
        items.append(_Item("live", "text-success", 0))
        if facts.langs:
            both = " · ".join(f"{lang} {tasks:,}" for lang, tasks in facts.langs)
            items.append(_Item(both, "", 8))
        if facts.running:
            items.append(_Item(f"{facts.running:,} running", "", 6))
        if facts.waiting:
            items.append(_Item(f"{facts.waiting:,} waiting", "", 7))
        if self.freshness.seconds:
            items.append(_Item(f"{self.freshness.seconds} s ago", "", 5))
        return items


def shown_path(root: Path, width: int) -> str:
    """Return the path of the root, with ``~`` for the home folder, or its name if that is long."""
    path = str(root)
    home = str(Path.home())
    if path.startswith(home + "/"):
        path = "~" + path[len(home) :]
    return path if len(escape_controls(path)) <= width else root.name or path
