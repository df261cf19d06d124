"""Sentences on the screen name the keys that the user chose."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from failing import result_file, write_failed
from small_root import DAY, task_id, write_bundle, write_task
from ui_driving import all_rows_shown, screen_text, until

import hipercow_tui
from hipercow_tui.formats.root import find_root
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.key_catalog import keys_by_id, resolve
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.key_names import shown_keys
from hipercow_tui.ui.screens.plan import PlanScreen

NOW = 1_795_450_000.0
KEY = re.compile(r"<([a-z_]+(?:\.[a-z_]+)*)=([^<>]+)>")
# A key in a sentence, such as "esc: back", "p shows the plan" or "(space)".
NAMED = re.compile(
    r"(?:^|[\s(·,])(?:esc|tab|space|ctrl\+\w|[a-zA-Z0-9/?])"
    r"(?:: | (?:shows|removes|begins|takes|marks?|goes|switches|measures|stops|lists|to finish)\b)"
    r"|\((?:esc|tab|space|[a-zA-Z])\)"
)
MAKES_KEY = ("Binding", "make_key")
# These keys are not in the keymap: of a menu in which each line has its letter, of R, of a signal.
FIXED = ("s: copy the call", "R: ", "ctrl+c stops a purge")
MODULES = [
    path
    for folder in ("ui", "analysis")
    for path in (Path(hipercow_tui.__file__).parent / folder).rglob("*.py")
]


def sentences() -> Iterator[tuple[str, str]]:
    """Yield the texts of the modules that make the screens; no docstrings and no key bindings."""
    for path in MODULES:
        tree = ast.parse(path.read_text())
        others = {
            part
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr)
            or (isinstance(node, ast.Call) and getattr(node.func, "id", "") in MAKES_KEY)
            for part in ([node.value] if isinstance(node, ast.Expr) else ast.walk(node))
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            is_pattern_or_css = any(part in node.value for part in ("\\", "(?:", "width:"))
            if node not in others and " " in node.value and not is_pattern_or_css:
                yield path.name, node.value


def test_keys_in_sentences_have_their_ids_and_defaults() -> None:
    found = {match.groups() for _, text in sentences() for match in KEY.finditer(text)}
    assert len(found) > 40
    for name, default in found:
        binding = keys_by_id()[name]
        assert default in shown_keys(binding, {}).split(), name


def test_no_sentence_names_a_default_key_by_itself() -> None:
    for module, text in sentences():
        rest = KEY.sub("…", text)
        for fixed in FIXED:
            rest = rest.replace(fixed, "")
        assert not NAMED.search(rest), f"{module}: {text}"


def test_a_sentence_without_chosen_keys_has_the_defaults() -> None:
    assert with_keys("<plan.skip=x>: leave out · <a=b c") == "x: leave out · <a=b c"


async def test_sentences_name_chosen_keys(tmp_path: Path) -> None:
    ids = tuple(map(task_id, range(4)))
    for number, identity in enumerate(ids):
        write_failed(tmp_path, identity, result_file("no"), beta=number, ended=NOW - DAY)
    write_task(tmp_path, task_id(9), "running", created=NOW - DAY)
    write_bundle(tmp_path, "sweep", (*ids, task_id(9)))
    chosen = {"back": ("f2",), "clear": ("f3",), "plan.skip": ("f4",), "plan": ("ctrl+y",)}
    app = HipercowApp(find_root(tmp_path), keymap=resolve(chosen), clock=lambda: NOW)
    async with app.run_test(size=(118, 40), notifications=True) as pilot:
        await until(pilot, lambda: all_rows_shown(app))
        await pilot.press("b", "enter")
        await until(pilot, lambda: "f2: back" in screen_text(app))
        await pilot.press("d")
        assert "ctrl+y shows the plan of a purge" in screen_text(app).replace("^y", "ctrl+y")
        await pilot.press("1", "2", "3", "1", "3", "m")
        await until(pilot, lambda: "f3 clears filters" in screen_text(app))
        await pilot.press("f3", "6", "ctrl+y")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        await until(pilot, lambda: "f4: leave out their chains" in screen_text(app))
    assert with_keys("<clear=0>") == "0"  # the next app in this process begins with the defaults
