"""Where the space of a root went: its tasks in groups, what can be purged, and what else it holds.

Each file counts once, as ``du`` counts it: a file with names in several tasks counts in the first
of them, in the order of their ids, R before Python.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from hipercow_tui.domain.blocked import find_blocked
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.formats.folder_size import FileKind, FolderUsage, SharedName, SizeKind
from hipercow_tui.formats.root_usage import RootPart
from hipercow_tui.support.text import escape_controls, pluralize

# A call of a function of R or Python, whose name can have a package or a module before it.
_CALL = re.compile(r"([\w.]+(?:(?:::?:?|\$)[\w.]+)*)\(.*\)\Z", re.DOTALL)
DAY = 86400
AGES = (1, 7, 30, 90, 365)  # days; the ends of the bars of the histogram
PINNED = "pinned"
ACTIVE = "submitted or running, or in a retry chain with such a task"
BLOCKED = "blocked because something can't be read, or may be queued"


class Amount(NamedTuple):
    """Bytes in files, number of files, and bytes on the disk."""

    bytes: int = 0
    files: int = 0
    disk_bytes: int = 0

    def of(self, kind: SizeKind) -> int:
        """Return the bytes by one of the definitions."""
        return self.bytes if kind is SizeKind.APPARENT else self.disk_bytes


NOTHING = Amount()


def total_of(amounts: Iterable[Amount]) -> Amount:
    """Return the sum of amounts."""
    columns = list(zip(*amounts, strict=True))
    return Amount(*map(sum, columns)) if columns else Amount()


def difference(whole: Amount, part: Amount) -> Amount:
    """Return ``whole`` without ``part``."""
    return Amount(*(one - other for one, other in zip(whole, part, strict=True)))


class SpaceGrouping(StrEnum):
    """The ways to group the tasks."""

    BUNDLE = "bundle"
    RUNS = "runs"
    STATUS = "status"
    AGE = "age"
    ENVIRONMENT = "environment"
    TASK = "task"
    KIND = "kind"


@dataclass(frozen=True, slots=True)
class SpaceGroup:
    """Tasks together, or the files of one kind.

    Attributes:
        label: The bundle, call, status, age, environment, task id or kind of files.
        amount: Their size.
        ids: The ids of the tasks; of a kind of files empty.
        purgeable: The part of the tasks that can be purged; of a kind of files zero.
        by_status: The amount of each status, for the histogram of ages.
    """

    label: str
    amount: Amount
    ids: tuple[str, ...] = ()
    purgeable: Amount = NOTHING
    by_status: Mapping[Status, Amount] = field(default_factory=dict)


@dataclass(frozen=True)
class SpaceUsage:
    """The space of a root. Sums are kept, because the tab shows them after each key.

    Attributes:
        snapshot: The tasks.
        amounts: What each measured task holds, by id.
        kinds: What the files of each kind hold in all tasks; the folders are in the last one.
        rest: What the root holds beside these tasks, by path.
        unknown_parts: The paths in ``rest`` that neither hipercow nor this app creates.
        unmeasured: The number of tasks and other parts that could not be measured.
        held: Why a task can't be purged, by id: ``PINNED``, ``ACTIVE`` or ``BLOCKED``.
    """

    snapshot: Snapshot
    amounts: Mapping[str, Amount]
    kinds: Mapping[str, Amount]
    rest: Mapping[str, Amount]
    unknown_parts: frozenset[str]
    unmeasured: int
    held: Mapping[str, str]

    @cached_property
    def tasks(self) -> Amount:
        """What all tasks hold."""
        return total_of(self.amounts.values())

    @cached_property
    def total(self) -> Amount:
        """What the root holds."""
        return total_of((self.tasks, *self.rest.values()))

    def sum_of(self, ids: Iterable[str]) -> Amount:
        """Return what these tasks hold."""
        return total_of(self.amounts[task_id] for task_id in ids if task_id in self.amounts)

    @cached_property
    def purgeable(self) -> Amount:
        """What the tasks hold that can be purged."""
        return self.sum_of(task_id for task_id in self.amounts if task_id not in self.held)

    @cached_property
    def held_groups(self) -> tuple[SpaceGroup, ...]:
        """The tasks that can't be purged, grouped by the reason."""
        by_reason: defaultdict[str, list[str]] = defaultdict(list)
        for task_id in self.amounts:
            if task_id in self.held:
                by_reason[self.held[task_id]].append(task_id)
        return tuple(
            SpaceGroup(reason, self.sum_of(by_reason[reason]), tuple(by_reason[reason]))
            for reason in (PINNED, ACTIVE, BLOCKED)
            if reason in by_reason
        )


def summarize_space(
    snapshot: Snapshot,
    usages: Mapping[str, FolderUsage],
    rest: Iterable[RootPart],
    *,
    now: float,
) -> SpaceUsage:
    """Add up the measured folders. ``now`` is in seconds since the epoch."""
    count_names = _NameCounter()
    kinds: defaultdict[str, Amount] = defaultdict(Amount)
    amounts = {
        task_id: count_names.amount_of(usages[task_id])
        for task_id in sorted(usages, key=lambda i: (snapshot.tasks[i].lang is Lang.PY, i))
    }
    counted = [sum(column) for column in zip(*(one.kinds for one in usages.values()), strict=True)]
    for place, kind in enumerate((FileKind.DATA, FileKind.RESULT, FileKind.LOG)):
        own = Amount(*counted[3 * place : 3 * place + 3]) if counted else Amount()
        kinds[kind] = total_of((own, count_names.kinds[3 * place]))
    tasks, named = total_of(amounts.values()), total_of(kinds.values())
    kinds[FileKind.OTHER] = difference(tasks, named)
    parts: defaultdict[str, Amount] = defaultdict(Amount)
    unknown, unmeasured = set(), len(snapshot.tasks) - len(amounts)
    for part in rest:
        if part.usage is None:
            unmeasured += 1
            continue
        parts[part.path] = total_of((parts[part.path], count_names.amount_of(part.usage)))
        if not part.known:
            unknown.add(part.path)
    return SpaceUsage(
        snapshot, amounts, kinds, parts, frozenset(unknown), unmeasured, _held(snapshot, now)
    )


class _NameCounter:
    """Counts a file with several names once. ``kinds`` are the amounts of such files by kind."""

    def __init__(self) -> None:
        self.kinds: defaultdict[int, Amount] = defaultdict(Amount)
        self._seen: set[tuple[int, int]] = set()

    def amount_of(self, usage: FolderUsage) -> Amount:
        """Return what a folder holds, without files that were counted before."""
        amount = Amount(usage.bytes, usage.files, usage.disk_bytes)
        for one in map(SharedName._make, usage.shared):
            if (one.device, one.inode) not in self._seen:
                self._seen.add((one.device, one.inode))
                added = Amount(one.bytes, 0, one.disk_bytes)
                amount = total_of((amount, added))
                self.kinds[one.kind] = total_of((self.kinds[one.kind], added))
        return amount


def _held(snapshot: Snapshot, now: float) -> dict[str, str]:
    """Return why tasks can't be purged, by id, whole retry chains; a pin comes first."""
    held: dict[str, str] = {}
    for part in snapshot.language_parts:
        for one in find_blocked(part, part.tasks, now):
            active = one.task.status in (Status.SUBMITTED, Status.RUNNING)
            for task_id in (one.task.id, *one.chain):
                if active or task_id not in held:
                    held[task_id] = ACTIVE if active else BLOCKED
    return held | dict.fromkeys(snapshot.held, PINNED)


def group_space(
    usage: SpaceUsage,
    by: SpaceGrouping,
    *,
    now: float,
    kind: SizeKind = SizeKind.APPARENT,
    files: bool = False,
    runs: Callable[[Task], str] = lambda task: "",
    environment: Callable[[Task], str] = lambda task: "",
) -> tuple[SpaceGroup, ...]:
    """Group all measured tasks, each in one group, the largest group first; ages in their order.

    The order is by bytes of one definition, or by ``files``. ``runs`` returns the code of a task on
    one line, and ``environment`` the name of its environment, empty if it is not known; tasks that
    call the same function are one group.
    """
    if by is SpaceGrouping.KIND:
        groups = [SpaceGroup(label, amount) for label, amount in usage.kinds.items()]
    else:
        label_of = _labels(by, usage.snapshot, now, runs, environment)
        members: defaultdict[str, list[Task]] = defaultdict(list)
        for task_id in usage.amounts:
            task = usage.snapshot.tasks[task_id]
            members[label_of(task)].append(task)
        groups = [_make_group(usage, label, tasks, by) for label, tasks in members.items()]
    if by is SpaceGrouping.AGE:
        order = {label: number for number, label in enumerate(age_labels())}
        return tuple(sorted(groups, key=lambda group: order[group.label]))

    def largest_first(group: SpaceGroup) -> tuple[int, str]:
        return -(group.amount.files if files else group.amount.of(kind)), group.label

    return tuple(sorted(groups, key=largest_first))


def _labels(
    by: SpaceGrouping,
    snapshot: Snapshot,
    now: float,
    runs: Callable[[Task], str],
    environment: Callable[[Task], str],
) -> Callable[[Task], str]:
    match by:
        case SpaceGrouping.BUNDLE:
            return _bundle_labels(snapshot)
        case SpaceGrouping.STATUS:
            return lambda task: task.status.value
        case SpaceGrouping.AGE:
            return lambda task: _age_label(task, now)
        case SpaceGrouping.ENVIRONMENT:
            return lambda task: escape_controls(environment(task)) or "not known"
        case SpaceGrouping.TASK:
            return lambda task: task.id
    return lambda task: escape_controls(called_function(runs(task))) or "not known"


def called_function(code: str) -> str:
    """Return ``run_sir()`` for ``run_sir(0.9, b)``, and other code as it is."""
    found = _CALL.match(code)
    return f"{found[1]}()" if found else code


def _make_group(
    usage: SpaceUsage, label: str, tasks: Sequence[Task], by: SpaceGrouping
) -> SpaceGroup:
    ids = tuple(task.id for task in tasks)
    by_status: defaultdict[Status, list[str]] = defaultdict(list)
    if by is SpaceGrouping.AGE:
        for task in tasks:
            by_status[task.status].append(task.id)
    return SpaceGroup(
        label,
        usage.sum_of(ids),
        ids,
        usage.sum_of(task_id for task_id in ids if task_id not in usage.held),
        {status: usage.sum_of(members) for status, members in by_status.items()},
    )


def _bundle_labels(snapshot: Snapshot) -> Callable[[Task], str]:
    """Return a function that labels tasks by bundle.

    All tasks in several bundles have one label, so that no task counts twice. If R and Python have
    bundles of the same name, which are two bundles, that of Python has another label.
    """
    counts = Counter(bundle.name for bundle in snapshot.bundles)

    def label_of(task: Task) -> str:
        match task.bundles:
            case []:
                return "in no bundle"
            case [name]:
                is_second = task.lang is Lang.PY and counts[name] > 1
                of_lang = f" of {task.lang.shown}" if is_second else ""
                return f"bundle {escape_controls(name)}{of_lang}"
        return "in several bundles"

    return label_of


def age_labels() -> Iterator[str]:
    """Yield the labels of the ages, the youngest first."""
    yield "not finished"
    yield f"under {pluralize(AGES[0], 'day')}"
    for shorter, longer in pairwise(AGES):
        yield f"{shorter} to {pluralize(longer, 'day')}"
    yield f"over {pluralize(AGES[-1], 'day')}"


def _age_label(task: Task, now: float) -> str:
    labels = tuple(age_labels())
    if task.finished is None:
        return labels[0]
    age = now - task.finished
    return labels[1 + sum(age >= days * DAY for days in AGES)]
