"""A program that scans a root several times, so that strace can count its system calls."""

from __future__ import annotations

import sys
import time

from hipercow_tui.formats.root import find_root
from hipercow_tui.scanning.scanner import Scanner
from hipercow_tui.scanning.shard_listing import MTIME_GRANULARITY


def main(root: str, passes: int) -> None:
    scanner = Scanner(find_root(root))
    for number in range(passes):
        for _ in scanner.scan():
            pass
        if number < 2:
            time.sleep(MTIME_GRANULARITY)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
