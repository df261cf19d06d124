"""The dialog that saves a help report."""

from __future__ import annotations

from pathlib import Path

from hipercow_tui.formats.root import Root
from hipercow_tui.output.text_file import write_lines
from hipercow_tui.support.errors import ExistingFileError, HipercowTuiError
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.dialogs.replace_file import replace_question
from hipercow_tui.ui.dialogs.save_file import SaveFileScreen


class SaveReportScreen(SaveFileScreen):
    """Asks for a file name and saves a report on a root there; ``file_name`` is proposed."""

    def __init__(self, report: str, file_name: str, root: Root) -> None:
        super().__init__("Save report", file_name)
        self._report = report
        self._root = root
        self._to_replace: Path | None = None  # the file that the user allowed to replace

    def write(self, path: Path) -> None:
        """Write a new file, or replace one if the user allowed that."""
        replace = path == self._to_replace
        write_lines(path, self._report.splitlines(), self._root.hipercow, replace=replace)

    def failed(self, path: Path, error: HipercowTuiError) -> None:
        """Ask whether an existing file is replaced; show other errors."""

        def answered(answer: str | None) -> None:
            if answer is not None:
                self._to_replace = path
                self.save(path)

        if isinstance(error, ExistingFileError):
            self.app.push_screen(replace_question(path), answered)
        else:
            super().failed(path, error)

    def saved(self, path: Path) -> None:
        """Say where the report is."""
        self.app.notify(plain_text(str(path)), title="Report saved", markup=False)
