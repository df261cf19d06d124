"""The history of a root: all purges, restores and emptyings, the latest first."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static
from textual.worker import get_current_worker

from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.formats.root import Root
from hipercow_tui.purging import HistoryEntry, HistoryKind, read_history
from hipercow_tui.purging.batch_contents import contents_of_action
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import format_age, format_size, pluralize
from hipercow_tui.ui.cells import fit, plain_text
from hipercow_tui.ui.screens.contents import ContentsScreen
from hipercow_tui.ui.screens.page import Page
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.record_list import RecordList, record_line

_KIND_TEXT = {
    HistoryKind.PURGE: "purged",
    HistoryKind.TRASH: "to the trash",
    HistoryKind.RESTORE: "restored",
    HistoryKind.EMPTY: "emptied",
}


class HistoryScreen(Page[None]):
    """List the history; ``clock`` gives the time in seconds since the epoch."""

    DEFAULT_CSS = "HistoryScreen #entries { height: 1fr; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", key_display="Enter", id="history.open"),
        Binding("escape,q,h", "back", "Back", key_display="esc", id="history.back"),
    ]

    def __init__(
        self,
        root: Root,
        *,
        clock: Callable[[], float],
        size_kind: SizeKind = SizeKind.APPARENT,
    ) -> None:
        super().__init__()
        self._size_kind = size_kind
        self._root = root
        self._clock = clock
        self._list = RecordList[HistoryEntry](self._line, id="entries")

    def compose(self) -> ComposeResult:
        """Yield the head, the entries, the entry under the cursor in full, and the keys."""
        yield Static(Text("History  reading …", "bold"), id="head", markup=False)
        yield self._list
        yield Static(id="in-full", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Read the history in a thread."""
        self._list.focus()
        self._read()

    @work(thread=True, exclusive=True)
    def _read(self) -> None:
        problem = ""
        entries: tuple[HistoryEntry, ...] = ()
        try:
            entries = read_history(self._root)
        except PurgeError as error:
            problem = str(error)
        if not get_current_worker().is_cancelled:
            self.call_later(self._show, entries, problem)

    def _show(self, entries: tuple[HistoryEntry, ...], problem: str) -> None:
        number = pluralize(len(entries), "entry", "entries") if entries else "no entries yet"
        number += " · sizes on disk" if self._size_kind is SizeKind.ON_DISK else ""
        head = Text(f"History  {plain_text(problem) or number}", "bold")
        self.query_one("#head", Static).update(head)
        self._list.show(entries)
        self.refresh_bindings()
        self.on_virtual_list_view_changed()

    def on_virtual_list_view_changed(self) -> None:
        """Show the entry under the cursor in full."""
        entry = self._list.current
        self.query_one("#in-full", Static).update(_in_full(entry) if entry else "")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to open an entry only if there is one."""
        return action != "open" or self._list.current is not None

    def action_open(self) -> None:
        """List the tasks and bundles of the entry under the cursor."""
        if entry := self._list.current:
            age = format_age(entry.time, self._clock())
            self.app.push_screen(
                ContentsScreen(
                    f"{_KIND_TEXT[entry.kind].capitalize()} {age}",
                    lambda: contents_of_action(self._root, entry),
                    clock=self._clock,
                    size_kind=self._size_kind,
                )
            )

    def _line(self, entry: HistoryEntry) -> Text:
        size = entry.size_of(self._size_kind)
        return record_line(
            fit(format_age(entry.time, self._clock()), 16),
            (fit(_KIND_TEXT[entry.kind], 13), "bold"),
            tasks=len(entry.tasks),
            bundles=len(entry.bundles),
            size=format_size(size) if size else "—",
            process=entry.process,
        )


def _in_full(entry: HistoryEntry) -> Text:
    text = " · ".join(filter(None, (", ".join(entry.batch_ids), entry.goal)))
    if entry.stopped:
        text += " · stopped"
    if entry.kept_back:
        _, reason = entry.kept_back[0]
        text += f" · {len(entry.kept_back):,} not done: {reason}"
    return Text(
        f"{plain_text(entry.filters)}\n{plain_text(text)}", no_wrap=True, overflow="ellipsis"
    )
