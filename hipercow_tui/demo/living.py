"""A demo root that lives for as long as somebody looks at it."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hipercow_tui.demo.cluster import Cluster
from hipercow_tui.demo.generate import write_root

PROJECT = "sir-model"


@contextmanager
def living_root(tasks: int = 2000, seed: int = 1) -> Iterator[Path]:
    """A demo root in a temporary folder with a cluster at work in it; both go on leaving."""
    with tempfile.TemporaryDirectory(prefix="hipercow-demo-") as folder:
        root = Path(folder) / PROJECT
        write_root(root, tasks=tasks, seed=seed, now=time.time())
        stop = threading.Event()
        cluster = Cluster(root, seed=seed)
        thread = threading.Thread(target=cluster.run, args=(stop,), daemon=True)
        thread.start()
        try:
            yield root
        finally:
            stop.set()
            thread.join()
