"""The rows of the list of space: groups of tasks, tasks, files, and what else the root holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hipercow_tui.analysis.space_usage import (
    NOTHING,
    Amount,
    SpaceGroup,
    SpaceGrouping,
    SpaceUsage,
    total_of,
)
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.folder_size import FileKind, FolderUsage, SharedName, SizeKind
from hipercow_tui.formats.root import PY
from hipercow_tui.formats.root_usage import TRASH
from hipercow_tui.formats.task_files import ITSELF, FolderEntry

REST = "/rest"  # the key of the row with the sum of everything that is no task
ID = 8  # digits of a task id in a label
_BUNDLE = "bundle "
_KIND_PLACES = {FileKind.DATA: 0, FileKind.RESULT: 3, FileKind.LOG: 6}
# What a part of the root is, by its name in ``hipercow/``, for R and Python alike.
_PARTS: Mapping[str, str] = {
    "bundles": "lists of tasks; a purge removes those of its tasks",
    "config": "the configuration of the cluster",
    "environments": "the environments that tasks run in",
    "env": "the Python environments of tasks",
    "lib": "libraries that hipercow_provision() filled",
    "recent": "the list of recent tasks",
    "retry": "the lists of retries",
    "rrq": "the data of rrq workers",
    "tasks": "the folders that hold the tasks, and what in them is no task",
    TRASH: "purged tasks with their bundles and records: <trash=T> shows and empties the trash",
    "tui/history": "the history of purges",
    "tui/notes": "notes",
    "tui/pins": "pins",
    "tui": "other files of this app",
    "hipercow": "the folder itself",
    PY: "the folder itself",
}


class SpaceKey(StrEnum):
    """The keys by which rows can be sorted."""

    SIZE = "size"
    LABEL = "name"
    PURGEABLE = "can go"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class SpaceSort:
    """An order of the rows; by default the largest first."""

    key: SpaceKey = SpaceKey.SIZE
    reverse: bool = True

    def toggled(self, key: SpaceKey) -> SpaceSort:
        """Return the order by ``key``: reversed if it is the key already."""
        if key is self.key:
            return SpaceSort(key, not self.reverse)
        return SpaceSort(key, key is not SpaceKey.LABEL)


@dataclass(frozen=True, slots=True)
class SpaceRow:
    """A row of the list.

    Attributes:
        key: What identifies the row in its list: a label, a task id, the name of a file, a path.
        label: The text of the row.
        amount: Its bytes and files.
        ids: The tasks in it.
        purgeable: The part of ``amount`` that can be purged; None if that is not known of files.
        held: The tasks that can't be purged, grouped by the reason.
        by_status: The amount of each status, if the bar is split.
        task: The task, if the row is one.
        opens: Whether it can be entered: a group opens its tasks, a task its files.
        note: For something that no purge of tasks takes: an explanation, with keys as in
            ``PlanGroup.rule``.
    """

    key: str
    label: str
    amount: Amount
    ids: tuple[str, ...] = ()
    purgeable: Amount | None = None
    held: tuple[SpaceGroup, ...] = ()
    by_status: Mapping[Status, Amount] = field(default_factory=dict)
    task: Task | None = None
    opens: bool = False
    note: str = ""

    @property
    def is_rest(self) -> bool:
        """Whether the row is something that is no task."""
        return bool(self.note)


def group_rows(
    usage: SpaceUsage, groups: Iterable[SpaceGroup], by: SpaceGrouping
) -> list[SpaceRow]:
    """Return a row for each group of tasks, or for each kind of files."""
    return [
        SpaceRow(
            group.label,
            group.label.removeprefix(_BUNDLE) if by is SpaceGrouping.BUNDLE else group.label,
            group.amount,
            group.ids,
            None if by is SpaceGrouping.KIND else group.purgeable,
            _held_parts(usage, group.ids),
            group.by_status,
            opens=True,
        )
        for group in groups
    ]


def _held_parts(usage: SpaceUsage, ids: Iterable[str]) -> tuple[SpaceGroup, ...]:
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for task_id in ids:
        if (reason := usage.held.get(task_id)) is not None:
            reasons[reason].append(task_id)
    return tuple(
        SpaceGroup(reason, usage.sum_of(members), tuple(members))
        for reason, members in reasons.items()
    )


def task_rows(usage: SpaceUsage, amounts: Mapping[str, Amount]) -> list[SpaceRow]:
    """Return a row for each task; ``amounts`` has what counts of each, by id."""
    rows = []
    for task_id, amount in amounts.items():
        reason = usage.held.get(task_id)
        held = (SpaceGroup(reason, amount, (task_id,)),) if reason else ()
        purgeable = NOTHING if held else amount
        task = usage.snapshot.tasks[task_id]
        rows.append(
            SpaceRow(
                task_id, task_id[:ID], amount, (task_id,), purgeable, held, task=task, opens=True
            )
        )
    return rows


def amounts_of_kind(
    usages: Mapping[str, FolderUsage], amounts: Mapping[str, Amount], kind: FileKind
) -> dict[str, Amount]:
    """Return what each task holds in files of one kind, without the tasks that have none.

    ``amounts`` has what each task holds. Files with names elsewhere count as those of ``OTHER``.
    """
    found = {}
    for task_id, amount in amounts.items():
        kinds = usages[task_id].kinds
        if kind is FileKind.OTHER:
            named = [sum(kinds[place::3]) for place in range(3)]
            part = Amount(*(whole - one for whole, one in zip(amount, named, strict=True)))
        else:
            place = _KIND_PLACES[kind]
            part = Amount(*kinds[place : place + 3])
        if any(part):
            found[task_id] = part
    return found


def rest_rows(usage: SpaceUsage, sort: SpaceSort, kind: SizeKind) -> list[SpaceRow]:
    """Return rows for what the root holds beside its tasks: their sum, then the parts in order."""
    rows = [
        SpaceRow(path, path, amount, note=_part_note(usage, path))
        for path, amount in usage.rest.items()
        if amount.of(kind) or amount.files
    ]
    if not rows:
        return []
    whole = total_of(row.amount for row in rows)
    return [
        SpaceRow(REST, "not tasks", whole, note="no purge of tasks takes it"),
        *sort_rows(rows, sort, kind),
    ]


def _part_note(usage: SpaceUsage, path: str) -> str:
    if path in usage.unknown_parts:
        return "not made by hipercow, nor by this app"
    name = path.removeprefix(f"{PY}/") or path
    return _PARTS.get(name, "part of the root")


def file_rows(entries: Iterable[FolderEntry]) -> list[SpaceRow]:
    """Return a row for each file and subfolder of a task."""
    rows = []
    for name, usage in entries:
        label = "the folder itself" if name == ITSELF else name
        amount = NOTHING if usage is None else amount_of(usage)
        rows.append(SpaceRow(name, label if usage is not None else f"{name}: unreadable", amount))
    return [row for row in rows if row.key != ITSELF or any(row.amount)]


def amount_of(usage: FolderUsage) -> Amount:
    """Return what an entry holds, with files that have names elsewhere."""
    shared = [Amount(one.bytes, 0, one.disk_bytes) for one in map(SharedName._make, usage.shared)]
    return total_of((Amount(usage.bytes, usage.files, usage.disk_bytes), *shared))


def sort_rows(rows: Sequence[SpaceRow], sort: SpaceSort, kind: SizeKind) -> list[SpaceRow]:
    """Return rows in an order; those with the same value are in the order of their labels."""
    in_order = sorted(rows, key=lambda row: row.label)
    if sort.key is SpaceKey.LABEL:
        return in_order[::-1] if sort.reverse else in_order

    def value(row: SpaceRow) -> int:
        if sort.key is SpaceKey.FILES:
            return row.amount.files
        amount = row.amount if sort.key is SpaceKey.SIZE else row.purgeable or NOTHING
        return amount.of(kind)

    return sorted(in_order, key=value, reverse=sort.reverse)


def largest_of(rows: Collection[SpaceRow], kind: SizeKind) -> int:
    """Return the bytes of the largest row, which has the longest bar."""
    return max((row.amount.of(kind) for row in rows), default=0)
