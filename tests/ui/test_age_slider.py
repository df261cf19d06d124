from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Offset

from hipercow_tui.domain.age_scale import DAY, HOUR, STOPS
from hipercow_tui.ui.widgets.filters.age_slider import AgeSlider


class SliderApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.moves: list[int] = []

    def compose(self) -> ComposeResult:
        yield AgeSlider()

    def on_age_slider_moved(self, event: AgeSlider.Moved) -> None:
        self.moves.append(event.age)

    @property
    def slider(self) -> AgeSlider:
        return self.query_one(AgeSlider)

    def drawn(self) -> list[str]:
        return self.slider.render().plain.split("\n")


@pytest.mark.parametrize(
    ("keys", "column"),
    [
        (["right"], 1),
        (["right", "right", "left"], 1),
        (["shift+right", "right"], 5),
        (["pageup", "pageup", "pagedown"], 4),
        (["end"], len(STOPS) - 1),
        (["end", "right"], len(STOPS) - 1),
        (["end", "shift+left"], len(STOPS) - 5),
        (["end", "home"], 0),
        (["end", "0"], 0),
        (["end", "delete"], 0),
        (["left"], 0),
        (["pageup"] * 7, len(STOPS) - 1),
    ],
)
async def test_keys_move_the_handle(keys: list[str], column: int) -> None:
    app = SliderApp()
    async with app.run_test() as pilot:
        await pilot.press(*keys)
        assert app.slider.column == column
        assert app.slider.age == (STOPS[column] or None)


async def test_no_message_is_posted_if_the_handle_does_not_move() -> None:
    app = SliderApp()
    async with app.run_test() as pilot:
        await pilot.press("left", "home", "end", "end", "right")
        assert app.moves == [STOPS[-1]]


async def test_the_handle_follows_clicks_and_drags_beyond_both_ends() -> None:
    app = SliderApp()
    async with app.run_test(size=(60, 5)) as pilot:
        await pilot.mouse_down(AgeSlider, offset=(8, 1))
        assert app.slider.column == 7
        await pilot.hover(AgeSlider, offset=(14, 1))
        assert app.slider.column == 13
        await pilot.hover(offset=Offset(50, 4))
        assert app.slider.column == len(STOPS) - 1
        await pilot.hover(offset=Offset(0, 0))
        assert app.slider.age is None
        await pilot.mouse_up(AgeSlider, offset=(5, 0))
        assert app.slider.column == 4
        await pilot.hover(AgeSlider, offset=(15, 1))
        assert app.slider.column == 4


async def test_hovering_does_not_move_the_handle() -> None:
    app = SliderApp()
    async with app.run_test() as pilot:
        await pilot.hover(AgeSlider, offset=(9, 0))
        assert app.moves == []


async def test_an_age_between_two_stops_is_in_the_column_of_the_younger() -> None:
    app = SliderApp()
    async with app.run_test():
        app.slider.age = 9 * DAY
        assert STOPS[app.slider.column] == 7 * DAY


async def test_an_age_below_a_minute_can_be_switched_off() -> None:
    app = SliderApp()
    async with app.run_test() as pilot:
        app.slider.age = 3.0
        await pilot.press("0")
        assert app.slider.age is None
        assert app.moves == [0]


async def test_off_and_on_look_different_without_colours() -> None:
    app = SliderApp()
    async with app.run_test():
        assert app.drawn()[-1][1:] == "○" + "─" * (len(STOPS) - 1)
        app.slider.age = float(HOUR)
        assert app.drawn()[-1][1:] == "──────●" + "━" * (len(STOPS) - 7)


async def test_bars_are_in_the_columns_of_their_stops() -> None:
    app = SliderApp()
    async with app.run_test():
        bars = [0] * len(STOPS)
        bars[3], bars[4], bars[5] = 16, 8, 1
        app.slider.bars = tuple(bars)
        assert app.drawn()[0][1:7] == "   █▄▁"
        app.slider.rows = 2
        assert [line[4:7] for line in app.drawn()[:2]] == ["█  ", "██▁"]
        app.slider.rows = 0
        assert len(app.drawn()) == 1


async def test_the_focus_is_shown_by_a_bar_in_the_gutter() -> None:
    app = SliderApp()
    async with app.run_test() as pilot:
        assert app.drawn()[-1].startswith("▌")
        app.set_focus(None)
        await pilot.pause()
        assert app.drawn()[-1].startswith(" ")
