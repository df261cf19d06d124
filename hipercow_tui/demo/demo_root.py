"""A demo root in a temporary folder, with a simulated cluster."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hipercow_tui.demo.cluster import Cluster
from hipercow_tui.demo.py_root import write_python_root
from hipercow_tui.demo.root_writer import write_root
from hipercow_tui.support.signals import exit_for_signal, ignore_signal, on_signals

_PROJECT = "sir-model"


@contextmanager
def living_root(tasks: int = 2000, seed: int = 1) -> Iterator[Path]:
    """Yield a new demo root of R and Python while a simulated cluster works in it.

    The root is removed at the end, also after a signal that ends the process (SystemExit). Signal
    handlers are set, so this works only in the main thread.

    Args:
        tasks: The number of R tasks.
        seed: The seed of the root and the cluster.
    """
    with on_signals(exit_for_signal):
        temporary = tempfile.TemporaryDirectory(prefix="hipercow-demo-")
        stop = threading.Event()
        thread: threading.Thread | None = None
        try:
            root = Path(temporary.name) / _PROJECT
            now = time.time()
            jobs = write_root(root, tasks=tasks, seed=seed, now=now)
            write_python_root(root, seed=seed, now=now)
            cluster = Cluster(root, jobs, seed=seed)
            thread = threading.Thread(target=cluster.run, args=(stop,), daemon=True)
            thread.start()
            yield root
        finally:
            with on_signals(ignore_signal):  # a second signal would leave half of it behind
                stop.set()
                if thread is not None:
                    thread.join()
                temporary.cleanup()
