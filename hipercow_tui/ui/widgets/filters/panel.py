"""The filter panel: all filters with their counts, and the totals of a purge."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message

from hipercow_tui.domain.filter_counts import FilterCounts
from hipercow_tui.domain.filters import FilterStack, WithStatus
from hipercow_tui.domain.plan import PlanTotals
from hipercow_tui.domain.task import Status
from hipercow_tui.settings.saved_filters import SavedFilter
from hipercow_tui.ui.cells import cut_end, short_number
from hipercow_tui.ui.widgets.filters.age import AgeFilter
from hipercow_tui.ui.widgets.filters.bundle import BundleFilter, join_globs
from hipercow_tui.ui.widgets.filters.language import LanguageFilter
from hipercow_tui.ui.widgets.filters.line import WIDTH, FilterLine, heading
from hipercow_tui.ui.widgets.filters.purge_totals import PurgeTotals
from hipercow_tui.ui.widgets.filters.status import StatusFilter
from hipercow_tui.ui.widgets.filters.validated_input import ValidatedInput

FRAME_FROM = WIDTH + 4  # cells, from which on the panel has a frame

# The number of rows inside the frame from which on the panel shows
TOTALS_FROM = 12  # the totals of a purge,
HISTOGRAM_FROM = 20  # the histogram,
BLANK_LINES_FROM = 24  # a heading and blank lines between the filters,
TALL_HISTOGRAM_FROM = 26  # a higher histogram.


class Limits(NamedTuple):
    """What limits a purge besides the filters of the panel.

    ``steps`` are the labels of what the list is narrowed to, such as ``bundle sweep_03``.
    ``marked`` is the number of marked tasks, None without marks; ``passing`` is the number of those
    that pass all filters.
    """

    steps: Sequence[str] = ()
    marked: int | None = None
    passing: int = 0


class FilterPanel(Vertical):
    """The filters by status, age, bundle and language, what else limits a purge, and its totals.

    The panel has no access to the snapshot: it gets counts, and posts the filters.
    ``clock`` gives the time in seconds since the epoch.
    """

    DEFAULT_CSS = """
    FilterPanel {
        width: 26;
        height: 100%;
        border: round $border-blurred;
        border-title-color: $foreground;

        &:focus-within { border: heavy $border; }
        &.-narrow { width: 24; border: none; }
        & > VerticalScroll { height: 1fr; scrollbar-size-vertical: 0; }
        & #status-title { display: none; }
        &.-airy #status-title { display: block; }
        &.-airy .part { margin: 1 0 0 0; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "To the table", id="filters.leave"),
    ]

    class Changed(Message):
        """The filters have changed."""

        def __init__(self, stack: FilterStack) -> None:
            super().__init__()
            self.stack = stack

    class Left(Message):
        """The focus goes back to the table."""

    def __init__(self, clock: Callable[[], float] = time.time, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = "Filters"
        self._limits = Limits()
        self._totals: PlanTotals | None = None  # None until those of the selection are known
        self._total_size = ""
        self._title = FilterLine(id="status-title")
        self._statuses = StatusFilter(id="statuses")
        self._ages = AgeFilter(clock, id="ages", classes="part")
        self._bundles = BundleFilter(id="bundles", classes="part")
        self._langs = LanguageFilter(classes="part")
        self._steps = FilterLine(id="steps", classes="part")
        self._marks_line = FilterLine(classes="part")
        self._purge_totals = PurgeTotals()
        self._posted = self._values()

    def compose(self) -> ComposeResult:
        """Yield the filters, which scroll on a low terminal, and the totals, which do not."""
        with VerticalScroll(can_focus=False):
            yield self._title
            yield self._statuses
            yield self._ages
            yield self._bundles
            yield self._langs
            yield self._steps
            yield self._marks_line
        yield self._purge_totals

    def on_mount(self) -> None:
        """Show the present filters."""
        self._title.content = heading("Status", "")
        self._update()

    @property
    def stack(self) -> FilterStack:
        """The filters; a relative age is counted from the present time."""
        statuses = self._statuses.checked
        return FilterStack(
            finished_before=self._ages.value,
            in_bundle=self._bundles.value,
            with_status=WithStatus(statuses) if statuses else None,
            lang=self._langs.value,
        )

    def show_limits(self, limits: Limits) -> None:
        """Show what the list is narrowed to, and the marks."""
        if limits != self._limits:
            self._limits = limits
            self._update()

    def show(self, counts: FilterCounts) -> None:
        """Show how many tasks each filter alone matches, as counted by ``count_passing``."""
        self._statuses.counts = counts.statuses
        self._statuses.by_last_attempt = counts.by_last_attempt
        self._ages.show(counts)
        self._bundles.show(counts)
        self._langs.counts = counts.langs
        self._fit_histogram()

    def show_totals(self, totals: PlanTotals | None, size: str = "") -> None:
        """Show the totals of a purge of the present selection, and its size if it is known. None
        if they are not known yet."""
        if (totals, size) != (self._totals, self._total_size):
            self._totals, self._total_size = totals, size
            self._update()

    def focus_first(self) -> None:
        """Focus the statuses."""
        self._statuses.focus()

    def toggle_status(self, status: Status) -> None:
        """Check or uncheck a status."""
        self._statuses.toggle(status)

    def apply_saved(self, saved: SavedFilter) -> None:
        """Apply saved filters instead of the present ones."""
        self._statuses.checked = saved.status
        self._ages.entry.write(saved.finished_before or "")
        self._bundles.entry.write(join_globs(saved.in_bundle))
        self._langs.lang = saved.lang

    @on(ValidatedInput.Done)
    def action_leave(self) -> None:
        """Give the focus back to the table."""
        self.post_message(self.Left())

    def on_resize(self) -> None:
        """Leave out blank lines on a low terminal, then the histogram, then the totals."""
        rows = self._rows
        self.update_classes({"-narrow": not self._has_frame, "-airy": rows >= BLANK_LINES_FROM})
        self._purge_totals.display = rows >= TOTALS_FROM
        focused = self.screen.focused
        if focused is not None and self.has_focus_within:
            self.call_after_refresh(focused.scroll_visible, animate=False)
        self._show_steps(self._limits.steps)

    @property
    def _has_frame(self) -> bool:
        return self.outer_size.width >= FRAME_FROM

    @property
    def _rows(self) -> int:
        return self.outer_size.height - (2 if self._has_frame else 0)

    def _fit_histogram(self) -> None:
        """Set the height of the histogram; the filter by language takes one line, and so does what
        the list is narrowed to."""
        extra = bool(self._langs.counts) + bool(self._limits.steps)
        rows, least = self._rows, HISTOGRAM_FROM + extra
        self._ages.slider.rows = 3 if rows >= TALL_HISTOGRAM_FROM else 1 if rows >= least else 0

    @on(StatusFilter.Changed)
    @on(AgeFilter.Changed)
    @on(BundleFilter.Changed)
    @on(LanguageFilter.Changed)
    def _filters_changed(self) -> None:
        """Post Changed, but only once for changes that arrive together."""
        if self._values() != self._posted:
            self._posted = self._values()
            self._totals = None
            self.post_message(self.Changed(self.stack))
        self._update()

    def _values(self) -> tuple[object, ...]:
        """Return the values of all filters, without the present time."""
        bundles = self._bundles.value
        return (
            self._statuses.checked,
            self._ages.entry.value,
            bundles and bundles.patterns,
            self._langs.value,
        )

    def _update(self) -> None:
        steps, marked, passing = self._limits
        self._show_steps(steps)
        if marked is None:
            self._marks_line.content = heading("Marks", "none")
        elif not marked:
            self._marks_line.content = heading("Marks", "! all removed", warn=True)
        elif passing < marked:
            text = f"! {short_number(passing, 3)} of {short_number(marked, 3)} pass"
            self._marks_line.content = heading("Marks", text, warn=True)
        else:
            self._marks_line.content = heading("Marks", f"{marked:,} marked")
        if self.stack.given or steps or marked is not None:
            self._purge_totals.show_totals(
                self._totals, self._total_size, marked=marked is not None
            )
        else:
            self._purge_totals.show_no_filter()

    def _show_steps(self, steps: Sequence[str]) -> None:
        """Show a line for each step, on a low terminal one for all."""
        lines = steps if self._rows >= BLANK_LINES_FROM else [" › ".join(steps)][: len(steps)]
        self._steps.display = bool(lines)
        self._steps.styles.height = len(lines)
        self._steps.content = Content("\n").join(
            Content.styled(cut_end(f"› {line}", WIDTH), "bold") for line in lines
        )
        self._fit_histogram()
