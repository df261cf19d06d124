"""What the tests of the demo ask of a root on disk, with no code of ours in between."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from hipercow_tui.domain.retry_chains import RetryLink

NOW = 1_795_474_800.0
ORDER = ("success", "failure", "cancelled", "running", "submitted")


def fingerprint(root: Path) -> str:
    """All paths, contents and modification times of files, as one hash."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        digest.update(str(path.relative_to(root)).encode())
        if path.is_file():
            digest.update(path.read_bytes())
            digest.update(str(path.stat().st_mtime_ns).encode())
    return digest.hexdigest()


def folders(root: Path) -> dict[str, Path]:
    """The task folders by id."""
    tasks = root / "hipercow" / "tasks"
    return {head.name + tail.name: tail for head in tasks.iterdir() for tail in head.iterdir()}


def status(folder: Path) -> str:
    """A task's own status; ``broken`` where it has no ``data``."""
    held = set(os.listdir(folder))
    for name in ORDER:
        if f"status-{name}" in held:
            return name
    return "created" if "data" in held else "broken"


def with_status(root: Path, wanted: str) -> dict[str, Path]:
    """The task folders of one status, by id."""
    return {
        task_id: folder for task_id, folder in folders(root).items() if status(folder) == wanted
    }


def bundles(root: Path) -> dict[str, list[str]]:
    """The ids in each bundle."""
    return {
        path.name: path.read_text("ascii").splitlines()
        for path in (root / "hipercow" / "bundles").iterdir()
    }


def retries(root: Path) -> list[RetryLink]:
    """The lines of ``retry``."""
    lines = (root / "hipercow" / "retry").read_text("ascii").splitlines()
    return [RetryLink(*line.split(",")) for line in lines]
