"""A menu to copy ids, rows and equivalent calls, and to cancel or retry tasks in R."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import wrap
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
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
from hipercow_tui.ui.dialogs.dialog import Dialog
from hipercow_tui.ui.dialogs.retry import RetryCopy
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.status_style import GLYPH
from hipercow_tui.ui.widgets.menu_list import MenuList

_LABEL, _NOTE = 27, 43  # cells


@dataclass(frozen=True, slots=True)
class CopySource:
    """The tasks to copy, with a label such as ``3 marked tasks`` or ``bundle sweep_03``.

    ``bundle_name`` and ``lang`` name the bundle, if the tasks are those of a bundle. ``text`` is
    what they have in common, such as an error, with its kind.
    """

    label: str
    tasks: tuple[Task, ...]
    snapshot: Snapshot
    summaries: Summaries
    bundle_name: str | None = None
    lang: Lang = Lang.R
    text: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the menu, which copies ``text``, or dismisses with ``chosen``.

    With neither, the line is disabled and ``note`` says why.
    """

    key: str
    label: str
    note: str
    text: str = ""
    chosen: RCallTargets | RetryCopy | None = None

    @property
    def disabled(self) -> bool:
        """Whether the line can't be chosen."""
        return not self.text and self.chosen is None


class CopyMenuScreen(Dialog[RCallTargets | RetryCopy | None]):
    """Copy the chosen text; dismiss with the targets if R is to cancel or retry them, with the copy
    to make if its text needs more files, else None.

    ``refusal`` says why R must not change anything.
    """

    DEFAULT_CSS = """
    CopyMenuScreen #dialog { width: 76; padding: 1 1 0 1; }
    CopyMenuScreen #keys { padding: 0 1; margin: 1 0; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Back", id="copy_menu.back"),
    ]

    def __init__(self, source: CopySource, *, refusal: str = "") -> None:
        super().__init__()
        self._source = source
        self._entries = {entry.key: entry for entry in _entries(source, refusal)}

    def compose(self) -> ComposeResult:
        """Yield a line for each entry, with a rule before those that run R, and the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = f"Copy: {plain_text(self._source.label)}"
            yield MenuList(*self._options())
            yield Static(with_keys("letter or enter: copy · <copy_menu.back=esc>: back"), id="keys")

    def _options(self) -> Iterable[Option | None]:
        rule = False
        for entry in self._entries.values():
            if entry.key.isupper() and not rule:
                rule = True
                yield None
            label = f" {entry.key}  {entry.label}".ljust(_LABEL)
            note = f"\n{'':{_LABEL}}".join(wrap(entry.note, _NOTE, max_lines=3, placeholder=" …"))
            line = Text.assemble((label, "" if entry.disabled else "bold"), (note, "dim"))
            yield Option(line, id=f"key-{entry.key}", disabled=entry.disabled)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._choose((event.option.id or "").removeprefix("key-"))

    def on_key(self, event: events.Key) -> None:
        """Choose by a letter."""
        if event.character in self._entries:
            event.stop()
            self._choose(event.character)

    def _choose(self, key: str) -> None:
        """Copy the text of an entry, or dismiss with its choice."""
        entry = self._entries[key]
        if entry.text:
            copy(
                self.app,
                entry.text,
                entry.label,
                alternative=with_keys("mark fewer, or save a plan (<plan=p>, <plan.save=e>)"),
            )
            self.dismiss(None)
        elif entry.chosen is not None:
            self.dismiss(entry.chosen)
        else:
            self.notify(entry.note, markup=False)


def _entries(source: CopySource, refusal: str) -> Iterable[_Entry]:
    tasks = source.tasks
    ids = [task.id for task in tasks]
    if source.text is not None:
        kind, text = source.text
        yield _Entry("m", kind, " ".join(plain_text(text).split()), text)
    if source.bundle_name is not None:
        yield _Entry("n", "name", plain_text(source.bundle_name), source.bundle_name)
    yield _Entry("i", "ids", _ids_note(ids), "\n".join(ids))
    yield _Entry("r", "rows", "for a spreadsheet, with tabs", rows(tasks, source.summaries))
    r_ids = [task.id for task in tasks if task.lang is Lang.R]
    yield _Entry("p", "hipercow_purge()", _purge_note(source, r_ids), purge_call(r_ids))
    actions = () if tasks and not r_ids else tuple(RAction)  # none for Python tasks alone
    targets = {action: targets_of(action, tasks, source.snapshot) for action in actions}
    for action, found in targets.items():
        key = _ACTION_KEYS[action]
        yield _Entry(key, f"{action}()", _action_note(found), action_call(found))
        if action is RAction.RETRY and found.tasks:
            note = "with the resources that they had"
            yield _Entry("o", "task_retry(resources)", note, chosen=RetryCopy(found))
    if len(tasks) == 1:
        yield from _task_entries(tasks[0])
    if source.bundle_name is not None and source.lang is Lang.PY:
        command = bundle_command(source.bundle_name)
        yield _Entry("b", "hipercow bundle", "the status of its tasks, in a shell", command)
    for action, found in targets.items():
        yield _run_entry(action, found, refusal)


def _task_entries(task: Task) -> Iterable[_Entry]:
    if task.lang is Lang.PY:
        yield _Entry("l", "hipercow task log", "its log, in a shell", log_command(task))
        yield _Entry("s", "hipercow task status", "its status, in a shell", status_command(task))
    else:
        yield _Entry("l", "task_log_show()", "its log, in R", log_call(task))
        yield _Entry("s", "task_info()", "asks the cluster for its status", info_call(task))


def _run_entry(action: RAction, found: RCallTargets, refusal: str) -> _Entry:
    possible = bool(found.tasks) and not refusal
    note = "runs R here, after a question" if possible else refusal or _action_note(found)
    label = f"{action.value.removeprefix('task_')} in R…"
    key = _ACTION_KEYS[action].upper()
    return _Entry(key, label, note, chosen=found if possible else None)


def _ids_note(ids: Sequence[str]) -> str:
    if not ids:
        return "no task left"
    more = f" and {len(ids) - 1:,} more" if len(ids) > 1 else ""
    return f"{short_id(ids[0])}{more}"


def _purge_note(source: CopySource, ids: Sequence[str]) -> str:
    if not ids:
        return "hipercow for Python has no purge"
    chained = {other for task in source.tasks for other in task.chain} - set(ids)
    chained &= source.snapshot.tasks.keys()
    going = [*source.tasks, *source.snapshot.existing(chained)]
    bundles = {name for task in going for name in task.bundles}
    parts = [pluralize(len(ids), "task")]
    where = "its chain" if len(ids) == 1 else "their chains"
    parts += [f"{len(chained):,} in {where}"] if chained else []
    parts += [pluralize(len(bundles), "bundle")] if bundles else []
    return " + ".join(parts)


_ACTION_KEYS: Mapping[RAction, str] = {RAction.CANCEL: "c", RAction.RETRY: "t"}
_UNSUITABLE: Mapping[RAction, str] = {
    RAction.CANCEL: "not submitted or running",
    RAction.RETRY: "not ended",
}
_SUCCEEDED = "retried with success"


def _action_note(targets: RCallTargets) -> str:
    if not targets.tasks:
        succeeded = targets.succeeded > 0
        return f"nothing to do: {_SUCCEEDED if succeeded else _UNSUITABLE[targets.action]}"
    note = pluralize(len(targets.tasks), "task")
    if targets.successes:
        note += f", {targets.successes:,} of them a success"
    if targets.followed:
        note += f", {targets.followed:,} by a later attempt"
    if targets.succeeded:
        note += f"; {targets.succeeded:,} {_SUCCEEDED}"
    if targets.left_out:
        note += f"; {targets.left_out:,} {_UNSUITABLE[targets.action]}"
    return note


def rows(tasks: Sequence[Task], summaries: Summaries) -> str:
    """Return tasks as lines separated by tabs, for a spreadsheet; times are local, in seconds."""
    titles = ("id", "status", "what", "inputs", "bundles", "created", "started", "finished")
    lines = [] if len(tasks) == 1 else ["\t".join(titles)]
    for task in tasks:
        summary = summaries.get(task.id, NO_SUMMARY)
        times = map(_time, (task.created, task.started, task.finished))
        texts = (summary.code_text, summary.inputs_text, " ".join(task.bundles))
        lines.append("\t".join((task.id, task.status, *map(plain_text, texts), *times)))
    return "\n".join(lines) if tasks else ""


def _time(seconds: float | None) -> str:
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M:%S}"


def task_label(task: Task) -> str:
    """Return the label of one task: ``✗ failure 3f2a9c…71e0``."""
    return f"{GLYPH[task.status]} {task.status} {short_id(task.id)}"
