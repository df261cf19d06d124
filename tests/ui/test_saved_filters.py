from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from small_root import DAY, NOW, task_id, write_bundle, write_task
from textual.pilot import Pilot
from textual.widgets import Input
from ui_driving import screen_text, until

from hipercow_tui.domain.filters import OfLang
from hipercow_tui.domain.task import Lang, Status
from hipercow_tui.formats.root import find_root
from hipercow_tui.settings.saved_filters import FilterFile, SavedFilter
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.save_filter import SaveFilterScreen

IDS = tuple(map(task_id, range(6)))
OLD = SavedFilter(frozenset({Status.FAILURE}), "9 days", ("sweep_*", "my sweep"))
MARKUP = "[b]bold[/b] [/]"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    where = tmp_path / "project"
    for number, identity in enumerate(IDS):
        status = "failure" if number % 2 else "success"
        write_task(where, identity, status, finished=NOW - (5 + number) * DAY)
    write_bundle(where, "sweep_1", IDS)
    return where


@pytest.fixture
def file(tmp_path: Path) -> FilterFile:
    return FilterFile(tmp_path / "config" / "filters.toml")


@asynccontextmanager
async def browsing(
    root: Path,
    file: FilterFile | None,
    *,
    first: SavedFilter | None = None,
    size: tuple[int, int] = (118, 40),
) -> AsyncIterator[tuple[HipercowApp, Pilot[None]]]:
    app = HipercowApp(find_root(root), filters=file, first=first, clock=lambda: NOW)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: len(app.browser.tasks.keys) == 6)
        yield app, pilot


async def write(pilot: Pilot[None], text: str) -> None:
    await pilot.press(*("space" if sign == " " else sign for sign in text))


async def palette(app: HipercowApp, pilot: Pilot[None], text: str) -> None:
    """Run the first command of the palette that is found by a text."""
    await pilot.press("ctrl+p")
    await until(pilot, lambda: isinstance(app.focused, Input))
    await write(pilot, text)
    await until(pilot, lambda: text.split()[-1] in screen_text(app).split("🔎", 1)[-1])
    await pilot.press("enter")
    await until(pilot, lambda: app.screen is app.browser)


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_filters_are_saved_applied_and_deleted(
    root: Path, file: FilterFile, size: tuple[int, int]
) -> None:
    async with browsing(root, file, size=size) as (app, pilot):
        await pilot.press("1", "space", "f")
        await until(pilot, lambda: isinstance(app.screen, SaveFilterScreen))
        shown = screen_text(app)
        assert "Save filters as" in shown and "status is failure" in shown
        await write(pilot, "old ones")
        await until(pilot, lambda: "old ones" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "old ones" in app.browser.filtering.saved.filters)
        assert file.read().filters == {"old ones": SavedFilter(frozenset({Status.FAILURE}))}
        await until(pilot, lambda: "Saved as 'old ones'" in screen_text(app))

        await pilot.press("0")
        await until(pilot, lambda: not app.browser.tasks.view.filtered)
        await palette(app, pilot, "Filter: old")
        await until(pilot, lambda: app.browser.tasks.view.matched == set(IDS[1::2]))

        await palette(app, pilot, "Forget filters old")
        await until(pilot, lambda: not app.browser.filtering.saved.filters)
        assert not file.read().filters
        assert app.browser.tasks.view.filtered


async def test_an_existing_name_is_replaced_only_by_a_second_enter(
    root: Path, file: FilterFile
) -> None:
    file.save("old", OLD)
    async with browsing(root, file) as (app, pilot):
        await until(pilot, lambda: app.browser.filtering.saved.filters)
        await pilot.press("3", "f")
        await until(pilot, lambda: isinstance(app.screen, SaveFilterScreen))
        await pilot.press("enter")
        await until(pilot, lambda: "A filter needs a name" in screen_text(app))
        await write(pilot, "old")
        await pilot.press("enter")
        await until(pilot, lambda: "'old' exists already" in screen_text(app))
        assert "enter: replace it" in screen_text(app)
        assert file.get("old") == OLD
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.browser)
        assert file.get("old") == OLD
        await pilot.press("f", "o", "l", "d", "enter", "enter")
        await until(pilot, lambda: app.browser.filtering.saved.filters["old"] != OLD)
        assert file.get("old") == SavedFilter(frozenset({Status.SUCCESS}))


async def test_the_app_starts_with_the_given_filters(root: Path, file: FilterFile) -> None:
    async with browsing(root, file, first=OLD) as (app, pilot):
        await until(pilot, lambda: app.browser.tasks.view.matched == {IDS[5]})
        assert SavedFilter.of(app.browser.filters.stack) == SavedFilter(
            OLD.status, OLD.finished_before, ("sweep_*", "my\\ sweep")
        )
        age = app.browser.filters.stack.finished_before
        assert age is not None and age.cutoff == NOW - 9 * DAY


async def test_a_missing_language_is_shown_and_can_be_deselected(
    root: Path, file: FilterFile
) -> None:
    async with browsing(root, file, first=SavedFilter(lang=Lang.PY)) as (app, pilot):
        await until(pilot, lambda: app.browser.filters.stack.lang == OfLang(Lang.PY))
        await until(pilot, lambda: "Python, 0 tasks" in screen_text(app))
        await pilot.press("0")
        await until(pilot, lambda: "Python" not in screen_text(app))


async def test_saving_needs_a_filter(root: Path, file: FilterFile) -> None:
    async with browsing(root, file) as (app, pilot):
        await pilot.press("f")
        await until(pilot, lambda: "Set a filter first" in screen_text(app))
        await pilot.press("space", "f")
        await until(pilot, lambda: "Marks and errors are not saved: set a" in screen_text(app))
    async with browsing(root, None) as (app, pilot):
        await pilot.press("1", "f")
        await until(pilot, lambda: "there is no folder for them" in screen_text(app))


async def test_errors_in_the_file_are_reported_and_the_rest_is_used(
    root: Path, file: FilterFile
) -> None:
    file.save("good", OLD)
    with file.path.open("a") as end:
        end.write('[bad]\nstatus = "failed"\n')
    async with browsing(root, file) as (app, pilot):
        await until(pilot, lambda: "filter 'bad'" in " ".join(screen_text(app).split()))
        titles = {one.title for one in app.get_system_commands(app.browser)}
        assert {"Filter: good", "Forget filters good", "Forget filters bad"} <= titles
        assert "Filter: bad" not in titles
        await palette(app, pilot, "Forget filters bad")
        await until(pilot, lambda: not app.browser.filtering.saved.problems)
        file.path.write_text("[broken")
        await pilot.press("r")
        await until(pilot, lambda: "TOML" in screen_text(app))


async def test_names_and_globs_are_not_markup(root: Path, file: FilterFile) -> None:
    file.save(MARKUP, SavedFilter(in_bundle=("[ab]*",)))
    async with browsing(root, file) as (app, pilot):
        await until(pilot, lambda: app.browser.filtering.saved.filters)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: f"Filter: {MARKUP}" in screen_text(app))
        assert "in bundle [ab]*" in screen_text(app)
        await pilot.press("escape")
        await palette(app, pilot, "Filter: [b]")
        await until(pilot, lambda: app.browser.filters.stack.in_bundle)


async def test_the_bundle_of_a_narrowed_list_is_saved(root: Path, file: FilterFile) -> None:
    async with browsing(root, file) as (app, pilot):
        await pilot.press("1", "b", "enter")
        await until(pilot, lambda: "Tasks › bundle sweep_1" in screen_text(app))
        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, SaveFilterScreen))
        assert "status is failure · in bundle sweep_1" in screen_text(app)
