"""All keys, those of the present screen first, and the rules of a purge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.console import Group as Stack
from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from hipercow_tui.support.ascii_fallback import supports_utf8
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.widgets.scroll_text import ScrollText
from hipercow_tui.ui.widgets.search_bar import SearchBar

RULES = (
    "A task is matched if it passes all filters that are set, and is in the narrowed list.",
    "If tasks are marked, a purge takes only those matched tasks that are marked.",
    "A task goes with its whole retry chain: all attempts, whatever their status.",
    "For the status filter, a retried task counts by its latest attempt; for the age filter, by its"
    " own end.",
    "A bundle that lists a task that goes, goes too. Its other tasks stay, without a bundle.",
    "A chain or bundle that someone pinned stays, with the chains of its tasks. Its sign is ¶. A"
    " note has no effect. Its sign is †.",
    "A task that is submitted, running, possibly queued or unreadable blocks the purge: nothing is"
    " deleted, unless you leave out its chain in the plan.",
    "A task that the cluster has lost blocks until R asks the cluster: press <reconcile=R>. For a"
    " task of Python, make a file status-cancelled in its folder.",
    "Without R, hipercow-tui only reads files, and asks no cluster.",
    "A task that changes between the plan and the purge stays, with its chain.",
    "Nothing is deleted before you confirm the plan.",
)

ASCII_NOTE = (
    "LANG and LC_ALL do not name UTF-8, so symbols and frames are shown in ASCII. If your terminal"
    " supports UTF-8, start with LC_ALL=C.UTF-8 hipercow-tui."
)


TWO_COLUMNS_FROM = 120  # cells
_KEYS = 12  # cells


@dataclass(frozen=True, slots=True)
class HelpSection:
    """Keys under a title, each with an explanation."""

    title: str
    rows: tuple[tuple[str, str], ...]

    def matching(self, needle: str) -> HelpSection:
        """Return the rows that contain a case-folded text; all of them if the title does."""
        if needle in self.title.casefold():
            return self
        rows = (row for row in self.rows if any(needle in text.casefold() for text in row))
        return HelpSection(self.title, tuple(rows))


class HelpScreen(ModalScreen[None]):
    """Show the keys in ``sections``, and the rules. A search hides all other rows."""

    DEFAULT_CSS = """
    HelpScreen ScrollText { height: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", id="help.search"),
        Binding("escape,question_mark,q,enter", "back", "Close", id="help.close"),
    ]

    def __init__(self, sections: Sequence[HelpSection]) -> None:
        super().__init__()
        rules = with_keys("\n".join(RULES))
        self._sections = (*sections, HelpSection("What a purge takes", (("", rules),)))
        self._needle = ""

    def compose(self) -> ComposeResult:
        """Yield the keys by section, the rules, and the search bar."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Help"
            dialog.border_subtitle = with_keys(
                "<help.search=/>: search · <scroll.end=G>: the rules of a purge"
                " · <help.close=esc>: close"
            )
            with ScrollText():
                yield Static(id="help-text")
            yield SearchBar()

    def on_mount(self) -> None:
        """Focus the text."""
        self.query_one(ScrollText).focus()

    def on_resize(self) -> None:
        """Use two columns if there is space."""
        self.set_class(self.size.width >= TWO_COLUMNS_FROM, "-wide")
        self._show()

    def _show(self) -> None:
        found = [section.matching(self._needle) for section in self._sections]
        found = [section for section in found if section.rows]
        self.query_one(SearchBar).show_hits(sum(len(section.rows) for section in found))
        columns = _split(found) if self.has_class("-wide") else (found,)
        table = Table.grid(padding=(0, 3, 0, 0), expand=True)
        for _ in columns:
            table.add_column(ratio=1)
        table.add_row(*map(_column, columns))
        parts = [table] if supports_utf8() else [Text(f"{ASCII_NOTE}\n"), table]
        self.query_one("#help-text", Static).update(Stack(*parts))

    # Search

    def action_search(self) -> None:
        """Type a text to search for."""
        self.query_one(SearchBar).open()

    @on(SearchBar.Changed)
    def _search(self, message: SearchBar.Changed) -> None:
        self._needle = message.query.casefold()
        self._show()
        self.query_one(ScrollText).scroll_home(animate=False)

    @on(SearchBar.Done)
    def _search_done(self) -> None:
        self.query_one(ScrollText).focus()

    def action_back(self) -> None:
        """End the search, else close the help."""
        if self._needle:
            self.query_one(SearchBar).action_leave()
        else:
            self.dismiss(None)


def _split(sections: Sequence[HelpSection]) -> Sequence[Sequence[HelpSection]]:
    """Return two columns of about the same height."""
    heights = [2 + sum(1 + text.count("\n") for _, text in section.rows) for section in sections]
    at = min(range(len(sections) + 1), key=lambda cut: abs(sum(heights[:cut]) - sum(heights[cut:])))
    return sections[:at], sections[at:]


def _column(sections: Sequence[HelpSection]) -> Stack:
    parts: list[Table | Text] = []
    for section in sections:
        parts.append(Text(section.title, "bold underline"))
        table = Table.grid(padding=(0, 2, 0, 0))
        if any(keys for keys, _ in section.rows):
            table.add_column(style="bold", min_width=_KEYS)
        else:
            table.add_column()
        table.add_column()
        for keys, text in section.rows:
            table.add_row(Text(keys), Text(text))
        parts += [table, Text("")]
    return Stack(*parts)
