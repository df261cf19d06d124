"""No number in a table is cut, and a title is cut at its end, at any width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.content import Content

from hipercow_tui.analysis.bundle_rows import BundleKey, BundleRow
from hipercow_tui.analysis.disk_usage import DiskUsage, MeasuredSize
from hipercow_tui.analysis.task_sorting import SortKey
from hipercow_tui.domain.task import Bundle, Status, Task
from hipercow_tui.formats.folder_size import Size, SizeKind
from hipercow_tui.support.text import format_size
from hipercow_tui.ui.browse.presenter import fit_notes
from hipercow_tui.ui.cells import Column, PlacedColumn, fit, place_columns, short_number, short_size
from hipercow_tui.ui.marks import Marks
from hipercow_tui.ui.widgets.bundle_table import BundleTable
from hipercow_tui.ui.widgets.error_table import ErrorTable
from hipercow_tui.ui.widgets.row_rendering import GUTTER, column_title
from hipercow_tui.ui.widgets.task_cells import size_part
from hipercow_tui.ui.widgets.task_table import TaskTable
from hipercow_tui.ui.widgets.virtual_table import VirtualTable

WIDTHS = range(20, 251)
LONG_TITLES = [Column(str(number), "a_long_name" * number, 4, 20) for number in range(1, 4)]
KINDS_OF_SIZE = {SizeKind.APPARENT: SortKey.SIZE, SizeKind.ON_DISK: SortKey.DISK}
numbers = st.integers(0, 999_999_999)
sizes = st.builds(Size, st.integers(0, 10**16), numbers, st.integers(0, 10**16))


def tables(kind: SizeKind) -> tuple[VirtualTable, ...]:
    tasks, bundles = TaskTable({}, Marks()), BundleTable(Marks())
    for table in (tasks, bundles):
        table.call_next = lambda *_: None  # type: ignore[method-assign]
    tasks.show_sizes({}, kind)
    bundles.show_sizes(kind)
    return tasks, bundles, ErrorTable(Marks())


def layouts(table: VirtualTable) -> Iterator[Sequence[PlacedColumn]]:
    for width in WIDTHS:
        yield place_columns(table.columns(width), width, start=GUTTER)


def placed_columns(kind: SizeKind, table: int, *keys: str) -> set[PlacedColumn]:
    """Return the places of the columns with these keys, at all widths."""
    found = layouts(tables(kind)[table])
    return {placed for layout in found for placed in layout if placed.column.key in keys}


TASK_SIZES = {
    placed
    for kind in SizeKind
    for placed in placed_columns(kind, 0, SortKey.SIZE, SortKey.DISK, SortKey.FILES)
}
BUNDLE_NUMBERS = {
    placed
    for kind in SizeKind
    for placed in placed_columns(
        kind, 1, BundleKey.SIZE, BundleKey.DISK, BundleKey.FILES, BundleKey.TASKS
    )
}


def is_whole(text: str, width: int) -> bool:
    return "…" not in text and fit(text, width) == text.ljust(width)


@pytest.mark.parametrize("arrow", ["", "↑", "↓"])
@pytest.mark.parametrize("kind", SizeKind)
def test_a_title_is_cut_at_its_end_and_keeps_its_arrow(kind: SizeKind, arrow: str) -> None:
    found = [layout for table in tables(kind) for layout in layouts(table)]
    found += [place_columns(LONG_TITLES, width, start=GUTTER) for width in WIDTHS]
    for placed in {placed for layout in found for placed in layout}:
        text = column_title(placed, arrow)
        assert cell_len(text) == placed.width
        title = text.strip()
        assert title.endswith(arrow)
        title = title.removesuffix(arrow)
        assert placed.column.title.startswith(title.removesuffix("…").rstrip())
        assert title.endswith("…") == (title != placed.column.title)


def test_titles_of_numbers_are_not_cut() -> None:
    for kind in SizeKind:
        for table in tables(kind):
            for placed in {placed for layout in layouts(table) for placed in layout}:
                if placed.column.right:
                    assert column_title(placed, "↓").strip() == f"{placed.column.title}↓"


@given(sizes, st.booleans())
def test_sizes_of_tasks_are_not_cut(size: Size, current: bool) -> None:
    task = Task("a" * 32, Status.SUCCESS if current else Status.RUNNING)
    for placed in TASK_SIZES:
        text, _ = size_part(MeasuredSize(size, task.files_mask), task, placed)
        assert is_whole(text, placed.width) and text.strip()
        assert text.lstrip().startswith("~") != current


@given(sizes, st.booleans(), numbers)
def test_numbers_of_bundles_are_not_cut(size: Size, complete: bool, number: int) -> None:
    usage = DiskUsage(size, 3, 3 if complete else 4)
    row = BundleRow(Bundle("sweep", ()), number, 0, {}, usage)
    table = BundleTable(Marks())
    for placed in BUNDLE_NUMBERS:
        ((text, _),) = table._cell(row, placed)
        assert is_whole(text, placed.width) and text.strip()


@given(st.integers(0, 10**12 - 1), st.integers(4, 20))
def test_a_short_number_fits_and_is_exact_where_it_can_be(number: int, width: int) -> None:
    text = short_number(number, width)
    assert len(text) <= width
    digits = text.replace(",", "")
    if len(str(number)) <= width:
        assert digits == str(number)
    else:
        factor = {"k": 10**3, "M": 10**6, "G": 10**9}[digits[-1]]
        assert int(digits[:-1]) == number // factor > 0


@given(st.integers(0, 10**20))
def test_a_short_size_fits_into_four_cells_and_differs_by_less_than_a_tenth(number: int) -> None:
    text = short_size(number)
    assert len(text) <= 4
    shown = float(text[:-1]) * 1000 ** "BkMGTPE".index(text[-1])
    assert abs(shown - number) <= 0.05 * number


@pytest.mark.parametrize("kind", SizeKind)
@pytest.mark.parametrize("width", [52, 60, 70])  # 52 is that of a terminal of 80 columns
def test_inputs_are_shown_beside_sizes(kind: SizeKind, width: int) -> None:
    layout = place_columns(tables(kind)[0].columns(width), width, start=GUTTER)
    keys = [placed.column.key for placed in layout]
    assert {SortKey.INPUTS, SortKey.FINISHED, KINDS_OF_SIZE[kind]} <= set(keys)


@given(st.integers(0, 10**18))
def test_a_size_fits_into_eight_cells(number: int) -> None:
    text = format_size(number)
    assert len(text) <= 8 and text.endswith("B")


@given(st.lists(st.from_regex(r"\A[0-9,.]{1,9} [a-z]{1,12}\Z"), min_size=1, max_size=6), numbers)
def test_notes_are_shown_whole_or_not_at_all(notes: list[str], width: int) -> None:
    width %= 80
    shown = fit_notes([f"[b]{note}[/]" for note in notes], width)
    parts = Content.from_markup(shown).plain.split(" · ")
    assert parts == notes[: len(parts)]
    assert len(parts) == 1 or len(" · ".join(parts)) <= width
    assert len(parts) == len(notes) or len(" · ".join(notes[: len(parts) + 1])) > width
