"""The titles of the groups of a plan, with their numbers, for a list of any width."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.cells import cell_len

from hipercow_tui.analysis.plan_rows import GroupFigures
from hipercow_tui.analysis.plan_tree import PlanGroup
from hipercow_tui.domain.plan import PlannedBundle
from hipercow_tui.domain.task import BundleId
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.output import report
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.cells import cut_end, fit, plain_text

KEPT = "kept by you"
_BETWEEN = " · "
_GAP = 2  # cells at least before the note
_MIN_TITLE = 12  # cells of a title that is cut


def fit_title(
    group: PlanGroup,
    figures: GroupFigures | None,
    bundles: Mapping[BundleId, PlannedBundle],
    kind: SizeKind,
    width: int,
) -> tuple[str, str]:
    """Return the title of a group with its numbers, and a note on warnings, for ``width`` cells.

    If they do not fit, first their words become shorter, then the title, then the note is left
    out, then numbers from the last one on. A number is never cut. Without ``figures`` there are no
    numbers. ``bundles`` are those of the present plan.
    """
    title = plain_text(group.title)
    if figures is None:
        return _cut(title, group, width), ""
    long = list(_facts(group, figures, bundles, kind, short=False))
    short = list(_facts(group, figures, bundles, kind, short=True))
    notes = _notes(figures.warned)
    whole = cell_len(title)
    for facts, note in ((long, notes[0]), (long, notes[1]), (short, notes[1]), (short, notes[2])):
        if whole + _rest(facts, note) <= width:
            return _BETWEEN.join([title, *facts]), note
    least = min(whole, _MIN_TITLE)
    note = notes[2] if least + _rest(short, notes[2]) <= width else ""
    while short and least + _rest(short, note) > width:
        short.pop()
    return _BETWEEN.join([_cut(title, group, width - _rest(short, note)), *short]), note


def _rest(facts: list[str], note: str) -> int:
    """Return the cells of a line without its title."""
    return sum(len(_BETWEEN + fact) for fact in facts) + (_GAP + len(note) if note else 0)


def _cut(title: str, group: PlanGroup, width: int) -> str:
    """Cut a title: the name of a bundle in its middle, others at the end."""
    return fit(title, width).rstrip() if group.bundle is not None else cut_end(title, width)


def _notes(warned: int) -> tuple[str, str, str]:
    """Return the note on warnings, from the longest to the shortest form."""
    if not warned:
        return "", "", ""
    number = f"! {warned:,}"
    return f"! {pluralize(warned, 'task')} with a warning", f"{number} warned", number


def _facts(
    group: PlanGroup,
    figures: GroupFigures,
    bundles: Mapping[BundleId, PlannedBundle],
    kind: SizeKind,
    *,
    short: bool,
) -> Iterator[str]:
    """Yield the numbers of a group, with fewer words if ``short``."""
    if group.key == "pinned":
        yield pluralize(len(group.items), "task")
        return
    if group.bundle is not None:
        yield (_short_effect if short else bundle_effect)(group.bundle, bundles)
    elif group.key == "bundles":
        yield pluralize(len(bundles), "bundle")
    else:
        yield _tasks_text(figures, short=short)
        if figures.by_last_attempt:
            by = "by last attempt" if short else "matched by their last attempt"
            yield f"{figures.by_last_attempt:,} {by}"
    if figures.kept and group.key != "bundles":
        yield f"{figures.kept:,} {'kept' if short else KEPT}"
    if figures.size is not None and figures.size.files:
        number = figures.size.of(kind)
        yield (SizeKind.APPARENT if short else kind).text(number)


def _tasks_text(figures: GroupFigures, *, short: bool) -> str:
    tasks, drawn_in, held = figures.tasks, figures.drawn_in, figures.held
    text = pluralize(tasks, "task")
    if held:
        chains = "" if short else " in its chain" if tasks == 1 else " in their chains"
        text += f" and {held:,} more{chains}"
    if drawn_in:
        text += f", {drawn_in:,} drawn in" if short else ""
        text += "" if short else f": {tasks - drawn_in:,} matched, {drawn_in:,} drawn in"
    return text


def bundle_effect(planned: PlannedBundle, bundles: Mapping[BundleId, PlannedBundle]) -> str:
    """Return what the present plan, which has ``bundles``, does to the tasks of a bundle."""
    present = _present(planned, bundles)
    return "stays, because you keep its tasks" if present is None else report.bundle_effect(present)


def _short_effect(planned: PlannedBundle, bundles: Mapping[BundleId, PlannedBundle]) -> str:
    present = _present(planned, bundles)
    total = len(planned.bundle.task_ids)
    return "stays" if present is None else f"{present.deleted:,} of {total:,} go"


def _present(
    planned: PlannedBundle, bundles: Mapping[BundleId, PlannedBundle]
) -> PlannedBundle | None:
    return bundles.get((planned.bundle.lang, planned.bundle.name))
