"""What a root holds beside its tasks: libraries, environments, bundles, the trash, other files.

A purge never touches most of it. It is measured on request.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from typing import NamedTuple

from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.folder_size import FolderUsage, folder_itself, measure_entry
from hipercow_tui.formats.root import PY, TUI_FOLDER, Root
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.support import filesystem

_TASKS = "tasks"
# The subfolders of ``tui/`` that are not batches of the trash or of a purge.
_OWN_FOLDERS = ("history", "notes", "pins")
TRASH = "trash"
KNOWN = frozenset(
    ("bundles", "config", "environments", "lib", "recent", "retry", "rrq", "env", _TASKS, TRASH)
)


class RootPart(NamedTuple):
    """A part of a root: ``path`` is a name in ``hipercow/``, or ``trash`` for all batches.

    ``usage`` is None if the part can't be read completely. Several parts can have the same path.
    """

    path: str
    usage: FolderUsage | None

    @property
    def known(self) -> bool:
        """Whether hipercow or this app creates files with this name."""
        name = self.path.removeprefix(f"{PY}/").partition("/")[0]
        return name in KNOWN or name in ("hipercow", PY, TUI_FOLDER)


def measure_rest(root: Root, task_ids: Collection[str]) -> Iterator[RootPart]:
    """Yield everything in ``hipercow/`` except the folders of these tasks; follows no link."""
    parts = root.parts
    for part in parts:
        prefix = "" if part.lang is Lang.R else f"{PY}/"
        try:
            folder = open_folder(part.hipercow)
        except OSError:
            yield RootPart(prefix or "hipercow", None)
            continue
        try:
            yield RootPart(PY if prefix else "hipercow", folder_itself(folder))
            for name in sorted(filesystem.list_names(folder)):
                if name == PY and not prefix and len(parts) > 1:
                    continue
                if name == _TASKS:
                    yield from _rest_of_tasks(prefix + name, name, folder, task_ids)
                elif name == TUI_FOLDER:
                    yield from _parts_of_tui(prefix, folder)
                else:
                    yield RootPart(prefix + name, measure_entry(name, folder))
        finally:
            os.close(folder)


def _parts_of_tui(prefix: str, parent: int) -> Iterator[RootPart]:
    path = f"{prefix}{TUI_FOLDER}"
    try:
        folder = open_folder(TUI_FOLDER, dir_fd=parent)
    except OSError:
        yield RootPart(path, measure_entry(TUI_FOLDER, parent))
        return
    try:
        yield RootPart(path, folder_itself(folder))
        for name in sorted(filesystem.list_names(folder)):
            label = f"{path}/{name}" if name in _OWN_FOLDERS else prefix + TRASH
            yield RootPart(label, measure_entry(name, folder))
    finally:
        os.close(folder)


def _rest_of_tasks(
    path: str, name: str, parent: int, task_ids: Collection[str]
) -> Iterator[RootPart]:
    """Yield ``tasks`` and each ``tasks/ab``, without the tasks, and what else is in them."""
    try:
        tasks = open_folder(name, dir_fd=parent)
    except OSError:
        yield RootPart(path, measure_entry(name, parent))
        return
    try:
        yield RootPart(path, folder_itself(tasks))
        for shard in sorted(filesystem.list_names(tasks)):
            yield from _rest_of_shard(path, shard, tasks, task_ids)
    finally:
        os.close(tasks)


def _rest_of_shard(
    path: str, shard: str, tasks: int, task_ids: Collection[str]
) -> Iterator[RootPart]:
    try:
        folder = open_folder(shard, dir_fd=tasks)
    except OSError:
        yield RootPart(path, measure_entry(shard, tasks))
        return
    try:
        yield RootPart(path, folder_itself(folder))
        for name in filesystem.list_names(folder):
            if shard + name not in task_ids:
                yield RootPart(path, measure_entry(name, folder))
    finally:
        os.close(folder)
