"""Reads now and then how much space is free on the file system of the root."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hipercow_tui.formats.free_space import FreeSpace, read_free_space
from hipercow_tui.ui.workers.base import BackgroundWorker

READ_EVERY = 30.0  # seconds; a file server, or the program that prints a quota, can be slow


class FreeSpaceWorker(BackgroundWorker):
    """Calls ``deliver`` in its thread with each reading, None if the file system does not say."""

    def __init__(
        self,
        path: Path,
        deliver: Callable[[FreeSpace | None], object],
        on_error: Callable[[Exception], object],
    ) -> None:
        super().__init__(on_error)
        self._path = path
        self._deliver = deliver

    def read_now(self) -> None:
        """Read now, and from then on regularly."""
        self._wake()

    def _step(self) -> float:
        space = read_free_space(self._path)
        if not self._stopped:
            self._deliver(space)
        return READ_EVERY
