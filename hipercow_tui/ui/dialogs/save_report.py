"""The dialog that saves a help report; it replaces a file only if enter is pressed again."""

from __future__ import annotations

from pathlib import Path

from hipercow_tui.support.errors import HipercowTuiError, os_error_text
from hipercow_tui.support.text import escape_controls
from hipercow_tui.support.user_files import replace_file, write_new_file
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.dialogs.save_file import SaveFileScreen


class SaveReportScreen(SaveFileScreen):
    """Asks for a file name and saves the report there; ``file_name`` is proposed."""

    def __init__(self, report: str, file_name: str) -> None:
        super().__init__("Save report", file_name)
        self._report = report
        self._existing: Path | None = None  # the file that enter replaces

    def write(self, path: Path) -> None:
        """Write a new file, or replace one if the user was asked before."""
        try:
            if path == self._existing:
                replace_file(path, self._report.encode())
            else:
                write_new_file(path, self._report)
        except FileExistsError:
            self._existing = path
            raise HipercowTuiError(
                f"{escape_controls(str(path))} exists already. Press enter again to replace it,"
                " or choose another name"
            ) from None
        except OSError as error:
            raise HipercowTuiError(
                f"{escape_controls(str(path))} can't be written: {os_error_text(error)}"
            ) from None

    def saved(self, path: Path) -> None:
        """Say where the report is."""
        self.app.notify(plain_text(str(path)), title="Report saved", markup=False)
