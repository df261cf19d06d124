"""The sum under the filters: what a purge would take, and what stands in its way."""

from __future__ import annotations

from textual.content import Content

from hipercow_tui.ui.widgets.filters.line import QUIET, WIDTH, FilterLine, short_number

TITLE = " Would go "
NUMBER_WIDTH = 6  # cells of a number


class PurgeTotals(FilterLine):
    """A rule with a title, and four numbers under each other."""

    DEFAULT_CSS = """
    PurgeTotals { height: 5; }
    """

    def show_no_filter(self) -> None:
        """No filter is given: nothing would go."""
        self._set_lines(Content.styled("nothing: no filter set", QUIET))

    def show_totals(self, matched: int, cascaded: int, bundles: int, blocked: int) -> None:
        """What the filters match, what it draws in, and what blocks."""
        rows = (
            (" ", matched, "matched", "bold"),
            ("+", cascaded, "in retry chains", ""),
            ("+", bundles, "bundle" if bundles == 1 else "bundles", ""),
            ("!" if blocked else " ", blocked, "blocked", "bold $text-warning"),
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
