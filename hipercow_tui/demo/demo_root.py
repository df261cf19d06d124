"""A demo root that lives for as long as somebody looks at it."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hipercow_tui.demo.cluster import Cluster
from hipercow_tui.demo.py_root import write_python_side
from hipercow_tui.demo.root_writer import write_root
from hipercow_tui.support.signals import exit_for_signal, ignore_signal, on_signals

PROJECT = "sir-model"


@contextmanager
def living_root(tasks: int = 2000, seed: int = 1) -> Iterator[Path]:
    """A demo root in a temporary folder with a cluster at work in it; both go on leaving, also by
    a signal that asks the process to end (SystemExit). For the main thread."""
    with on_signals(exit_for_signal):
        place = tempfile.TemporaryDirectory(prefix="hipercow-demo-")
        stop = threading.Event()
        thread: threading.Thread | None = None
        try:
            root = Path(place.name) / PROJECT
            now = time.time()
            write_root(root, tasks=tasks, seed=seed, now=now)
            write_python_side(root, seed=seed, now=now)
            thread = threading.Thread(
                target=Cluster(root, seed=seed).run, args=(stop,), daemon=True
            )
            thread.start()
            yield root
        finally:
            with on_signals(ignore_signal):  # a second signal would leave half of it behind
                stop.set()
                if thread is not None:
                    thread.join()
                place.cleanup()
