"""The first line: which root, how much is in it, and how fresh what is shown is."""

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
from hipercow_tui.support.text import escape_controls, pluralize
from hipercow_tui.ui.cells import fit, plain_text

NAME = "hipercow-tui"


@dataclass(frozen=True, slots=True)
class Freshness:
    """What the header tells of reading: ``percent`` while the first pass is under way, then how
    many ``seconds`` ago the last pass ended: 0 where that was just now."""

    percent: int | None = 0
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class HeaderFacts:
    """What the header tells of the root; ``langs`` are how many tasks of R and of Python there are
    where it is of both."""

    root: Path
    running: int = 0
    waiting: int = 0
    problems: int = 0
    read_only: str = ""
    langs: tuple[tuple[str, int], ...] = ()

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot) -> HeaderFacts:
        """The facts of a snapshot."""
        number_of = snapshot.columns.count_status
        broken = number_of(Status.BROKEN) + len(snapshot.non_task_ids - snapshot.missing_ids)
        return cls(
            snapshot.root,
            number_of(Status.RUNNING),
            number_of(Status.SUBMITTED),
            len(snapshot.problems) + broken,
            langs=tuple((part.lang.shown, len(part.tasks)) for part in snapshot.by_language),
        )


@dataclass(frozen=True, slots=True)
class _Item:
    """Something told on the right; what has the largest ``rank`` gives way first."""

    text: str
    colour: str
    rank: int


class HeaderBar(Widget):
    """One line; where there is no room, the root's path gives way first, cut in its middle, then
    what is told on the right: how many there are before that something is wrong."""

    facts: reactive[HeaderFacts] = reactive(HeaderFacts(Path()))
    freshness: reactive[Freshness] = reactive(Freshness())
    trash: reactive[str] = reactive("")
    """What is in the trash, in short; nothing if nothing is."""

    class ProblemsClicked(Message):
        """A click on the line while it tells of problems."""

    def on_click(self, event: events.Click) -> None:
        """The problems are told in full on request."""
        if self.facts.problems:
            self.post_message(self.ProblemsClicked())

    def render(self) -> Content:
        """The line, in exactly the width there is."""
        facts = self.facts
        told = self._right_items()
        while len(told) > 1 and self._width(told) > self.size.width - len(f" {NAME}  "):
            told.remove(max(told, key=lambda one: one.rank))
        right = Content(" · ").join(
            Content.styled(one.text, f"${one.colour}" if one.colour else "") for one in told
        )
        name = f" {NAME}  "
        room = self.size.width - right.cell_length - len(name) - 3
        where = plain_text(shown_path(facts.root, max(room, 1)))
        where = fit(where, min(room, cell_len(where))) if room >= 6 else ""
        left = Content.assemble((name, "bold $text-primary"), (where, "bold"))
        gap = " " * max(1, self.size.width - left.cell_length - right.cell_length - 1)
        return Content.assemble(left, gap, right)

    @staticmethod
    def _width(told: Sequence[_Item]) -> int:
        return sum(cell_len(one.text) + len(" · ") for one in told)

    def _right_items(self) -> list[_Item]:
        facts, told = self.facts, []
        if facts.read_only:
            told.append(_Item(facts.read_only, "text-warning", 1))
        if self.trash:
            told.append(_Item(self.trash, "text-warning", 2))
        if facts.problems:
            told.append(_Item(f"! {pluralize(facts.problems, 'problem')}", "text-error", 3))
        if self.freshness.percent is not None:
            told.append(_Item(f"reading {self.freshness.percent} %", "text-warning", 0))
            return told
        told.append(_Item("live", "text-success", 0))
        if facts.langs:
            both = " · ".join(f"{lang} {tasks:,}" for lang, tasks in facts.langs)
            told.append(_Item(both, "", 7))
        if facts.running:
            told.append(_Item(f"{facts.running:,} running", "", 5))
        if facts.waiting:
            told.append(_Item(f"{facts.waiting:,} waiting", "", 6))
        if self.freshness.seconds:
            told.append(_Item(f"{self.freshness.seconds} s ago", "", 4))
        return told


def shown_path(root: Path, room: int) -> str:
    """The folder, with what it stands in as far as there is room."""
    whole = str(root)
    home = str(Path.home())
    if whole.startswith(home + "/"):
        whole = "~" + whole[len(home) :]
    return whole if len(escape_controls(whole)) <= room else root.name or whole
