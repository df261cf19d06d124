"""What a purge says while it runs and when it is over: frozen values, no words for a screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain
from pathlib import Path

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.formats.py_layout import RECENT


class Phase(StrEnum):
    """What a purge is doing; ``waiting`` is for a sign of life of another process."""

    WAITING = "waiting"
    MOVING = "moving"
    CHECKING = "checking"
    PUTTING_BACK = "putting back"
    ERASING = "erasing"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a phase is: ``done`` of ``total`` tasks, or seconds where it waits, and the bytes
    freed so far."""

    phase: Phase
    done: int
    total: int
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one task or bundle that did not simply go, as a sentence's end.

    ``name`` is a task's id or a bundle's name; ``where`` is where it stands if that is not its
    place.
    """

    name: str
    reason: str
    where: Path | None = None
    is_bundle: bool = False

    @property
    def is_of_list(self) -> bool:
        """Whether it is about Python's list of recent tasks, not about a task or bundle."""
        return self.name == RECENT and not self.is_bundle


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """What a purge did.

    ``removed`` are ids in the order of the plan, ``removed_bundles`` names. ``put_back`` is what
    stayed in its place, or is there again, because something differed from the plan or because
    its chain stayed. ``vanished`` is what others deleted meanwhile. ``failed`` is what could not
    be moved, put back or erased. ``quarantine_path`` is the folder in ``hipercow/tui/`` that still
    holds some of it, None if there is nothing. ``bytes`` and ``files`` are what was freed,
    ``seconds`` how long it took. ``stopped`` says that it ended because it was asked to. ``trash``
    is the stamp of the lot in the trash that holds what was removed; None if it was erased.
    ``no_space`` says that something could not be moved because the disk is full. ``parts`` are the
    reports of R and of Python where the plan was for both.
    """

    plan: PurgePlan
    removed: tuple[str, ...] = ()
    removed_bundles: tuple[str, ...] = ()
    put_back: tuple[ItemResult, ...] = ()
    vanished: tuple[ItemResult, ...] = ()
    failed: tuple[ItemResult, ...] = ()
    quarantine_path: Path | None = None
    bytes: int = 0
    files: int = 0
    seconds: float = 0.0
    stopped: bool = False
    trash: str | None = None
    no_space: bool = False
    parts: tuple[PurgeReport, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything that was planned is gone."""
        return not (self.put_back or self.failed or self.stopped)

    def followed_by(self, later: PurgeReport) -> PurgeReport:
        """Both parts of one purge: ``later`` tried again what this one did not get done."""
        removed = {*self.removed, *later.removed}
        loose_task = tuple(one for one in self.failed if one.where is not None or one.is_of_list)
        return replace(
            later,
            plan=self.plan,
            removed=tuple(task_id for task_id in self.plan.ids if task_id in removed),
            removed_bundles=self.removed_bundles + later.removed_bundles,
            vanished=self.vanished + later.vanished,
            failed=loose_task + later.failed,
            quarantine_path=later.quarantine_path or self.quarantine_path,
            bytes=self.bytes + later.bytes,
            files=self.files + later.files,
            seconds=self.seconds + later.seconds,
        )


def merge_reports(plan: PurgePlan, parts: Sequence[PurgeReport]) -> PurgeReport:
    """The parts of one purge, which was done in one root after the other, as its report."""
    if len(parts) == 1:
        return replace(parts[0], plan=plan)
    return PurgeReport(
        plan,
        removed=tuple(chain.from_iterable(part.removed for part in parts)),
        removed_bundles=tuple(chain.from_iterable(part.removed_bundles for part in parts)),
        put_back=tuple(chain.from_iterable(part.put_back for part in parts)),
        vanished=tuple(chain.from_iterable(part.vanished for part in parts)),
        failed=tuple(chain.from_iterable(part.failed for part in parts)),
        quarantine_path=next(
            (part.quarantine_path for part in parts if part.quarantine_path), None
        ),
        bytes=sum(part.bytes for part in parts),
        files=sum(part.files for part in parts),
        seconds=sum(part.seconds for part in parts),
        stopped=any(part.stopped for part in parts),
        trash=next((part.trash for part in parts if part.trash), None),
        no_space=any(part.no_space for part in parts),
        parts=tuple(parts),
    )


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What bringing a lot back did.

    ``restored`` are ids, ``restored_bundles`` names: they are in their places again.
    ``missing_ids`` are the ids of what is neither in its place nor in the lot any more. ``failed``
    is what could not be put back, or is kept aside, with where it is. ``lost`` is a sentence if
    another process took the lot over meanwhile.
    """

    batch_id: str
    restored: tuple[str, ...] = ()
    restored_bundles: tuple[str, ...] = ()
    missing_ids: tuple[str, ...] = ()
    failed: tuple[ItemResult, ...] = ()
    seconds: float = 0.0
    lost: str = ""

    @property
    def complete(self) -> bool:
        """Whether everything is back."""
        return not (self.missing_ids or self.failed)

    def followed_by(self, later: RestoreReport) -> RestoreReport:
        """Both, of lots of the same stamp."""
        return RestoreReport(
            self.batch_id,
            self.restored + later.restored,
            self.restored_bundles + later.restored_bundles,
            self.missing_ids + later.missing_ids,
            self.failed + later.failed,
            self.seconds + later.seconds,
            self.lost or later.lost,
        )


@dataclass(frozen=True, slots=True)
class EmptyReport:
    """What erasing lots for good did: the stamps of the lots, the ids and bundles that are erased,
    what could not be, and the space that is freed. ``stopped`` says that it ended because it was
    asked to; the rest is still in its lot then.
    """

    batch_ids: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    removed_bundles: tuple[str, ...] = ()
    failed: tuple[ItemResult, ...] = ()
    bytes: int = 0
    files: int = 0
    seconds: float = 0.0
    stopped: bool = False

    @property
    def complete(self) -> bool:
        """Whether everything in these lots is gone."""
        return not (self.failed or self.stopped)

    def followed_by(self, later: EmptyReport) -> EmptyReport:
        """Both, of other lots."""
        return EmptyReport(
            tuple(dict.fromkeys(self.batch_ids + later.batch_ids)),
            self.removed + later.removed,
            self.removed_bundles + later.removed_bundles,
            self.failed + later.failed,
            self.bytes + later.bytes,
            self.files + later.files,
            self.seconds + later.seconds,
            self.stopped or later.stopped,
        )
