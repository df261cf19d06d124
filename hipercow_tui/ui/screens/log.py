"""The logs of a task, which open at their end and follow it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Input

from hipercow_tui.domain.task import PURGEABLE, Status, Task
from hipercow_tui.formats.log_file import LOG_NAMES, Log
from hipercow_tui.formats.log_patterns import (
    MAX_QUERY,
    LogQuery,
    Severity,
    severity_query,
    text_query,
)
from hipercow_tui.formats.root import Root
from hipercow_tui.scanning.outer_logs import FetchedLogs
from hipercow_tui.support.text import format_age, short_id
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.keymap import LIST_KEYS
from hipercow_tui.ui.screen_keys import LOG_KEYS
from hipercow_tui.ui.status_style import GLYPH
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.log_pane import LogPane
from hipercow_tui.ui.widgets.virtual_scroll import rows_of
from hipercow_tui.ui.workers.log_paging import by_cells, by_rows, stay, to_end, to_start

SIDE_BY_SIDE_FROM = 140  # cells; on a narrower terminal the two logs are stacked
_WHEEL_ROWS = 3


class LogScreen(Screen[None]):
    """Show the log of a task, and on request its ``log.outer``, which can be fetched.

    ``task`` returns the present state of the task, or None if it is gone. ``show_report`` opens the
    report on a task, to ask for help.
    """

    DEFAULT_CSS = """
    LogScreen #logs { layout: vertical; height: 1fr; }
    LogScreen.-wide #logs { layout: horizontal; }
    LogScreen.-wide #outer { border-left: solid $foreground 25%; }
    LogScreen #outer { display: none; }
    LogScreen Input { height: 1; border: none; padding: 0 1; background: $panel; display: none; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *LIST_KEYS,
        *LOG_KEYS,
    ]

    def __init__(
        self,
        root: Root,
        task_id: str,
        task: Callable[[], Task | None],
        *,
        show_report: Callable[[Task], object],
    ) -> None:
        super().__init__()
        present = task()
        self._root = root if present is None else root.part(present.lang)
        self._task_id = task_id
        self._current_task = task
        self._show_report = show_report
        self._wrap = False
        self._query: LogQuery | None = None

    def compose(self) -> ComposeResult:
        """Yield both logs, the search field and the keys."""
        log_name, outer_name = LOG_NAMES
        kept = FetchedLogs.of(self._root)
        fetched = kept.path(self._task_id) if kept else None
        with Container(id="logs"):
            yield LogPane(Log(self._root, self._task_id, log_name, self._current_task), id="log")
            yield LogPane(Log(self._root, self._task_id, outer_name, fetched=fetched), id="outer")
        yield Input(placeholder="search", select_on_focus=True, max_length=MAX_QUERY)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Focus the log, and update the status of the task every second."""
        self.log_pane.view.focus()
        self._update_task()
        self.set_interval(1.0, self._update_task)

    def on_resize(self, event: events.Resize) -> None:
        """Show the logs side by side on a wide terminal."""
        self.set_class(event.size.width >= SIDE_BY_SIDE_FROM, "-wide")

    @property
    def log_pane(self) -> LogPane:
        """The pane of ``log``."""
        return self.query_one("#log", LogPane)

    @property
    def outer(self) -> LogPane:
        """The pane of ``log.outer``, the log of the cluster job."""
        return self.query_one("#outer", LogPane)

    @property
    def pane(self) -> LogPane:
        """The pane that has the focus."""
        return self.outer if self.outer.view.has_focus else self.log_pane

    def _update_task(self) -> None:
        task = self._current_task()
        status = "gone" if task is None else f"{GLYPH[task.status]} {task.status}"
        self.log_pane.title = f"{short_id(self._task_id)}  {status}"
        fetched = self.outer.page.fetched
        self.outer.title = f"fetched {format_age(fetched, time.time())}" if fetched else ""
        for pane in (self.log_pane, self.outer):
            pane.ended = task is None or (
                task.status in PURGEABLE and task.status != Status.CREATED
            )

    @on(LogPane.PageChanged)
    def _page_changed(self, message: LogPane.PageChanged) -> None:
        other = self.outer
        self.log_pane.hint = self._hint
        other.hint = (
            "" if other.page.fetched is None else with_keys("<log.fetch=r>: fetch it again")
        )
        self._update_task()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer ``log.outer`` if it exists or can be fetched, and the next hit during a search."""
        match action:
            case "other":
                return self.outer.display or not self.outer.page.error or self._can_fetch
            case "fetch":
                return self.outer.page.fetched is not None and self._can_fetch
        return action != "hit" or self._query is not None

    @property
    def _hint(self) -> str:
        """The key that shows or fetches ``log.outer``, for the head of the log."""
        if self.outer.display:
            return ""
        if self.outer.missing:
            fetch = with_keys("<log.other=o>: fetch log.outer")
            return fetch if self.log_pane.missing and self._can_fetch else ""
        return "" if self.outer.page.error else with_keys("<log.other=o>: log.outer")

    @property
    def _can_fetch(self) -> bool:
        """Whether the cluster may have a log of the task: it was submitted, and is not gone."""
        task = self._current_task()
        return task is not None and task.status is not Status.CREATED

    # Keys

    def action_move(self, rows: int) -> None:
        """Scroll by rows."""
        self.pane.navigate(by_rows(rows))

    def action_page(self, pages: float) -> None:
        """Scroll by pages, which have one row in common, or by half pages."""
        self.pane.navigate(by_rows(rows_of(pages, self.pane.viewport.height)))

    def action_sideways(self, half_pages: int) -> None:
        """Scroll sideways by half the width."""
        self.pane.navigate(by_cells(half_pages * (self.pane.viewport.width // 2)))

    def action_first(self) -> None:
        """Go to the beginning."""
        self.pane.navigate(to_start)

    def action_last(self) -> None:
        """Go to the end and follow it."""
        self.pane.navigate(to_end)

    def action_wrap(self) -> None:
        """Wrap or cut long lines."""
        self._wrap = not self._wrap
        for pane in (self.log_pane, self.outer):
            pane.wrap = self._wrap

    def action_other(self) -> None:
        """Show or hide ``log.outer``; fetch it if there is none."""
        if self.outer.missing and not self.outer.display:
            self.action_fetch()
        else:
            self._show_outer(not self.outer.display)

    def _show_outer(self, shown: bool) -> None:
        self.outer.display = shown
        (self.outer if shown else self.log_pane).view.focus()
        self._page_changed(LogPane.PageChanged())

    def action_fetch(self) -> None:
        """Fetch ``log.outer`` from the cluster, and show it."""
        from hipercow_tui.ui.dialogs.fetch_logs import FetchLogsScreen

        task = self._current_task()
        if task is None:
            return

        def fetched(done: bool | None) -> None:
            if done:
                self.outer.navigate(to_end)
                self._show_outer(True)

        self.app.push_screen(FetchLogsScreen([task], self._root), fetched)

    def action_report(self) -> None:
        """Show a report on the task, to ask for help."""
        task = self._current_task()
        if task is None:
            self.notify("The task is gone, so there is no report on it")
        else:
            self._show_report(task)

    def action_search(self) -> None:
        """Open the search field."""
        self._field.display = True
        self._field.focus()

    @property
    def _field(self) -> Input:
        return self.query_one(Input)

    @on(Input.Submitted)
    def _searched(self, event: Input.Submitted) -> None:
        self._leave_search()
        self._query = text_query(event.value) if event.value else None
        for pane in (self.log_pane, self.outer):
            pane.needle = self._query.highlight if self._query else None
        self.refresh_bindings()
        self.action_hit(1)

    def _leave_search(self) -> None:
        self._field.display = False
        self.pane.view.focus()

    def action_hit(self, by: int) -> None:
        """Go to the next or previous hit of the search."""
        if self._query is not None:
            self.pane.find(self._query, backwards=by < 0)

    def action_find(self, severity: str, by: int) -> None:
        """Go to the next or previous line with an error or a warning."""
        self.pane.find(severity_query(Severity(severity)), backwards=by < 0)

    def action_back(self) -> None:
        """Close the search field, else stop a running search, else close the log."""
        if self._field.display:
            self._leave_search()
        elif self.pane.page.progress is not None:
            self.pane.navigate(stay)
        else:
            self.dismiss(None)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll by a few rows."""
        self.action_move(_WHEEL_ROWS)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll by a few rows."""
        self.action_move(-_WHEEL_ROWS)
