"""Export the inputs of tasks to the clipboard or to a file."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from hipercow_tui.domain.task import Task
from hipercow_tui.formats.root import Root
from hipercow_tui.output.inputs_export.writers import Format
from hipercow_tui.output.text_file import check_path
from hipercow_tui.support.errors import ExportError, os_error_text
from hipercow_tui.support.text import format_size, pluralize
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.clipboard import LARGEST, copy
from hipercow_tui.ui.dialogs.dialog import Dialog
from hipercow_tui.ui.dialogs.replace_file import replace_question
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.widgets.menu_list import MenuList
from hipercow_tui.ui.workers.inputs_job import InputsResult, InputsTarget, export_inputs

_KEYS = {"c": Format.CSV, "j": Format.JSON, "r": Format.R}  # upper case: to a file
_LABEL = 24  # cells


class ExportInputsScreen(Dialog[None]):
    """Ask for a format and a place, read the inputs of tasks in a thread, and show the size of the
    export. ``what`` names the tasks, such as ``bundle sweep_03, 120 tasks``."""

    DEFAULT_CSS = """
    ExportInputsScreen #dialog { width: 76; padding: 1 1 0 1; }
    ExportInputsScreen Input, ExportInputsScreen Input:focus {
        height: 1; border: none; padding: 0 1; background: $panel;
    }
    ExportInputsScreen #state { margin-top: 1; padding: 0 1; }
    ExportInputsScreen #state.-problem { color: $text-error; }
    ExportInputsScreen #keys { padding: 0 1; margin: 1 0; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Stop, or back", id="export_inputs.back"),
    ]

    def __init__(self, root: Root, what: str, tasks: Sequence[Task], now: float) -> None:
        super().__init__()
        self._root = root
        self._what = what
        self._tasks = tasks
        self._now = now
        self._form = Format.CSV
        self._stop = threading.Event()
        self._working = False

    def compose(self) -> ComposeResult:
        """Yield the menu, the name of a file, what happens, and the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = f"Export inputs: {plain_text(self._what)}"
            yield MenuList(*map(_option, _KEYS), None, *map(_option, map(str.upper, _KEYS)))
            yield Input(select_on_focus=False)
            yield Static(id="state", markup=False)
            yield Static(id="keys", markup=False)

    def on_mount(self) -> None:
        """Show the menu."""
        self._show_menu("")

    def on_unmount(self) -> None:
        """Stop reading, and write no file."""
        self._stop.set()

    @property
    def _state(self) -> Static:
        return self.query_one("#state", Static)

    def _show(
        self, shown: MenuList | Input | None, state: str, keys: str, *, problem: bool
    ) -> None:
        """Show the menu, the name of the file or neither, a sentence and keys."""
        if not self.is_attached:
            return
        for widget in (self.query_one(MenuList), self.query_one(Input)):
            widget.display = widget is shown
        if shown is not None:
            shown.focus()
        self._state.update(Text(state))
        self._state.display = bool(state)
        self._state.set_class(problem, "-problem")
        self.query_one("#keys", Static).update(with_keys(keys))

    def _show_menu(self, state: str, *, problem: bool = False) -> None:
        keys = "letter or enter: export · <export_inputs.back=esc>: back"
        self._show(self.query_one(MenuList), state, keys, problem=problem)

    # The choices

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._choose((event.option.id or "").removeprefix("key-"))

    def on_key(self, event: events.Key) -> None:
        """Choose by a letter."""
        letter = event.character or ""
        if self.query_one(MenuList).display and letter.lower() in _KEYS:
            event.stop()
            self._choose(letter)

    def _choose(self, key: str) -> None:
        self._form = _KEYS[key.lower()]
        if key.islower():
            self._start(InputsTarget(self._form))
            return
        field = self.query_one(Input)
        field.value = f"inputs-{datetime.fromtimestamp(self._now):%Y-%m-%d-%H%M%S}.{self._form}"
        field.cursor_position = len(field.value)
        self._show_name("")

    def _show_name(self, problem: str) -> None:
        keys = "enter: save · <export_inputs.back=esc>: back"
        self._show(self.query_one(Input), problem, keys, problem=True)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if not event.value.strip():
            return
        path = Path(os.path.expanduser(event.value.strip())).absolute()
        self._check(path)

    @work(thread=True, exclusive=True)
    def _check(self, path: Path) -> None:
        try:
            check_path(path, self._root.hipercow)
        except ExportError as error:
            self.call_later(self._unless_back, partial(self._show_name, str(error)))
        else:
            then = self._ask if os.path.lexists(path) else self._save
            self.call_later(self._unless_back, partial(then, path))

    def _unless_back(self, then: Callable[[], None]) -> None:
        """Go on after a path was checked, unless the user has gone back meanwhile."""
        if self.query_one(Input).display:
            then()

    def _ask(self, path: Path) -> None:
        if not self.is_current:
            return

        def answered(answer: str | None) -> None:
            if answer is not None:
                self._save(path, replace=True)

        self.app.push_screen(replace_question(path), answered)

    def _save(self, path: Path, *, replace: bool = False) -> None:
        self._start(InputsTarget(self._form, path, replace))

    # The work

    def _start(self, target: InputsTarget) -> None:
        if self._working:
            return
        self._working = True
        self._stop.clear()
        self._show_progress(0)
        self._export(target)

    @work(thread=True)
    def _export(self, target: InputsTarget) -> None:
        def progress(done: int) -> None:
            self.call_later(self._show_progress, done)

        try:
            result = export_inputs(self._root, self._tasks, target, progress, self._stop)
        except ExportError as error:
            self.call_later(self._ended, str(error))
        except OSError as error:
            self.call_later(
                self._ended, f"No temporary file can be written: {os_error_text(error)}"
            )
        else:
            self.call_later(self._done, result)

    def _show_progress(self, done: int) -> None:
        if self._working:
            number = pluralize(len(self._tasks), "task")
            state = f"Reading inputs: {done:,} of {number}"
            self._show(None, state, "<export_inputs.back=esc>: stop", problem=False)

    def _ended(self, problem: str) -> None:
        self._working = False
        self._show_menu(problem, problem=True)

    def _done(self, result: InputsResult | None) -> None:
        if not self.is_attached:
            return
        if result is None:
            self._ended("Stopped: nothing was exported")
            return
        self._working = False
        path = result.target.path
        if path is not None:
            done = f"Saved to {plain_text(str(path))}"
        elif self._copy(result):
            done = "Copied to the clipboard"
        else:
            self._ended(
                f"Not copied: {_size_text(result)}, and the clipboard of a terminal takes"
                f" {format_size(LARGEST)}. Save it to a file: {self._file_key}"
            )
            return
        read = [f"In R: {result.call}"] if result.call else []
        self._show_menu("\n".join([f"{done}: {_size_text(result)}", *result.remarks, *read]))

    @property
    def _file_key(self) -> str:
        return next(key.upper() for key, form in _KEYS.items() if form is self._form)

    def _copy(self, result: InputsResult) -> bool:
        if result.size > LARGEST:
            return False
        name = f"{result.target.form.label} of {pluralize(result.rows, 'task')}"
        return copy(self.app, result.text, name, alternative="save it to a file")

    def action_leave(self) -> None:
        """Stop reading; go from the name of a file to the menu; else close."""
        if self._working:
            self._stop.set()
        elif self.query_one(Input).display:
            self._show_menu("")
        else:
            self.dismiss(None)


def _option(key: str) -> Option:
    place = "to a file…" if key.isupper() else "to the clipboard"
    label = f" {key}  {_KEYS[key.lower()].label}".ljust(_LABEL)
    return Option(Text.assemble((label, "bold"), (place, "dim")), id=f"key-{key}")


def _size_text(result: InputsResult) -> str:
    """Return ``120 rows, 9 columns, 12.3 kB``; lines of JSON have no columns."""
    columns = (
        "" if result.target.form is Format.JSON else f"{pluralize(result.columns, 'column')}, "
    )
    return f"{pluralize(result.rows, 'row')}, {columns}{format_size(result.size)}"
