"""The columns of a plan: their widths, by the terminal and by the texts, and their titles."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from rich.cells import set_cell_size
from rich.text import Text

from hipercow_tui.analysis.plan_arrangement import Arrangement, ChainKey
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.ui.cells import cut_end

# All widths are in cells.
IDS_FROM = 100  # the width from which on lines have the id of the task
BUNDLES_FROM = 120  # the width from which on lines have the bundles of the chain
LONG_AGES_FROM = 150  # the width from which on ages are in words
CAUTIONS_FROM = 150  # the width from which on lines have the warnings
_START = 19  # cursor, "!", space, "-", sign, space, status of eleven, two spaces
_MAX_WHAT, _MIN_WHAT = 60, 16
_MAX_SECOND, _MIN_SECOND = 120, 22  # of inputs or a reason: "first attempt of 3f2a…"
_REASON = 30  # "first attempt of 3f2a9c…71e0"
MAX_BUNDLE = 24
_MIN_CAUTION = 24
_EFFECT = 47  # of what happens to a bundle: "1,400 tasks: 1,380 go, 20 stay without it"


@dataclass(frozen=True, slots=True)
class Widest:
    """The widths of the longest texts that were seen in the columns.

    ``label`` is of the lines of bundles, with the language.
    """

    what: int = _MIN_WHAT
    second: int = _REASON
    bundle: int = 0
    label: int = 0


@dataclass(frozen=True, slots=True)
class PlanLayout:
    """The width of each column with the gap after it; 0 for a column that is not shown.

    ``label`` is the name on the lines of bundles.
    """

    width: int
    what: int
    second: int
    bundle: int
    age: int
    size: int
    id: int
    caution: int
    label: int


def plan_layout(width: int, widest: Widest) -> PlanLayout:
    """Lay out the columns for a list of ``width`` cells.

    Calls and inputs get the width that their texts need, and all that is left.
    """
    age, size = (17 if width >= LONG_AGES_FROM else 7), 10
    id_width = 14 if width >= IDS_FROM else 0
    bundle = min(widest.bundle, MAX_BUNDLE) + 2 if width >= BUNDLES_FROM and widest.bundle else 0
    rest = max(0, width - _START - age - size - id_width - bundle)
    what = min(max(widest.what, _MIN_WHAT), _MAX_WHAT) + 2
    second = min(max(widest.second, _REASON), _MAX_SECOND) + 2
    if rest < _MIN_WHAT + _MIN_SECOND:
        what, second, caution = rest, 0, 0
    elif what + second <= rest:
        caution = rest - what - second
        if width < CAUTIONS_FROM or caution < _MIN_CAUTION:
            second, caution = rest - what, 0
    else:
        what = min(what, max(_MIN_WHAT, rest * 9 // 20))
        second, caution = rest - what, 0
    label = max(12, min(widest.label, width - _EFFECT))
    return PlanLayout(width, what, second, bundle, age, size, id_width, caution, label)


def header_line(arrangement: Arrangement, layout: PlanLayout, kind: SizeKind) -> Text:
    """Return the titles of the columns; the grouping is above the status."""
    # The newest have the smallest age.
    largest_first = arrangement.reverse is not (arrangement.key is ChainKey.AGE)
    arrow = "↓" if largest_first else "↑"

    def title(name: str, key: ChainKey | None = None) -> str:
        return f"{name} {arrow}" if key is arrangement.key else name

    grouping = arrangement.grouping_text
    if arrangement.key is ChainKey.ID and not layout.id:
        grouping += f", {title('id', ChainKey.ID)}"
    cells = [
        ("  " + grouping, _START),
        (title("what runs", ChainKey.WHAT), layout.what),
        ("inputs", layout.second),
        ("bundles", layout.bundle),
        (" " + title("age", ChainKey.AGE), layout.age),
        (title(kind, ChainKey.SIZE).rjust(layout.size - 1), layout.size),
        ("  " + title("id", ChainKey.ID), layout.id),
        ("warnings", layout.caution),
    ]
    return Text("".join(fit_start(text, width) for text, width in cells))


def header_key(x: int, layout: PlanLayout) -> ChainKey | None:
    """Return the order of the title at a cell; None if it has none."""
    ends = accumulate(
        (_START, layout.what, layout.second, layout.bundle, layout.age, layout.size, layout.id)
    )
    keys = (None, ChainKey.WHAT, None, None, ChainKey.AGE, ChainKey.SIZE, ChainKey.ID)
    return next((key for end, key in zip(ends, keys, strict=True) if x < end), None)


def fit_start(text: str, width: int) -> str:
    """Return the text cut at its end and padded to ``width`` cells, with a gap after it."""
    if width <= 0:
        return ""
    return set_cell_size(cut_end(text, width - 2 if width > 10 else width - 1), width)
