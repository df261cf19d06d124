"""What the user chose to see on the main screen."""

from __future__ import annotations

from dataclasses import dataclass, field

from hipercow_tui.analysis.bundle_rows import BundleSort
from hipercow_tui.analysis.error_groups import ErrorSort
from hipercow_tui.analysis.task_sorting import SortKey, TaskSort
from hipercow_tui.formats.folder_size import SizeKind

TASKS, BUNDLES, ERRORS = "tasks", "bundles", "errors"  # names of panes


@dataclass(frozen=True, slots=True)
class BrowseState:
    """The pane, its sort order, the search and so on.

    Filters and marks are not part of it: the filter panel has them, because a relative age is
    converted to a time on each use. ``show_sizes`` says whether tables have columns for sizes,
    and ``size_kind`` by which definition.
    """

    pane: str = TASKS
    sort: TaskSort = field(default_factory=TaskSort)
    bundle_sort: BundleSort = field(default_factory=BundleSort)
    error_sort: ErrorSort = field(default_factory=ErrorSort)
    only_matched: bool = False
    query: str = ""
    show_sizes: bool = False
    size_kind: SizeKind = SizeKind.APPARENT

    @property
    def needs_summaries(self) -> bool:
        """Whether the search or the sort order needs the calls of all tasks."""
        return bool(self.query) or self.sort.key in (SortKey.WHAT, SortKey.INPUTS)
