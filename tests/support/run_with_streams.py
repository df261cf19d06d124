"""Run commands of hipercow-tui as a shell does, with broken standard streams.

python run_with_streams.py: reads a list of cases as JSON, each an object with the ``words`` of the
command and its three ``streams``: "closed", "full" (/dev/full), "no reader" (a pipe), "terminal",
or the path of a file. ``typed`` is the input on the terminal. Prints a list of exit statuses,
each with the output on the terminal.

Each case is a fork of this process, which imports all commands once. As at the start of Python, a
closed stream is None; at its end, Python writes the rest of the buffers.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from importlib import import_module
from pkgutil import iter_modules

from hipercow_tui import cli
from hipercow_tui.cli.main import main


def replace_stream(fd: int, kind: str, terminal: int) -> None:
    os.close(fd)
    if kind == "closed":
        return
    if kind == "no reader":
        reader, opened = os.pipe()
        os.close(reader)
    elif kind == "terminal":
        opened = os.dup(terminal)
    else:
        path = "/dev/full" if kind == "full" else kind
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    if opened != fd:
        os.dup2(opened, fd)
        os.close(opened)


def open_as_python_does(streams: list[str]) -> None:
    for fd, name in enumerate(("stdin", "stdout", "stderr")):
        stream = None
        if streams[fd] != "closed":
            stream = os.fdopen(fd, "w" if fd else "r", encoding="utf-8", closefd=False)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def run(words: list[str], streams: list[str], typed: str) -> tuple[int, str]:
    """Run a command in a child process. Return its exit status and its output on the terminal."""
    screen, terminal = os.openpty()
    os.write(screen, typed.encode("latin-1"))
    child = os.fork()
    if child:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.set_blocking(screen, False)
        try:
            shown = os.read(screen, 1 << 16)
        except BlockingIOError:
            shown = b""
        os.close(screen)
        os.close(terminal)
        return status, shown.decode("utf-8", "replace")
    # Closed streams come last, so that no other stream gets their descriptors.
    for fd, kind in sorted(enumerate(streams), key=lambda one: one[1] == "closed"):
        replace_stream(fd, kind, terminal)
    open_as_python_does(streams)
    raise SystemExit(main(words))


if __name__ == "__main__":
    for module in iter_modules(cli.__path__):
        import_module(f"{cli.__name__}.{module.name}")
    gc.freeze()  # the child need not collect the objects of its parent
    results = [run(**case) for case in json.load(sys.stdin)]
    sys.stdout.write(json.dumps(results))
