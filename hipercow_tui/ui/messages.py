"""What the threads behind the browser have to say to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from hipercow_tui.domain.plan import PlanTotals, PurgePlan
    from hipercow_tui.domain.snapshot import Snapshot
    from hipercow_tui.domain.task import Task
    from hipercow_tui.formats.details import TaskDetails
    from hipercow_tui.output.report import Report
    from hipercow_tui.ui.workers.failure_worker import FailureViewModel
    from hipercow_tui.ui.workers.trash_monitor import TrashState
    from hipercow_tui.ui.workers.view_model import ViewModel


class ServicesReady(Message):
    """What works behind the browser is there."""


class ScanUpdated(Message):
    """The poller has a look to take."""


@dataclass
class ViewModelReady(Message):
    """There is a new board to show."""

    view_model: ViewModel


@dataclass
class TotalsReady(Message):
    """How much a purge would take is known for the newest filters."""

    totals: PlanTotals


@dataclass
class ErrorsReady(Message):
    """There are errors to show, or more of them."""

    view_model: FailureViewModel


class SummariesLoaded(Message):
    """More is known of what tasks run."""


class LogActivityChanged(Message):
    """Logs of running tasks were written to, or are no longer of interest."""


class SizesMeasured(Message):
    """More is known of what tasks hold, or it is no longer asked for."""


@dataclass
class DetailsLoaded(Message):
    """The details of one task were read; they are of its status at that time."""

    task: Task
    details: TaskDetails


@dataclass
class PlanReady(Message):
    """The plan that was asked for, from a look that began after the asking."""

    plan: PurgePlan
    snapshot: Snapshot


@dataclass
class TrashUpdated(Message):
    """What is in the trash, the same as before if nothing changed; comes again once the sizes of
    what is new are known."""

    trash: TrashState


@dataclass
class JobEnded(Message):
    """The job on the disk is over: what it did, or a sentence on why nothing could be done."""

    report: Report | None
    error: str | None = None


@dataclass
class WorkerFailed(Message):
    """A thread has ended by an error that nothing foresaw."""

    error: Exception
