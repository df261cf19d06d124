"""The bundles of a demo root: what the group named together, and what it picked out again."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence
from random import Random

from hipercow_tui.demo import task_lifecycle
from hipercow_tui.demo.studies import Study, bundle_name

PICKED = ("paper_fig", "thesis_ch", "to_check_")
ONE_IN = 6


class Bundles:
    """Writes bundles into a folder under names not yet taken; remembers a few tasks to pick."""

    def __init__(self, folder: str, rng: Random, now: float) -> None:
        self._folder = folder
        self._rng = rng
        self._now = now
        self._names: Counter[str] = Counter()
        self._studies: Counter[str] = Counter()
        self._recent: deque[tuple[float, str]] = deque(maxlen=60)
        self._picked = 0

    def write(self, study: Study, created: float, ids: Sequence[str]) -> None:
        """The bundle of tasks created together at that moment (``task_create_bulk_expr``)."""
        self._studies[study.runs] += 1
        week = time.strftime("%G-w%V", time.gmtime(created))
        name = bundle_name(study, self._rng, self._studies[study.runs], week)
        self._put(name, created, ids)

    def pick(self, created: float, ids: Sequence[str]) -> None:
        """Take note of some tasks; make every sixth bundle of those that stand in others."""
        rng = self._rng
        self._recent.extend((created, task_id) for task_id in rng.sample(ids, min(len(ids), 6)))
        if len(self._recent) < 12 or self._picked * ONE_IN >= self._studies.total():
            return
        self._picked += 1
        chosen = rng.sample(self._recent, rng.randrange(5, 12))
        newest = max(moment for moment, _ in chosen)
        name = f"{rng.choice(PICKED)}{rng.randrange(1, 9)}"
        when = newest + (self._now - newest) * rng.uniform(0.1, 0.9)
        self._put(name, when, [task_id for _, task_id in chosen])

    def _put(self, name: str, at: float, ids: Sequence[str]) -> None:
        self._names[name] += 1
        unique = name if self._names[name] == 1 else f"{name}_{self._names[name]}"
        content = "".join(f"{task_id}\n" for task_id in ids)
        task_lifecycle.put(self._folder, unique, content.encode(), at)
