"""The log of a task, full screen: opens at its end and follows it there."""

from __future__ import annotations

import re
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Footer, Input, Static

from hipercow_tui.logs import NAMES, Log
from hipercow_tui.model import Task
from hipercow_tui.roots import Root
from hipercow_tui.text import short_id, size
from hipercow_tui.ui.cells import plain
from hipercow_tui.ui.keys import MOVES, SEARCH
from hipercow_tui.ui.log_reader import (
    LogReader,
    Page,
    Shape,
    Turn,
    by_rows,
    styled,
    to_end,
    to_hit,
    to_start,
)
from hipercow_tui.ui.looks import GLYPH

_WHEEL = 3  # rows


class LogScreen(Screen[None]):
    """Shows the log of a task, or its ``log.outer``."""

    DEFAULT_CSS = """
    LogScreen #head { height: 1; padding: 0 1; background: $panel; }
    LogScreen LogView { height: 1fr; }
    LogScreen Input { height: 1; border: none; padding: 0 1; background: $panel; display: none; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *(key for key in MOVES if key.action != "open"),
        *SEARCH,
        Binding("o", "other", "log / log.outer", id="log.other"),
        Binding("w", "wrap", "Wrap", id="log.wrap"),
        Binding("escape,q,l", "back", "Back", key_display="esc", id="log.back"),
    ]

    def __init__(self, root: Root, task: Task) -> None:
        super().__init__()
        self._log = Log(root, task.id)
        self._what = f"{short_id(task.id)}  {GLYPH[task.status]} {task.status}"
        self._reader: LogReader | None = None
        self._wrap = False
        self._wanted = ""

    def compose(self) -> ComposeResult:
        """What and where, the log, the field for a search."""
        yield Static(id="head", markup=False)
        yield LogView()
        yield Input(placeholder="search", select_on_focus=True)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """The keys go to the log."""
        self.query_one(LogView).focus()

    def on_unmount(self) -> None:
        """Read no more."""
        if self._reader is not None:
            self._reader.stop()

    def on_log_view_resized(self) -> None:
        """Begin to read once the room is known, and after that fill what there is."""
        if self._reader is None:
            self._open()
        else:
            self._reader.reshape(self._shape())

    def _shape(self) -> Shape:
        room = self.query_one(LogView).size
        return Shape(max(1, room.width), max(1, room.height), self._wrap)

    def _open(self) -> None:
        if self._reader is not None:
            self._reader.stop()
        log = self._log
        self._reader = LogReader(
            log, self._shape(), lambda page: self.call_later(self._show, log, page)
        )

    def _turn(self, turn: Turn) -> None:
        if self._reader is not None:
            self._reader.turn(turn)

    def _show(self, log: Log, page: Page) -> None:
        if log != self._log:
            return
        said = page.said or ("" if page.size else f"'{log.name}' is empty so far")
        where = size(page.size)
        if page.lines:
            end = page.lines[-1].end / page.size if page.size else 1.0
            where += " · end, following" if page.at_end else f" · {end:.0%}"
        head = Text.assemble((f"{log.name}  ", "bold"), f"{self._what}  {where}")
        if said and page.lines:
            head.append(f"  {plain(said)}", "bold")
        self.query_one("#head", Static).update(head)
        self.query_one(LogView).show(page, self._shape(), said, self._wanted)

    # Keys

    def action_move(self, rows: int) -> None:
        """Scroll by rows."""
        self._turn(by_rows(rows))

    def action_page(self, pages: int) -> None:
        """Scroll by screens, with one row in common."""
        self._turn(by_rows(pages * max(1, self._shape().height - 1)))

    def action_first(self) -> None:
        """To the beginning."""
        self._turn(to_start)

    def action_last(self) -> None:
        """To the end, which is followed."""
        self._turn(to_end)

    def action_wrap(self) -> None:
        """Let long lines go on below, or cut them."""
        self._wrap = not self._wrap
        self.on_log_view_resized()

    def action_other(self) -> None:
        """From ``log`` to ``log.outer`` and back."""
        root, task_id, name = self._log.root, self._log.task_id, self._log.name
        self._log = Log(root, task_id, NAMES[1 - NAMES.index(name)])
        self._open()

    def action_search(self) -> None:
        """Ask what to search for."""
        field = self.query_one(Input)
        field.display = True
        field.focus()

    @on(Input.Submitted)
    def _searched(self, event: Input.Submitted) -> None:
        self._wanted = event.value
        self._leave_search()
        self.action_hit(1)

    def _leave_search(self) -> None:
        self.query_one(Input).display = False
        self.query_one(LogView).focus()

    def action_hit(self, by: int) -> None:
        """To the next or previous line that contains what was searched."""
        if self._wanted and self._reader is not None:
            self._turn(to_hit(self._wanted, backwards=by < 0, stopped=self._reader.interrupted))

    def action_back(self) -> None:
        """Leave the search, else the log."""
        if self.query_one(Input).has_focus:
            self._leave_search()
        else:
            self.dismiss(None)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll by a few rows."""
        self.action_move(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll by a few rows."""
        self.action_move(-_WHEEL)


class LogView(Widget, can_focus=True):
    """The rows of one page of a log."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"log--hit", "log--said"}
    """``log--hit``: what was searched for; ``log--said``: a sentence in place of the log."""

    DEFAULT_CSS = """
    LogView > .log--hit { background: $warning; color: $background; }
    LogView:ansi > .log--hit { background: ansi_yellow; color: ansi_black; }
    LogView > .log--said { color: $text-muted; }
    """

    class Resized(Message):
        """There is another room for rows."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Strip] = []

    def on_resize(self) -> None:
        """Say so: the page is another."""
        self.post_message(self.Resized())

    def show(self, page: Page, shape: Shape, said: str, wanted: str) -> None:
        """Show a page; where it has no lines, the sentence that is said."""
        hit = self.get_component_rich_style("log--hit", partial=True)
        needle = re.compile(re.escape(wanted), re.IGNORECASE) if wanted else None
        rows: list[Strip] = []
        for line in page.lines:
            text = styled(line)
            if needle is not None:
                text.highlight_regex(needle, hit)
            rows += self._wrapped(text, shape) if shape.wrap else [self._cut(text, shape)]
            if len(rows) - page.skip >= shape.height:
                break
        if not page.lines:
            said_style = self.get_component_rich_style("log--said", partial=True)
            rows = [self._cut(Text(f" {plain(said)}", said_style), shape)]
        self._rows = rows[page.skip :]
        self.refresh()

    def _cut(self, text: Text, shape: Shape) -> Strip:
        text.truncate(shape.width, overflow="ellipsis")
        return Strip(text.render(self.app.console))

    def _wrapped(self, text: Text, shape: Shape) -> list[Strip]:
        whole = Strip(text.render(self.app.console))
        width = shape.width
        starts = range(0, max(1, whole.cell_length), width)
        return [whole.crop(start, start + width) for start in starts]

    def render_line(self, y: int) -> Strip:
        """One row, as Textual asks for it."""
        row = self._rows[y] if y < len(self._rows) else Strip.blank(0)
        return row.adjust_cell_length(self.size.width).apply_style(self.rich_style)
