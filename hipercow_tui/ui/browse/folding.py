"""Hides filters and details of the main screen if there is little space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.geometry import Size
from textual.markup import escape

from hipercow_tui.ui.browse.controller import Controller
from hipercow_tui.ui.widgets.filters.panel import FilterPanel

NARROW = 68  # cells; below, filters and tables are not side by side
LOW = 18  # rows; below, details are shown on request only
WIDE = 150  # cells from which details are beside the table


class Folding(Controller):
    """Decides what is hidden, by the size of the screen and by the keys ``h`` and Enter."""

    folded = False  # whether the filters are hidden
    _narrow = False

    @property
    def _filters(self) -> FilterPanel:
        return self._screen.query_one(FilterPanel)

    def resize(self, size: Size) -> None:
        """Fit the screen to another size. Filters that have the focus stay."""
        narrow = size.width < NARROW
        if narrow is not self._narrow:
            self._narrow = narrow
            self.folded = narrow and not self._filters.has_focus_within
        self._fold(self.folded, {"-low": size.height < LOW, "-wide": size.width >= WIDE})

    def toggle_filters(self) -> None:
        """Hide the filters, or show them."""
        self.close_details()
        self._fold(not self.folded)

    def leave_filters(self) -> None:
        """Focus the table; on a narrow screen, hide the filters."""
        if self._narrow:
            self._fold(True)
        self._panes.current.table.focus()

    def _fold(self, folded: bool, classes: Mapping[str, bool] | None = None) -> None:
        """Hide or show the filters, and set other classes of the screen in the same step: each step
        computes the styles of all widgets again."""
        self.folded = folded
        alone = self._narrow and not folded
        self._screen.update_classes({**(classes or {}), "-folded": folded, "-filters-alone": alone})
        self._screen.call_after_refresh(self._keep_focus)

    def _keep_focus(self) -> None:
        """Move the focus to something visible."""
        screen, pane = self._screen, self._panes.current
        in_filters = self._filters.has_focus_within
        if screen.has_class("-filters-alone"):
            if not in_filters:
                self._filters.focus_first()
            return
        on_details = screen.focused is not None and screen.focused is pane.details
        hidden = on_details and screen.has_class("-low") and not self.details_full
        if hidden or (in_filters and self.folded):
            pane.table.focus()

    @property
    def notes(self) -> Sequence[str]:
        """The filters, if they are hidden."""
        return (f"h {escape(str(self._filters.stack)) or 'filters'}",) if self.folded else ()

    # Details on the whole screen

    @property
    def details_full(self) -> bool:
        """Whether details have the whole screen."""
        return self._screen.has_class("-details")

    def toggle_details(self) -> None:
        """Show the details of the current row on the whole screen, or beside the table."""
        pane = self._panes.current
        full = not self.details_full and pane.details is not None
        self._screen.set_class(full, "-details")
        (pane.details if full and pane.details else pane.table).focus()

    def close_details(self) -> None:
        """Show the table."""
        self._screen.remove_class("-details")
