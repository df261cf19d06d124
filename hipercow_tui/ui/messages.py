"""What the threads behind the browser have to say to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from hipercow_tui.domain.plan import PurgePlan, Tally
    from hipercow_tui.domain.snapshot import Snapshot
    from hipercow_tui.domain.task import Task
    from hipercow_tui.formats.details import TaskDetails
    from hipercow_tui.output.report import Report
    from hipercow_tui.ui.workers.failure_worker import ErrorBoard
    from hipercow_tui.ui.workers.trash_monitor import TrashLook
    from hipercow_tui.ui.workers.view_model import Board


class Ready(Message):
    """What works behind the browser is there."""


class Looked(Message):
    """The poller has a look to take."""


@dataclass
class BoardMade(Message):
    """There is a new board to show."""

    board: Board


@dataclass
class SumMade(Message):
    """How much a purge would take is known for the newest filters."""

    sum: Tally


@dataclass
class ErrorsMade(Message):
    """There are errors to show, or more of them."""

    board: ErrorBoard


class GistsRead(Message):
    """More is known of what tasks run."""


class LogsSeen(Message):
    """Logs of running tasks were written to, or are no longer of interest."""


class SizesRead(Message):
    """More is known of what tasks hold, or it is no longer asked for."""


@dataclass
class DetailsRead(Message):
    """The details of one task were read; they are of its status at that time."""

    task: Task
    details: TaskDetails


@dataclass
class PlanMade(Message):
    """The plan that was asked for, from a look that began after the asking."""

    plan: PurgePlan
    snapshot: Snapshot


@dataclass
class TrashSeen(Message):
    """What is in the trash, the same as before if nothing changed; comes again once the sizes of
    what is new are known."""

    look: TrashLook


@dataclass
class PurgeEnded(Message):
    """The job on the disk is over: what it did, or a sentence on why nothing could be done."""

    report: Report | None
    error: str | None = None


@dataclass
class Broke(Message):
    """A thread has ended by an error that nothing foresaw."""

    error: Exception
