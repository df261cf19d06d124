"""The keys of each screen: their ids, keys that the user chose, the footer and the help."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from failing import result_file, write_failed
from small_root import DAY, task_id, write_bundle, write_task
from textual.binding import Binding
from textual.widgets import Input
from ui_driving import Driven, all_rows_shown

import hipercow_tui.ui
from hipercow_tui.formats.root import find_root
from hipercow_tui.settings.key_file import KeyFile
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.help import RULES, HelpScreen
from hipercow_tui.ui.key_catalog import contexts, groups, keys_by_id, load_keymap, resolve
from hipercow_tui.ui.key_names import textual_key, user_key
from hipercow_tui.ui.keymap import Keymap
from hipercow_tui.ui.widgets.filters.age_slider import AgeSlider
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.scroll_text import ScrollText

NOW = 1_795_450_000.0
IDS = tuple(map(task_id, range(12)))


class HelpDriven(Driven):
    @property
    def dialog(self) -> list[str]:
        """The lines in the frame of the help."""
        region = self.app.screen.query_one(ScrollText).region
        lines = self.text.splitlines()[region.y : region.bottom]
        return [line[region.x : region.right].strip() for line in lines]


@asynccontextmanager
async def browsing(
    root: Path, *, size: tuple[int, int] = (118, 40), keymap: Keymap | None = None
) -> AsyncIterator[HelpDriven]:
    app = HipercowApp(find_root(root), keymap=keymap, clock=lambda: NOW)
    async with app.run_test(size=size, notifications=True) as pilot:
        at = HelpDriven(app, pilot)
        await at.until(lambda: all_rows_shown(app))
        yield at


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Twelve tasks, half of them failures with an input, in a bundle."""
    for number, identity in enumerate(IDS):
        then = NOW - (90 - number) * DAY
        if number % 2 == 0:
            write_failed(tmp_path, identity, result_file("too small"), beta=number, ended=then)
        else:
            write_task(tmp_path, identity, "success", created=then - 600, finished=then)
    write_bundle(tmp_path, "sweep", IDS)
    return tmp_path


# Ids


def bindings_in_the_code() -> Iterator[tuple[type, Binding]]:
    """Yield the bindings of every class of the app."""
    for module in pkgutil.walk_packages(hipercow_tui.ui.__path__, "hipercow_tui.ui."):
        for _, found in inspect.getmembers(import_module(module.name), inspect.isclass):
            if found.__module__ == module.name:
                for binding in found.__dict__.get("BINDINGS", ()):
                    yield found, binding


def test_every_binding_has_a_unique_id_that_is_listed() -> None:
    found = list(bindings_in_the_code())
    assert len(found) > 120
    known: dict[str, Binding] = {}
    for owner, binding in found:
        assert isinstance(binding, Binding) and binding.id, (owner, binding)
        assert known.setdefault(binding.id, binding) == binding, f"two keys are {binding.id!r}"
        assert keys_by_id().get(binding.id) == binding, f"{owner}: add it to ui.key_catalog"


def test_every_key_is_listed_once_and_says_what_it_does() -> None:
    ids = [key.id for group in groups() for key in group.keys]
    assert len(ids) == len(set(ids))
    unexplained = [key for key in keys_by_id().values() if not (key.tooltip or key.description)]
    assert not unexplained


def test_names_of_keys_are_those_that_users_write() -> None:
    for key in keys_by_id().values():
        for name in key.key.split(","):
            assert textual_key(user_key(name)) == name
    written = ("/", "]", ":", "?", "!", "<", ",", "+", "ctrl+x", "f5", "space", "shift+left", "G")
    assert all(user_key(textual_key(name) or "") == name for name in written)
    for name in ("ctrl+foo", "pgdn", "", "ctrl+", "\x1b", "foo+x", "ctrl+ctrl+x", "ab"):
        assert textual_key(name) is None, name


# The user's keys


def test_unknown_ids_and_keys_are_sentences() -> None:
    keymap = resolve({"plann": ("x",), "plan": ("ctrl+foo",), "help": ("f1", "?")})
    assert keymap.keys == {"help": "f1,question_mark"}
    unknown_id, unknown_key = keymap.problems
    assert "'plann': there is no such id; did you mean 'plan'?" in unknown_id
    assert "'hipercow-tui keys' lists all ids" in unknown_id
    assert "'plan': there is no key 'ctrl+foo'" in unknown_key
    assert "The default is used: p" in unknown_key


def test_a_conflict_is_a_sentence_and_keeps_the_default() -> None:
    keymap = resolve({"plan": ("j",), "quit": ("Q",)})
    assert keymap.keys == {"quit": "Q"}
    (problem,) = keymap.problems
    assert "'plan': the key 'j' is also that of 'down' (on the main screen)" in problem
    assert "The default is used: p" in problem


def test_two_chosen_keys_that_are_equal_both_keep_their_defaults() -> None:
    keymap = resolve({"plan": ("f5",), "refresh": ("f5",)})
    assert keymap.keys == {}
    assert len(keymap.problems) == 2


def test_a_default_that_returns_can_cause_another_conflict() -> None:
    """'plan' takes the key of 'refresh', which keeps it because its own choice is a conflict."""
    keymap = resolve({"plan": ("r",), "refresh": ("j",)})
    assert keymap.keys == {}
    assert [problem.partition(":")[0] for problem in keymap.problems] == ["'refresh'", "'plan'"]


def test_keys_can_be_exchanged_and_those_that_only_explain_can_be_taken() -> None:
    keymap = resolve({"next_hit": ("N",), "previous_hit": ("n",), "sort": ("d",)})
    assert keymap.keys == {"next_hit": "N", "previous_hit": "n", "sort": "d"}
    assert not keymap.problems


def test_the_default_keys_have_no_conflict() -> None:
    chosen = {name: tuple(key.key.split(",")) for name, key in keys_by_id().items()}
    keymap = resolve(chosen)
    assert keymap.problems == () and len(keymap.keys) == len(chosen)


def test_the_file_is_read_with_and_without_quotes(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys.toml")
    assert load_keymap(file) == load_keymap(None) == Keymap()
    file.path.write_text('plan = "B"\nlog.follow = ["f", "f3"]\n"trash.back" = ","\n')
    assert load_keymap(file) == Keymap({"plan": "B", "log.follow": "f,f3", "trash.back": "comma"})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"plan = ", "is not valid TOML"),
        (b"\xff\xfe", "is not valid TOML"),
        (b"plan = 3", "'plan': give a key"),
        (b"plan = []", "'plan': give a key"),
        (b"plan = [1]", "'plan': give a key"),
        (b'plan = ""', "'plan': there is no key ''"),
        (b'"a\\u001b[31mb" = "x"', "there is no such id"),
    ],
)
def test_a_damaged_file_is_a_sentence_that_names_it(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    file = KeyFile(tmp_path / "keys.toml")
    file.path.write_bytes(content)
    keymap = load_keymap(file)
    assert keymap.keys == {}
    (problem,) = keymap.problems
    assert sentence in problem and str(file.path) in problem and "\x1b" not in problem


async def test_chosen_keys_work_and_are_shown(small: Path) -> None:
    chosen = {"plan": ("B",), "down": ("f5", "down"), "log.back": ("x",), "help": ("f1",)}
    keymap = resolve(chosen)
    async with browsing(small, keymap=keymap) as at:
        assert "B Plan" in at.footer and "p Plan" not in at.footer
        await at.press("p")
        assert "'p' does nothing here · f1 shows the keys" in at.footer
        await at.press("f5", "down")
        assert at.tasks.cursor == 2
        await at.press("f1")
        await at.until(lambda: isinstance(at.app.screen, HelpScreen))
        await at.press("slash", *"reasons", "enter")
        assert any(line.split()[:3] == ["B", "Show", "the"] for line in at.dialog)
        await at.press("escape", "escape", "l")
        await at.until(lambda: "x Back" in at.footer)
        await at.press("x")
        await at.until(lambda: at.app.screen is at.app.browser)
        await at.press("1", "B")
        await at.until(lambda: "Plan  6 tasks" in at.text)


async def test_problems_of_the_file_are_shown_at_the_start(small: Path) -> None:
    async with browsing(small, keymap=resolve({"plann": ("x",)})) as at:
        await at.until(lambda: "did you mean 'plan'?" in " ".join(at.text.split()))
        assert "p Plan" in at.footer


# The footer and the help


SCREENS: dict[str, tuple[str, ...]] = {
    "tasks": (),
    "bundles": ("b",),
    "errors": ("e",),
    "filters": ("tab", "tab"),
    "a search": ("slash",),
    "details": ("enter",),
    "the log": ("l",),
    "the inputs": ("b", "i"),
    "the chart": ("b", "i", "tab"),
    "the messages": ("e", "o"),
    "a planned task": ("1", "p", "enter"),
    "the plan": ("1", "p"),
    "the trash": ("T",),
    "the history": ("H",),
}


# The first title of the help on these screens.
HELP_TITLES = {
    "tasks": "Move",
    "the log": "In the log",
    "the inputs": "In the inputs",
    "the messages": "In the messages of an error",
    "the plan": "In the plan",
    "the trash": "In the trash",
    "the history": "In the history",
    "filters": "In the filters",
}


async def go_to(at: HelpDriven, keys: tuple[str, ...]) -> None:
    """Press the keys, and wait until errors and screens are there."""
    for key in keys:
        await at.press(key)
        if key == "e":
            await at.until(lambda: at.app.browser.errors_pane.table.keys)
        if key in ("l", "i", "o", "p", "T", "H"):
            await at.until(lambda: at.app.screen is not at.app.browser)
    await at.pilot.pause(0.2)


def is_alive(at: HelpDriven, action: str, node: Any) -> bool:
    """Return whether an action exists and is enabled."""
    target, name, parameters = at.app._parse_action(action, node)
    exists = any(callable(getattr(target, f"{p}action_{name}", None)) for p in ("", "_"))
    return exists and bool(target.check_action(name, parameters))


@pytest.mark.parametrize("name", SCREENS)
async def test_footer_and_help_name_no_key_that_does_nothing_and_the_help_begins_here(
    small: Path, name: str
) -> None:
    async with browsing(small, size=(160, 45)) as at:
        await go_to(at, SCREENS[name])
        screen = at.app.screen
        focused = screen.focused
        for footer in screen.query(KeyFooter):
            for hint in footer.hints:
                active = screen.active_bindings[hint.key]
                assert is_alive(at, active.binding.action, active.node), hint
                if isinstance(focused, Input):
                    assert len(hint.shown) > 1, f"{hint} is typed into the field"
        dead = [
            active.binding
            for active in screen.active_bindings.values()
            if active.binding.id and not is_alive(at, active.binding.action, active.node)
        ]
        assert not dead
        if name in HELP_TITLES:
            await at.press("question_mark")
            await at.until(lambda: isinstance(at.app.screen, HelpScreen))
            assert next(filter(None, at.dialog)).startswith(HELP_TITLES[name])


async def test_a_field_takes_the_slash_so_the_footer_does_not_name_it(small: Path) -> None:
    async with browsing(small) as at:
        assert "/ Search" in at.footer
        await at.press("slash")
        assert "/ Search" not in at.footer and "esc End search" in at.footer


async def test_the_footer_of_the_filters_does_not_name_keys_of_rows(small: Path) -> None:
    async with browsing(small) as at:
        assert "space Mark" in at.footer and "l Log" in at.footer
        at.app.query_one(AgeSlider).focus()
        await at.until(lambda: "l Log" not in at.footer and "space Mark" not in at.footer)
        assert "p Plan" in at.footer


async def test_only_the_list_of_tasks_offers_a_log(small: Path) -> None:
    async with browsing(small) as at:
        for pane in ("b", "e"):
            await at.press(pane)
            await at.until(lambda: "l Log" not in at.footer and "p Plan" in at.footer)
            await at.press("l")
            assert "'l' does nothing here" in at.footer
        await at.press("e")
        await at.until(lambda: "l Log" in at.footer)


async def test_undo_is_called_stop_while_a_purge_runs(small: Path) -> None:
    async with browsing(small) as at:
        footer = at.app.browser.query_one(KeyFooter)
        footer.labels = {"undo": "Stop"}
        at.app.browser.purge.job = object()  # type: ignore[assignment]
        at.app.browser.refresh_bindings()
        await at.until(lambda: "U Stop" in at.footer and "Undo" not in at.footer)
        await at.app.browser.purge.end()
        await at.until(lambda: "U " not in at.footer)


async def test_the_help_names_the_keys_of_other_screens_once(small: Path) -> None:
    async with browsing(small, size=(200, 120)) as at:
        await at.press("question_mark")
        await at.until(lambda: "In the log" in at.text)
        for title in ("Move", "Mark", "Filter", "In the plan", "In the log", "In the trash"):
            assert at.text.count(title) >= 1, title
        for phrase in ("Show the plan of a purge, with reasons", "Wrap or cut long lines"):
            assert at.text.count(phrase) == 1, phrase
        assert RULES[1] in at.text
        assert "restore the last batch" not in at.text, "there is nothing to undo"


async def test_the_help_has_two_columns_where_there_is_space(small: Path) -> None:
    async with browsing(small, size=(120, 45)) as at:
        await at.press("question_mark")
        await at.until(lambda: isinstance(at.app.screen, HelpScreen))

        def beside_the_first_title() -> str:
            return at.text.partition("  Move  ")[2].partition("│")[0].strip()

        await at.until(beside_the_first_title)
        await at.pilot.resize_terminal(119, 45)
        await at.until(lambda: "  Move  " in at.text and not beside_the_first_title())


async def test_the_help_is_searched(small: Path) -> None:
    async with browsing(small, size=(100, 30)) as at:
        await at.press("question_mark")
        await at.until(lambda: isinstance(at.app.screen, HelpScreen))
        await at.press("slash", *"blocks")
        await at.until(lambda: "whole retry chain" in at.text and "Down one row" not in at.text)
        await at.press(*["backspace"] * 6, *"HALF")
        await at.until(lambda: "Down half a page" in at.text and "Filter by" not in at.text)
        await at.press("enter")
        assert isinstance(at.app.focused, ScrollText)
        await at.press("escape")
        await at.until(lambda: "Filter by" in at.text)
        assert isinstance(at.app.screen, HelpScreen)
        await at.press("escape")
        await at.until(lambda: at.app.screen is at.app.browser)


def test_every_screen_has_a_context() -> None:
    assert len({context.title for context in contexts()}) == len(contexts())
    assert all(context.keys for context in contexts())
