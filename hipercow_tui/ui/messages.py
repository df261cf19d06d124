"""Messages from background threads to the main screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from hipercow_tui.domain.plan import PurgePlan
    from hipercow_tui.domain.snapshot import Snapshot
    from hipercow_tui.domain.task import Task
    from hipercow_tui.formats.details import TaskDetails
    from hipercow_tui.formats.free_space import FreeSpace
    from hipercow_tui.output.report import Report
    from hipercow_tui.ui.workers.failure_worker import FailureViewModel
    from hipercow_tui.ui.workers.space_view import SpaceView
    from hipercow_tui.ui.workers.trash_monitor import TrashState
    from hipercow_tui.ui.workers.usage_loader import BundleUsage
    from hipercow_tui.ui.workers.view_model import PurgeForecast, ViewModel


class ServicesReady(Message):
    """The workers of the main screen were started."""


class ScanUpdated(Message):
    """The poller has a new state to take."""


@dataclass
class ViewModelReady(Message):
    """There is a new view model to show."""

    view_model: ViewModel


@dataclass
class TotalsReady(Message):
    """What a purge with these filters would take is known."""

    forecast: PurgeForecast


@dataclass
class ErrorsReady(Message):
    """There are errors to show, or more failures were read."""

    view_model: FailureViewModel


class SummariesLoaded(Message):
    """The calls of more tasks were read."""


class UsagesLoaded(Message):
    """What more tasks asked for and used was read."""


@dataclass
class BundleUsageReady(Message):
    """What the tasks of a bundle used is known, as far as it was read."""

    usage: BundleUsage


class LogActivityChanged(Message):
    """Logs of running tasks were written to, or their tasks ended."""


class SizesMeasured(Message):
    """More tasks were measured, or measuring ended."""


@dataclass
class SpaceReady(Message):
    """There is a list of the space of the root to show."""

    view: SpaceView


@dataclass
class DetailsLoaded(Message):
    """The details of one task were read, as of that time."""

    task: Task
    details: TaskDetails


@dataclass
class PlanReady(Message):
    """The requested plan, from a scan that began after the request."""

    plan: PurgePlan
    snapshot: Snapshot


@dataclass
class TrashUpdated(Message):
    """The state of the trash: the same object as before if nothing changed. A second message
    follows when new batches were measured."""

    trash: TrashState


@dataclass
class FreeSpaceRead(Message):
    """How much space is free on the file system of the root; None if it does not say."""

    space: FreeSpace | None


@dataclass
class JobEnded(Message):
    """A job has ended, with its report or a sentence on why it failed."""

    report: Report | None
    error: str | None = None


@dataclass
class OuterLogsFetched(Message):
    """Outer logs were fetched: the errors of these tasks may be others now."""

    ids: Sequence[str]


@dataclass
class WorkerFailed(Message):
    """A background thread ended by an unexpected error."""

    error: Exception
