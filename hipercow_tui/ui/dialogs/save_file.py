"""The frame of a dialog that asks for the name of a file and saves something there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from hipercow_tui.support.errors import HipercowTuiError
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.key_hints import with_keys


class SaveFileScreen(ModalScreen[None]):
    """Asks for a file name, with a proposed ``file_name``, and saves the file.

    A subclass has the methods ``write``, which is called in a thread, and ``saved``.
    """

    DEFAULT_CSS = """
    SaveFileScreen { align: center middle; }
    SaveFileScreen #dialog {
        width: 66; max-width: 100%; height: auto; padding: 1 2;
        max-height: 100%; overflow-y: auto; scrollbar-size-vertical: 1;
        background: $surface; border: round $primary; border-title-style: bold;
    }
    SaveFileScreen Input, SaveFileScreen Input:focus {
        height: 1; border: none; padding: 0 1; background: $panel;
    }
    SaveFileScreen #problem { color: $text-error; margin-top: 1; }
    SaveFileScreen #keys { color: $text-muted; margin-top: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Don't save", id="save.cancel"),
    ]

    def __init__(self, title: str, file_name: str) -> None:
        super().__init__()
        self._dialog_title = title
        self._file_name = file_name

    def write(self, path: Path) -> None:
        """Write the file. Raises HipercowTuiError, with a sentence for the dialog."""
        raise NotImplementedError

    def failed(self, path: Path, error: HipercowTuiError) -> None:
        """Show why the file was not written."""
        shown = self.query_one("#problem", Static)
        shown.update(plain_text(str(error)))
        shown.display = True

    def saved(self, path: Path) -> None:
        """Say where the file is; the path is absolute."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Yield an input with a proposed name, a line for an error, and the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = self._dialog_title
            yield Input(self._file_name, select_on_focus=False)
            yield Static(id="problem", markup=False)
            yield Static(with_keys("enter: save · <save.cancel=esc>: back"), id="keys")

    def on_mount(self) -> None:
        """Hide the line for an error."""
        self.query_one("#problem").display = False

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if name := event.value.strip():
            self.save(Path(os.path.expanduser(name)))

    @work(thread=True, exclusive=True)
    def save(self, path: Path) -> None:
        """Write the file in a thread, and leave the dialog if that succeeds."""
        try:
            self.write(path)
        except HipercowTuiError as error:
            self.call_later(self.failed, path, error)
        else:
            self.call_later(self._end, path.absolute())

    def _end(self, path: Path) -> None:
        self.saved(path)
        self.dismiss()
