"""The pane of bundles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from hipercow_tui.analysis.bundle_rows import BundleKey
from hipercow_tui.analysis.disk_usage import Sizes
from hipercow_tui.analysis.usage_summary import UsageSummary
from hipercow_tui.domain.narrowing import Narrowing
from hipercow_tui.domain.records import RecordTarget
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Bundle, Task
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.ui.browse.pane import ALL_SIZE_KEYS, Pane
from hipercow_tui.ui.browse.session import Session
from hipercow_tui.ui.browse.state import BUNDLES
from hipercow_tui.ui.widgets.bundle_details import BundleDetailsView
from hipercow_tui.ui.widgets.bundle_table import BundleTable

if TYPE_CHECKING:
    from hipercow_tui.ui.dialogs.copy_menu import CopySource
    from hipercow_tui.ui.workers.usage_loader import BundleUsage
    from hipercow_tui.ui.workers.view_model import ViewModel


class BundlesPane(Pane):
    """The bundles; Enter narrows the list of tasks to one."""

    name = BUNDLES
    key = "b"
    nothing_to_leave = "There is nothing to go back to · <switch=b> shows the tasks"

    def __init__(self, session: Session, screen: Screen[Any]) -> None:
        super().__init__(session, screen)
        self.table: BundleTable = BundleTable(session.marks, id=self.name)
        self.details: BundleDetailsView = BundleDetailsView(id="bundle-details")
        self.details.add_class("details")
        self._usage: BundleUsage | None = None
        self._usage_key: object = None
        self._usage_snapshot: Snapshot | None = None

    @property
    def count(self) -> int:
        """The number of bundles."""
        return len(self.session.snapshot.bundles)

    @property
    def unread(self) -> int:
        """Nothing: names of bundles are in the snapshot."""
        return 0

    def apply(self, view_model: ViewModel, before: ViewModel | None) -> None:
        """Show the rows."""
        request = view_model.request
        self.table.show(view_model.bundles, request.bundle_sort, view_model.view, request.now)
        measured = request.bundle_sort.key in ALL_SIZE_KEYS
        self.show_top_of(request.bundle_sort, changing=measured)
        if self.session.complete and request.snapshot is self.session.snapshot:
            self.table.rows_pending = False
        self.show_details()

    def show_sizes(self, sizes: Sizes, kind: SizeKind) -> None:
        """Show columns for sizes; a view model has them."""
        self.table.show_sizes(kind)

    def show_details(self) -> None:
        """Show the bundle under the cursor, and read what its tasks used."""
        if self.session.state.pane == self.name:
            row = self.table.current
            snapshot, target = self.session.snapshot, row.pin_target if row else None
            found = (snapshot.pin_of.get(target), snapshot.note_of.get(target)) if target else ()
            records = [one for one in found if one is not None]
            self.details.show(row, self.table.now, records, self._usage_of(self._bundle))

    def _usage_of(self, bundle: Bundle | None) -> UsageSummary | None:
        """Return the usage of a bundle as far as it is known, maybe of an earlier snapshot. Request
        it, unless that was done for this snapshot."""
        key, snapshot = bundle and (bundle.lang, bundle.name), self.session.snapshot
        requested = key == self._usage_key and snapshot is self._usage_snapshot
        if bundle is not None and not requested:
            self.session.services.usages.want_bundle(key, self._tasks_of(bundle))
        self._usage_key, self._usage_snapshot = key, snapshot
        known = self._usage
        return known.summary if known and known.key == key else None

    def show_usage(self, usage: BundleUsage) -> None:
        """Show what the tasks of the current bundle used."""
        self._usage = usage
        self.show_details()

    def hidden(self) -> None:
        """Read no more usages."""
        self.session.services.usages.drop_bundle()
        self._usage_key = self._usage_snapshot = None

    # Keys

    @property
    def sort_key(self) -> BundleKey:
        """The column by which the table is sorted."""
        return self.session.state.bundle_sort.key

    def sort_by(self, column: str) -> None:
        """Sort by a column, or in the opposite direction; the bars have no order."""
        state = self.session.state
        if column in tuple(BundleKey):
            self.chosen_sort = sort = state.bundle_sort.toggled(BundleKey(column))
            self.session.set_state(replace(state, bundle_sort=sort))

    @property
    def narrowing(self) -> Narrowing | None:
        """The current bundle."""
        bundle = self._bundle
        return Narrowing.to_bundle(bundle, self.session.snapshot) if bundle else None

    @property
    def _bundle(self) -> Bundle | None:
        line = self.table.current
        return self.session.snapshot.bundle(line.name, line.lang) if line else None

    def _tasks_of(self, bundle: Bundle) -> tuple[Task, ...]:
        return tuple(self.session.snapshot.of_lang(bundle.lang).existing(bundle.task_ids))

    @property
    def inputs(self) -> tuple[str, Sequence[str]] | None:
        """The tasks of the current bundle."""
        bundle = self._bundle
        return (bundle.name, [task.id for task in self._tasks_of(bundle)]) if bundle else None

    @property
    def pin_targets(self) -> Sequence[RecordTarget]:
        """The bundles of which all tasks are marked, else the current one."""
        bundles = self.table.marked or [row for row in (self.table.current,) if row]
        return [row.pin_target for row in bundles]

    @property
    def copy_source(self) -> CopySource | None:
        """The tasks of the current bundle."""
        from hipercow_tui.ui.dialogs.copy_menu import CopySource

        bundle = self._bundle
        if bundle is None:
            return None
        return CopySource(
            f"bundle {bundle.name}",
            self._tasks_of(bundle),
            self.session.snapshot,
            self.session.summaries,
            bundle.name,
            bundle.lang,
        )

    @property
    def tasks_to_measure(self) -> Iterable[Task]:
        """The tasks of all bundles."""
        snapshot = self.session.snapshot
        return snapshot.existing({i for bundle in snapshot.bundles for i in bundle.task_ids})
