"""The pane with the details of one error, over all tasks that failed with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Static

from hipercow_tui.analysis.error_groups import SAMPLE_SIZE, ErrorGroup, ValueSummary
from hipercow_tui.support.text import escape_controls, format_age, pluralize
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.styles import blend
from hipercow_tui.ui.widgets.scroll_text import ScrollText
from hipercow_tui.ui.widgets.task_details import Styles

MAX_BUNDLES = 8  # bundles that are listed by name


@dataclass(frozen=True, slots=True)
class ShownError:
    """A group, the number of its tasks that pass the filters without marks, and the time for ages.

    ``now`` is in seconds since the epoch.
    """

    group: ErrorGroup
    passing: int
    now: float


class ErrorDetailsView(ScrollText, can_focus=True):
    """The pane; its title is the number of failed tasks.

    Component classes: ``details--label``, ``details--error``, ``details--strong``.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"details--label", "details--error", "details--strong"}

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: ShownError | None = None
        self._text = Static(id="error-text")  # made here, because show() is called before mounting

    def compose(self) -> ComposeResult:
        """Yield the text."""
        yield self._text

    def show(self, shown: ShownError | None) -> None:
        """Show a group; None clears the pane."""
        text, self._shown = self._text, shown
        if shown is None:
            self.border_title = ""
            text.update("")
            return
        self.border_title = f"✗ {pluralize(len(shown.group.ids), 'task')}"
        self.border_subtitle = with_keys("<open=Enter>: show them · <messages=o>: all messages")
        text.update(self._table(shown))

    def notify_style_update(self) -> None:
        """Draw with the colours of a new theme."""
        super().notify_style_update()
        if self._shown is not None:
            self.call_after_refresh(self.show, self._shown)

    def go_to_top(self) -> None:
        """Scroll to the top."""
        self.scroll_home(animate=False)

    def _table(self, shown: ShownError) -> Table:
        def style(name: str) -> Style:
            return blend(self, [f"details--{name}"])

        grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
        grid.add_column(no_wrap=True, style=style("label"))
        grid.add_column(ratio=1, overflow="fold")
        for label, text in lines(shown, style):
            grid.add_row(Text(label), text)
        return grid


def lines(shown: ShownError, style: Styles) -> Iterable[tuple[str, Text]]:
    """Yield labels and their texts; a label is empty if it is the one of the line above."""
    group = shown.group
    yield (
        "error" if group.has_message else "no message",
        _safe(group.text.splitlines(), style("error")),
    )
    yield from _inputs("differs", group.varying, style("label"))
    yield "times", Text(" · ".join(_times(group, shown.now)))
    facts = [f"{shown.passing:,} pass the filters"] if shown.passing < len(group.ids) else []
    if group.retried_successfully:
        facts.append(f"{group.retried_successfully:,} succeeded after a retry")
    if facts:
        yield "tasks", Text(" · ".join(facts))
    if group.bundles:
        yield "bundles", _safe([_first_names([f"{name} ({n:,})" for name, n in group.bundles])])
    if group.code:
        yield "runs", _code(group.code, style)
    same = [summary for summary in group.inputs if not summary.differs]
    yield from _inputs("the same", same, style("label"))


def _inputs(
    label: str, summaries: Iterable[ValueSummary], style: Style
) -> Iterable[tuple[str, Text]]:
    for summary in summaries:
        values = str(summary).removeprefix(f"{summary.name} ")
        is_range = summary.numeric and summary.distinct > len(summary.sample)
        number = f"  {summary.distinct:,} values" if is_range else ""
        name = plain_text(summary.name) + " = "
        yield label, Text.assemble((name, style), plain_text(values), (number, style))
        label = ""


def _times(group: ErrorGroup, now: float) -> Iterable[str]:
    if group.last_finished is None or group.first_finished is None:
        yield "unknown"
    elif len(group.ids) == 1:
        yield format_age(group.last_finished, now)
    else:
        yield f"first {format_age(group.first_finished, now)}"
        yield f"last {format_age(group.last_finished, now)}"


def _first_names(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_BUNDLES:,} more" if len(names) > MAX_BUNDLES else ""
    return ", ".join(names[:MAX_BUNDLES]) + more


def _code(code: Sequence[str], style: Styles) -> Text:
    text = _safe(code[:SAMPLE_SIZE], style("strong"))
    if len(code) > SAMPLE_SIZE:
        text.append(f"\nand {len(code) - SAMPLE_SIZE:,} more", style("label"))
    return text


def _safe(texts: Iterable[str], style: Style | str = "") -> Text:
    return Text("\n".join(map(escape_controls, texts)), style)
