"""The head of the screen of a plan: its numbers, its filters, its warnings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.style import Style
from rich.text import Text

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.plan_chains import number_of_chains
from hipercow_tui.formats.folder_size import Size
from hipercow_tui.output import report
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.cells import plain_text

_MAX_WARNINGS = 3  # lines of the head; ] goes to all of them
_BOLD = Style(bold=True)


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """What the head says.

    Attributes:
        plan: The plan without the chains that the user keeps.
        total: The size that it frees; None if it is not known.
        measured_part: How much of the plan is measured, from 0 to 1; None if all is.
        refusal: Why it can't be purged; None if it can.
        current: Whether ``plan`` is what the user chose. If not, no number of it is shown.
        can_ignore: Whether the user can ignore unreadable bundles.
    """

    plan: PurgePlan
    total: Size | None
    measured_part: float | None
    refusal: str | None
    current: bool
    can_ignore: bool


def head_lines(facts: HeadFacts, width: int, style: Callable[[str], Style]) -> list[Text]:
    """Return the lines of the head; all but the first are cut to ``width`` cells.

    ``style`` returns the style of a variable of the theme.
    """
    filters = Text(plain_text(str(facts.plan.filters)), "dim")
    if not facts.current:
        lines = [Text.assemble(("Plan  ", "bold"), ("counting …", "dim")), filters]
    elif facts.plan.refused:
        lines = [_refused_line(facts, width, style), filters]
    else:
        lines = [_numbers_line(facts, width, style), filters, *_warning_lines(facts, style)]
    for line in lines[1:]:
        line.truncate(width, overflow="ellipsis")
    return lines


def _refused_line(facts: HeadFacts, width: int, style: Callable[[str], Style]) -> Text:
    error = style("text-error")
    headline = Text.assemble(("Plan  ", "bold"), (report.headline(facts.plan), _BOLD + error))
    keys = "x: leave out their chains"
    if facts.can_ignore:
        keys += " · I: ignore bundles"
    return _side_by_side(headline, Text(keys, error), width)


def _numbers_line(facts: HeadFacts, width: int, style: Callable[[str], Style]) -> Text:
    plan = facts.plan
    head = Text.assemble(("Plan  ", "bold"), (report.headline(plan, facts.total), "bold"))
    if facts.measured_part is not None and plan.tasks:
        head.append(f"  measuring {facts.measured_part:.0%}", "dim")
    effects = Text(report.side_effects(plan), style("text-warning"))
    if plan.kept:
        chains = pluralize(number_of_chains(plan.kept), "chain")
        text = f"{chains} kept by you ({pluralize(len(plan.kept), 'task')})"
        kept = Text(text, style("text-success"))
        effects = Text.assemble(kept, " · " if effects else "", effects)
    return _side_by_side(head, effects, width)


def _warning_lines(facts: HeadFacts, style: Callable[[str], Style]) -> list[Text]:
    plan, colour = facts.plan, style("text-warning")
    lines = [_warning(text, colour) for text in plan.warnings[:_MAX_WARNINGS]]
    if (more := len(plan.warnings) - _MAX_WARNINGS) > 0:
        lines.append(_warning(f"and {pluralize(more, 'more warning')}", colour))
    if facts.refusal and (plan.kept or not plan.empty):
        lines.append(Text(facts.refusal, style("text-error")))
    return lines


def _side_by_side(left: Text, right: Text, width: int) -> Text:
    """Return both texts on one line if they fit, else on two."""
    gap = width - left.cell_len - right.cell_len
    if not right or gap >= 2:
        return Text.assemble(left, " " * max(0, gap), right)
    return Text.assemble(left, "\n", right)


def _warning(text: str, colour: Style) -> Text:
    return Text.assemble(("! ", _BOLD + colour), (plain_text(text), colour))
