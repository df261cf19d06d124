"""The totals of a purge below the filters: tasks and bundles that would go, and blocked tasks."""

from __future__ import annotations

from textual.content import Content

from hipercow_tui.domain.plan import PlanTotals
from hipercow_tui.ui.cells import short_number
from hipercow_tui.ui.widgets.filters.line import QUIET, WIDTH, FilterLine
from hipercow_tui.ui.widgets.row_rendering import PINNED

TITLE = " Would go "
NUMBER_WIDTH = 6  # cells of a number
_PINNED_WIDTH = 3


class PurgeTotals(FilterLine):
    """A rule with a title, and four numbers below it."""

    DEFAULT_CSS = """
    PurgeTotals { height: 5; }
    """

    def show_no_filter(self) -> None:
        """Show that nothing goes without a filter."""
        self._set_lines(Content.styled("nothing: no filter set", QUIET))

    def show_totals(self, totals: PlanTotals | None, size: str, *, marked: bool) -> None:
        """Show the numbers of matched tasks, others in retry chains, bundles and blocked tasks.

        They are ``…`` while they are not known. ``size`` takes the place of the blocked tasks if
        there are none; it is empty while the size is not known. With ``marked``, only marked tasks
        go, and are counted. Tasks that pins hold back are counted on the first line.
        """
        numbers = totals or PlanTotals()
        rows = (
            (" ", numbers.matched, "marked" if marked else "matched", "bold"),
            ("+", numbers.cascaded, "in retry chains", ""),
            ("+", numbers.bundles, "bundle" if numbers.bundles == 1 else "bundles", ""),
            ("!" if numbers.blocked else " ", numbers.blocked, "blocked", "bold $text-warning"),
        )
        shown = [short_number(value, NUMBER_WIDTH) if totals else "…" for _, value, _, _ in rows]
        width = max(3, *map(len, shown))
        lines = [
            Content.styled(f"{sign} {number:>{width}} {word}", style if value else QUIET)
            for (sign, value, word, style), number in zip(rows, shown, strict=True)
        ]
        if numbers.pinned:
            lines[0] += f" {PINNED} {short_number(numbers.pinned, _PINNED_WIDTH)}"
        if totals and size and not totals.blocked:
            lines[-1] = Content.styled(f"= {size}", "bold")
        self._set_lines(*lines)

    def _set_lines(self, *lines: Content) -> None:
        rule = Content.assemble(
            ("─", QUIET),
            (TITLE, "bold"),
            ("─" * (WIDTH - 1 - len(TITLE)), QUIET),
        )
        self.content = Content("\n").join([rule, *lines])
