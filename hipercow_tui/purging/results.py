"""The progress and the reports of a purge, a restore and an emptying: frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain
from pathlib import Path

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.folder_size import NO_SIZE, Size, freed_size
from hipercow_tui.formats.py_layout import RECENT


class Phase(StrEnum):
    """A phase of a purge; in ``WAITING``, another process may still use the batch."""

    WAITING = "waiting"
    MOVING = "moving"
    CHECKING = "checking"
    PUTTING_BACK = "putting back"
    ERASING = "erasing"


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a phase: ``done`` of ``total`` tasks, and the size freed so far.

    In the phase ``WAITING`` ``done`` and ``total`` are seconds, not tasks.
    """

    phase: Phase
    done: int
    total: int
    freed: Size = NO_SIZE


@dataclass(frozen=True, slots=True)
class ItemResult:
    """A task or bundle that was not purged or restored, and the reason, as the end of a sentence.

    ``name`` is the id of a task or the name of a bundle. ``where`` is its path if it is not in its
    place.
    """

    name: str
    reason: str
    where: Path | None = None
    is_bundle: bool = False

    @property
    def is_about_recent_list(self) -> bool:
        """Whether this is about the list of recent tasks of Python, and not about a task or
        bundle."""
        return self.name == RECENT and not self.is_bundle


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """The result of a purge.

    ``removed`` are ids in the order of the plan, ``removed_bundles`` are names. ``put_back`` are
    tasks and bundles that stayed or were put back, because something differed from the plan.
    ``vanished`` are those that another process deleted, ``failed`` those that could not be moved,
    put back or erased. ``quarantine_path`` is the folder in ``hipercow/tui/`` that still holds some
    of them, or None. ``freed`` says what was freed, in ``seconds``. ``stopped`` is set if the
    purge was stopped on request. ``trash`` is the id of the batch in the trash, None if the tasks
    were erased. ``no_space`` is set if the disk was too full to move something. ``parts`` are the
    reports of R and Python, if the plan was for both. ``moved`` is the size of the tasks that were
    moved to the trash, None if it is not known.
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
    disk_bytes: int = 0
    seconds: float = 0.0
    stopped: bool = False
    trash: str | None = None
    no_space: bool = False
    parts: tuple[PurgeReport, ...] = ()
    moved: Size | None = None

    @property
    def freed(self) -> Size:
        """The size of the erased files."""
        return Size(self.bytes, self.files, self.disk_bytes)

    @property
    def complete(self) -> bool:
        """Whether everything in the plan was removed."""
        return not (self.put_back or self.failed or self.stopped)

    def followed_by(self, later: PurgeReport) -> PurgeReport:
        """Merge with the report of a second attempt at the rest of the plan."""
        removed = {*self.removed, *later.removed}
        kept = tuple(one for one in self.failed if one.where or one.is_about_recent_list)
        return replace(
            later,
            plan=self.plan,
            removed=tuple(task_id for task_id in self.plan.ids if task_id in removed),
            removed_bundles=self.removed_bundles + later.removed_bundles,
            vanished=self.vanished + later.vanished,
            failed=kept + later.failed,
            quarantine_path=later.quarantine_path or self.quarantine_path,
            bytes=self.bytes + later.bytes,
            files=self.files + later.files,
            disk_bytes=self.disk_bytes + later.disk_bytes,
            seconds=self.seconds + later.seconds,
        )


def merge_reports(plan: PurgePlan, parts: Sequence[PurgeReport]) -> PurgeReport:
    """Merge the reports of the roots of R and Python, which were purged one after the other."""
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
        disk_bytes=sum(part.disk_bytes for part in parts),
        seconds=sum(part.seconds for part in parts),
        stopped=any(part.stopped for part in parts),
        trash=next((part.trash for part in parts if part.trash), None),
        no_space=any(part.no_space for part in parts),
        parts=tuple(parts),
        moved=sum_known(part.moved for part in parts if part.removed),
    )


def sum_known(sizes: Iterable[Size | None]) -> Size | None:
    """Return the sizes together; None if one of them is not known, or if there is none."""
    known = list(sizes)
    found = [size for size in known if size is not None]
    return freed_size(found) if found and len(found) == len(known) else None


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """The result of a restore.

    ``restored`` (ids) and ``restored_bundles`` (names) are in place again. ``missing_ids``
    are ids that are neither in place nor in the batch. ``failed`` are tasks and bundles that could
    not be put back, or are quarantined, with their path. ``lost`` is a sentence if another process
    took over the batch meanwhile, else "". ``tasks`` are the restored tasks as the manifest
    describes them, those that it does not have left out.
    """

    batch_id: str
    restored: tuple[str, ...] = ()
    restored_bundles: tuple[str, ...] = ()
    missing_ids: tuple[str, ...] = ()
    failed: tuple[ItemResult, ...] = ()
    seconds: float = 0.0
    lost: str = ""
    tasks: tuple[Task, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything is back."""
        return not (self.missing_ids or self.failed)

    def followed_by(self, later: RestoreReport) -> RestoreReport:
        """Merge with the report of another batch of the same id."""
        return RestoreReport(
            self.batch_id,
            self.restored + later.restored,
            self.restored_bundles + later.restored_bundles,
            self.missing_ids + later.missing_ids,
            self.failed + later.failed,
            self.seconds + later.seconds,
            self.lost or later.lost,
            self.tasks + later.tasks,
        )


@dataclass(frozen=True, slots=True)
class EmptyReport:
    """The result of erasing batches for good.

    ``removed`` are ids and ``removed_bundles`` names that were erased, ``failed`` those that could
    not be. ``freed`` says what was freed, in ``seconds``. ``stopped`` is set if it was stopped
    on request; then the rest is still in its batch.
    """

    batch_ids: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    removed_bundles: tuple[str, ...] = ()
    failed: tuple[ItemResult, ...] = ()
    bytes: int = 0
    files: int = 0
    disk_bytes: int = 0
    seconds: float = 0.0
    stopped: bool = False

    @property
    def freed(self) -> Size:
        """The size of the erased files."""
        return Size(self.bytes, self.files, self.disk_bytes)

    @property
    def complete(self) -> bool:
        """Whether everything in these batches was erased."""
        return not (self.failed or self.stopped)

    def followed_by(self, later: EmptyReport) -> EmptyReport:
        """Merge with the report of other batches."""
        return EmptyReport(
            tuple(dict.fromkeys(self.batch_ids + later.batch_ids)),
            self.removed + later.removed,
            self.removed_bundles + later.removed_bundles,
            self.failed + later.failed,
            self.bytes + later.bytes,
            self.files + later.files,
            self.disk_bytes + later.disk_bytes,
            self.seconds + later.seconds,
            self.stopped or later.stopped,
        )
