"""The output of ``space``: groups with bars as text, and the same as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from hipercow_tui.analysis.space_usage import (
    Amount,
    SpaceGroup,
    SpaceGrouping,
    SpaceUsage,
    difference,
    total_of,
)
from hipercow_tui.domain.task import Status
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.support.text import escape_controls, pluralize, share_text

BAR = 16  # cells
_EIGHTHS = "▏▎▍▌▋▊▉█"
# The cells of a status in a bar of the histogram of ages, in this order.
_FILLS = {Status.FAILURE: "█", Status.CANCELLED: "▓", Status.SUCCESS: "▒"}
_OTHER_FILL = "░"
_LEGEND = "bars: █ failure, ▓ cancelled, ▒ success, ░ other statuses"
_NO_CALLS: Mapping[str, str] = MappingProxyType({})
_NUMBER = 9  # cells of a size or a number of files


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of a table; its bar is split if ``by_status`` is not empty."""

    amount: Amount
    label: str
    by_status: Mapping[Status, Amount] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SpaceUnit:
    """The unit of amounts: bytes by one definition, or with ``files`` the number of files."""

    kind: SizeKind = SizeKind.APPARENT
    files: bool = False

    def of(self, amount: Amount) -> int:
        """Return the number in this unit."""
        return amount.files if self.files else amount.of(self.kind)

    def text(self, amount: Amount) -> str:
        """Return the number with its unit, such as ``1.9 GB``."""
        if self.files:
            return pluralize(amount.files, "file")
        return self.kind.text(amount.of(self.kind))

    def short_text(self, amount: Amount) -> str:
        """Return the number without the name of the definition."""
        if self.files:
            return f"{amount.files:,}"
        return SizeKind.APPARENT.text(amount.of(self.kind))

    @property
    def title(self) -> str:
        """The title of the column."""
        return "files" if self.files else self.kind.value


def space_lines(
    usage: SpaceUsage,
    by: SpaceGrouping,
    groups: Sequence[SpaceGroup],
    unit: SpaceUnit,
    *,
    limit: int | None = None,
    calls: Mapping[str, str] = _NO_CALLS,
    bars: bool = False,
) -> Iterator[str]:
    """Yield the lines for a terminal, with ``bars``, or for a pipe.

    ``groups`` are all groups; only the first ``limit`` are printed, and a line for the others.
    ``calls`` has what tasks run, by id, if the groups are single tasks. These have no bars, so that
    a call fits on the line.
    """
    total, tasks = usage.total, usage.tasks
    yield f"{escape_controls(str(usage.snapshot.root))}: {unit.text(total)}"
    yield from _purge_lines(usage, unit)
    shown = groups if limit is None else groups[:limit]
    rows = [
        _Row(group.amount, _label(group, by, unit, calls, bars=bars), group.by_status)
        for group in shown
    ]
    if left := groups[len(shown) :]:
        rest = f"… {len(left):,} more: --limit {len(groups)} prints all"
        rows.append(_Row(total_of(group.amount for group in left), rest))
    largest = max((unit.of(group.amount) for group in groups), default=0)
    title = by.value if by is SpaceGrouping.TASK else f"tasks by {by}"
    has_bars = bars and by is not SpaceGrouping.TASK
    yield from _table(title, rows, total, unit, largest if has_bars else None)
    if bars and by is SpaceGrouping.AGE:
        yield _LEGEND
    parts = [_Row(tasks, pluralize(len(usage.amounts), "task"))]
    for path, amount in sorted(usage.rest.items(), key=lambda part: -unit.of(part[1])):
        if unit.of(amount):
            unknown = " (not of hipercow)" if path in usage.unknown_parts else ""
            parts.append(_Row(amount, f"{path}{unknown}"))
    largest = max(unit.of(part.amount) for part in parts)
    yield from _table("the whole root", parts, total, unit, largest if bars else None)
    if usage.unmeasured:
        yield ""
        yield f"! not counted, because it can't be read: {pluralize(usage.unmeasured, 'folder')}"


def _purge_lines(usage: SpaceUsage, unit: SpaceUnit) -> Iterator[str]:
    held = usage.held_groups
    can = len(usage.amounts) - sum(len(group.ids) for group in held)
    yield f"can be purged: {unit.text(usage.purgeable)} of {pluralize(can, 'task')}"
    for group in held:
        count = pluralize(len(group.ids), "task")
        yield f"can't be purged: {unit.text(group.amount)} of {count}, {group.label}"


def _label(
    group: SpaceGroup, by: SpaceGrouping, unit: SpaceUnit, calls: Mapping[str, str], *, bars: bool
) -> str:
    """Return the label with the number of tasks, of a task with its call, and for ages without
    ``bars`` with the part of each status."""
    if by is SpaceGrouping.KIND:
        return group.label
    if by is SpaceGrouping.TASK:
        facts = (None if group.purgeable == group.amount else "can't go", calls.get(group.label))
        return ": ".join(filter(None, (group.label, ", ".join(filter(None, facts)))))
    text = unit.text if unit.files else unit.short_text
    notes = [pluralize(len(group.ids), "task")]
    if by is SpaceGrouping.AGE and not bars:
        parts = sorted(group.by_status.items(), key=lambda item: -unit.of(item[1]))
        notes += [f"{status} {text(amount)}" for status, amount in parts]
    if group.purgeable != group.amount:
        notes.append(f"{text(difference(group.amount, group.purgeable))} can't go")
    return f"{group.label}: {', '.join(notes)}"


def _table(
    title: str,
    rows: Iterable[_Row],
    total: Amount,
    unit: SpaceUnit,
    largest: int | None,
) -> Iterator[str]:
    """Yield a blank line, a header and a line for each row; bars if ``largest`` is given."""
    yield ""
    yield _line(unit.title, "share", "" if largest is None else " " * (BAR + 2), title)
    whole = unit.of(total)
    for row in rows:
        share = share_text(unit.of(row.amount), whole)
        drawn = "" if largest is None else _drawn(row, unit, largest).ljust(BAR + 2)
        yield _line(unit.short_text(row.amount), share, drawn, escape_controls(row.label))


def _line(number: str, share: str, drawn: str, label: str) -> str:
    return f"{number:>{_NUMBER}}  {share:>7}  {drawn}{label}".rstrip()


def _drawn(row: _Row, unit: SpaceUnit, largest: int) -> str:
    """Return the bar of a row, with a part for each status if it is split."""
    number = unit.of(row.amount)
    if not row.by_status or not number:
        return _bar(number, largest)
    cells = max(1, round(BAR * number / largest))
    fills = [
        (fill, unit.of(row.by_status.get(status, Amount()))) for status, fill in _FILLS.items()
    ]
    drawn, before = "", 0
    for fill, part in fills:
        before += part
        drawn += fill * (round(cells * before / number) - len(drawn))
    return drawn + _OTHER_FILL * (cells - len(drawn))


def _bar(number: int, largest: int) -> str:
    """Return a bar that is full for the largest number, and empty only for 0."""
    if not number:
        return ""
    full, rest = divmod(max(1, round(8 * BAR * number / largest)), 8)
    return "█" * full + (_EIGHTHS[rest - 1] if rest else "")


def space_as_json(
    usage: SpaceUsage,
    by: SpaceGrouping,
    groups: Sequence[SpaceGroup],
    *,
    limit: int | None = None,
    calls: Mapping[str, str] = _NO_CALLS,
) -> dict[str, Any]:
    """Return the object of ``space --json``; the arguments are those of ``space_lines``."""
    shown = groups if limit is None else groups[:limit]
    return {
        "root": str(usage.snapshot.root),
        "by": by.value,
        "total": usage.total._asdict(),
        "tasks": {"tasks": len(usage.amounts), **usage.tasks._asdict()},
        "purgeable": usage.purgeable._asdict(),
        "held": [
            {"reason": group.label, "tasks": len(group.ids), **group.amount._asdict()}
            for group in usage.held_groups
        ],
        "groups": [_group_as_json(group, by, calls) for group in shown],
        "left_out": len(groups) - len(shown),
        "rest": [
            {"path": path, "known": path not in usage.unknown_parts, **amount._asdict()}
            for path, amount in sorted(usage.rest.items())
        ],
        "unmeasured": usage.unmeasured,
    }


def _group_as_json(
    group: SpaceGroup, by: SpaceGrouping, calls: Mapping[str, str]
) -> dict[str, Any]:
    shown: dict[str, Any] = {"label": group.label, **group.amount._asdict()}
    if by is not SpaceGrouping.KIND:
        shown |= {"tasks": len(group.ids), "purgeable": group.purgeable._asdict()}
    if group.label in calls:
        shown["runs"] = calls[group.label]
    if by is SpaceGrouping.AGE:
        shown["statuses"] = {
            status.value: amount._asdict() for status, amount in group.by_status.items()
        }
    return shown
