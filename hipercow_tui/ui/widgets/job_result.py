"""The report of a purge, restore or emptying, with each item that failed and the reason."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.formats.free_space import FreeSpace
from hipercow_tui.output.report import Report, free_space_lines, held_by_pins
from hipercow_tui.purging import EmptyReport, ItemResult, PurgeReport, RestoreReport
from hipercow_tui.support.text import format_duration, tasks_and_bundles
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.widgets.virtual_list import VirtualList

_WRAP = 62  # cells of a reason, to fit a terminal of 80 columns
_PART = 5  # the reasons take a fifth of the rows of the screen


class JobResult(Vertical):
    """Shows a report below the tables, without taking the focus.

    A job ends at any moment: a dialog would get the keys that are meant for the list.
    """

    DEFAULT_CSS = """
    JobResult {
        height: auto; padding: 0 1; background: $surface;
        border: round $success; border-title-style: bold;
        border-title-color: $foreground; border-subtitle-color: $foreground;
    }
    JobResult.-incomplete { border: round $warning; }
    JobResult Static { height: auto; width: 1fr; }
    """

    def __init__(
        self,
        report: Report,
        size_kind: SizeKind = SizeKind.APPARENT,
        space_before: FreeSpace | None = None,
    ) -> None:
        super().__init__(classes="" if report.complete else "-incomplete")
        self._report = report
        self._space_before = space_before
        self._space: FreeSpace | None = None
        self._size_kind = size_kind
        self._reasons = list(_reasons(report))
        self.border_title = title_of(report)
        scroll = (with_keys("<pane=tab>: scroll"),) if self._reasons else ()
        self.border_subtitle = " · ".join(
            (*next_steps(report), *scroll, with_keys("<back=esc>: close"))
        )

    def compose(self) -> ComposeResult:
        """Yield the summary, and the reasons of failed items, if any."""
        yield Static(self._summary, id="summary", markup=False)
        if self._reasons:
            yield _Reasons(self._reasons)

    @property
    def _summary(self) -> str:
        summary = _summary(self._report, self._size_kind)
        goal = self._report.plan.goal if isinstance(self._report, PurgeReport) else ""
        space = free_space_lines(self._report, self._space_before, lambda: self._space)
        lines = filter(None, (goal, *space))
        return "\n".join((summary, *(f"{line}." for line in lines)))

    def show_space(self, space: FreeSpace | None) -> None:
        """Say how much space is free now, if the job freed any."""
        self._space = space
        for shown in self.query("#summary").results(Static):
            shown.update(self._summary)


class _Reasons(VirtualList):
    """The reasons, and the items below each."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__()
        self._reasons = reasons

    def on_mount(self) -> None:
        """Set the number of lines, and show as many as there is space for."""
        self.count = len(self._reasons)
        self.styles.height = min(self.count, max(3, self.screen.size.height // _PART))

    def line(self, y: int) -> Text:
        """Return the text of a line; items are indented."""
        reason = self._reasons[y]
        return Text(f" {reason}", "" if reason.startswith(" ") else "bold")


def next_steps(report: Report) -> tuple[str, ...]:
    """Return the keys of the main screen that are useful after this job."""
    trash, history = with_keys("<trash=T>: trash"), with_keys("<history=H>: history")
    if isinstance(report, PurgeReport) and report.trash is not None:
        return with_keys("<undo=U>: undo"), trash, history
    if isinstance(report, EmptyReport) and report.stopped:
        return trash, history
    return (history,)


def title_of(report: Report) -> str:
    """Return a sentence on the result, and whether all was done."""
    if isinstance(report, RestoreReport):
        return "Restored" if report.complete else "Restored, but not all"
    if isinstance(report, EmptyReport):
        done, job = "Trash emptied", "Emptying"
    elif report.trash is not None:
        done, job = "Moved to the trash", "Move to the trash"
    else:
        done, job = "Purged", "Purge"
    if report.complete:
        return done
    return f"{job} stopped" if report.stopped else f"{done}, but not all"


def _summary(report: Report, size_kind: SizeKind) -> str:
    if isinstance(report, RestoreReport):
        return _restore_summary(report)
    counts = len(report.removed), len(report.removed_bundles)
    pinned = held_by_pins(report.plan) if isinstance(report, PurgeReport) else ""
    held = f"\n{pinned}." if pinned else ""
    if isinstance(report, PurgeReport) and report.trash is not None:
        moved = tasks_and_bundles(*counts, "is/are")
        space = report.moved.text(size_kind) if report.moved else "the space"
        return f"{moved} in the trash. Emptying it frees {space}.{held}"
    duration = format_duration(max(1.0, report.seconds))
    text = f"Erased {tasks_and_bundles(*counts)}: {report.freed.text(size_kind)}"
    text += f" freed in {duration}."
    if isinstance(report, EmptyReport) and report.stopped:
        text += with_keys(
            "\nThe rest is still in the trash (<trash=T>): restore it, or finish the emptying."
        )
    if isinstance(report, PurgeReport) and report.quarantine_path is not None:
        text += (
            f"\nItems that could not be erased are in {plain_text(str(report.quarantine_path))}."
        )
    return text + held


def _restore_summary(report: RestoreReport) -> str:
    restored = len(report.restored), len(report.restored_bundles)
    text = f"Restored {tasks_and_bundles(*restored)}."
    if report.missing_ids:
        missing = tasks_and_bundles(len(report.missing_ids), 0, "was/were")
        text += f" {missing} erased before and can't be restored."
    return text


def _reasons(report: Report) -> Iterable[str]:
    """Yield each reason once, wrapped for a narrow screen, and below it the items."""
    failed = "Not restored" if isinstance(report, RestoreReport) else "Failed"
    groups = [(failed, report.failed)]
    if isinstance(report, PurgeReport):
        groups.append(("Put back, or left in its place", report.put_back))
        groups.append(("Gone already", report.vanished))
    if isinstance(report, RestoreReport):
        reason = "it was erased before"
        groups.append(
            ("Gone", tuple(ItemResult(task_id, reason) for task_id in report.missing_ids))
        )
    for title, results in groups:
        by_reason: dict[str, list[str]] = {}
        for result in results:
            by_reason.setdefault(result.reason, []).append(_name(result))
        for reason, names in by_reason.items():
            yield from textwrap.wrap(f"{title}, {len(names):,}: {plain_text(reason)}", _WRAP)
            yield from (f"  {name}" for name in names)


def _name(result: ItemResult) -> str:
    name = f"bundle {plain_text(result.name)}" if result.is_bundle else plain_text(result.name)
    return name if result.where is None else f"{name}, kept in {plain_text(str(result.where))}"
