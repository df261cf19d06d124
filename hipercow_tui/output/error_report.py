"""The output of ``errors``: groups of failed tasks as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hipercow_tui.analysis.error_groups import Counts, ErrorGroup, ErrorGrouping
from hipercow_tui.analysis.error_listing import ErrorListing, ExplainedFailure
from hipercow_tui.support.text import escape_controls, format_age, pluralize

_SHOWN = 3  # bundles, frames or messages of a group
_NUMBER = 7  # cells of the number of tasks
_LABEL = 10  # cells of a label
_UNITS = {
    ErrorGrouping.MESSAGE: "error",
    ErrorGrouping.FRAME: "group",
    ErrorGrouping.NODE: "group",
}


def error_lines(
    root: str, listing: ErrorListing, now: float, *, limit: int | None = None
) -> Iterator[str]:
    """Yield the lines of ``errors``: some for each group, and one for those beyond ``limit``."""
    groups = listing.groups
    failed = pluralize(listing.failed, "failed task")
    number = pluralize(len(groups), _UNITS[listing.by])
    by = "" if listing.by is ErrorGrouping.MESSAGE else f" by {listing.by}"
    yield escape_controls(f"{root}: {failed}" + (f", {number}{by}" if groups else ""))
    shown = groups if limit is None else groups[:limit]
    for group in shown:
        yield ""
        yield f"{len(group.ids):>{_NUMBER},}  {escape_controls(group.line)}"
        for fact in _facts(group, now):
            yield f"{'':{_NUMBER}}  {escape_controls(fact)}"
    if left := groups[len(shown) :]:
        tasks = sum(len(group.ids) for group in left)
        yield ""
        yield f"{tasks:>{_NUMBER},}  in {pluralize(len(left), 'more group')}"


def _facts(group: ErrorGroup, now: float) -> Iterator[str]:
    facts = []
    if group.first_finished is not None and group.last_finished is not None:
        first, last = format_age(group.first_finished, now), format_age(group.last_finished, now)
        facts.append(last if first == last else f"first {first}, last {last}")
    if group.retried_successfully:
        facts.append(f"{group.retried_successfully:,} succeeded after a retry")
    if facts:
        yield "; ".join(facts)
    for message, number in group.messages[:_SHOWN]:
        yield f"{message} ({number:,})"
    if len(group.messages) > _SHOWN:
        yield f"and {pluralize(len(group.messages) - _SHOWN, 'more message')}"
    if group.bundles:
        yield f"in bundle {_first(group.bundles)}"
    if group.frames and group.by is not ErrorGrouping.FRAME:
        yield f"failed in {_first(group.frames)}"
    yield f"such as {group.ids[0]}"


def _first(counts: Counts) -> str:
    more = f" and {len(counts) - _SHOWN:,} more" if len(counts) > _SHOWN else ""
    return ", ".join(f"{name} ({number:,})" for name, number in counts[:_SHOWN]) + more


def errors_as_json(root: str, listing: ErrorListing, *, limit: int | None = None) -> dict[str, Any]:
    """Return the object of ``errors --json``."""
    shown = listing.groups if limit is None else listing.groups[:limit]
    return {
        "root": root,
        "by": listing.by.value,
        "failed": listing.failed,
        "groups": [_group_as_json(group) for group in shown],
        "left_out": len(listing.groups) - len(shown),
    }


def _group_as_json(group: ErrorGroup) -> dict[str, Any]:
    return {
        "label": group.text,
        "known": group.is_known,
        "rule": group.by_rule,
        "tasks": len(group.ids),
        "retried_successfully": group.retried_successfully,
        "first_finished": group.first_finished,
        "last_finished": group.last_finished,
        "bundles": dict(group.bundles),
        "messages": dict(group.messages or ((group.pattern, len(group.ids)),)),
        "frames": dict(group.frames),
        "example": group.ids[0],
        "ids": list(group.ids),
    }


def explanation_lines(task_id: str, explained: ExplainedFailure) -> Iterator[str]:
    """Yield the lines of ``errors --explain``."""
    failure, group, rule = explained.failure, explained.by_message, explained.rule
    yield _labelled("task", task_id)
    first, *others = (failure.problem or failure.message).splitlines() or [""]
    yield _labelled("no message" if failure.problem else "message", first)
    yield from (_labelled("", line) for line in others)
    yield _labelled("frame", explained.frame or "not known")
    yield _labelled("node", explained.node or "not known: only an outer log names it")
    if rule is None:
        yield _labelled("rule", "none matches")
    else:
        yield _labelled("rule", f"{rule.place}: the pattern {rule.pattern!r} is in the message")
    yield _labelled("group", group.pattern if rule is None else rule.name)
    yield _labelled("why", _why(explained))


def _why(explained: ExplainedFailure) -> str:
    if explained.rule is not None:
        return "the first rule that matches names the group"
    if explained.failure.problem:
        return "the error can't be read, and tasks with the same reason are one group"
    if not explained.failure.placeholders:
        return "the message has no values such as numbers, paths or quoted names"
    return "values such as numbers, paths and quoted names may differ between the tasks of a group"


def _labelled(label: str, text: str) -> str:
    return f"{label:<{_LABEL}}  {escape_controls(text)}".rstrip()
