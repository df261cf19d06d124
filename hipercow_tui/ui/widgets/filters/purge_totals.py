"""The totals of a purge below the filters: tasks and bundles that would go, and blocked tasks."""

from __future__ import annotations

from typing import NamedTuple

from textual.content import Content

from hipercow_tui.ui.widgets.filters.line import QUIET, WIDTH, FilterLine, short_number

TITLE = " Would go "
NUMBER_WIDTH = 6  # cells of a number


class Totals(NamedTuple):
    """The numbers of a purge with the present filters."""

    matched: int = 0
    cascaded: int = 0
    bundles: int = 0
    blocked: int = 0


class PurgeTotals(FilterLine):
    """A rule with a title, and four numbers below it."""

    DEFAULT_CSS = """
    PurgeTotals { height: 5; }
    """

    def show_no_filter(self) -> None:
        """Show that nothing goes without a filter."""
        self._set_lines(Content.styled("nothing: no filter set", QUIET))

    def show_totals(self, totals: Totals, *, marked: bool) -> None:
        """Show the numbers of matched tasks, others in retry chains, bundles and blocked tasks.

        With ``marked``, only marked tasks go, and are counted.
        """
        rows = (
            (" ", totals.matched, "marked" if marked else "matched", "bold"),
            ("+", totals.cascaded, "in retry chains", ""),
            ("+", totals.bundles, "bundle" if totals.bundles == 1 else "bundles", ""),
            ("!" if totals.blocked else " ", totals.blocked, "blocked", "bold $text-warning"),
        )
        numbers = [short_number(value, NUMBER_WIDTH) for _, value, _, _ in rows]
        width = max(3, *map(len, numbers))
        self._set_lines(
            *(
                Content.styled(f"{sign} {shown:>{width}} {word}", style if value else QUIET)
                for (sign, value, word, style), shown in zip(rows, numbers, strict=True)
            )
        )

    def _set_lines(self, *lines: Content) -> None:
        rule = Content.assemble(
            ("─", QUIET),
            (TITLE, "bold"),
            ("─" * (WIDTH - 1 - len(TITLE)), QUIET),
        )
        self.content = Content("\n").join([rule, *lines])
