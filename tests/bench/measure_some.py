"""A program that measures the first tasks of a root, so that strace can count its system calls.

It prints the number of their files.
"""

from __future__ import annotations

import os
import sys
from itertools import islice
from pathlib import Path

from hipercow_tui.formats.folder_size import measure_folders
from hipercow_tui.formats.root import find_root


def main(root: str, number: int) -> None:
    tasks = find_root(root).tasks
    ids = (
        shard + name
        for shard in sorted(os.listdir(tasks))
        for name in sorted(os.listdir(Path(tasks, shard)))
    )
    usages = measure_folders(str(tasks), list(islice(ids, number)))
    sys.stdout.write(f"{sum(usage.files for usage in usages if usage is not None)}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
