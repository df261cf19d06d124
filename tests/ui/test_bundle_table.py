from __future__ import annotations

from pathlib import Path

import pytest
from small_root import task_id, write_bundle, write_task
from ui_driving import all_rows_shown, screen_text, until

from hipercow_tui.analysis.bundle_rows import BundleKey, BundleSort, Progress
from hipercow_tui.domain.task import Status
from hipercow_tui.formats.root import find_root
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.widgets.bundle_table import progress_cell, status_bar, status_counts

NOW = 1_795_450_000.0
IDS = tuple(map(task_id, range(60)))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A bundle of 40 tasks, two of which run; one of 12 with eleven successes; one of two tasks."""
    for place, identity in enumerate(IDS):
        status, finished = "success", NOW - 5400  # started one minute after it was created
        if place == 40:
            status = "created"
        elif 30 <= place < 40:
            status = "running" if place < 32 else "submitted"
            finished = NOW - 1800  # when it started
        write_task(tmp_path, identity, status, created=NOW - 9060, finished=finished)
    write_bundle(tmp_path, "large", IDS[:40])
    write_bundle(tmp_path, "mostly_success", IDS[40:52])
    write_bundle(tmp_path, "pair", IDS[52:54])
    return tmp_path


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_strips_counts_and_progress_of_bundles_are_shown(
    root: Path, size: tuple[int, int]
) -> None:
    app = HipercowApp(find_root(root), clock=lambda: NOW)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: all_rows_shown(app))
        await pilot.press("b")
        await until(pilot, lambda: "its tasks" in screen_text(app))
        lines = {line.split()[0]: line for line in _table_lines(app)}
        assert "✓ 11 ○ 1" in lines["mostly_success"]
        assert "created" not in lines["mostly_success"].partition("✓")[2]
        strips = {name: line.count("✓") - 1 for name, line in lines.items()}
        assert strips["large"] > strips["mostly_success"] > strips["pair"] >= 1
        assert strips["pair"] <= 2
        assert ("30/40, about 4 h" in lines["large"]) is (size == (160, 45))
        app.browser.bundles_pane.table.move_to(app.browser.bundles_pane.table.row_of("large") or 0)
        # The end of the line may be beside a scrollbar.
        await until(pilot, lambda: "30 of 40 done · about 4 h left · 2 at" in _flat(app))


async def test_the_bundle_of_most_disk_is_shown_while_tasks_are_measured(root: Path) -> None:
    folder = root / "hipercow" / "tasks" / IDS[53][:2] / IDS[53][2:]
    (folder / "result").write_bytes(bytes(1_000_000))
    app = HipercowApp(find_root(root), clock=lambda: NOW)
    async with app.run_test(size=(118, 40)) as pilot:
        await until(pilot, lambda: all_rows_shown(app))
        await pilot.press("b")
        table, wanted = app.browser.bundles_pane.table, BundleSort(BundleKey.DISK, True)
        app.browser.sizing.switch_kind()
        app.browser.bundles_pane.sort_by(BundleKey.DISK)
        await until(pilot, lambda: table.sort == wanted)
        assert not table.keys[0].endswith("pair")
        await pilot.press("z")
        await until(pilot, lambda: table.keys[0].endswith("pair"))
        assert table.cursor == 0


async def test_an_order_by_a_column_that_is_not_shown_is_named_below(root: Path) -> None:
    app = HipercowApp(find_root(root), clock=lambda: NOW)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: all_rows_shown(app))
        await pilot.press("b")
        await until(pilot, lambda: "sorted by changed ↓" in screen_text(app))
        await pilot.resize_terminal(160, 45)
        await until(pilot, lambda: "changed↓" in screen_text(app))
        await until(pilot, lambda: "sorted by changed" not in screen_text(app))


async def test_reduced_status_is_in_the_details_only(root: Path) -> None:
    app = HipercowApp(find_root(root), clock=lambda: NOW)
    async with app.run_test(size=(118, 40)) as pilot:
        await until(pilot, lambda: all_rows_shown(app))
        await pilot.press("b")
        table = app.browser.bundles_pane.table
        table.move_to(table.row_of("mostly_success") or 0)
        await until(pilot, lambda: "created, as R reduces it" in screen_text(app))
        assert "12 · ✓ 11 success · ○ 1 created" in _flat(app)


def _flat(app: HipercowApp) -> str:
    return " ".join(screen_text(app).replace("│", " ").split())


def _table_lines(app: HipercowApp) -> list[str]:
    table = app.browser.bundles_pane.table
    return [table.render_line(1 + row).text[3:] for row in range(len(table.keys))]


def test_counts_are_never_cut() -> None:
    numbers: dict[Status | None, int] = {Status.FAILURE: 4, Status.CANCELLED: 7, Status.SUCCESS: 22}
    texts = ["".join(text for text, _ in status_counts(numbers, width)) for width in range(4, 20)]
    assert set(texts) == {"✗ 4 …", "✗ 4 ✓ 22 …", "✗ 4 ⊘ 7 ✓ 22"}


def test_strip_of_an_empty_bundle_is_empty() -> None:
    assert status_bar({}, 10, 5) == (("", ""),)
    assert status_bar({Status.FAILURE: 1, Status.SUCCESS: 9}, 10, 20) == (
        ("✗", "failure"),
        ("✓✓✓✓", "success"),
    )


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (28, "30 of 40, about 4 min left"),
        (19, "30/40, about 4 min"),
        (13, "30 of 40 done"),
        (5, "30/40"),
        (4, ""),
    ],
)
def test_progress_gives_way_as_a_whole_and_is_never_cut(width: int, text: str) -> None:
    progress = Progress(30, 8, 2, (0.0, 0.0), 30, 48.0)
    assert progress_cell(progress, 40, 0.0, width) == ((text, "quiet"),)
