"""The smallest loop that reads what a scan must read: the reference of scans."""

from __future__ import annotations

import os
import zlib


def lean_loop(tasks: str) -> int:
    """List every task folder, read and decompress every ``info``; return the number of folders."""
    folders = 0
    for head in os.listdir(tasks):
        for tail in os.listdir(f"{tasks}/{head}"):
            folders += 1
            path = f"{tasks}/{head}/{tail}"
            has_info = False
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.name == "info":
                        has_info = True
            if has_info:
                fd = os.open(f"{path}/info", os.O_RDONLY | os.O_CLOEXEC)
                raw = os.read(fd, 16384)
                os.close(fd)
                zlib.decompress(raw, 31)
    return folders
