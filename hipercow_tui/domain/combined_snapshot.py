"""What stands in a root of R and in one of Python in the same folder, as one list. Pure."""

from __future__ import annotations

from dataclasses import replace

from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.support.text import pluralize


def combine_snapshots(r: Snapshot, python: Snapshot) -> Snapshot:
    """Both as one snapshot, whose ``by_language`` they are; where there is nothing in one of them, the
    other, as it is."""
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
    )


def _is_empty(part: Snapshot) -> bool:
    return not (part.tasks or part.bundles or part.problems or len(part.chains))


def _without_duplicate_ids(python: Snapshot, r: Snapshot) -> Snapshot:
    """Ids are random: a task that has one of R's was copied, and nobody could tell them apart."""
    twins = python.tasks.keys() & r.tasks.keys()
    problem = (
        f"{pluralize(len(twins), 'task')} under 'py' passed over, whose id a task of R has too,"
        f" first {min(twins)}"
    )
    return replace(
        python,
        tasks={i: task for i, task in python.tasks.items() if i not in twins},
        problems=(*python.problems, problem),
    )
