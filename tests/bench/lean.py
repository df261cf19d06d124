"""The leanest loop in one process that a scan is measured against; nothing of ours is in it."""

from __future__ import annotations

import os
import zlib


def lean_loop(tasks: str) -> int:
    """List every task folder, and read and decompress every ``info``; returns how many folders."""
    folders = 0
    for head in os.listdir(tasks):
        for tail in os.listdir(f"{tasks}/{head}"):
            folders += 1
            path = f"{tasks}/{head}/{tail}"
            ended = False
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.name == "info":
                        ended = True
            if ended:
                fd = os.open(f"{path}/info", os.O_RDONLY | os.O_CLOEXEC)
                raw = os.read(fd, 16384)
                os.close(fd)
                zlib.decompress(raw, 31)
    return folders
