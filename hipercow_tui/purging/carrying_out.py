"""Carry a plan out: move, check, then erase (SPEC section 4, rules 12, 13 and 15)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hipercow_tui.errors import PurgeError
from hipercow_tui.model import Bundle
from hipercow_tui.plan import PurgePlan
from hipercow_tui.purging.erase import erase, erase_bundle
from hipercow_tui.purging.lot import Lot, new_lot
from hipercow_tui.purging.outcome import Outcome, Phase, Progress, PurgeReport
from hipercow_tui.purging.places import because, open_places
from hipercow_tui.purging.recheck import recheck
from hipercow_tui.purging.record import Record
from hipercow_tui.purging.restore import restore_bundle, restore_task, restore_unit
from hipercow_tui.purging.stage import stage
from hipercow_tui.purging.units import Unit, by_member, units_of
from hipercow_tui.purging.watch import Watch
from hipercow_tui.roots import Root
from hipercow_tui.text import count, visible


def _unheard(progress: Progress) -> None:
    """Where progress goes that nobody asked for."""


def carry_out(
    plan: PurgePlan,
    root: Root,
    *,
    on_progress: Callable[[Progress], None] = _unheard,
    stop: threading.Event | None = None,
) -> PurgeReport:
    """Delete what the plan says, nothing else; returns what became of each task and bundle.

    ``on_progress`` is called at most every 50 ms and when a phase begins or ends. Setting ``stop``
    ends the purge and brings back all that has not been erased. An error with one task or bundle
    keeps it, and its chain, and is in the report.

    Raises PurgeError, a sentence, if the plan is refused or the root can't be purged, and if the
    purge as a whole fails; then everything is where it was, unless the sentence says otherwise.
    """
    began = time.monotonic()
    _check(plan, root)
    if plan.empty:
        return PurgeReport(plan)
    units = units_of(plan)
    with open_places(root) as places, new_lot(places, plan) as lot:
        purge = _Purge(plan, lot, units, Watch(on_progress, stop))
        try:
            purge.run()
        except (OSError, PurgeError) as error:
            purge.watch = Watch(_unheard)
            purge.bring_back("the purge failed")
            raise PurgeError(purge.failure(error)) from None
        except BaseException:  # ctrl+c, or on_progress failed
            purge.watch = Watch(_unheard)
            purge.bring_back("the purge was interrupted")
            raise
        finally:
            discarded = lot.discard()
        return purge.report(time.monotonic() - began, discarded=discarded)


def _check(plan: PurgePlan, root: Root) -> None:
    if root.purge_refusal:
        raise PurgeError(root.purge_refusal)
    if plan.refused:
        raise PurgeError(
            f"{count(len(plan.blocked), 'task')} of the plan can't be purged, so nothing was:"
            " leave out their chains, or free them first"
        )
    if plan.root != root.path:
        raise PurgeError(
            f"The plan is for {visible(str(plan.root))}, not for {visible(str(root.path))}"
        )


@dataclass(slots=True)
class _Purge:
    """One purge under way, in its lot."""

    plan: PurgePlan
    lot: Lot
    units: Sequence[Unit]
    watch: Watch
    record: Record = field(default_factory=Record)
    stopped: bool = False

    def run(self) -> None:
        """All steps, or as many as there are until stopped."""
        stage(self.lot, self.plan, self.units, self.record, self.watch)
        if not self.watch.stopped:
            self.check()
        if not self.watch.stopped:
            self.erase()
        if self.watch.stopped:
            self.stopped = self.bring_back("the purge was stopped")

    def check(self) -> None:
        """Put back what was retried or bundled meanwhile, and the bundles that would lose nothing
        (rule 13)."""
        self.watch.begin(Phase.CHECKING, len(self.plan.tasks))
        for unit, reason in recheck(self.lot.places, self.going()).items():
            restore_unit(self.lot, unit, reason, self.record)
        unit_of = by_member(self.units)
        for bundle in self.bundles_going():
            units = {unit_of[i] for i in bundle.task_ids if i in unit_of}
            if units and units <= self.record.stayed:
                restore_bundle(self.lot, bundle.name, "all of its tasks stay", self.record)

    def erase(self) -> None:
        """Erase what the lot holds: of a chain the last attempt first, and then the bundles."""
        going = self.going()
        if going or self.bundles_going():
            self.lot.begin_erasing()
        ids = [task_id for unit in going for task_id in reversed(unit.ids)]
        erase(self.lot, ids, self.record, self.watch)
        if not self.watch.stopped:
            for bundle in self.bundles_going():
                erase_bundle(self.lot, bundle.name, self.record)

    def bring_back(self, reason: str) -> bool:
        """Put back all that is still whole; tells whether there was anything.

        Of a chain whose last attempts are erased the others come back. A bundle comes back if none
        of its tasks are erased, is kept aside if some are, and goes if all are.
        """
        begun = self.record.begun
        brought: set[str] = set()
        going = self.going()
        self.watch.begin(Phase.PUTTING_BACK, sum(len(unit.tasks) for unit in going))
        for unit in going:
            whole = [task_id for task_id in unit.ids if task_id not in begun]
            split = len(whole) < len(unit.tasks)
            why = f"{reason}; the later attempts of its chain are erased" if split else reason
            for task_id in whole:
                restore_task(self.lot, task_id, why, self.record)
                brought.add(task_id)
                self.watch.at(len(brought))
        for bundle in self.bundles_going():
            if begun.isdisjoint(bundle.task_ids):
                restore_bundle(self.lot, bundle.name, reason, self.record)
                brought.add(bundle.name)
            elif brought.isdisjoint(bundle.task_ids):
                erase_bundle(self.lot, bundle.name, self.record)
            else:
                self._keep_aside(bundle, reason)
        self.watch.end()
        return bool(brought)

    def _keep_aside(self, bundle: Bundle, reason: str) -> None:
        where = self.lot.keep_aside("bundles", bundle.name)
        why = f"{reason}; some of its tasks are erased, others are back"
        self.record.failed.append(Outcome(bundle.name, why, where, is_bundle=True))

    def going(self) -> list[Unit]:
        """The units that nothing holds back, so far."""
        return [unit for unit in self.units if unit not in self.record.stayed]

    def bundles_going(self) -> list[Bundle]:
        """The bundles that nothing holds back, so far, and that are not erased."""
        settled = self.record.bundles_settled
        bundles = (planned.bundle for planned in self.plan.bundles)
        return [bundle for bundle in bundles if bundle.name not in settled]

    def failure(self, error: OSError | PurgeError) -> str:
        """What went wrong with the purge as a whole, and how it left the root."""
        reason = because(error) if isinstance(error, OSError) else str(error)
        removed = len(self.record.removed)
        stuck = [outcome.where for outcome in self.record.failed if outcome.where]
        state = f"{count(removed, 'task')} had been erased" if removed else "Nothing was deleted"
        rest = "all else is where it was"
        if stuck:
            number = count(len(stuck), "task or bundle", "tasks or bundles")
            rest = f"{number} can't be put back, first what is now {visible(str(stuck[0]))}"
        return f"{reason}. {state}; {rest}."

    def report(self, seconds: float, *, discarded: bool) -> PurgeReport:
        """What the purge did; ``discarded`` says that its lot is gone."""
        record = self.record
        aside = any(outcome.where for outcome in record.failed)
        return PurgeReport(
            plan=self.plan,
            removed=tuple(i for i in self.plan.ids if i in record.removed),
            removed_bundles=tuple(record.removed_bundles),
            put_back=tuple(record.put_back),
            vanished=tuple(record.vanished),
            failed=tuple(record.failed),
            kept_aside=self.lot.path if not discarded else self.lot.kept if aside else None,
            bytes=record.bytes,
            files=record.files,
            seconds=seconds,
            stopped=self.stopped,
        )
