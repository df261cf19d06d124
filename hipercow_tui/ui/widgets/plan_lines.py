"""The text of the lines of a plan: titles of groups, chains with their tasks, and bundles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from hipercow_tui.analysis.plan_rows import Member, Row
from hipercow_tui.analysis.plan_tree import BlockedChain, KnownFacts, PlanGroup, chain_size
from hipercow_tui.analysis.task_summary import NO_SUMMARY
from hipercow_tui.domain.plan import PinnedTask, PlannedBundle, PlannedTask
from hipercow_tui.domain.plan_chains import PlannedChain
from hipercow_tui.domain.task import BundleId, Lang, Task
from hipercow_tui.output import report
from hipercow_tui.support.text import format_age, format_duration, format_size, pluralize, short_id
from hipercow_tui.ui.cells import cut_end, fit, plain_text
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.status_style import GLYPH
from hipercow_tui.ui.widgets.plan_columns import MAX_BUNDLE, PlanLayout, fit_start
from hipercow_tui.ui.widgets.plan_titles import KEPT, bundle_effect, fit_title
from hipercow_tui.ui.widgets.task_cells import inputs_text, short_age
from hipercow_tui.ui.workers.plan_view import PlanView

# All widths are in cells.
FOLD_SIGN = range(4, 6)  # the cells of the sign of a chain
TITLE_SIGN = range(1, 3)  # the cells of the sign of a group
_STATUS = 11  # glyph, space and "submitted"
_STRUCK = Style(strike=True, dim=True)


@dataclass(frozen=True, slots=True)
class LineContext:
    """What the text of a line depends on.

    ``kept`` are the keys of the chains that the user keeps, ``folded`` the keys of groups and
    chains of which only the first line is shown. Without ``current``, the numbers of the view are
    those of an earlier choice, and none are shown. ``style`` returns a style by name.
    """

    view: PlanView
    kept: Set[str]
    folded: Set[str]
    current: bool
    known: KnownFacts
    layout: PlanLayout
    style: Callable[[str], Style]


def row_line(row: Row, at: LineContext) -> Text:
    """Return the text of a line; its first cell is for the cursor."""
    match row:
        case PlanGroup():
            return _title_line(row, at)
        case PlannedChain():
            return _chain_line(row, at)
        case BlockedChain():
            return _blocked_line(row, at)
        case Member():
            return _member_line(row, at)
        case PlannedBundle():
            return _bundle_line(row, at)
        case PinnedTask():
            return _pinned_line(row, at)
    return Text("     ").append(cut_end(plain_text(row), at.layout.width - 6), at.style("blocked"))


# Titles and bundles


def _title_line(group: PlanGroup, at: LineContext) -> Text:
    text = Text(" ").append("▸ " if group.key in at.folded else "▾ ", at.style("quiet"))
    figures = at.view.figures[group] if at.current else None
    width = at.layout.width - text.cell_len - 1
    title, note = fit_title(group, figures, at.view.bundles, at.known.size_kind, width)
    text.append(title, at.style("title"))
    if group.alarming:
        text.stylize(at.style("blocked"))
    gap = " " * (width - cell_len(title) - len(note))
    return text.append(gap).append(note, at.style("caution")) if note else text


def _effect(planned: PlannedBundle, at: LineContext) -> str:
    """Return what the present plan does to the tasks of a bundle."""
    if not at.current:
        return pluralize(len(planned.bundle.task_ids), "task")
    return bundle_effect(planned, at.view.bundles)


def bundle_id(planned: PlannedBundle) -> BundleId:
    """Return the language and the name of a bundle."""
    return planned.bundle.lang, planned.bundle.name


def _bundle_line(planned: PlannedBundle, at: LineContext) -> Text:
    present = at.view.bundles.get(bundle_id(planned))
    name = fit(plain_text(at.view.tree.plan.bundle_label(planned.bundle)), at.layout.label)
    text = Text("   ")
    if at.current and present is None:
        text.append("  ").append(name, _STRUCK).append("  ")
        return text.append(_effect(planned, at), at.style("kept"))
    text.append("- ", at.style("minus")).append(name).append("  ")
    style = "caution" if present is not None and present.surviving else "quiet"
    return text.append(_effect(planned, at), at.style(style))


# Tasks


def _chain_line(chain: PlannedChain, at: LineContext) -> Text:
    first, *others = chain.tasks
    kept = chain.key in at.kept
    folded = chain.key in at.folded
    second = report.cascade_reason(first)  # if the matched task of its chain is deleted
    if kept:
        second = KEPT
    elif folded and others:
        second = f"{len(others):,} more in its chain"
    sizes = at.known.sizes
    measured = at.view.total is not None or all(one.task.id in sizes for one in chain.tasks)
    size = format_size(chain_size(chain, sizes).of(at.known.size_kind)) if measured else ""
    bundles = _bundles_text(chain.bundles)
    sign = ("▸" if folded else "▾") if others else " "
    return _task_line(first, at, sign, second, size, bundles, kept=kept)


def _member_line(member: Member, at: LineContext) -> Text:
    planned = member.planned
    kept = member.chain.key in at.kept
    reason = report.cascade_reason(planned) or _attempt(planned.task)
    found = at.known.size_of(planned.task.id)
    sign = "└" if member.last else "├"
    size = "" if found is None else format_size(found)
    return _task_line(planned, at, sign, reason, size, kept=kept)


def _attempt(task: Task) -> str:
    place = task.chain.index(task.id) + 1 if task.id in task.chain else 1
    return f"attempt {place} of {max(1, len(task.chain))}"


def _task_line(
    planned: PlannedTask,
    at: LineContext,
    sign: str,
    second: str,
    size: str,
    bundles: str = "",
    *,
    kept: bool,
) -> Text:
    """Return the line of a task; ``second`` is shown instead of its inputs."""
    task, layout = planned.task, at.layout
    text = _line_start(task, at, sign, goes=not kept, caution=bool(planned.cautions) and not kept)
    struck_from = 6
    _append_call(text, task, second, at)
    label_at = text.plain.find(KEPT) if kept and second == KEPT else -1
    text.append(fit_start(bundles, layout.bundle), at.style("quiet"))
    text.append(fit_start(_age_text(task, at.view.tree.plan.made, layout.age), layout.age))
    text.append(size.rjust(layout.size - 1) + " ")
    if layout.id:
        text.append(f" {short_id(task.id)} ", at.style("quiet"))
    if layout.caution and not kept:
        cautions = " · ".join(caution.text for caution in planned.cautions)
        text.append(cut_end(cautions, layout.caution), at.style("caution"))
    if kept:
        end = len(text)
        text.stylize(_STRUCK, struck_from, label_at if label_at >= 0 else end)
        if label_at >= 0:
            text.stylize(at.style("kept") + Style(dim=False), label_at, label_at + len(KEPT))
            text.stylize(_STRUCK, label_at + len(KEPT), end)
    return text


def _blocked_line(chain: BlockedChain, at: LineContext) -> Text:
    task, kept = chain.task, chain.key in at.kept
    sign = " " if not chain.others else "▸" if chain.key in at.folded else "▾"
    text = _line_start(task, at, sign, goes=False)
    if kept:
        second = KEPT
    elif len(chain.blocked.chain) > 1:
        second = f"holds its chain of {len(chain.blocked.chain):,}"
    else:
        second = ""
    _append_call(text, task, second, at)
    end = at.layout.bundle + at.layout.age + at.layout.size + at.layout.id
    return text.append(f"{short_id(task.id)} ".rjust(end), at.style("quiet"))


def _pinned_line(pinned: PinnedTask, at: LineContext) -> Text:
    task, pin = pinned
    text = _line_start(task, at, " ", goes=False)
    second = f"{pin.user}: {pin.note}" if pin.note else str(pin)
    _append_call(text, task, plain_text(second), at)
    end = at.layout.bundle + at.layout.age + at.layout.size + at.layout.id
    return text.append(f"{short_id(task.id)} ".rjust(end), at.style("quiet"))


def _line_start(
    task: Task, at: LineContext, sign: str, *, goes: bool, caution: bool = False
) -> Text:
    text = Text(" ").append("! " if caution else "  ", at.style("caution"))
    text.append("-" if goes else " ", at.style("minus")).append(f"{sign} ", at.style("quiet"))
    status = fit(f"{GLYPH[task.status]} {task.status}", _STATUS)
    return text.append(status, at.style(task.status)).append("  ")


def _append_call(text: Text, task: Task, second: str, at: LineContext) -> None:
    """Append the call and the inputs, or ``second`` instead of the inputs."""
    summary = at.known.summaries.get(task.id, NO_SUMMARY)
    first = summary.code_text or summary.problem or ""
    what, beside = at.layout.what, at.layout.second
    if not second and task.lang is Lang.PY:  # a command has no inputs
        what, beside = what + beside, 0
    text.append(_padded(fit(first, max(0, what - 2)), what))
    if beside:
        shown = second or inputs_text(summary.inputs_text, beside - 2)
        text.append(fit_start(shown, beside), at.style("quiet"))


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - cell_len(text))


def _bundles_text(bundles: Iterable[BundleId]) -> str:
    names = [plain_text(name) for _, name in bundles]
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    return fit(names[0], min(cell_len(names[0]), MAX_BUNDLE - len(more))) + more if names else ""


def _age_text(task: Task, now: float, width: int) -> str:
    """Return when a task finished, or was created if it has not; ``~`` marks an estimate."""
    then = task.finished if task.finished is not None else task.created
    sign = "~" if task.finished_estimated else " "
    if then is None:
        return f"{sign}unknown"[:width]
    if width > 10:
        return f"{sign}{format_age(then, now)}"
    return f"{sign}{short_age(format_duration(max(1.0, now - then)))}"


# The line under the cursor in full


def in_full(row: Row, at: LineContext) -> Text:
    """Return the whole text of a line, on two lines."""
    match row:
        case PlannedChain(tasks=tasks):
            first, *others = tasks
            facts = [f"{pluralize(len(others) + 1, 'task')} in its chain"] if others else []
            facts += [f"takes {_names(row.bundles)}"] if row.bundles else []
            return _task_in_full(first, facts, at, kept=row.key in at.kept)
        case Member(chain=chain, planned=planned):
            reason = report.cascade_reason(planned) or _attempt(planned.task)
            return _task_in_full(planned, [reason], at, kept=chain.key in at.kept)
        case BlockedChain(blocked=blocked):
            text = Text(f"{_id_and_facts(blocked.task, (), at)}\n")
            if row.key in at.kept:
                return text.append("kept by you: it blocks nothing", at.style("kept"))
            return text.append(plain_text(blocked.reason), at.style("blocked"))
        case PlannedBundle(bundle=bundle):
            name = plain_text(at.view.tree.plan.bundle_label(bundle))
            present = at.view.bundles.get(bundle_id(row))
            loses = present is not None and present.surviving
            stays = "its tasks that stay lose only this bundle" if loses else ""
            return Text(f"{name}  {_effect(row, at)}\n").append(stays, at.style("quiet"))
        case PinnedTask(task=task, pin=pin):
            reason = pin.text_for_task(at.view.tree.plan.made)
            return Text(f"{_id_and_facts(task, (), at)}\n").append(reason, at.style("kept"))
        case PlanGroup(title=title, rule=rule):
            return Text(f"{plain_text(title)}\n").append(with_keys(rule), "dim")
    return Text(plain_text(row), at.style("blocked"))


def _id_and_facts(task: Task, facts: Iterable[str], at: LineContext) -> str:
    """Return the id of a task with facts and its notes, which may be long."""
    notes = [f"note: {plain_text(note.note)}" for note in at.view.notes.get(task.id, ())]
    return "  ".join((task.id, *facts, *notes))


def _names(bundles: Iterable[BundleId]) -> str:
    names = [plain_text(name) for _, name in bundles]
    return f"{'bundle' if len(names) == 1 else 'bundles'} {', '.join(names)}"


def _task_in_full(
    planned: PlannedTask, facts: Iterable[str], at: LineContext, *, kept: bool
) -> Text:
    task = planned.task
    call = at.known.summaries.get(task.id, NO_SUMMARY)
    text = Text(_id_and_facts(task, facts, at))
    text.append("\n")
    if kept:
        text.append("kept by you  ", at.style("kept"))
    else:
        for caution in planned.cautions:
            text.append(f"! {caution.text}  ", at.style("caution"))
    return text.append(f"{call.code_text}  {call.inputs_text}", at.style("quiet"))
