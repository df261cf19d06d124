"""Narrow a list of tasks step by step: to a bundle, to the tasks of an error, and so on.

A narrowing is a part of the filters of a plan, like the filters that the user sets and the marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace

from hipercow_tui.domain.filters import MARKED, FilterStack, InBundle, OfLang, TaskIds
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Bundle
from hipercow_tui.support.text import escape_controls

NO_FILTER = FilterStack()


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One step: the filters that its tasks pass, and a label such as ``bundle sweep_03``."""

    label: str
    filters: FilterStack

    @classmethod
    def to_bundle(cls, bundle: Bundle, snapshot: Snapshot) -> Narrowing:
        """Narrow to a bundle, with the tasks that are added to it later."""
        lang = OfLang(bundle.lang) if snapshot.by_language else None
        filters = FilterStack(in_bundle=InBundle.named(bundle.name), lang=lang)
        return cls(f"bundle {escape_controls(bundle.name)}", filters)

    @classmethod
    def to_tasks(cls, label: str, ids: Iterable[str]) -> Narrowing:
        """Narrow to these tasks."""
        shown = escape_controls(label)
        return cls(shown, FilterStack(task_ids=TaskIds(frozenset(ids), (shown,))))

    def ids(self, snapshot: Snapshot) -> frozenset[str]:
        """Return the ids of the existing tasks of this step."""
        ids = tuple(snapshot.columns.select(self.filters.mask(snapshot)))
        return frozenset(task.id for task in snapshot.existing(ids))


def narrow(stack: FilterStack, steps: Iterable[Narrowing], snapshot: Snapshot) -> FilterStack:
    """Return filters that a task passes if it passes ``stack`` and the filters of all steps."""
    for step in steps:
        stack = _narrow_once(stack, step, snapshot)
    return stack


def _narrow_once(stack: FilterStack, step: Narrowing, snapshot: Snapshot) -> FilterStack:
    """Add the filters of a step.

    A stack has only one filter by bundle, and only one by language. If both are needed, those of
    the step are replaced by the ids of its tasks.
    """
    if _excludes_bundle(stack.in_bundle, step.filters.in_bundle, snapshot) or (
        stack.lang and step.filters.lang and stack.lang != step.filters.lang
    ):
        return among(stack, step.ids(snapshot), step.label)
    narrowed = replace(
        stack,
        in_bundle=step.filters.in_bundle or stack.in_bundle,
        lang=step.filters.lang or stack.lang,
    )
    ids = step.filters.task_ids
    return narrowed if ids is None else among(narrowed, ids.ids, step.label)


def _excludes_bundle(one: InBundle | None, other: InBundle | None, snapshot: Snapshot) -> bool:
    """Return whether ``one`` does not match a bundle that ``other`` matches."""
    if one is None or other is None:
        return False
    matched = {(bundle.lang, bundle.name) for bundle in one.bundles(snapshot)}
    return any((b.lang, b.name) not in matched for b in other.bundles(snapshot))


def among(stack: FilterStack, ids: Set[str], name: str) -> FilterStack:
    """Return filters that a task passes if it passes ``stack`` and its id is one of ``ids``.

    ``name`` says what the tasks are, for the user.
    """
    given = stack.task_ids or TaskIds(frozenset(ids))
    return replace(stack, task_ids=TaskIds(given.ids & ids, (*given.names, name)))


def add_step(
    steps: Sequence[Narrowing], added: Narrowing, snapshot: Snapshot
) -> tuple[Narrowing, ...]:
    """Return the steps with one more.

    Earlier steps that have no task in common with it and the later ones are left out: the added
    step takes their place.
    """
    kept = [added]
    common = added.ids(snapshot)
    for step in reversed(steps):
        both = common & step.ids(snapshot)
        if both and step != added:
            common = both
            kept.insert(0, step)
    return tuple(kept)


@dataclass(frozen=True, slots=True)
class Selection:
    """The tasks that the user selected in the app.

    ``filters`` are those that the user set, ``steps`` are what the list is narrowed to. ``marks``
    are the marked tasks, None without marks: a purge takes only these.
    """

    filters: FilterStack = NO_FILTER
    steps: tuple[Narrowing, ...] = ()
    marks: frozenset[str] | None = None

    def row_filters(self, snapshot: Snapshot) -> FilterStack:
        """Return the filters that each row passes; none if the list is not narrowed."""
        return narrow(NO_FILTER, self.steps, snapshot)

    def matched_filters(self, snapshot: Snapshot) -> FilterStack:
        """Return the filters that a matched task passes."""
        return narrow(self.filters, self.steps, snapshot)

    def purge_filters(self, snapshot: Snapshot) -> FilterStack:
        """Return the filters of a purge."""
        filters = self.matched_filters(snapshot)
        return filters if self.marks is None else among(filters, self.marks, MARKED)
