"""Narrowing the list of tasks, going back, and marks in every list."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from failing import result_file, write_failed
from small_root import DAY, task_id, write_bundle, write_task
from ui_driving import Driven, all_rows_shown, heard

from hipercow_tui.analysis.task_sorting import SortKey
from hipercow_tui.domain.filters import InBundle, TaskIds
from hipercow_tui.domain.narrowing import Narrowing
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.formats.root import find_root
from hipercow_tui.settings.saved_filters import SavedFilter
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.confirm import ConfirmScreen
from hipercow_tui.ui.dialogs.copy_menu import CopyMenuScreen
from hipercow_tui.ui.screens.error_messages import ErrorMessagesScreen
from hipercow_tui.ui.screens.plan import PlanScreen
from hipercow_tui.ui.screens.sweep import SweepScreen
from hipercow_tui.ui.screens.sweep_choice import SweepChoice
from hipercow_tui.ui.widgets.breadcrumb import SEPARATOR, Breadcrumb, fit_steps
from hipercow_tui.ui.widgets.job_result import JobResult
from hipercow_tui.ui.workers.view_model import ViewModel, ViewModelBuilder, ViewRequest

NOW = 1_795_450_000.0
SMALL = tuple(map(task_id, range(12)))  # failures of one kind, over two bundles
FIT = tuple(map(task_id, range(20, 25)))  # failures of another kind
DONE = tuple(map(task_id, range(40, 50)))
ALL = frozenset({*SMALL, *FIT, *DONE})


class NarrowingDriven(Driven):
    @property
    def pane(self) -> str:
        return self.browser.panes.current.name

    async def planned(self) -> set[str]:
        """Press p, and return the ids of the plan that opens."""
        await self.press("p")
        await self.until(lambda: isinstance(self.app.screen, PlanScreen))
        assert isinstance(self.app.screen, PlanScreen)
        return set(self.app.screen.plan.ids)


@asynccontextmanager
async def browsing(
    root: Path, *, size: tuple[int, int] = (118, 40)
) -> AsyncIterator[NarrowingDriven]:
    app = HipercowApp(find_root(root), indexed=False, clock=lambda: NOW)
    async with app.run_test(size=size, notifications=True) as pilot:
        at = NarrowingDriven(app, pilot)
        await at.until(lambda: all_rows_shown(app))
        await at.until(lambda: sum(len(group.ids) for group in at.errors.groups) == 17)
        yield at


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Twelve failures of one kind, five of another, ten successes, and three bundles."""
    for n, identity in enumerate(SMALL):
        result = result_file(f"too small: beta = {n / 100}")
        write_failed(tmp_path, identity, result, beta=n / 100, ended=NOW - (30 + n) * DAY)
    for n, identity in enumerate(FIT):
        write_failed(tmp_path, identity, result_file("no fit"), ended=NOW - (10 + n) * DAY)
    for identity in DONE:
        write_task(tmp_path, identity, "success", created=NOW - 90 * DAY, finished=NOW - 80 * DAY)
    write_bundle(tmp_path, "sweep_a", [*SMALL[:8], *DONE[:2]])
    write_bundle(tmp_path, "sweep_b", [*SMALL[8:], *FIT])
    write_bundle(tmp_path, "odd [x]*", DONE[2:4])
    return tmp_path


async def open_bundle(at: NarrowingDriven, name: str) -> None:
    if at.pane != "bundles":
        await at.press("b")
    await at.until(lambda: name in at.bundles.keys)
    at.bundles.move_to(at.bundles.keys.index(name))
    await at.press("enter")
    await at.until(lambda: f"Tasks › bundle {name}" in at.text)


# Narrowing


@pytest.mark.parametrize("size", [(80, 24), (118, 40), (160, 45)])
async def test_a_narrowed_list_names_its_steps(broken: Path, size: tuple[int, int]) -> None:
    async with browsing(broken, size=size) as at:
        await open_bundle(at, "sweep_a")
        await at.until(lambda: set(at.tasks.keys) == {*SMALL[:8], *DONE[:2]})
        assert at.tasks.cursor == 0 and "matched 10" in at.text
        await at.press("e", "g", "enter")
        await at.until(lambda: set(at.tasks.keys) == set(SMALL[:8]))
        (line,) = (line for line in at.text.splitlines() if "Tasks ›" in line)
        assert "› bundle sweep_a › error 'too" in line and "esc: back" in line
        panel = [line[:26] for line in at.text.splitlines()]
        assert any("› bundle sweep_a" in line for line in panel)
        assert any("› er" in line for line in panel)


async def test_i_shows_the_inputs_of_a_narrowed_list(broken: Path) -> None:
    async with browsing(broken) as at:
        await open_bundle(at, "sweep_a")
        await at.press("e", "g", "enter")
        await at.until(lambda: set(at.tasks.keys) == set(SMALL[:8]))
        await at.press("i")
        await at.until(lambda: "bundle sweep_a › error 'too small" in at.text)
        await at.until(lambda: "8 tasks · 8 failed" in at.text)


async def test_filters_and_narrowing_are_two_things(broken: Path) -> None:
    async with browsing(broken) as at:
        await open_bundle(at, "sweep_a")
        await at.press("1")
        await at.until(lambda: "matched 8" in at.text)
        assert len(at.tasks.keys) == 10, "the others are dimmed"
        await at.press("m")
        await at.until(lambda: len(at.tasks.keys) == 8)
        assert await at.planned() == set(SMALL[:8])
        assert "status is failure · in bundle sweep_a" in at.text


async def test_counts_beside_the_filters_are_of_the_whole_root(broken: Path) -> None:
    async with browsing(broken) as at:
        at.browser.filters.apply_saved(SavedFilter(in_bundle=("sweep_*",)))
        await at.until(lambda: "2 bundles, 19 tasks" in at.text)
        await open_bundle(at, "sweep_a")
        await at.until(lambda: len(at.tasks.keys) == 10)
        assert "2 bundles, 19 tasks" in at.text and "✗ failure     17" in at.text


async def test_a_bundle_is_matched_by_its_exact_name_and_with_new_tasks(broken: Path) -> None:
    write_bundle(broken, "odd x", DONE[5:6])
    async with browsing(broken) as at:
        await open_bundle(at, "odd [x]*")
        await at.until(lambda: set(at.tasks.keys) == set(DONE[2:4]))
        (broken / "hipercow" / "bundles" / "odd [x]*").write_text("\n".join(DONE[2:5]))
        await at.until(lambda: set(at.tasks.keys) == set(DONE[2:5]))


async def test_a_bundle_takes_the_place_of_another_without_common_tasks(broken: Path) -> None:
    async with browsing(broken) as at:
        await open_bundle(at, "sweep_a")
        await open_bundle(at, "sweep_b")
        await at.until(lambda: set(at.tasks.keys) == {*SMALL[8:], *FIT})
        assert "sweep_a ›" not in at.text


async def test_a_bundle_without_tasks_that_pass_is_not_opened(broken: Path) -> None:
    async with browsing(broken) as at:
        at.browser.filters.apply_saved(SavedFilter(in_bundle=("odd*",)))
        await at.press("b")
        at.bundles.move_to(at.bundles.keys.index("sweep_a"))
        await at.press("enter")
        await at.until(lambda: "No task of bundle sweep_a passes the filters" in at.text)
        assert at.pane == "bundles"


async def test_a_list_whose_tasks_are_gone_says_how_to_leave(broken: Path) -> None:
    async with browsing(broken) as at:
        await open_bundle(at, "odd [x]*")
        for identity in DONE[2:4]:
            shutil.rmtree(broken / "hipercow" / "tasks" / identity[:2] / identity[2:])
        await at.until(lambda: "No task of bundle odd [x]* is left" in at.text)
        assert "esc goes back" in at.text
        await at.press("escape")
        await at.until(lambda: at.pane == "bundles" and "Tasks ›" not in at.text)


async def test_narrowing_to_tasks_is_offered_to_other_screens(broken: Path) -> None:
    async with browsing(broken) as at:
        await at.press("e", "g", "i")
        await at.until(lambda: isinstance(at.app.screen, SweepScreen))
        narrowing = Narrowing.to_tasks("beta 0 … 0.02", SMALL[:3])
        screen = at.app.screen
        assert isinstance(screen, SweepScreen)
        screen.dismiss(SweepChoice(narrowing, screen.place))
        await at.until(lambda: set(at.tasks.keys) == set(SMALL[:3]))
        assert "Tasks › beta 0 … 0.02" in at.text
        await at.press("escape")
        await at.until(lambda: isinstance(at.app.screen, SweepScreen))
        await at.press("escape")
        await at.until(lambda: at.pane == "errors" and len(at.tasks.keys) == 27)


# Going back


async def test_esc_goes_back_step_by_step(broken: Path) -> None:
    async with browsing(broken) as at:
        await at.press("3", "less_than_sign", "m", "b")
        await at.until(lambda: len(at.tasks.keys) == 10)
        sort = at.browser.session.state.sort
        assert sort.key is not SortKey.FINISHED
        await at.press("0", "b", "j", "j", "j")
        cursor = at.tasks.cursor_key
        await open_bundle(at, "sweep_a")
        bundle_row = at.bundles.cursor
        await at.press("1", "s", "j")
        await at.until(lambda: "matched 8" in at.text)
        row, order = at.tasks.cursor_key, at.tasks.keys
        await at.press("e", "g", "enter")
        await at.until(lambda: "› error" in at.text)
        await at.press("3", "j", "2", "h")
        await at.press("escape")
        await at.until(lambda: at.pane == "errors")
        assert at.browser.filters.stack.with_status is not None
        await at.until(lambda: at.tasks.keys == order and at.tasks.cursor_key == row)
        assert [step.label for step in at.browser.session.state.narrowings] == ["bundle sweep_a"]
        await at.press("escape")
        await at.until(lambda: at.pane == "bundles" and at.bundles.cursor == bundle_row)
        assert at.app.focused is at.bundles
        assert not at.browser.filters.stack.given and not at.browser.session.state.narrowings
        await at.until(lambda: at.tasks.cursor_key == cursor)
        assert at.browser.session.state.sort == sort
        await at.press("escape", "escape")
        assert at.pane == "bundles", "there is no other place"


async def test_esc_restores_the_row_on_its_line(broken: Path) -> None:
    async with browsing(broken, size=(80, 24)) as at:
        await at.press("G", "k", "k", "k")
        await at.pilot.pause()
        key, line = at.tasks.cursor_key, at.tasks.cursor - at.tasks.scroll_offset.y
        assert line > 0
        await open_bundle(at, "sweep_a")
        await at.press("escape", "b")
        await at.until(lambda: at.tasks.cursor_key == key)
        await at.until(lambda: at.tasks.cursor - at.tasks.scroll_offset.y == line)


async def test_a_click_on_the_hint_goes_back(broken: Path) -> None:
    async with browsing(broken, size=(80, 24)) as at:
        await open_bundle(at, "sweep_a")
        crumbs = at.browser.query_one(Breadcrumb)
        await at.pilot.click(crumbs, offset=(crumbs.size.width - 3, 0))
        await at.until(lambda: at.pane == "bundles" and not crumbs.display)


async def test_a_search_ends_with_a_step_and_is_resumed_by_esc(broken: Path) -> None:
    async with browsing(broken) as at:
        await at.press("e", "slash", *"fit", "enter")
        await at.until(lambda: "1 hit" in at.text and at.errors.cursor == 1)
        await at.press("enter")
        await at.until(lambda: set(at.tasks.keys) == set(FIT))
        assert not at.browser.session.state.query and "1 hit" not in at.text
        await at.press("escape")
        await at.until(lambda: at.pane == "errors" and "1 hit" in at.text)
        assert at.errors.needle == "fit" and at.errors.cursor == 1
        await at.press("escape")
        await at.until(lambda: not at.browser.session.state.query)
        assert at.pane == "errors"


async def test_esc_leaves_details_range_and_search_before_the_place(broken: Path) -> None:
    async with browsing(broken) as at:
        await open_bundle(at, "sweep_a")
        await at.press("slash", *"run", "enter", "v", "j", "enter")
        for _ in range(3):
            assert at.pane == "tasks"
            await at.press("escape")
        assert at.pane == "tasks" and not at.browser.session.state.query
        await at.press("escape")
        await at.until(lambda: at.pane == "bundles")


async def test_esc_goes_back_from_a_task_that_was_chosen_on_another_screen(broken: Path) -> None:
    async with browsing(broken) as at:
        await at.press("e", "g", "o")
        await at.until(lambda: isinstance(at.app.screen, ErrorMessagesScreen))
        await at.press("j", "enter")
        await at.until(lambda: at.app.screen is at.browser)
        assert at.pane == "tasks" and at.tasks.cursor_key == SMALL[1]
        await at.press("escape")
        await at.until(lambda: at.pane == "errors")


async def test_esc_restores_an_order_by_size_in_the_definition_shown_now(broken: Path) -> None:
    async with browsing(broken) as at:
        await at.press("z")
        at.browser.tasks_pane.sort_by(SortKey.SIZE)
        await open_bundle(at, "sweep_a")
        await at.press("Z", "escape")
        await at.until(lambda: at.pane == "bundles")
        state = at.browser.session.state
        assert state.show_sizes and state.size_kind is SizeKind.ON_DISK
        assert state.sort.key == SortKey.DISK
        await at.press("b")
        await at.until(lambda: " disk" in at.text and at.tasks.view.sort == state.sort)


async def test_the_order_of_errors_is_restored(broken: Path) -> None:
    async with browsing(broken) as at:
        await at.press("e", "s")
        await at.until(lambda: [len(group.ids) for group in at.errors.groups] == [5, 12])
        await at.press("g", "enter")
        await at.until(lambda: set(at.tasks.keys) == set(FIT))
        await at.press("e", "s")
        await at.until(lambda: [len(group.ids) for group in at.errors.groups] == [12, 5])
        await at.press("escape")
        await at.until(lambda: [len(group.ids) for group in at.errors.groups] == [5, 12])


# Marks


async def test_marks_do_not_change_the_list_in_which_they_are_made(broken: Path) -> None:
    async with browsing(broken) as at:
        await at.press("1", "m")
        await at.until(lambda: len(at.tasks.keys) == 17)
        await at.press("space", "space", "space")
        await at.until(lambda: "matched 17 · marked 3" in at.text)
        assert len(at.tasks.keys) == 17 and at.tasks.cursor == 3
        await at.until(lambda: "  3 marked" in at.text)
        marks = at.tasks.marks
        assert marks and await at.planned() == marks
        assert "status is failure · marked, 3 tasks" in at.text


@pytest.fixture
def slow_views(monkeypatch: pytest.MonkeyPatch) -> None:
    build = ViewModelBuilder.build

    def build_slowly(builder: ViewModelBuilder, request: ViewRequest) -> ViewModel:
        time.sleep(0.2)
        return build(builder, request)

    monkeypatch.setattr(ViewModelBuilder, "build", build_slowly)


@pytest.mark.usefixtures("slow_views")
async def test_mark_all_waits_for_the_rows_of_a_filter_typed_just_before(broken: Path) -> None:
    async with browsing(broken) as at:
        await at.press("1", "a")
        await at.until(lambda: at.tasks.marks == frozenset({*SMALL, *FIT}))
        await at.press("u", "1")
        at.browser.drilling.drill(Narrowing.to_tasks("some", SMALL[:2]))
        await at.press("a")
        await at.until(lambda: at.tasks.marks == frozenset(SMALL[:2]))


@pytest.mark.usefixtures("slow_views")
async def test_mark_all_marks_nothing_if_the_filters_or_the_search_change_before(
    broken: Path,
) -> None:
    async with browsing(broken) as at:
        for keys in (("1", "a", "1"), ("slash", *"_a", "enter", "a", "escape")):
            await at.press(*keys)
            await at.until(lambda: "Nothing was marked" in at.text)
            assert at.tasks.marks is None
            at.app.clear_notifications()


async def test_marked_tasks_that_do_not_pass_are_pointed_out(broken: Path) -> None:
    async with browsing(broken) as at:
        at.browser.session.marks.add({SMALL[0], SMALL[1], DONE[0]})
        await at.press("1")
        await at.until(lambda: "! 2 of 3 pass" in at.text and "  2 marked" in at.text)
        assert await at.planned() == set(SMALL[:2])
        await at.until(lambda: "2 of 3 marked tasks pass the filters" in at.text)
        await at.press("escape", "c")
        await at.until(lambda: isinstance(at.app.screen, CopyMenuScreen))
        assert "2 marked tasks that pass the filters, of 3" in at.text
        await at.press("escape", "1", "2", "p")
        await at.until(lambda: "No marked task passes the filters" in at.text)
        assert at.app.screen is at.browser


async def test_space_marks_all_tasks_of_a_bundle(broken: Path) -> None:
    async with browsing(broken) as at:
        await at.press("b")
        at.bundles.move_to(at.bundles.keys.index("sweep_b"))
        await at.press("space")
        await at.until(lambda: at.tasks.marks == frozenset({*SMALL[8:], *FIT}))
        signs = {name: at.bundles.mark_of(name) for name in at.bundles.keys}
        assert signs == {"sweep_a": " ", "sweep_b": "*", "odd [x]*": " "}
        assert at.errors.mark_of(at.errors.keys[0]) == "-"
        assert at.errors.mark_of(at.errors.keys[1]) == "*"
        assert await at.planned() == {*SMALL[8:], *FIT}
        await at.press("escape")
        at.bundles.move_to(at.bundles.keys.index("sweep_b"))
        await at.press("space")
        await at.until(lambda: at.tasks.marks is None)
        await at.press("g", "v", "G", "v")
        await at.until(lambda: at.tasks.marks == frozenset({*SMALL, *FIT, *DONE[:4]}))
        await at.press("u", "slash", *"_a", "enter", "a")
        await at.until(lambda: at.tasks.marks == frozenset({*SMALL[:8], *DONE[:2]}))


@pytest.mark.parametrize(("key", "screen"), [("i", SweepScreen), ("o", ErrorMessagesScreen)])
async def test_tasks_are_marked_and_planned_from_inputs_and_messages(
    broken: Path, key: str, screen: type
) -> None:
    async with browsing(broken) as at:
        await at.press("e", "g", key)
        await at.until(lambda: isinstance(at.app.screen, screen) and "12 tasks" in at.text)
        await at.press("p")
        await at.until(lambda: "Mark tasks first" in at.text)
        assert isinstance(at.app.screen, screen)
        await at.press("g", "space", "v", "j", "escape", "G", "space")
        assert isinstance(at.app.screen, screen), "esc cancels the range"
        await at.until(lambda: at.tasks.marks and len(at.tasks.marks) == 2)
        assert "2 marked" in at.text
        marks = at.tasks.marks
        assert marks and await at.planned() == marks <= set(SMALL)
        await at.press("escape")
        await at.until(lambda: isinstance(at.app.screen, screen))
        await at.press("escape")
        await at.until(lambda: at.app.screen is at.browser and "marked 2" in at.text)


async def test_a_purge_that_is_planned_from_the_inputs_runs_on_the_main_screen(
    broken: Path,
) -> None:
    async with browsing(broken) as at:
        await at.press("e", "g", "i")
        await at.until(lambda: isinstance(at.app.screen, SweepScreen) and "12 tasks" in at.text)
        await at.press("g", "space")
        (marked,) = await at.planned()
        await at.press("D")
        await at.until(lambda: isinstance(at.app.screen, ConfirmScreen))
        await heard(at.pilot)
        await at.press("y")
        await at.until(lambda: bool(at.app.screen.query(JobResult)))
        await at.press("escape")
        await at.until(lambda: at.app.screen is at.browser and not at.browser.purge.job)
        await at.until(lambda: len(at.tasks.keys) == 26 and at.tasks.marks == frozenset())
    assert not (broken / "hipercow" / "tasks" / marked[:2] / marked[2:]).exists()


async def test_marks_of_tasks_outside_a_narrowed_list_stay(broken: Path) -> None:
    async with browsing(broken) as at:
        at.browser.session.marks.add(FIT)
        await open_bundle(at, "sweep_a")
        await at.press("space")
        await at.until(lambda: "! 1 of 6 pass" in at.text and "marked 6" in at.text)
        filters = at.browser.session.purge_filters
        assert filters.in_bundle == InBundle.named("sweep_a")
        assert filters.task_ids == TaskIds(at.tasks.marks or frozenset())
        assert await at.planned() == (at.tasks.marks or set()) - set(FIT)


@pytest.mark.parametrize(
    ("steps", "width", "shown"),
    [
        (("bundle one", "error 'no'"), 40, " › bundle one › error 'no'"),
        (("bundle one", "error 'much too long'"), 36, " › bundle one › error 'much too lon…"),
        (("bundle one", "error 'much too long'"), 20, " › error 'much…"),
        ((), 20, ""),
    ],
)
def test_steps_are_cut_from_the_end_and_left_out_from_the_left(
    steps: tuple[str, ...], width: int, shown: str
) -> None:
    assert "".join(part for part, _ in fit_steps(steps, width)) == shown
    assert len(shown) <= width and (not shown or shown.startswith(SEPARATOR))
