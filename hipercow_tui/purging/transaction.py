"""A purge in its batch: stage, check, then erase or keep in the trash (docs/spec.md, rule 13)."""

from __future__ import annotations

from collections.abc import Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.task import Bundle, Lang
from hipercow_tui.purging import recent_list
from hipercow_tui.purging.batch import Batch, BatchGoneError
from hipercow_tui.purging.batch_name import BatchState, bundle_file
from hipercow_tui.purging.chain_units import ChainUnit, by_member
from hipercow_tui.purging.conflict_check import recheck
from hipercow_tui.purging.eraser import erase, erase_bundles
from hipercow_tui.purging.manifest import PurgeMode
from hipercow_tui.purging.progress import ProgressReporter
from hipercow_tui.purging.results import ItemResult, Phase, PurgeReport
from hipercow_tui.purging.rollback import (
    fix_wrong_records,
    join_reasons,
    restore_bundle,
    restore_task,
    restore_unit,
)
from hipercow_tui.purging.run_record import RunRecord
from hipercow_tui.purging.staging import stage
from hipercow_tui.support.errors import PurgeError, os_error_text
from hipercow_tui.support.text import escape_controls, pluralize


@dataclass(slots=True)
class PurgeTransaction:
    """The purge of one plan in one batch."""

    plan: PurgePlan
    batch: Batch
    units: Sequence[ChainUnit]
    progress: ProgressReporter
    mode: PurgeMode = PurgeMode.PURGE
    record: RunRecord = field(default_factory=RunRecord)
    stopped: bool = False

    def run(self) -> None:
        """Run all steps. If a stop is requested, put back the tasks that are not erased."""
        stage(self.batch, self.plan, self.units, self.record, self.progress)
        if not self.progress.stopped:
            self.check()
        if not self.progress.stopped:
            fix_wrong_records(self.batch, self.record)
            self.ensure_batch_clean()
            self.remove_from_recent()
            if self.mode is PurgeMode.TRASH:
                self.finish_move_to_trash()
                return
            self.erase()
        if self.progress.stopped:
            # A stop that comes after the last task was erased changes nothing.
            self.stopped = self.abort("the purge was stopped")

    def check(self) -> None:
        """Put back units with a conflict, and the bundles that lose none of their tasks (rule
        13)."""
        self.progress.begin(Phase.CHECKING, len(self.plan.tasks))
        held = recheck(self.batch.dirs, self.plan, self.remaining_units())
        for unit, reason in held.items():
            self.batch.ensure_owned()
            restore_unit(self.batch, unit, reason, self.record)
        unit_by_task_id = by_member(self.units)
        for bundle in self.remaining_bundles():
            units = {unit_by_task_id[i] for i in bundle.task_ids if i in unit_by_task_id}
            if units and units <= self.record.kept_units:
                restore_bundle(self.batch, bundle.name, "all of its tasks stay", self.record)

    def ensure_batch_clean(self) -> None:
        """Raise PurgeError if something could not be moved out of the batch: it must not be
        erased."""
        for item in self.record.failed:
            if item.where is not None and item.where.is_relative_to(self.batch.path):
                name = escape_controls(item.name)
                raise PurgeError(f"{name} could not be moved out of the batch: {item.reason}")

    def remove_from_recent(self) -> None:
        """Remove the tasks from the list of recent tasks of Python.

        This is done before the ids are lost by erasing. If the list can't be written, that is
        recorded, and the tasks are purged anyway.
        """
        ids = [task_id for unit in self.remaining_units() for task_id in unit.ids]
        failed = recent_list.remove_ids(self.batch.dirs, ids, lambda: self.progress.stopped)
        self.record.failed += [failed] if failed else []

    def finish_move_to_trash(self) -> None:
        """Leave the batch in the trash."""
        going, bundles = self.remaining_units(), self.remaining_bundles()
        if going or bundles:
            self.batch.set_state(BatchState.TRASH)
        self.record.removed.update(task_id for unit in going for task_id in unit.ids)
        self.record.removed_bundles += [bundle.name for bundle in bundles]

    def erase(self) -> None:
        """Erase the tasks, of each chain the latest attempt first, and then the bundles."""
        going, bundles = self.remaining_units(), self.remaining_bundles()
        if going or bundles:
            self.batch.set_state(BatchState.ERASING)
        erase(self.batch, [unit.ids[::-1] for unit in going], bundles, self.record, self.progress)

    def abort(self, reason: str) -> bool:
        """Put back all tasks that are not erased. Returns whether there were any.

        The batch is first renamed to ``restoring``, so that recovery restores the batch, and never
        resumes the purge, if this process dies. Raises TakenOverError.
        """
        if self.batch.name.state is BatchState.MOVING:
            with suppress(BatchGoneError, OSError):
                self.batch.set_state(BatchState.RESTORING)
        return self.roll_back(reason)

    def roll_back(self, reason: str = "") -> bool:
        """Put back all tasks that are not erased. Returns whether there were any.

        The earlier attempts of a partly erased chain are put back. A bundle is put back if none of
        its tasks are erased, quarantined if only some are, and erased if all are.
        """
        erased = self.record.partly_erased
        restored: set[str] = set()
        going = self.remaining_units()
        self._withdraw_failed({i for unit in going for i in unit.ids} - erased)
        bundles_without_tasks = []
        self.progress.begin(Phase.PUTTING_BACK, sum(len(unit.tasks) for unit in going))
        for unit in going:
            self.batch.ensure_not_taken_over()
            unerased_ids = [task_id for task_id in unit.ids if task_id not in erased]
            why = reason
            if len(unerased_ids) < len(unit.tasks):
                why = join_reasons(reason, "the later attempts of its chain are erased")
            for task_id in unerased_ids:
                restore_task(self.batch, task_id, why, self.record)
                restored.add(task_id)
                self.progress.advance(len(restored))
        for bundle in self.remaining_bundles():
            if erased.isdisjoint(bundle.task_ids):
                restore_bundle(self.batch, bundle.name, reason, self.record)
                restored.add(bundle.name)
            elif restored.isdisjoint(bundle.task_ids):
                bundles_without_tasks.append(bundle.name)
            else:
                self._quarantine(bundle, reason)
        erase_bundles(self.batch, bundles_without_tasks, self.record)
        fix_wrong_records(self.batch, self.record)
        self._put_back_recent()
        self.progress.end()
        return bool(restored)

    def _withdraw_failed(self, ids: Set[str]) -> None:
        """Remove the errors of these tasks from the record, because they are put back."""
        failed = self.record.failed
        self.record.failed = [one for one in failed if one.is_bundle or one.name not in ids]

    def _put_back_recent(self) -> None:
        """Add the tasks of the plan that are in place to the list of recent tasks, the newest last.

        Another process may have begun this purge and removed them from the list.
        """
        if self.batch.dirs.lang is not Lang.PY:
            return
        tasks = sorted((one.task for one in self.plan.tasks), key=lambda task: task.created or 0.0)
        ids = [task.id for task in tasks if self.batch.dirs.has_task(task.id)]
        failed = recent_list.append_ids(self.batch.dirs, ids)
        self.record.failed += [failed] if failed else []

    def _quarantine(self, bundle: Bundle, reason: str) -> None:
        where = self.batch.quarantine("bundles", bundle_file(bundle.name))
        why = join_reasons(reason, "some of its tasks are erased, others are put back")
        self.record.failed.append(ItemResult(bundle.name, why, where, is_bundle=True))

    def remaining_units(self) -> list[ChainUnit]:
        """Return the units that are still to be purged."""
        return [unit for unit in self.units if unit not in self.record.kept_units]

    def remaining_bundles(self) -> list[Bundle]:
        """Return the bundles that are still to be purged."""
        finished = self.record.finished_bundles
        bundles = (planned.bundle for planned in self.plan.bundles)
        return [bundle for bundle in bundles if bundle.name not in finished]

    def failure_message(self, error: OSError | PurgeError) -> str:
        """Return why the purge as a whole failed, and in which state the root is."""
        reason = os_error_text(error) if isinstance(error, OSError) else str(error)
        removed = len(self.record.removed)
        paths = [item.where for item in self.record.failed if item.where]
        state, rest = "Nothing was deleted", "all tasks and bundles are back where they were"
        if removed:
            state = f"{pluralize(removed, 'task')} had already been erased"
            rest = "all others are back where they were"
        if paths:
            number = pluralize(len(paths), "task or bundle", "tasks or bundles")
            rest = f"{number} can't be put back, the first is {escape_controls(str(paths[0]))}"
        failed = [one for one in self.record.failed if one.is_about_recent_list]
        listed = [f" {one.name}: {one.reason}." for one in failed]
        return f"{reason}. {state}; {rest}.{''.join(listed)}"

    def interrupted_message(self, error: OSError | PurgeError) -> str:
        """Return why the purge failed, if its tasks could not be put back either."""
        reason = os_error_text(error) if isinstance(error, OSError) else str(error)
        erased = pluralize(len(self.record.removed), "task")
        return (
            f"{reason}. {erased} had already been erased. What was moved is in"
            f" {escape_controls(str(self.batch.path.parent))}; 'hipercow-tui trash' lists it."
        )

    def report(self, seconds: float, *, discarded: bool) -> PurgeReport:
        """Return the report. ``seconds`` is its duration, ``discarded`` that the batch is
        removed."""
        record = self.record
        return PurgeReport(
            plan=self.plan,
            removed=tuple(i for i in self.plan.ids if i in record.removed),
            removed_bundles=tuple(record.removed_bundles),
            put_back=tuple(record.put_back),
            vanished=tuple(record.vanished),
            failed=tuple(record.failed),
            quarantine_path=self.quarantine_path(discarded=discarded),
            bytes=record.bytes,
            files=record.files,
            disk_bytes=record.disk_bytes,
            seconds=seconds,
            stopped=self.stopped,
            no_space=record.no_space,
            trash=self.batch.batch_id if self.batch.name.state is BatchState.TRASH else None,
        )

    def quarantine_path(self, *, discarded: bool) -> Path | None:
        """Return the folder of what could be neither erased nor put back; None if there is none."""
        if not discarded and self.batch.name.state is not BatchState.TRASH:
            return self.batch.path
        kept = any(item.where for item in self.record.failed)
        return self.batch.quarantine_path if kept else None
