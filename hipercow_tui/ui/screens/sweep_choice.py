"""Where the user is on the screen of inputs, and what the user chose there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from hipercow_tui.analysis.sweep import SweepSort
from hipercow_tui.domain.narrowing import Narrowing
from hipercow_tui.ui.widgets.sweep_chart import ChartPlace


@dataclass(frozen=True, slots=True)
class SweepPlace:
    """Where the user was on the screen of inputs: the row under the cursor, the order, the search,
    and the place in the chart. ``in_chart`` says whether the chart had the focus."""

    row: str | None
    sort: SweepSort
    query: str
    chart: ChartPlace | None
    in_chart: bool


class SweepChoice(NamedTuple):
    """What the user chose: a task to go to, or what to narrow the list to; and the place."""

    target: str | Narrowing
    place: SweepPlace
