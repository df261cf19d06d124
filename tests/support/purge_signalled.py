"""Purge a root by the command line, send a signal in the middle, and check the exit status.

python purge_signalled.py ROOT SIGNAL moving|erasing STATUS
"""

from __future__ import annotations

import os
import sys

from purge_stage import BASE, LONE

from hipercow_tui.cli.main import main

if __name__ == "__main__":
    where, number, when, status = sys.argv[1:]
    call, moment = ("rename", LONE[2:]) if when == "moving" else ("rmdir", BASE)
    real = getattr(os, call)

    def signalled(name: str, *args: object, **kwargs: object) -> None:
        real(name, *args, **kwargs)
        if name == moment:
            os.kill(os.getpid(), int(number))

    setattr(os, call, signalled)
    os.supports_dir_fd.add(signalled)
    done = main(["purge", where, "--with-status", "failure", "--yes"])
    sys.exit(done != int(status))
