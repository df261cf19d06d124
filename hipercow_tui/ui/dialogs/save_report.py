"""The dialog that saves a help report; it replaces a file only if enter is pressed again."""

from __future__ import annotations

import os
from pathlib import Path

from hipercow_tui.formats.root import Root
from hipercow_tui.output.inputs_export.files import write_lines
from hipercow_tui.support.errors import ExportError
from hipercow_tui.support.text import escape_controls
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.dialogs.save_file import SaveFileScreen


class SaveReportScreen(SaveFileScreen):
    """Asks for a file name and saves a report on a root there; ``file_name`` is proposed."""

    def __init__(self, report: str, file_name: str, root: Root) -> None:
        super().__init__("Save report", file_name)
        self._report = report
        self._root = root
        self._existing: Path | None = None  # the file that enter replaces

    def write(self, path: Path) -> None:
        """Write a new file, or replace one if the user was asked before."""
        replace = path == self._existing
        if not replace and os.path.lexists(path):
            self._existing = path
            raise ExportError(
                f"{escape_controls(str(path))} exists already. Press enter again to replace it,"
                " or choose another name"
            )
        write_lines(path, self._report.splitlines(), self._root.hipercow, replace=replace)

    def saved(self, path: Path) -> None:
        """Say where the report is."""
        self.app.notify(plain_text(str(path)), title="Report saved", markup=False)
