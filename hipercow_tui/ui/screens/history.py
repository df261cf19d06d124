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
from hipercow_tui.purging import HistoryEntry, Kind, history
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import age, count, size
from hipercow_tui.ui.cells import fit, plain
from hipercow_tui.ui.widgets.footer import KeyLine
from hipercow_tui.ui.widgets.virtual_list import Lines

_WORDS = {
    Kind.PURGE: "purged",
    Kind.TRASH: "to the trash",
    Kind.RESTORE: "restored",
    Kind.EMPTY: "emptied",
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
        yield _Entries(self._clock, id="entries")
        yield Static(id="in-full", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """Read."""
        self.query_one(_Entries).focus()
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
        told = plain(problem) or (count(len(entries), "entry", "entries") if entries else _NOTHING)
        self.query_one("#head", Static).update(Text(f"History  {told}", "bold"))
        self.query_one(_Entries).show(entries)
        self.on_lines_seen()

    def on_lines_seen(self) -> None:
        """The cursor is on another entry."""
        entry = self.query_one(_Entries).current
        self.query_one("#in-full", Static).update(_in_full(entry) if entry else "")


class _Entries(Lines):
    """A line for each entry."""

    def __init__(self, clock: Callable[[], float], *, id: str) -> None:
        super().__init__(id=id)
        self._clock = clock
        self._entries: tuple[HistoryEntry, ...] = ()

    def show(self, entries: tuple[HistoryEntry, ...]) -> None:
        """Show these."""
        self._entries = entries
        self.count = len(entries)
        self.renew()

    @property
    def current(self) -> HistoryEntry | None:
        """The entry under the cursor."""
        return self._entries[self.cursor] if self.cursor < len(self._entries) else None

    def line(self, y: int) -> Text:
        """When, what, how much, who."""
        entry = self._entries[y]
        return Text.assemble(
            " ",
            fit(age(entry.when, self._clock()), 16),
            (fit(_WORDS[entry.kind], 13), "bold"),
            f"{count(len(entry.tasks), 'task'):>13} ",
            f"{count(len(entry.bundles), 'bundle'):>11} ",
            f"{size(entry.bytes) if entry.bytes else '—':>9}  ",
            plain(f"{entry.who.user} on {entry.who.host}") if entry.who else "",
        )


def _in_full(entry: HistoryEntry) -> Text:
    told = ", ".join(entry.stamps)
    if entry.stopped:
        told += " · stopped"
    if entry.kept:
        told += f" · {len(entry.kept):,} not done: {entry.kept[0][1]}"
    return Text(f"{plain(entry.filters)}\n{plain(told)}", no_wrap=True, overflow="ellipsis")
