"""The head of the screen of a plan: its numbers, its filters, its warnings."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from rich.style import Style
from rich.text import Text
from textual.widgets import Static

from hipercow_tui.analysis.goal import Goal
from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.output.reconciling import can_ask_about
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.styles import theme_style
from hipercow_tui.ui.workers.plan_view import PlanView

_MAX_WARNINGS = 3  # lines of the head; ] goes to all of them
_BOLD = Style(bold=True)
_TITLE = ("Plan  ", "bold")


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """What the head says.

    Attributes:
        filters: The filters of the plan.
        view: What is shown; None while it is of an earlier choice. Then no number is shown.
        measured_part: How much of the plan is measured, from 0 to 1; None if all is.
        refusal: Why it can't be purged; None if it can.
        can_ignore: Whether the user can ignore unreadable bundles.
        goal: How much the user wants to free at least; None if that is not limited.
    """

    filters: str
    view: PlanView | None
    measured_part: float | None
    refusal: str | None
    can_ignore: bool
    goal: Goal | None = None


class PlanHead(Static):
    """The lines above a plan."""

    _facts: HeadFacts | None = None

    def show(self, facts: HeadFacts) -> None:
        """Show other facts."""
        self._facts = facts
        self._lay_out()

    def on_resize(self) -> None:
        """Lay out the text for the new width."""
        self._lay_out()

    def _lay_out(self) -> None:
        if self._facts is None:
            return
        width = max(40, self.app.size.width - 2)
        lines = head_lines(self._facts, width, partial(theme_style, self.app))
        text = Text("\n").join(lines)
        self.update(text)
        # With an automatic height, Textual keeps the height of the text before if two updates
        # follow each other within one frame.
        self.styles.height = text.plain.count("\n") + 1


def head_lines(facts: HeadFacts, width: int, style: Callable[[str], Style]) -> list[Text]:
    """Return the lines of the head; all but the first are cut to ``width`` cells.

    ``style`` returns the style of a variable of the theme.
    """
    filters, view = Text(plain_text(facts.filters), "dim"), facts.view
    if view is None:
        lines = [Text.assemble(_TITLE, (_progress(facts), "dim")), filters]
    elif view.plan.refused:
        lines = [_refused_line(view, width, style, can_ignore=facts.can_ignore), filters]
    else:
        effects = Text(view.stays, style("text-success"))
        effects.append(" · " if view.stays and view.effects else "")
        effects.append(view.effects, style("text-warning"))
        lines = [_side_by_side(_numbers(view, facts.measured_part), effects, width), filters]
        if view.plan.goal:
            missed = view.plan.empty and not view.plan.kept
            colour = style("text-warning" if missed else "text-success")
            goal = textwrap.wrap(plain_text(view.plan.goal), width)
            lines += [Text(line, colour) for line in goal]
        lines += _warning_lines(view.plan, facts.refusal, style)
    for line in lines[1:]:
        line.truncate(width, overflow="ellipsis")
    return lines


def _progress(facts: HeadFacts) -> str:
    if facts.goal is None or facts.measured_part is None:
        return "counting …"
    return f"measuring {facts.measured_part:.0%}, for the goal of {facts.goal}"


def _refused_line(
    view: PlanView, width: int, style: Callable[[str], Style], *, can_ignore: bool
) -> Text:
    error = style("text-error")
    keys = with_keys("<plan.skip=x>: leave out their chains")
    if can_ignore:
        keys += with_keys(" · <plan.ignore=I>: ignore bundles")
    if any(can_ask_about(one.task) for one in view.plan.blocked):
        keys += with_keys(" · <plan.reconcile=R>: ask the cluster")
    headline = Text.assemble(_TITLE, (view.headline, _BOLD + error))
    return _side_by_side(headline, Text(keys, error), width)


def _numbers(view: PlanView, measured_part: float | None) -> Text:
    head = Text.assemble(_TITLE, (view.headline, "bold"))
    if measured_part is not None and view.plan.tasks:
        head.append(f"  measuring {measured_part:.0%}", "dim")
    return head


def _warning_lines(
    plan: PurgePlan, refusal: str | None, style: Callable[[str], Style]
) -> Iterator[Text]:
    colour = style("text-warning")
    for text in plan.warnings[:_MAX_WARNINGS]:
        yield _warning(text, colour)
    if (more := len(plan.warnings) - _MAX_WARNINGS) > 0:
        yield _warning(f"and {pluralize(more, 'more warning')}", colour)
    if refusal and refusal != plan.goal and (plan.kept or plan.pinned or not plan.empty):
        yield Text(refusal, style("text-error"))


def _side_by_side(left: Text, right: Text, width: int) -> Text:
    """Return both texts on one line if they fit, else on two."""
    gap = width - left.cell_len - right.cell_len
    if not right or gap >= 2:
        return Text.assemble(left, " " * max(0, gap), right)
    return Text.assemble(left, "\n", right)


def _warning(text: str, colour: Style) -> Text:
    return Text.assemble(("! ", _BOLD + colour), (plain_text(text), colour))
