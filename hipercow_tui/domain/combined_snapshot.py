"""Combine the snapshots of the R root and the Python root of one folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hipercow_tui.domain.notes import Notes
from hipercow_tui.domain.pins import Pins
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang
from hipercow_tui.support.text import pluralize


def combine_snapshots(r: Snapshot, python: Snapshot) -> Snapshot:
    """Return one snapshot of both roots, with the two arguments as its ``by_language``.

    If one of them is empty, the other is returned unchanged. A Python task with the id of an R task
    is left out and reported in ``problems``.
    """
    if _is_empty(python):
        return r
    if _is_empty(r):
        return python
    if not python.tasks.keys().isdisjoint(r.tasks):
        python = _without_duplicate_ids(python, r)
    return Snapshot(
        r.root,
        {**r.tasks, **python.tasks},
        r.bundles + python.bundles,
        r.chains,
        r.problems + tuple(f"Python: {problem}" for problem in python.problems),
        by_language=(r, python),
        pins=Pins(r.pins.pins + python.pins.pins),
        notes=Notes(r.notes.notes + python.notes.notes),
    )


def with_pins(snapshot: Snapshot, pins: Mapping[Lang, Pins]) -> Snapshot:
    """Return the same tasks with other pins, which are given for each language."""
    if not snapshot.by_language:
        return replace(snapshot, pins=pins[snapshot.lang])
    parts = tuple(with_pins(part, pins) for part in snapshot.by_language)
    every = Pins(tuple(pin for part in parts for pin in part.pins.pins))
    return replace(snapshot, by_language=parts, pins=every)


def _is_empty(part: Snapshot) -> bool:
    records = part.pins or part.notes
    return not (part.tasks or part.bundles or part.problems or records or len(part.chains))


def _without_duplicate_ids(python: Snapshot, r: Snapshot) -> Snapshot:
    """Leave out Python tasks with the id of an R task. Ids are random, so such a task is a copy."""
    duplicates = python.tasks.keys() & r.tasks.keys()
    problem = (
        f"{pluralize(len(duplicates), 'task')} under 'py' ignored: an R task has the same id"
        f" (first {min(duplicates)})"
    )
    return replace(
        python,
        tasks={i: task for i, task in python.tasks.items() if i not in duplicates},
        problems=(*python.problems, problem),
    )
