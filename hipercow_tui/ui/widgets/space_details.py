"""The pane with the details of one row of space: its size, and what can't be purged, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.text import Text
from textual.markup import escape

from hipercow_tui.analysis.space_rows import SpaceRow
from hipercow_tui.analysis.space_usage import Amount
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.support.text import format_size, pluralize, share_text
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.status_style import GLYPH
from hipercow_tui.ui.widgets.labelled_details import LabelledDetails, Styles

if TYPE_CHECKING:
    from hipercow_tui.ui.workers.space_view import SpaceView


class SpaceDetailsView(LabelledDetails):
    """The pane; its title is the label of the row."""

    def show(self, row: SpaceRow | None, view: SpaceView | None) -> None:
        """Show a row of a list; None clears the pane."""
        if row is None or view is None:
            self.clear()
            return
        opened = "its files" if row.task else "its tasks, largest first"
        self.show_lines(
            lambda style: lines(row, view, style),
            escape(plain_text(row.key if row.task else row.label)),
            with_keys(f"<open=Enter>: {opened}") if row.opens else "",
        )


def lines(row: SpaceRow, view: SpaceView, style: Styles) -> Iterable[tuple[str, Text]]:
    """Yield labels and their texts."""
    kind = view.request.kind
    yield "size", Text(" · ".join(_size_texts(row, view)))
    if row.note:
        yield "what", Text(with_keys(row.note))
    if row.by_status:
        yield "statuses", _statuses(row, kind, style)
    if row.purgeable is not None:
        number = len(row.ids) - sum(len(group.ids) for group in row.held)
        free = f"{_size(row.purgeable, kind)} of {pluralize(number, 'task')}"
        yield "can go", Text(free if number else "nothing")
    for group in row.held:
        count = pluralize(len(group.ids), "task")
        yield "can't go", Text(f"{_size(group.amount, kind)} of {count}: {group.label}")
    usage = view.usage
    tasks, purgeable = (format_size(one.of(kind)) for one in (usage.tasks, usage.purgeable))
    yield "root", Text(f"{_size(usage.total, kind)} · {tasks} in tasks · {purgeable} can go")
    if usage.unmeasured:
        yield "", Text(f"not counted: {pluralize(usage.unmeasured, 'folder')}, new or unreadable")


def _size(amount: Amount, kind: SizeKind) -> str:
    return kind.text(amount.of(kind))


def _size_texts(row: SpaceRow, view: SpaceView) -> Iterable[str]:
    kind = view.request.kind
    yield _size(row.amount, kind)
    if share := share_text(row.amount.of(kind), view.whole.of(kind)):
        yield share
    if len(row.ids) > 1:
        yield pluralize(len(row.ids), "task")
    yield pluralize(row.amount.files, "file")


def _statuses(row: SpaceRow, kind: SizeKind, style: Styles) -> Text:
    text = Text()
    parts = sorted(row.by_status.items(), key=lambda item: -item[1].of(kind))
    for place, (status, amount) in enumerate(parts):
        text.append(" · " if place else "", style("label"))
        text.append(f"{GLYPH[status]} {_size(amount, kind)} {status}", style(status.value))
    return text
