"""A demo root in a temporary folder, with a simulated cluster."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hipercow_tui.demo.cluster import Cluster
from hipercow_tui.demo.demo_folder import (
    make_demo_folder,
    remove_abandoned_folders,
    remove_demo_folder,
)
from hipercow_tui.demo.py_root import write_python_root
from hipercow_tui.demo.root_writer import write_root
from hipercow_tui.support.signals import exit_for_signal, on_signals

_PROJECT = "sir-model"


@contextmanager
def living_root(tasks: int = 2000, seed: int = 1) -> Iterator[Path]:
    """Yield a new demo root of R and Python while a simulated cluster works in it.

    The root is removed at the end, also after a signal that ends the process (SystemExit). Signal
    handlers are set, so this works only in the main thread. Roots of demos that were killed are
    removed in the background.

    Args:
        tasks: The number of R tasks.
        seed: The seed of the root and the cluster.
    """
    ending = False

    def end_once(number: int) -> None:
        nonlocal ending
        if not ending:  # a second signal would leave half of the root behind
            ending = True
            exit_for_signal(number)

    with on_signals(end_once):
        threading.Thread(target=remove_abandoned_folders, daemon=True).start()
        folder = make_demo_folder()
        stop = threading.Event()
        thread: threading.Thread | None = None
        try:
            try:
                root = folder / _PROJECT
                now = time.time()
                jobs = write_root(root, tasks=tasks, seed=seed, now=now)
                write_python_root(root, seed=seed, now=now)
                cluster = Cluster(root, jobs, seed=seed)
                thread = threading.Thread(target=cluster.run, args=(stop,), daemon=True)
                thread.start()
                yield root
            finally:
                ending = True
        finally:
            stop.set()
            if thread is not None:
                thread.join()
            remove_demo_folder(folder)
