"""The bundles of a demo root."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence
from random import Random

from hipercow_tui.demo import task_lifecycle
from hipercow_tui.demo.studies import Study, bundle_name

_SELECTION_NAMES = ("paper_fig", "thesis_ch", "to_check_")
_BUNDLES_PER_SELECTION = 6


class BundleWriter:
    """Writes bundles of new tasks, and now and then a selection of tasks of other bundles.

    Args:
        folder: The folder ``bundles`` of the root.
        rng: The source of names and selections.
        now: The time of the root, in seconds since the epoch.
    """

    def __init__(self, folder: str, rng: Random, now: float) -> None:
        self._folder = folder
        self._rng = rng
        self._now = now
        self._name_counts: Counter[str] = Counter()
        self._study_counts: Counter[str] = Counter()
        self._candidates: deque[tuple[float, str]] = deque(maxlen=60)  # creation, task id
        self._selections = 0

    def write(self, study: Study, created: float, ids: Sequence[str]) -> None:
        """Write the bundle of tasks that were created together."""
        self._study_counts[study.runs] += 1
        week = time.strftime("%G-w%V", time.gmtime(created))
        name = bundle_name(study, self._rng, self._study_counts[study.runs], week)
        self._put(name, created, ids)

    def write_selection(self, created: float, ids: Sequence[str]) -> None:
        """Remember some of the tasks; write a selection after every sixth bundle."""
        rng = self._rng
        self._candidates.extend((created, task_id) for task_id in rng.sample(ids, min(len(ids), 6)))
        enough = self._selections * _BUNDLES_PER_SELECTION < self._study_counts.total()
        if len(self._candidates) < 12 or not enough:
            return
        self._selections += 1
        chosen = rng.sample(self._candidates, rng.randrange(5, 12))
        newest = max(created for created, _ in chosen)
        name = f"{rng.choice(_SELECTION_NAMES)}{rng.randrange(1, 9)}"
        written = newest + (self._now - newest) * rng.uniform(0.1, 0.9)
        self._put(name, written, [task_id for _, task_id in chosen])

    def _put(self, name: str, written: float, ids: Sequence[str]) -> None:
        self._name_counts[name] += 1
        number = self._name_counts[name]
        unique = name if number == 1 else f"{name}_{number}"
        content = "".join(f"{task_id}\n" for task_id in ids)
        task_lifecycle.put(self._folder, unique, content.encode(), written)
