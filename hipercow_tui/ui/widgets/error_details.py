"""The pane with the details of one error, over all tasks that failed with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.style import Style
from rich.text import Text

from hipercow_tui.analysis.error_groups import (
    SAMPLE_SIZE,
    Counts,
    ErrorGroup,
    ErrorGrouping,
    ValueSummary,
)
from hipercow_tui.support.text import escape_controls, format_age, pluralize
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.widgets.labelled_details import LabelledDetails, Styles

MAX_BUNDLES = 8  # bundles that are listed by name
_WHY_UNKNOWN = {
    ErrorGrouping.FRAME: "no trace, call or traceback names a function",
    ErrorGrouping.NODE: "these tasks have no outer log that names it",
}


@dataclass(frozen=True, slots=True)
class ShownError:
    """A group, the number of its tasks that pass the filters without marks, and the time for ages.

    ``now`` is in seconds since the epoch.
    """

    group: ErrorGroup
    passing: int
    now: float


class ErrorDetailsView(LabelledDetails):
    """The pane; its title is the number of failed tasks."""

    def show(self, shown: ShownError | None) -> None:
        """Show a group; None clears the pane."""
        if shown is None:
            self.clear()
            return
        self.show_lines(
            lambda style: lines(shown, style),
            f"✗ {pluralize(len(shown.group.ids), 'task')}",
            with_keys("<open=Enter>: show them · <messages=o>: all messages"),
        )


def lines(shown: ShownError, style: Styles) -> Iterable[tuple[str, Text]]:
    """Yield labels and their texts; a label is empty if it is the one of the line above."""
    group = shown.group
    yield _title(group), _safe(group.text.splitlines(), style("error"))
    if not group.is_known and group.by in _WHY_UNKNOWN:
        yield "", Text(_WHY_UNKNOWN[group.by])
    if group.lacks_reason:
        of_node = group.by is ErrorGrouping.NODE and not group.is_known
        purpose = "name it" if of_node else "say why"
        hint = with_keys(f"<messages=o>: fetch log.outer, which may {purpose}")
        yield "", Text(hint, style("label"))
    if group.messages:
        yield "messages", _counted(group.messages, style)
    if group.frames and group.by is not ErrorGrouping.FRAME:
        yield "failed in", _counted(group.frames, style)
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


def _title(group: ErrorGroup) -> str:
    if group.by is not ErrorGrouping.MESSAGE:
        return group.by
    return "rule" if group.by_rule else "error" if group.is_known else "no message"


def _counted(counts: Counts, style: Styles) -> Text:
    text = _safe([f"{name} ({number:,})" for name, number in counts[:SAMPLE_SIZE]])
    if len(counts) > SAMPLE_SIZE:
        text.append(f"\nand {len(counts) - SAMPLE_SIZE:,} more", style("label"))
    return text


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
