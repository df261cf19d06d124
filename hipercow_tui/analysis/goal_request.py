"""Make the goal of a purge from the options of a command, or the arguments of ``purge``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from hipercow_tui.analysis.goal import Goal, GoalOrder
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.formats.free_space import FreeSpace
from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.size_text import parse_percent, parse_size
from hipercow_tui.support.text import escape_controls

_FILES = re.compile(r"\s*(\d[\d,]{0,14})\s*files?\s*\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class GoalRequest:
    """How much a user wants to free, as given; None is "not given".

    Attributes:
        size: A size such as ``20 GB``, or a number of bytes.
        percent: A part of the file system, such as ``15 %``.
        files: A number of files.
        order: A value of ``GoalOrder``, by default the oldest first.
        recent: Whether chains with a task of the last hour may go.
    """

    size: str | int | None = None
    percent: str | float | None = None
    files: int | None = None
    order: str | None = None
    recent: bool = False

    @staticmethod
    def of_text(text: str, order: GoalOrder, *, recent: bool = False) -> GoalRequest:
        """Return a request by a size, a percentage, or a number of files: ``20 GB``, ``15 %``,
        ``1,000 files``."""
        if text.rstrip().endswith("%"):
            return GoalRequest(percent=text, order=order, recent=recent)
        if files := _FILES.match(text):
            number = int(files[1].replace(",", ""))
            return GoalRequest(files=number, order=order, recent=recent)
        return GoalRequest(text, order=order, recent=recent)

    def goal(self, read_space: Callable[[], FreeSpace | None], kind: SizeKind) -> Goal | None:
        """Return the goal, None if there is none.

        ``read_space`` returns how much is free on the file system of the root, None if that is not
        known; it is called only for a percentage. ``kind`` is the definition of ``size``; a
        percentage is of disk usage. Raises FilterError.
        """
        order = self._order()
        if self.size is None and self.percent is None and self.files is None:
            if self.order is not None or self.recent:
                raise FilterError(
                    "An order, and the tasks of the last hour, need a goal: give a size, a"
                    " percentage or a number of files to free"
                )
            return None
        if self.size is not None and self.percent is not None:
            raise FilterError("A goal has either a size or a percentage: leave out one of them")
        files = 0 if self.files is None else _whole_number("a number of files", self.files)
        if self.percent is None:
            return Goal(self._bytes(), files, kind, order, self.recent)
        percent = self._percent()
        space = read_space()
        if space is None:
            raise FilterError(
                "The file system of the root does not say how much is free: give a size instead"
                " of a percentage"
            )
        missing = space.missing(percent)
        return Goal(missing, files, SizeKind.ON_DISK, order, self.recent, percent)

    def _order(self) -> GoalOrder:
        if self.order is None:
            return GoalOrder.OLDEST
        if self.order not in list(GoalOrder):
            shown = escape_controls(str(self.order))
            raise FilterError(f"'{shown}' is not an order: use {', '.join(GoalOrder)}")
        return GoalOrder(self.order)

    def _bytes(self) -> int:
        if isinstance(self.size, str):
            if _FILES.match(self.size):
                raise FilterError(
                    f"'{self.size.strip()}' is not a size: --free-files, or free_files= in Python,"
                    " takes a number of files"
                )
            return parse_size(self.size)
        return 0 if self.size is None else _whole_number("a size", self.size)

    def _percent(self) -> float:
        if isinstance(self.percent, bool) or not isinstance(self.percent, str | int | float):
            raise FilterError(
                f"a percentage is a text such as '15 %' or a number, not a"
                f" {type(self.percent).__name__}"
            )
        return parse_percent(str(self.percent))


def _whole_number(what: str, number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        shown = number if isinstance(number, int) else type(number).__name__
        raise FilterError(f"{what} is a whole number from 0 up, not {shown}")
    return number
