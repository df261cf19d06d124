"""Saved plans: files that ``hipercow-tui apply`` carries out later, on this mount or another.

A saved plan has the keys of ``plan_format`` and ``task_folders``: when a few folders of its tasks
last changed. Nothing else distinguishes a root from its copies: device and inode numbers differ
between two mounts of one root, and a copy has the same task ids and file times. The time of the
last change (ctime) of a folder comes from the file server, and no copy keeps it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hipercow_tui.domain.plan import PlannedTask, PurgePlan
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.json_fields import JsonFields, list_of, optional, task_id, whole_number
from hipercow_tui.formats.json_reader import load_json
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.purging.plan_format import LIMIT, WORK, plan_from_dict, plan_to_dict
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import PurgeError, os_error_text
from hipercow_tui.support.text import escape_controls, pluralize

_FOLDERS = 32  # folders whose times are saved; each costs a system call


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan from a file.

    ``folder_times`` maps ids of some of its tasks to the time their folder last changed, in
    microseconds since the epoch. It is empty in plans of earlier versions.
    """

    plan: PurgePlan
    folder_times: Mapping[str, int]


def save_plan(plan: PurgePlan, path: str | os.PathLike[str]) -> None:
    """Write the plan to a new file that only its user can read.

    Raises PurgeError if the plan is refused, the file exists or it can't be written.
    """
    shown = escape_controls(str(path))
    if plan.refused:
        raise PurgeError(
            f"The plan was not saved, because {pluralize(len(plan.blocked), 'task')} of it"
            f" {'is' if len(plan.blocked) == 1 else 'are'} blocked. Leave out the blocked retry"
            " chains first"
        )
    times = _folder_times(plan.root, plan.tasks)
    folders = [{"id": task_id, "changed": changed} for task_id, changed in times.items()]
    try:
        with open(path, "x", encoding="ascii", opener=_open_private) as file:
            try:
                json.dump(plan_to_dict(plan) | {"task_folders": folders}, file, indent=1)
                file.write("\n")
                file.flush()
            except OSError:
                os.unlink(path)
                raise
    except FileExistsError:
        raise PurgeError(
            f"{shown} exists already and is not replaced: choose another name"
        ) from None
    except OSError as error:
        raise PurgeError(f"{shown} can't be written: {os_error_text(error)}") from None


def _open_private(path: str | os.PathLike[str], flags: int) -> int:
    """Open a new file that only its user can read, whatever the umask."""
    return os.open(path, flags, 0o600)


def load_plan(path: str | os.PathLike[str]) -> SavedPlan:
    """Read a saved plan. Raises PurgeError if the file can't be read or is not a saved plan."""
    shown = escape_controls(str(path))
    try:
        data = load_json(read_file(path, limit=LIMIT), work=WORK)
    except OSError as error:
        raise PurgeError(f"{shown} can't be read: {os_error_text(error)}") from None
    except ValueError as error:
        raise PurgeError(f"{shown} is not a saved plan: it {error}") from None
    try:
        folders = data.pop("task_folders", None) if isinstance(data, dict) else None
        return SavedPlan(plan_from_dict(data), dict(optional(list_of(_folder))(folders) or ()))
    except ValueError as error:
        raise PurgeError(f"{shown} is not a saved plan: {error}") from None


def _folder(data: Any) -> tuple[str, int]:
    fields = JsonFields(data, "a task folder")
    folder = fields.take("id", task_id), fields.take("changed", whole_number)
    fields.end()
    return folder


def plan_for_root(saved: SavedPlan, root: Root) -> PurgePlan:
    """Return the plan for another path of its root: another mount, or after it was moved.

    Raises PurgeError if ``root`` is not shown to be the root that the plan was made for.
    """
    plan = saved.plan
    if root.path == plan.root:
        return plan
    here, planned_for = escape_controls(str(root.path)), escape_controls(str(plan.root))
    if not saved.folder_times:
        raise PurgeError(
            f"The plan does not say how to recognise its root, {planned_for}, at another path: it"
            " was saved by an earlier version, or has no tasks. Apply it without --root, or save"
            " it again"
        )
    tasks = [one for one in plan.tasks if one.task.id in saved.folder_times]
    found = _folder_times(root.path, tasks)
    if not found:
        raise PurgeError(
            f"The plan was made for {planned_for}, and {here} is not the same root: it has none of"
            f" the {pluralize(len(saved.folder_times), 'task')} that were compared"
        )
    for one, changed in found.items():
        if changed != saved.folder_times[one]:
            raise PurgeError(
                f"The plan was made for {planned_for}, and {here} is a copy of it, or has changed"
                f" since: the folder of task {one} was last changed at another time. Make a new"
                f" plan for {here}"
            )
    return replace(plan, root=root.path)


def _folder_times(path: Path, tasks: Sequence[PlannedTask]) -> dict[str, int]:
    """Return when the folders of some of these tasks last changed, in microseconds since the epoch.

    ``path`` is that of the root. A folder that can't be examined is left out.
    """
    root = Root(path, path / "hipercow")
    folders = {lang: root.part(lang).tasks for lang in Lang}
    times = {}
    for one in tasks[:: -(-len(tasks) // _FOLDERS) or 1]:
        identifier = one.task.id
        with suppress(OSError):
            folder = folders[one.task.lang] / identifier[:2] / identifier[2:]
            times[identifier] = filesystem.lstat(folder).st_ctime_ns // 1000
    return times
