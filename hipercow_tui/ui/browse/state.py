"""What the user chose to see on the main screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from hipercow_tui.analysis.bundle_rows import BundleKey, BundleSort
from hipercow_tui.analysis.error_groups import ErrorGrouping, ErrorSort
from hipercow_tui.analysis.task_sorting import USAGE_KEYS, SortKey, TaskSort
from hipercow_tui.domain.narrowing import Narrowing
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.settings.saved_filters import SavedFilter

TASKS, BUNDLES, ERRORS, SPACE = "tasks", "bundles", "errors", "space"  # names of panes

_TASK_KEYS = {SizeKind.APPARENT: SortKey.SIZE, SizeKind.ON_DISK: SortKey.DISK}
_BUNDLE_KEYS = {SizeKind.APPARENT: BundleKey.SIZE, SizeKind.ON_DISK: BundleKey.DISK}


@dataclass(frozen=True, slots=True)
class BrowseState:
    """The pane, its sort order, the search and so on.

    Filters are not part of it: the filter panel has them, because a relative age is converted to a
    time on each use. Marks are not part of it either. ``narrowings`` are the steps by which the
    list of tasks is narrowed. ``show_sizes`` says whether tables have columns for sizes, and
    ``size_kind`` by which definition.
    """

    pane: str = TASKS
    sort: TaskSort = field(default_factory=TaskSort)
    bundle_sort: BundleSort = field(default_factory=BundleSort)
    error_sort: ErrorSort = field(default_factory=ErrorSort)
    error_by: ErrorGrouping = ErrorGrouping.MESSAGE
    narrowings: tuple[Narrowing, ...] = ()
    only_matched: bool = False
    query: str = ""
    show_sizes: bool = False
    size_kind: SizeKind = SizeKind.APPARENT

    def with_size_kind(self, kind: SizeKind) -> BrowseState:
        """Return the state with sizes by a definition; an order by size is by the same one."""
        sort, bundle_sort = self.sort, self.bundle_sort
        if sort.key in _TASK_KEYS.values():
            sort = replace(sort, key=_TASK_KEYS[kind])
        if bundle_sort.key in _BUNDLE_KEYS.values():
            bundle_sort = replace(bundle_sort, key=_BUNDLE_KEYS[kind])
        return replace(self, size_kind=kind, sort=sort, bundle_sort=bundle_sort)

    @property
    def needs_summaries(self) -> bool:
        """Whether the search or the sort order needs the calls of all tasks."""
        return bool(self.query) or self.sort.key in (SortKey.WHAT, SortKey.INPUTS)

    @property
    def needs_usages(self) -> bool:
        """Whether the sort order needs what all tasks asked for or used."""
        return self.sort.key in USAGE_KEYS


@dataclass(frozen=True, slots=True)
class Row:
    """The row under the cursor of a pane, and its line on the screen, from 0."""

    key: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Place:
    """What ``esc`` goes back to: the user's choices, the filters, and the row of each pane.

    Whether sizes are shown, and by which definition, stays as it is. ``reopen`` opens the screen
    that was on top of the main screen, if there was one.
    """

    state: BrowseState
    filters: SavedFilter
    rows: Mapping[str, Row]
    reopen: Callable[[], None] | None = None
