from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_root import write_retries, write_task
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import Paste
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Button, Input
from ui_driving import screen_text, until

import hipercow_tui
from hipercow_tui.domain.filter_counts import FilterCounts, count_passing
from hipercow_tui.domain.filters import FilterStack, FinishedBefore, InBundle, WithStatus
from hipercow_tui.domain.plan import PlanTotals
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import FILTERABLE_STATUSES, Status
from hipercow_tui.formats.root import find_root
from hipercow_tui.settings.saved_filters import SavedFilter
from hipercow_tui.support.errors import FilterError
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.status_style import GLYPH
from hipercow_tui.ui.widgets.filters.age_slider import AgeSlider
from hipercow_tui.ui.widgets.filters.bundle import join_globs, split_globs
from hipercow_tui.ui.widgets.filters.panel import FilterPanel, Limits
from hipercow_tui.ui.widgets.filters.status import StatusFilter, number_texts
from hipercow_tui.ui.widgets.filters.validated_input import EXPLAIN_DELAY

NOW = 1_800_000_000.0
DAY = 86400.0


class PanelApp(App[None]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("9,d,escape", "nine")]

    def __init__(
        self, snapshot: Snapshot | None = None, clock: Callable[[], float] = lambda: NOW
    ) -> None:
        super().__init__()
        self.snapshot = snapshot or Snapshot(Path("/root"))
        self.clock = clock
        self.stacks: list[FilterStack] = []
        self.nines = 0
        self.left = 0

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield FilterPanel(self.clock)
            yield Button("elsewhere")

    def on_mount(self) -> None:
        self.count()

    def on_filter_panel_changed(self, event: FilterPanel.Changed) -> None:
        self.stacks.append(event.stack)
        self.count()

    def on_filter_panel_left(self) -> None:
        self.left += 1
        self.query_one(Button).focus()

    def action_nine(self) -> None:
        self.nines += 1

    def count(self) -> None:
        stack = self.panel.stack
        self.panel.show(count_passing(self.snapshot, stack, self.clock()))
        self.panel.show_totals(PlanTotals(len(stack.matched(self.snapshot)), 3, 1, 0))

    @property
    def panel(self) -> FilterPanel:
        return self.query_one(FilterPanel)

    @property
    def age_entry(self) -> Input:
        return self.query_one("#age-entry Input", Input)

    @property
    def globs(self) -> Input:
        return self.query_one("#globs Input", Input)

    def lines(self) -> list[str]:
        """Return the text on the screen."""
        return [strip.text for strip in self.screen._compositor.render_strips()]

    def says(self, words: str) -> bool:
        return any(words in line for line in self.lines())


async def settled(pilot: Pilot[None]) -> None:
    await pilot.pause()
    await pilot.pause()


@pytest.fixture
def real(sir_model: Path) -> Snapshot:
    return hipercow_tui.scan(sir_model)


async def test_retried_tasks_are_counted_by_their_latest_status(real: Snapshot) -> None:
    app = PanelApp(real)
    async with app.run_test(size=(80, 24)):
        for status, line in zip(FILTERABLE_STATUSES, app.lines()[1:], strict=False):
            total = sum(
                task.exists and task.latest_status is status for task in real.tasks.values()
            )
            assert f"[ ] {GLYPH[status]} {status}" in line
            own, _, earlier = line[:25].split()[-1].partition("+")
            assert int(own) + int(earlier or 0) == total


async def test_a_status_is_toggled_by_keys_mouse_and_program(real: Snapshot) -> None:
    app = PanelApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        assert app.focused is app.query_one(StatusFilter)
        await pilot.press("down", "space", "up", "enter")
        await settled(pilot)
        assert app.stacks[-1].with_status == WithStatus(
            frozenset({Status.FAILURE, Status.CANCELLED})
        )
        await pilot.click(StatusFilter, offset=(10, 0))
        app.panel.toggle_status(Status.SUCCESS)
        await settled(pilot)
        assert app.stacks[-1].with_status == WithStatus(
            frozenset({Status.SUCCESS, Status.CANCELLED})
        )
        assert app.says("3 [x] ✓ success")
        app.panel.toggle_status(Status.SUCCESS)
        app.panel.toggle_status(Status.CANCELLED)
        await settled(pilot)
        assert app.stacks[-1] == FilterStack()


async def test_changes_that_arrive_together_are_posted_once() -> None:
    app = PanelApp()
    async with app.run_test() as pilot:
        for status in FILTERABLE_STATUSES:
            app.panel.toggle_status(status)
        app.panel.apply_saved(SavedFilter(in_bundle=("a",)))
        await settled(pilot)
        assert len(app.stacks) == 1
        app.panel.toggle_status(Status.RUNNING)
        app.panel.toggle_status(Status.RUNNING)
        await settled(pilot)
        assert len(app.stacks) == 1


async def test_the_slider_writes_the_input_and_the_input_moves_the_slider(real: Snapshot) -> None:
    app = PanelApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        slider = app.query_one(AgeSlider)
        slider.focus()
        await pilot.press("end", "left")
        await settled(pilot)
        assert app.age_entry.value == "2 years"
        assert app.stacks[-1].finished_before == FinishedBefore(NOW - 730 * DAY, "2 years")
        app.age_entry.focus()
        app.age_entry.clear()
        await pilot.press(*"2 w")
        await settled(pilot)
        assert slider.age == 14 * DAY
        assert app.stacks[-1].finished_before == FinishedBefore(NOW - 14 * DAY, "2 w")
        expected = sum(1 for t in real.tasks.values() if t.finished and t.finished < NOW - 14 * DAY)
        assert app.says(f"older: {expected} ")
        slider.focus()
        await pilot.press("0")
        await settled(pilot)
        assert app.age_entry.value == ""
        assert app.stacks[-1].finished_before is None


async def test_dragging_the_slider_changes_the_filters(real: Snapshot) -> None:
    app = PanelApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.mouse_down(AgeSlider, offset=(4, 1))
        for x in range(5, 15):
            await pilot.hover(AgeSlider, offset=(x, 1))
        await pilot.mouse_up(AgeSlider, offset=(14, 1))
        await settled(pilot)
        assert app.age_entry.value == "1 week"
        assert app.stacks[-1].finished_before == FinishedBefore(NOW - 7 * DAY, "1 week")


async def test_a_stop_of_the_slider_in_minutes_is_saved_as_an_age() -> None:
    app = PanelApp()
    async with app.run_test() as pilot:
        app.query_one(AgeSlider).focus()
        await pilot.press("pageup")
        await settled(pilot)
        first = app.panel.stack.finished_before
        assert first is not None
        assert first == FinishedBefore(NOW - 600, "10 minutes")
        saved = SavedFilter.of(app.panel.stack)
        assert saved.finished_before == "10 minutes"
        assert saved.stack(NOW + DAY).finished_before == FinishedBefore(
            NOW + DAY - 600, "10 minutes"
        )
        assert app.query_one(AgeSlider).column == 4


async def test_a_relative_age_is_counted_from_the_present_time() -> None:
    times = iter(range(10**9))
    app = PanelApp(clock=lambda: NOW + next(times))
    async with app.run_test() as pilot:
        app.age_entry.value = "1 week"
        await settled(pilot)
        one, other = app.panel.stack.finished_before, app.panel.stack.finished_before
        assert one is not None and other is not None
        assert one.cutoff < other.cutoff
        assert len(app.stacks) == 1


async def test_an_incomplete_age_is_explained_and_the_last_valid_one_applies() -> None:
    app = PanelApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.age_entry.focus()
        await pilot.press(*"9 d")
        await pilot.press("a")
        assert app.says("! still 9 d")
        assert not app.says("not a unit of time")
        await pilot.pause(EXPLAIN_DELAY + 0.1)
        assert app.says("'da' is not a unit of time")
        assert app.panel.stack.finished_before == FinishedBefore(NOW - 9 * DAY, "9 d")
        app.set_focus(None)
        await pilot.pause()
        assert not app.says("not a unit of time")
        assert app.says("! still 9 d")
        app.age_entry.focus()
        await pilot.press("y", "s")
        await settled(pilot)
        assert app.panel.stack.finished_before == FinishedBefore(NOW - 9 * DAY, "9 days")
        assert not app.says("! still")
        assert app.nines == 0


async def test_an_invalid_first_text_is_not_applied() -> None:
    app = PanelApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.globs.focus()
        await pilot.press(*"{a,b")
        await pilot.pause(EXPLAIN_DELAY + 0.1)
        assert app.says("has a { that is not closed")
        assert app.panel.stack.in_bundle is None or app.panel.stack.in_bundle.patterns != ("{a,b",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{a,b", "not closed"),
        ("[ab", "not closed"),
        ("!a", "only excludes"),
        ("{1..99}{1..99}{1..99}", "1,000 patterns"),
    ],
)
async def test_invalid_globs_keep_the_last_valid_ones(text: str, sentence: str) -> None:
    app = PanelApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.globs.focus()
        app.globs.value = "fit_*"
        await settled(pilot)
        app.globs.value = text
        await pilot.pause(EXPLAIN_DELAY + 0.1)
        assert app.says(sentence)
        assert app.says("! still fit_*")
        kept = app.panel.stack.in_bundle
        assert kept is not None and kept.patterns == ("fit_*",)
        assert len(app.stacks) == 1


async def test_globs_are_counted_while_they_are_typed(real: Snapshot) -> None:
    app = PanelApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        assert app.says(f"{len(real.bundles)} bundles ")
        app.globs.value = "data_* !*sweep"
        await settled(pilot)
        held = len(
            {i for b in real.bundles if b.name == "data_roots" for i in b.task_ids}
            - real.non_task_ids
        )
        assert app.says(f"1 bundle, {held} tasks")
        app.globs.value = "data_*"
        await settled(pilot)
        assert app.says("2 bundles, ")
        app.globs.value = "nothing"
        await settled(pilot)
        assert app.says("! no bundle matches")
        app.globs.value = ""
        await settled(pilot)
        assert app.stacks[-1] == FilterStack()


@given(st.text(min_size=1, max_size=12))
@settings(max_examples=150, deadline=None)
def test_the_typed_glob_of_a_name_matches_that_name(name: str) -> None:
    globs = split_globs(join_globs(InBundle.named(name).patterns))
    assert len(globs) == 1
    assert InBundle.of(globs).matches(name)


@given(st.text(st.characters(exclude_categories=["C"]), max_size=20))
def test_globs_can_be_joined_and_split_again(text: str) -> None:
    globs = split_globs(text)
    assert split_globs(join_globs(globs)) == globs


def test_joined_globs_mean_the_same() -> None:
    assert join_globs(("my sweep", "a\\ b", "é*", "a\x1bb")) == "my\\ sweep a\\ b é* a?b"


@given(st.text(alphabet="{}[]!*?\\, .^-a0:dw\x1b\u202eé\n", max_size=20))
@settings(max_examples=200, deadline=None)
def test_any_text_is_parsed_or_refused_with_a_message(text: str) -> None:
    for understand in (
        lambda: InBundle.of(split_globs(text)),
        lambda: FinishedBefore.of(text, NOW),
    ):
        try:
            understand()
        except FilterError as error:
            assert str(error)


async def test_no_text_breaks_the_panel(real: Snapshot) -> None:
    chance = random.Random(7)
    app = PanelApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        for turn in range(30):
            entry = (app.age_entry, app.globs)[turn % 2]
            entry.focus()
            text = "".join(chance.choices("{}[]!*?\\, .^-ad_0:9dw é🐄[/]$", k=chance.randrange(12)))
            entry.value = text
            await pilot.pause()
            stack = app.panel.stack
            assert bool(text.strip()) or (stack.finished_before, stack.in_bundle)[turn % 2] is None
        await pilot.pause(EXPLAIN_DELAY + 0.1)
        assert app.is_running


async def test_control_characters_can_not_be_pasted() -> None:
    app = PanelApp()
    async with app.run_test() as pilot:
        app.globs.focus()
        app.globs.post_message(Paste("fit\x1b[31m"))
        app.globs.post_message(Paste("fit_*"))
        await pilot.pause()
        assert app.globs.value == "fit_*"


async def test_a_bundle_of_any_name_can_be_set() -> None:
    app = PanelApp()
    async with app.run_test() as pilot:
        for name in ("sweep_01", "a/b", ".hidden", "two words", "!not", "{x}", "[y]", "b\\c"):
            app.panel.apply_saved(SavedFilter(in_bundle=InBundle.named(name).patterns))
            await settled(pilot)
            chosen = app.stacks[-1].in_bundle
            assert chosen is not None and chosen.matches(name)


async def test_marks_and_steps_are_shown() -> None:
    app = PanelApp()
    async with app.run_test(size=(80, 24)) as pilot:
        assert app.says("nothing: no filter set")
        app.panel.show_limits(Limits((), 2, 2))
        await settled(pilot)
        assert app.says("2 marked") and app.says("3 in retry chains")
        app.panel.show_limits(Limits(("bundle one", "error 'no fit'"), 3, 2))
        await settled(pilot)
        assert app.says("! 2 of 3 pass") and app.says("› bundle one › error")
        assert app.says("0 marked"), "the totals count the marked tasks"
        app.panel.show_limits(Limits((), 0, 0))
        await settled(pilot)
        assert app.says("! all removed") and not app.says("› bundle")
        assert not app.says("no filter set")
        app.panel.show_limits(Limits())
        await settled(pilot)
        assert app.says("nothing: no filter set")
        assert not app.stacks, "they are no filter of the panel"


async def test_applying_no_filter_removes_all() -> None:
    app = PanelApp()
    async with app.run_test() as pilot:
        app.panel.toggle_status(Status.FAILURE)
        app.age_entry.value = "3 days"
        app.globs.value = "{"
        await settled(pilot)
        app.panel.apply_saved(SavedFilter())
        await settled(pilot)
        assert app.stacks[-1] == FilterStack()
        assert app.globs.value == ""


async def test_the_totals_show_the_numbers_of_a_purge() -> None:
    app = PanelApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.panel.toggle_status(Status.FAILURE)
        await settled(pilot)
        app.panel.show_totals(PlanTotals(612, 38, 1, 2))
        await pilot.pause()
        shown = [line[2:25].rstrip() for line in app.lines()]
        at = next(i for i, line in enumerate(shown) if "Would go" in line)
        assert shown[at + 1 : at + 5] == [
            "  612 matched",
            "+  38 in retry chains",
            "+   1 bundle",
            "!   2 blocked",
        ]


async def test_tab_moves_through_the_filters_and_shows_the_focus() -> None:
    app = PanelApp()
    async with app.run_test(size=(80, 24)) as pilot:
        parts: list[Widget] = [
            app.query_one(StatusFilter),
            app.query_one(AgeSlider),
            app.age_entry,
            app.globs,
        ]
        for part in parts:
            assert app.focused is part
            assert any("▌" in line[:3] for line in app.lines())
            await pilot.press("tab")
        assert app.focused is app.query_one(Button)
        assert not any("▌" in line[:3] for line in app.lines())
        await pilot.press("shift+tab")
        assert app.globs.has_focus


async def test_escape_and_enter_leave_the_panel() -> None:
    app = PanelApp()
    async with app.run_test() as pilot:
        app.globs.focus()
        await pilot.press("escape")
        assert (app.left, app.nines) == (1, 0)
        app.globs.focus()
        await pilot.press("a", "enter")
        assert app.left == 2
        app.globs.focus()
        await pilot.press("{", "enter")
        assert app.left == 2
        app.query_one(AgeSlider).focus()
        await pilot.press("escape")
        assert app.left == 3


@pytest.mark.parametrize(
    ("rows", "histogram", "title"), [(21, 0, False), (22, 1, False), (26, 1, True), (43, 3, True)]
)
async def test_every_line_is_shown_at_each_height(rows: int, histogram: int, title: bool) -> None:
    app = PanelApp()
    async with app.run_test(size=(80, rows)) as pilot:
        app.panel.toggle_status(Status.FAILURE)
        await settled(pilot)
        assert app.query_one(AgeSlider).rows == histogram
        shown = "\n".join(line[:26] for line in app.lines())
        wanted = ["1 [x]", "6 [ ]", "Finished before", "Bundles", "0 bundles", "Marks", "blocked"]
        assert all(words in shown for words in wanted)
        assert ("Status" in shown) is title


async def test_a_narrow_panel_loses_its_frame_but_no_text() -> None:
    app = PanelApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.panel.show(FilterCounts(statuses=dict.fromkeys(FILTERABLE_STATUSES, 1234)))
        app.panel.styles.width = 24
        await settled(pilot)
        assert " 2 [ ] ⊘ cancelled 1,234" in [line[:24] for line in app.lines()]


async def test_counts_of_a_hundred_thousand_tasks_are_shown_quickly() -> None:
    counts = FilterCounts(
        statuses=dict.fromkeys(FILTERABLE_STATUSES, 123_456),
        ages=(5000,) * 22,
        finished=110_000,
        bundles=140,
        matching_bundles=140,
        in_bundles=98_123,
    )
    app = PanelApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.globs.value = "*"
        await settled(pilot)
        start = time.process_time()
        for _ in range(20):
            app.panel.show(counts)
        await pilot.pause()
        assert time.process_time() - start < 0.5
        assert app.says("3 [ ] ✓ success 123,456")
        assert app.says("5 [ ] ◔ submitted 123k")
        assert app.says("98,123 tasks in 140")


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(5, 9))
def test_a_number_of_tasks_says_that_it_has_earlier_attempts(
    own: int, earlier: int, width: int
) -> None:
    shown, more = number_texts(own + earlier, earlier, width)
    assert len(shown + more) <= width
    assert bool(more) == bool(earlier)
    if more not in ("", "↻"):
        assert shown.replace(",", "") == str(own) and more == f"+{earlier:,}"
    assert number_texts(None, 0, width) == ("", "")


async def test_the_header_and_the_filter_agree_on_running_tasks(tmp_path: Path) -> None:
    write_task(tmp_path, "1" * 32, "failure")
    write_task(tmp_path, "2" * 32, "running", retry_of=("1" * 32, "1" * 32))
    write_task(tmp_path, "3" * 32, "running")
    write_retries(tmp_path, [("2" * 32, "1" * 32, "1" * 32)])
    app = HipercowApp(find_root(tmp_path), clock=lambda: NOW)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "2 running" in screen_text(app))
        line = next(line for line in screen_text(app).splitlines() if "6 [ ]" in line)
        assert "2+1" in line
