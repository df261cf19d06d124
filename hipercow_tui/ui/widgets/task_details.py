"""The pane with the details of one task, the most important first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from rich.text import Text
from textual.binding import BindingType
from textual.selection import Selection
from textual.strip import Strip

from hipercow_tui.analysis.error_groups import lacks_reason
from hipercow_tui.analysis.task_summary import TaskSummary
from hipercow_tui.domain.durations import queue_time, run_time
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Task
from hipercow_tui.domain.unfinished import ended_without_marker
from hipercow_tui.support.text import (
    escape_controls,
    format_age,
    format_duration,
    pluralize,
    short_id,
)
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.keymap import SCROLL_KEYS
from hipercow_tui.ui.status_style import GLYPH
from hipercow_tui.ui.styles import blend
from hipercow_tui.ui.widgets.labelled_details import (
    DETAILS_CLASSES,
    FULL_KEY,
    Styles,
    labelled_grid,
)
from hipercow_tui.ui.widgets.virtual_scroll import VirtualScroll

if TYPE_CHECKING:
    from hipercow_tui.formats.details import TaskDetails

MAX_VALUE_CHARACTERS = 20_000  # of one value; the log and R show the rest
MAX_INPUT_CHARACTERS = 100_000  # of all inputs: wrapping them takes 3 ms for each 10,000

_ASK = "<reconcile=R>: let R ask the cluster · <copy=c>, s: copy the call"
_BY_HAND = "make an empty file 'status-success' or 'status-failure' in its folder"
_CALL_LABELS = {"call": "calls", "script": "script"}


@dataclass(frozen=True, slots=True)
class ShownTask:
    """A task with its snapshot, its call and its details.

    ``details`` is None until they are read. ``stuck`` is the reason why the task may be stuck, or
    empty. ``now`` is the time for ages, in seconds since the epoch.
    """

    task: Task
    snapshot: Snapshot
    details: TaskDetails | None
    summary: TaskSummary
    now: float
    stuck: str = ""


class TaskDetailsView(VirtualScroll, can_focus=True):
    """The pane; its title is the id and the status of the task."""

    COMPONENT_CLASSES: ClassVar[set[str]] = DETAILS_CLASSES
    BINDINGS: ClassVar[list[BindingType]] = [
        FULL_KEY,
        *(key for key in SCROLL_KEYS if "space" not in key.key),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: ShownTask | None = None
        self._lines: tuple[tuple[str, Text], ...] = ()
        self._strips: list[Strip] = []
        self._task_id = ""
        self._title = ""

    def show(self, shown: ShownTask | None) -> None:
        """Show a task; None clears the pane. Another task is shown from its first line."""
        self._shown = shown
        new_lines = tuple(lines(shown, self._style)) if shown else ()
        if shown and shown.task.id != self._task_id:
            self._task_id = shown.task.id
            self.scroll_to(y=0, animate=False, force=True)
        title = f"{short_id(shown.task.id)}  {headline(shown.task)}" if shown else ""
        if title != self._title:
            self.border_title = self._title = title
        if new_lines != self._lines:
            self._lines = new_lines
            self._render_strips()

    def on_resize(self) -> None:
        """Wrap the lines for the new width."""
        self._render_strips()

    def notify_style_update(self) -> None:
        """Draw with the colours of a new theme."""
        super().notify_style_update()
        self.call_after_refresh(self._restyle)

    def _restyle(self) -> None:
        if not self.is_attached:  # it was removed in the meantime, and has no styles
            return
        self._lines = tuple(lines(self._shown, self._style)) if self._shown else ()
        self._render_strips()

    def _render_strips(self) -> None:
        width = self.scrollable_content_region.width
        grid = labelled_grid(self._lines, self._style("label"))
        console = self.app.console
        options = console.options.update(width=max(1, width), height=None)
        drawn = console.render_lines(grid, options, style=blend(self, ()))
        self._strips = [Strip(line, width) for line in drawn]
        self.set_line_count(len(self._strips))
        self.refresh()

    def _style(self, name: str) -> Style:
        return blend(self, [f"details--{name}"])

    # Drawing, and selection with the mouse

    def render_line(self, y: int) -> Strip:
        """Return a line of the pane."""
        line = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        if line >= len(self._strips):
            return Strip.blank(width, blend(self, ()))
        strip = self._strips[line]
        span = self.text_selection.get_span(line) if self.text_selection else None
        if span is not None:
            start, end = span
            end = end if end >= 0 else strip.cell_length
            selected = self.screen.get_component_rich_style("screen--selection")
            before, inside, *after = strip.divide([start, end, strip.cell_length])
            strip = Strip.join([before, inside.apply_style(selected), *after])
        return strip.apply_offsets(0, line)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the text that is selected with the mouse."""
        return selection.extract("\n".join(strip.text.rstrip() for strip in self._strips)), "\n"


def headline(task: Task) -> str:
    """Return a status such as ``✗ failure → success, attempt 2 of 3``."""
    text = f"{GLYPH[task.status]} {task.status}"
    if not task.chain:
        return text
    if task.latest_status is not task.status:
        text += f" → {task.latest_status or 'gone'}"
    return f"{text}, attempt {task.chain.index(task.id) + 1} of {len(task.chain)}"


def lines(shown: ShownTask, style: Styles) -> Iterable[tuple[str, Text]]:
    """Yield labels and their texts; a label is empty if it is the one of the line above."""
    task, details = shown.task, shown.details
    if details is not None and details.error:
        yield "error", _safe(details.error, style("error"))
        if details.frame:
            yield "failed in", _safe(details.frame)
    if details is not None and lacks_reason(task, details.error):
        hint = with_keys("<log=l>, <log.other=o>: fetch log.outer, which may say why")
        yield "" if details.error else "no message", Text(hint, style("label"))
    if details is not None and details.warnings:
        yield "warnings", _safe(details.warnings)
    if task.problem:
        yield "problem", _safe(task.problem, style("error"))
    if pin := shown.snapshot.held.get(task.id):
        yield "pin", Text(pin.text_for_task(shown.now))
    for note in shown.snapshot.notes_of.get(task.id, ()):
        yield "note", Text(note.text_for_task(shown.now))
    if ended_without_marker(task):
        yield "ended", _safe(_missing_marker(shown), style("submitted"))
    elif shown.stuck:
        yield "stuck?", _safe(shown.stuck, style("submitted"))
    if shown.stuck and task.lang is Lang.R:
        yield "", Text(with_keys(_ASK))
    if details is not None and details.problem and details.problem != task.problem:
        yield "problem", _safe(details.problem, style("error"))
    if details is None:
        yield "runs", Text(shown.summary.code_text, style("strong"))
    elif details.runs is not None:
        yield _CALL_LABELS.get(details.type or "", "runs"), _safe(details.runs, style("strong"))
        yield from _named("inputs", details.inputs, style("label"))
    yield "times", Text(" · ".join(_times(task, shown.now)))
    if task.bundles:
        yield "bundles", _safe(", ".join(task.bundles))
    if task.chain:
        yield "chain", _chain(task, shown.snapshot, style)
    if details is not None:
        yield from _context(details, style)
    yield "id", Text(task.id)


def _missing_marker(shown: ShownTask) -> str:
    """Return ``success 3 days ago; the marker of its end is missing, so it stays running``."""
    end = shown.details.end if shown.details else None
    known = [end.status or ""] if end else []
    if end and end.finished is not None:
        known.append(format_age(end.finished, shown.now))
    missing = f"the marker of its end is missing, so it stays {shown.task.status}"
    remedy = _BY_HAND if shown.task.lang is Lang.PY else ""
    return "; ".join(filter(None, (" ".join(known).strip(), missing, remedy)))


def _context(details: TaskDetails, style: Styles) -> Iterable[tuple[str, Text]]:
    if details.driver:
        yield "driver", _safe(details.driver)
    if details.type:
        yield "type", _safe(details.type if details.base is None else f"{details.type}, retried")
    if details.environment:
        yield "environment", _safe(details.environment)
    if details.globals:
        yield "globals", _safe(", ".join(details.globals))
    if details.path:
        yield "folder", _safe(details.path)
    yield from _named("resources", details.resources, style("label"))
    yield from _named(
        "variables", [(one.name, one.masked) for one in details.envvars], style("label")
    )


def _named(
    label: str, values: Sequence[tuple[str, str]], style: Style
) -> Iterable[tuple[str, Text]]:
    left = MAX_INPUT_CHARACTERS
    for place, (name, value) in enumerate(values):
        text = Text.assemble(_safe(f"{name} = " if name else "", style), _safe(value))
        left -= len(text)
        if left < 0:
            yield label, Text(f"… and {len(values) - place:,} more: 'hipercow-tui list --details'")
            return
        yield label, text
        label = ""


def _times(task: Task, now: float) -> Iterable[str]:
    if task.created is not None:
        yield f"created {format_age(task.created, now)}"
    if (waiting := queue_time(task, now)) is not None:
        verb = "waited" if task.started is not None else "waiting for"
        yield f"{verb} {format_duration(waiting)}"
    if (running := run_time(task, now)) is not None:
        verb = "ran" if task.finished is not None else "running for"
        yield f"{verb} {format_duration(running)}"
    if task.finished is not None:
        guess = "about " if task.finished_estimated else ""
        yield f"finished {guess}{format_age(task.finished, now)}"
    if task.created is None and task.finished is None:
        yield "unknown"


def _chain(task: Task, snapshot: Snapshot, style: Styles) -> Text:
    """Return ``1 ✗ 3f2a9c…71e0 → 2 ✓ 77ee10…8d2b``; the task itself is underlined."""
    text = Text()
    for number, task_id in enumerate(task.chain, 1):
        if text:
            text.append(" → ", style("label"))
        other = snapshot.tasks.get(task_id)
        if other is None:
            text.append(f"{number} gone {short_id(task_id)}", style("label"))
            continue
        text.append(f"{number} {GLYPH[other.status]} ", style(other.status.value))
        text.append(short_id(task_id), "bold underline" if task_id == task.id else "")
    return text


def _safe(value: str, style: Style | str = "") -> Text:
    """Return text from disk without control characters; very long text is cut."""
    cut = (
        value
        if len(value) <= MAX_VALUE_CHARACTERS
        else value[:MAX_VALUE_CHARACTERS] + f" … {pluralize(len(value), 'character')}"
    )
    return Text("\n".join(map(escape_controls, cut.splitlines())), style)
