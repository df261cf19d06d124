from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from demo_roots import fingerprint, folders

from hipercow_tui import demo

CHILD = """
import time
from hipercow_tui import demo
with demo.living_root(50, 1) as root:
    print(root, flush=True)
    time.sleep(60)
"""


def test_the_root_changes_in_the_context_and_is_removed_after_it() -> None:
    threads = threading.active_count()
    with demo.living_root(60, 1) as root:
        assert len(folders(root)) == 60
        assert root.parent.name.startswith("hipercow-demo-")
        before, patience = fingerprint(root), time.monotonic() + 30
        while fingerprint(root) == before and time.monotonic() < patience:
            time.sleep(0.05)
        assert fingerprint(root) != before
    assert not root.parent.exists()
    assert threading.active_count() == threads


def test_the_root_is_removed_after_an_exception() -> None:
    with pytest.raises(KeyError), demo.living_root(10, 1) as root:
        raise KeyError
    assert not root.parent.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there only processes of a console get them")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_the_root_is_removed_after_signals(name: str) -> None:
    number: signal.Signals = getattr(signal, name)
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True, env=os.environ
    ) as child:
        assert child.stdout is not None
        root = Path(child.stdout.readline().strip())
        assert root.exists()
        child.send_signal(number)
        child.send_signal(number)  # a terminal that closes often sends more than one
        assert child.wait(timeout=60) == 128 + number
    assert not root.parent.exists()
