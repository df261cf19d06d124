"""Pins and unpins the line under the cursor of a plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.screen import Screen

from hipercow_tui.analysis.plan_rows import Row
from hipercow_tui.analysis.plan_tree import PlanGroup
from hipercow_tui.domain.combined_snapshot import with_pins
from hipercow_tui.domain.incremental import derive_incrementally
from hipercow_tui.domain.plan import PinnedTask, PlannedBundle
from hipercow_tui.domain.record_requests import chain_targets
from hipercow_tui.domain.records import RecordTarget, TargetKind
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.formats.records import PinReader
from hipercow_tui.formats.root import Root
from hipercow_tui.ui.messages import WorkerFailed
from hipercow_tui.ui.pin_toggle import PinToggle
from hipercow_tui.ui.widgets.plan_list import task_of
from hipercow_tui.ui.workers.base import start_thread


class PlanPinning:
    """Changes pins, and reads them again into the snapshot that the plan is made from.

    ``show`` is called in the UI thread with the new snapshot. ``changed`` says whether a pin was
    changed.
    """

    def __init__(
        self,
        screen: Screen[Any],
        root: Root,
        show: Callable[[Snapshot], object],
        *,
        read_only: bool,
        clock: Callable[[], float],
    ) -> None:
        self._screen = screen
        self._root = root
        self._show = show
        self._snapshot: Snapshot | None = None
        self._toggle = PinToggle(screen, root, self._read_again, read_only=read_only, clock=clock)
        self.changed = False

    def toggle(self, row: Row | None, snapshot: Snapshot) -> None:
        """Pin or unpin the chain or the bundle of a line. ``snapshot`` is that of the plan."""
        self._snapshot = snapshot
        self._toggle.toggle(_targets(row, snapshot), snapshot)

    def _read_again(self) -> None:
        self.changed = True
        start_thread(self._read, lambda error: self._screen.app.post_message(WorkerFailed(error)))

    def _read(self) -> None:
        before = self._snapshot
        assert before is not None
        pins = {
            part.lang: PinReader(part.lang).read_root(self._root.part(part.lang))
            for part in before.language_parts
        }
        if unread := next((one.unread for one in pins.values() if one.unread), ""):
            self._screen.call_later(self._screen.notify, unread, severity="error", markup=False)
            return
        now = with_pins(before, pins)
        derive_incrementally(before, now, frozenset())
        self._screen.call_later(self._show, now)


def _targets(row: Row | None, snapshot: Snapshot) -> list[RecordTarget]:
    """Return the chain or the bundle of a line; nothing for the titles of other groups."""
    match row:
        case PinnedTask(pin=pin):
            return [pin.target]
        case PlannedBundle(bundle=bundle) | PlanGroup(bundle=PlannedBundle(bundle=bundle)):
            return [RecordTarget(TargetKind.BUNDLE, bundle.lang, bundle.name)]
    task = None if row is None else task_of(row)
    return [] if task is None else chain_targets(snapshot, [task.id])
