"""One log: a line that says where one is in it, and what is in sight of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from hipercow_tui.formats.log_file import Log
from hipercow_tui.formats.log_patterns import LogQuery
from hipercow_tui.support.text import format_size
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.messages import WorkerFailed
from hipercow_tui.ui.styles import blend, theme_style
from hipercow_tui.ui.workers.log_paging import LogRow, Navigation, Page, Viewport
from hipercow_tui.ui.workers.log_reader import LogReader


class LogPane(Vertical):
    """Shows a log and reads it, in a thread of its own, as long as it is mounted."""

    DEFAULT_CSS = """
    LogPane { height: 1fr; width: 1fr; }
    LogPane .head { height: 1; padding: 0 1; background: $panel; }
    LogPane:focus-within .head { background: $primary 30%; text-style: underline; }
    LogPane LogView { height: 1fr; }
    """

    title: reactive[str] = reactive("")
    """Whose log it is."""
    ended: reactive[bool] = reactive(False)
    """Whether its task has ended, so that nothing more is waited for."""
    hint: reactive[str] = reactive("")
    """What else there is."""
    wrap: reactive[bool] = reactive(False)
    """Whether long lines go on below."""
    needle: reactive[re.Pattern[str] | None] = reactive[re.Pattern[str] | None](None)
    """What is shown where it stands."""

    class PageChanged(Message):
        """Another page is shown, or another state of the log."""

    def __init__(self, log: Log, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._log = log
        self.page = Page(Viewport(1, 1), error="not read yet")
        self._reader: LogReader | None = None

    def compose(self) -> ComposeResult:
        """Where one is, and what is there."""
        yield Static(classes="head", markup=False)
        yield LogView()

    def on_mount(self) -> None:
        """Begin to read."""
        self._reader = LogReader(
            self._log,
            lambda page: self.call_later(self._show, page),
            lambda error: self.post_message(WorkerFailed(error)),
        )
        self._resize_page()

    def on_unmount(self) -> None:
        """Read no more."""
        if self._reader is not None:
            self._reader.stop()

    @property
    def view(self) -> LogView:
        """The rows."""
        return self.query_one(LogView)

    @property
    def viewport(self) -> Viewport:
        """The room for rows."""
        room = self.view.size
        return Viewport(max(1, room.width), max(1, room.height), self.wrap)

    def navigate(self, turn: Navigation) -> None:
        """Turn the page."""
        if self._reader is not None:
            self._reader.turn(turn)

    def find(self, sought: LogQuery, *, backwards: bool) -> None:
        """Turn to the next line that is sought, or the one before."""
        if self._reader is not None:
            self._reader.find(sought, backwards=backwards)

    def on_log_view_resized(self) -> None:
        """Fill the room there is."""
        self._resize_page()

    def watch_wrap(self) -> None:
        """Lay out anew."""
        self._resize_page()

    def _resize_page(self) -> None:
        """A log that is not shown is read all the same, so that it can be said to be there."""
        if self._reader is not None and self.view.size:
            self._reader.reshape(self.viewport)

    def on_resize(self) -> None:
        """The head is laid out for a width."""
        self._show_head()

    def _show(self, page: Page) -> None:
        self.page = page
        self._show_head()
        self._show_rows()
        self.post_message(self.PageChanged())

    def watch_needle(self) -> None:
        """Show where it stands."""
        self._show_rows()

    def watch_what(self) -> None:
        """Say so."""
        self._show_head()

    watch_ended = watch_hint = watch_what

    def _show_rows(self) -> None:
        page = self.page
        said = page.error or ("" if page.size else f"'{self._log.name}' is empty so far")
        for view in self.query(LogView):
            view.show(page.rows, said, page.hit, self.needle)

    def _show_head(self) -> None:
        page = self.page
        head = Text.assemble((f"{self._log.name}  ", "bold"), self.title)
        said = page.said or (page.error if page.rows else "")
        where = [
            format_size(page.size) if page.rows else "",
            "" if said else self._position(),
            self.hint,
        ]
        if said:
            head.append(
                f"  {plain_text(said)}", Style(bold=True) + theme_style(self.app, "text-warning")
            )
        if any(where):
            head.append("  " + " · ".join(filter(None, where)), "dim")
        head.truncate(max(1, self.size.width - 2), overflow="ellipsis")
        for shown in self.query(".head").results(Static):
            shown.update(head)

    def _position(self) -> str:
        page = self.page
        if not page.rows:
            return ""
        if page.searched is not None:
            return f"searching {page.searched:.0%}, esc stops"
        if not page.at_end:
            return f"{page.part:.0%}" if self.ended else f"{page.part:.0%}, F follows"
        return "end" if self.ended else "end, following"


class LogView(Widget, can_focus=True):
    """The rows of one page of a log."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log--error",
        "log--warning",
        "log--found",
        "log--word",
        "log--said",
    }
    """``log--error`` and ``log--warning``: a line that tells of one; ``log--found``: the line that
    was found last; ``log--word``: what was searched for; ``log--said``: a sentence in place of the
    log."""

    DEFAULT_CSS = """
    LogView > .log--error { color: $text-error; }
    LogView > .log--warning { color: $text-warning; }
    LogView > .log--found { background: $primary 40%; }
    LogView > .log--word { background: $warning; color: $background; }
    LogView > .log--said { color: $text-muted; }
    LogView:ansi > .log--found { background: ansi_blue; }
    LogView:ansi > .log--word { background: ansi_yellow; color: ansi_black; }
    """

    class Resized(Message):
        """There is another room for rows."""

    def __init__(self) -> None:
        super().__init__()
        self._strips: list[Strip] = []

    def on_resize(self) -> None:
        """Say so: the page is another."""
        self.post_message(self.Resized())

    def show(
        self,
        rows: Sequence[LogRow],
        said: str,
        hit: int | None,
        needle: re.Pattern[str] | None,
    ) -> None:
        """Show these rows; where there are none, the sentence that is said."""
        if rows:
            self._strips = [self._strip(row, hit, needle) for row in rows]
        else:
            text = Text(f" {plain_text(said)}", blend(self, ("log--said",)))
            self._strips = [Strip(text.render(self.app.console))]
        self.refresh()

    def _strip(self, row: LogRow, hit: int | None, needle: re.Pattern[str] | None) -> Strip:
        text = row.text.copy()
        if row.severity is not None:
            text.style = self.get_component_rich_style(f"log--{row.severity}", partial=True)
        if row.start == hit:
            text.pad_right(max(0, self.size.width - text.cell_len))
            text.stylize(Style(bgcolor=blend(self, ("log--found",)).bgcolor))
        if needle is not None:
            text.highlight_regex(needle, self.get_component_rich_style("log--word", partial=True))
        return Strip(text.render(self.app.console))

    def render_line(self, y: int) -> Strip:
        """One row, as Textual asks for it."""
        strip = self._strips[y] if y < len(self._strips) else Strip.blank(0)
        return strip.adjust_cell_length(self.size.width).apply_style(self.rich_style)
