"""What was done in a root: every purge, undo and emptying, the latest first."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import get_current_worker

from hipercow_tui.formats.root import Root
from hipercow_tui.purging import HistoryEntry, HistoryKind, history
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import format_age, format_size, pluralize
from hipercow_tui.ui.cells import fit, plain_text
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.virtual_list import VirtualList

_WORDS = {
    HistoryKind.PURGE: "purged",
    HistoryKind.TRASH: "to the trash",
    HistoryKind.RESTORE: "restored",
    HistoryKind.EMPTY: "emptied",
}
_NOTHING = "nothing was purged, restored or emptied here yet"


class HistoryScreen(Screen[None]):
    """Lists the history; ``clock`` gives the time in seconds since the epoch."""

    DEFAULT_CSS = """
    HistoryScreen #head { height: 1; padding: 0 1; background: $panel; }
    HistoryScreen #entries { height: 1fr; }
    HistoryScreen #in-full { height: 2; padding: 0 1; background: $panel; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,h", "dismiss", "Back", key_display="esc", id="history.back"),
    ]

    def __init__(self, root: Root, *, clock: Callable[[], float]) -> None:
        super().__init__()
        self._root = root
        self._clock = clock

    def compose(self) -> ComposeResult:
        """Head, entries, the one under the cursor in full, keys."""
        yield Static(Text("History  reading …", "bold"), id="head", markup=False)
        yield _EntryList(self._clock, id="entries")
        yield Static(id="in-full", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Read."""
        self.query_one(_EntryList).focus()
        self._read()

    @work(thread=True, exclusive=True)
    def _read(self) -> None:
        problem = ""
        entries: tuple[HistoryEntry, ...] = ()
        try:
            entries = history(self._root)
        except PurgeError as error:
            problem = str(error)
        if not get_current_worker().is_cancelled:
            self.call_later(self._show, entries, problem)

    def _show(self, entries: tuple[HistoryEntry, ...], problem: str) -> None:
        told = plain_text(problem) or (
            pluralize(len(entries), "entry", "entries") if entries else _NOTHING
        )
        self.query_one("#head", Static).update(Text(f"History  {told}", "bold"))
        self.query_one(_EntryList).show(entries)
        self.on_virtual_list_view_changed()

    def on_virtual_list_view_changed(self) -> None:
        """The cursor is on another entry."""
        entry = self.query_one(_EntryList).current
        self.query_one("#in-full", Static).update(_in_full(entry) if entry else "")


class _EntryList(VirtualList):
    """A line for each entry."""

    def __init__(self, clock: Callable[[], float], *, id: str) -> None:
        super().__init__(id=id)
        self._clock = clock
        self._entries: tuple[HistoryEntry, ...] = ()

    def show(self, entries: tuple[HistoryEntry, ...]) -> None:
        """Show these."""
        self._entries = entries
        self.count = len(entries)
        self.redraw()

    @property
    def current(self) -> HistoryEntry | None:
        """The entry under the cursor."""
        return self._entries[self.cursor] if self.cursor < len(self._entries) else None

    def line(self, y: int) -> Text:
        """When, what, how much, who."""
        entry = self._entries[y]
        return Text.assemble(
            " ",
            fit(format_age(entry.time, self._clock()), 16),
            (fit(_WORDS[entry.kind], 13), "bold"),
            f"{pluralize(len(entry.tasks), 'task'):>13} ",
            f"{pluralize(len(entry.bundles), 'bundle'):>11} ",
            f"{format_size(entry.bytes) if entry.bytes else '—':>9}  ",
            plain_text(f"{entry.process.user} on {entry.process.host}") if entry.process else "",
        )


def _in_full(entry: HistoryEntry) -> Text:
    told = ", ".join(entry.batch_ids)
    if entry.stopped:
        told += " · stopped"
    if entry.kept_back:
        told += f" · {len(entry.kept_back):,} not done: {entry.kept_back[0][1]}"
    return Text(
        f"{plain_text(entry.filters)}\n{plain_text(told)}", no_wrap=True, overflow="ellipsis"
    )
