"""A small menu: what of the tasks to copy, the equal calls in R, and what R may do by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from hipercow_tui.analysis.task_summary import NO_SUMMARY, Summaries
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Task
from hipercow_tui.output.py_commands import bundle_command, log_command, status_command
from hipercow_tui.output.r_calls import (
    RAction,
    RCallTargets,
    action_call,
    info_call,
    log_call,
    purge_call,
    targets_of,
)
from hipercow_tui.support.text import pluralize, short_id
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.clipboard import copy
from hipercow_tui.ui.status_style import GLYPH

_LABEL = 27  # cells


@dataclass(frozen=True, slots=True)
class CopySource:
    """Tasks to hand over, and what they are called: ``3 marked tasks``, ``bundle sweep_03``.

    ``name`` is the name of the bundle, if they are all of one, and ``lang`` whose that is.
    """

    label: str
    tasks: tuple[Task, ...]
    snapshot: Snapshot
    summaries: Summaries
    bundle_name: str | None = None
    lang: Lang = Lang.R


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the menu: ``text`` goes to the clipboard, or ``reach`` to R; with neither there is
    nothing to choose, and ``note`` says why."""

    key: str
    label: str
    note: str
    text: str = ""
    targets: RCallTargets | None = None

    @property
    def disabled(self) -> bool:
        """Whether it can't be chosen."""
        return not self.text and self.targets is None


class CopyMenuScreen(ModalScreen[RCallTargets | None]):
    """Copies what is chosen; dismisses with what R is to act on, or None.

    ``refusal`` says why R may not act.
    """

    DEFAULT_CSS = """
    CopyMenuScreen { align: center middle; }
    CopyMenuScreen #dialog {
        width: 76; max-width: 100%; height: auto; padding: 1 1 0 1;
        background: $surface; border: round $primary; border-title-style: bold;
    }
    CopyMenuScreen OptionList {
        height: auto; max-height: 16; border: none; padding: 0; background: $surface;
    }
    CopyMenuScreen OptionList:focus { border: none; }
    CopyMenuScreen #keys { color: $text-muted; padding: 0 1; margin: 1 0; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Back", id="hand_over.back"),
        Binding("j", "move(1)", show=False, id="hand_over.down"),
        Binding("k", "move(-1)", show=False, id="hand_over.up"),
    ]

    def __init__(self, chosen: CopySource, *, refusal: str = "") -> None:
        super().__init__()
        self._chosen = chosen
        self._entries = {entry.key: entry for entry in _entries(chosen, refusal)}
        for key in self._entries:
            self._bindings.bind(key, f"choose('{key}')", show=False)

    def compose(self) -> ComposeResult:
        """A line for each, those for R apart."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = f"Copy of {plain_text(self._chosen.label)}"
            yield OptionList(*self._options())
            yield Static("letter or enter copies · esc goes back", id="keys")

    def _options(self) -> Iterable[Option | None]:
        apart = False
        for entry in self._entries.values():
            if entry.key.isupper() and not apart:
                apart = True
                yield None
            label = f" {entry.key}  {entry.label}".ljust(_LABEL)
            line = Text.assemble((label, "" if entry.disabled else "bold"), (entry.note, "dim"))
            line.no_wrap, line.overflow = True, "ellipsis"
            yield Option(line, id=f"key-{entry.key}", disabled=entry.disabled)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.action_choose((event.option.id or "").removeprefix("key-"))

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        options = self.query_one(OptionList)
        (options.action_cursor_down if by > 0 else options.action_cursor_up)()

    def action_choose(self, key: str) -> None:
        """Copy it, or leave it to R."""
        entry = self._entries[key]
        if entry.text:
            copy(self.app, entry.text, entry.label, instead="mark fewer, or save a plan (p, e)")
            self.dismiss(None)
        elif entry.targets is not None:
            self.dismiss(entry.targets)
        else:
            self.notify(entry.note, markup=False)


def _entries(chosen: CopySource, refusal: str) -> Iterable[_Entry]:
    tasks = chosen.tasks
    ids = [task.id for task in tasks]
    one = tasks[0] if len(tasks) == 1 else None
    if chosen.bundle_name is not None:
        yield _Entry("n", "name", plain_text(chosen.bundle_name), chosen.bundle_name)
    yield _Entry("i", "ids", _ids_note(ids), "\n".join(ids))
    yield _Entry("r", "rows", "for a table: tabs between", rows(tasks, chosen.summaries))
    purged = [task.id for task in tasks if task.lang is Lang.R]
    yield _Entry("p", "hipercow_purge()", _purge_note(chosen, purged), purge_call(purged))
    # What R could do with its tasks is nothing to say of Python's alone.
    acts = () if tasks and not purged else tuple(RAction)
    reaches = {act: targets_of(act, tasks, chosen.snapshot) for act in acts}
    for act, reach in reaches.items():
        yield _Entry(_ACTION_KEYS[act], f"{act}()", _action_note(reach), action_call(reach))
    if one is not None and one.lang is Lang.PY:
        yield _Entry("l", "hipercow task log", "its log, in a shell", log_command(one))
        yield _Entry("s", "hipercow task status", "its status, in a shell", status_command(one))
    elif one is not None:
        yield _Entry("l", "task_log_show()", "its log, in R", log_call(one))
        yield _Entry("s", "task_info()", "asks the cluster what became of it", info_call(one))
    if chosen.bundle_name is not None and chosen.lang is Lang.PY:
        command = bundle_command(chosen.bundle_name)
        yield _Entry("b", "hipercow bundle", "the status of its tasks, in a shell", command)
    for act, reach in reaches.items():
        note = refusal or (
            _action_note(reach) if not reach.tasks else "runs it here, after a question"
        )
        label = f"{act.value.removeprefix('task_')} in R…"
        may = reach if reach.tasks and not refusal else None
        yield _Entry(_ACTION_KEYS[act].upper(), label, note, targets=may)


def _ids_note(ids: Sequence[str]) -> str:
    if not ids:
        return "no task is left"
    more = f" and {len(ids) - 1:,} more" if len(ids) > 1 else ""
    return f"{short_id(ids[0])}{more}"


def _purge_note(chosen: CopySource, ids: Sequence[str]) -> str:
    if not ids:
        return "hipercow for Python has no purge"
    named = set(ids)
    chains = {other for task in chosen.tasks for other in task.chain} - named
    chains &= chosen.snapshot.tasks.keys()
    bundles = {name for task in chosen.tasks for name in task.bundles}
    drawn = [pluralize(len(ids), "task")]
    drawn += [f"{len(chains):,} of their chains"] if chains else []
    drawn += [pluralize(len(bundles), "bundle")] if bundles else []
    return " + ".join(drawn)


_ACTION_KEYS: Mapping[RAction, str] = {RAction.CANCEL: "c", RAction.RETRY: "t"}
_UNSUITABLE: Mapping[RAction, str] = {
    RAction.CANCEL: "not submitted or running",
    RAction.RETRY: "not ended",
}


def _action_note(reach: RCallTargets) -> str:
    if not reach.tasks:
        return f"nothing to do: {_UNSUITABLE[reach.action]}"
    said = pluralize(len(reach.tasks), "task")
    if reach.followed:
        said += f", {reach.followed:,} by a later attempt"
    if reach.left_out:
        said += f"; {reach.left_out:,} {_UNSUITABLE[reach.action]}"
    return said


def rows(tasks: Sequence[Task], summaries: Summaries) -> str:
    """Tasks as lines with tabs, as a spreadsheet takes them; times are local, to the second."""
    titles = ("id", "status", "what", "inputs", "bundles", "created", "started", "finished")
    lines = [] if len(tasks) == 1 else ["\t".join(titles)]
    for task in tasks:
        summary = summaries.get(task.id, NO_SUMMARY)
        times = map(_time, (task.created, task.started, task.finished))
        told = (summary.code_text, summary.inputs_text, " ".join(task.bundles))
        lines.append("\t".join((task.id, task.status, *map(plain_text, told), *times)))
    return "\n".join(lines) if tasks else ""


def _time(seconds: float | None) -> str:
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M:%S}"


def called(task: Task) -> str:
    """What one task is called: ``✗ failure 3f2a9c…71e0``."""
    return f"{GLYPH[task.status]} {task.status} {short_id(task.id)}"
