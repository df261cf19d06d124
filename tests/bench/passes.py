"""Scan a root so many times, for strace to count; prints the seconds that the first took."""

from __future__ import annotations

import sys
import time

from hipercow_tui.listing import SETTLE
from hipercow_tui.roots import find_root
from hipercow_tui.scanning import Scanner


def main(root: str, passes: int) -> None:
    scanner = Scanner(find_root(root))
    for number in range(passes):
        began = time.perf_counter()
        for _ in scanner.scan():
            pass
        if not number:
            sys.stdout.write(f"{time.perf_counter() - began}\n")
        if number < 2:
            time.sleep(SETTLE)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
