"""One log: a head with the position, and the visible rows."""

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
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.messages import WorkerFailed
from hipercow_tui.ui.styles import blend, theme_style
from hipercow_tui.ui.workers.log_paging import LogRow, Navigation, Page, Viewport
from hipercow_tui.ui.workers.log_reader import LogReader

_NOT_READ = "not read yet"


class LogPane(Vertical):
    """Show a log; a thread reads it while the pane is mounted."""

    DEFAULT_CSS = """
    LogPane { height: 1fr; width: 1fr; }
    LogPane .head { height: 1; padding: 0 1; background: $panel; }
    LogPane:focus-within .head { background: $primary 30%; text-style: underline; }
    LogPane LogView { height: 1fr; }
    """

    title: reactive[str] = reactive("")
    """The id and the status of the task."""
    ended: reactive[bool] = reactive(False)
    """Whether the task has ended, so that the log does not grow any more."""
    hint: reactive[str] = reactive("")
    """A key to show in the head."""
    wrap: reactive[bool] = reactive(False)
    """Whether long lines are wrapped."""
    needle: reactive[re.Pattern[str] | None] = reactive[re.Pattern[str] | None](None)
    """The text to highlight."""

    class PageChanged(Message):
        """Another page or state of the log is shown."""

    def __init__(self, log: Log, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._log = log
        self.page = Page(Viewport(1, 1), error=_NOT_READ)
        self._reader: LogReader | None = None

    def compose(self) -> ComposeResult:
        """Yield the head and the rows."""
        yield Static(classes="head", markup=False)
        yield LogView()

    def on_mount(self) -> None:
        """Start to read."""
        self._reader = LogReader(
            self._log,
            lambda page: self.call_later(self._show, page),
            lambda error: self.post_message(WorkerFailed(error)),
        )
        self._resize_page()

    def on_unmount(self) -> None:
        """Stop reading."""
        if self._reader is not None:
            self._reader.stop()

    @property
    def missing(self) -> bool:
        """Whether the log could not be read."""
        return self.page.error not in ("", _NOT_READ)

    @property
    def view(self) -> LogView:
        """The widget with the rows."""
        return self.query_one(LogView)

    @property
    def viewport(self) -> Viewport:
        """The size of the widget with the rows, and whether it wraps lines."""
        size = self.view.size
        return Viewport(max(1, size.width), max(1, size.height), self.wrap)

    def navigate(self, step: Navigation) -> None:
        """Go to another page."""
        if self._reader is not None:
            self._reader.navigate(step)

    def find(self, query: LogQuery, *, backwards: bool) -> None:
        """Go to the next line that matches the query, or the previous one."""
        if self._reader is not None:
            self._reader.find(query, backwards=backwards)

    def on_log_view_resized(self) -> None:
        """Request a page of the new size."""
        self._resize_page()

    def watch_wrap(self) -> None:
        """Request a page with other line breaks."""
        self._resize_page()

    def _resize_page(self) -> None:
        """Request a page of the present size, even of a hidden log, to know whether it exists."""
        if self._reader is not None and self.view.size:
            self._reader.resize(self.viewport)

    def on_resize(self) -> None:
        """Lay out the head for the new width."""
        self._show_head()

    def _show(self, page: Page) -> None:
        self.page = page
        self._show_head()
        self._show_rows()
        self.post_message(self.PageChanged())

    def watch_needle(self) -> None:
        """Highlight another text."""
        self._show_rows()

    def watch_title(self) -> None:
        """Show another head."""
        self._show_head()

    watch_ended = watch_hint = watch_title

    def _show_rows(self) -> None:
        page = self.page
        notice = page.error or ("" if page.size else f"'{self._log.name}' is empty")
        for view in self.query(LogView):
            view.show(page.rows, notice, page.hit, self.needle)

    def _show_head(self) -> None:
        page = self.page
        head = Text.assemble((f"{self._log.name}  ", "bold"), self.title)
        notice = page.message or (page.error if page.rows else "")
        facts = [
            format_size(page.size) if page.rows else "",
            "" if notice else self._position(),
            self.hint,
        ]
        if notice:
            head.append(
                f"  {plain_text(notice)}", Style(bold=True) + theme_style(self.app, "text-warning")
            )
        if any(facts):
            head.append("  " + " · ".join(filter(None, facts)), "dim")
        head.truncate(max(1, self.size.width - 2), overflow="ellipsis")
        for shown in self.query(".head").results(Static):
            shown.update(head)

    def _position(self) -> str:
        page = self.page
        if not page.rows:
            return ""
        if page.progress is not None:
            return with_keys(f"searching {page.progress:.0%}, <log.back=esc>: stop")
        if not page.at_end:
            return (
                f"{page.fraction:.0%}"
                if self.ended
                else with_keys(f"{page.fraction:.0%}, <log.follow=F>: follow")
            )
        return "end" if self.ended else "end, following"


class LogView(Widget, can_focus=True):
    """The rows of one page of a log."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log--error",
        "log--warning",
        "log--found",
        "log--word",
        "log--notice",
    }
    """``log--error`` and ``log--warning``: lines with an error or a warning; ``log--found``: the
    line of the present hit; ``log--word``: found text; ``log--notice``: a text instead of the log.
    """

    DEFAULT_CSS = """
    LogView > .log--error { color: $text-error; }
    LogView > .log--warning { color: $text-warning; }
    LogView > .log--found { background: $primary 40%; }
    LogView > .log--word { background: $warning; color: $background; }
    LogView > .log--notice { color: $text-muted; }
    LogView:ansi > .log--found { background: ansi_blue; }
    LogView:ansi > .log--word { background: ansi_yellow; color: ansi_black; }
    """

    class Resized(Message):
        """The widget has another size."""

    def __init__(self) -> None:
        super().__init__()
        self._strips: list[Strip] = []
        self._notice = ""

    def on_resize(self) -> None:
        """Wrap the notice for the new width, and post Resized."""
        if self._notice:
            self._show_notice()
        self.post_message(self.Resized())

    def show(
        self,
        rows: Sequence[LogRow],
        notice: str,
        hit: int | None,
        needle: re.Pattern[str] | None,
    ) -> None:
        """Show these rows, or the notice if there are none."""
        self._notice = "" if rows else notice
        if rows:
            self._strips = [self._strip(row, hit, needle) for row in rows]
            self.refresh()
        else:
            self._show_notice()

    def _show_notice(self) -> None:
        text = Text(plain_text(self._notice), blend(self, ("log--notice",)))
        console = self.app.console
        lines = text.wrap(console, max(1, self.size.width - 2))
        self._strips = [Strip(Text(" ").append_text(line).render(console)) for line in lines]
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
        """Return one row."""
        strip = self._strips[y] if y < len(self._strips) else Strip.blank(0)
        return strip.adjust_cell_length(self.size.width).apply_style(self.rich_style)
