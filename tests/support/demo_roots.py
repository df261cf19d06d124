"""Contents of a root on disk for tests of the demo, read without code of the package."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from hipercow_tui.domain.retry_chains import RetryLink

NOW = 1_795_474_800.0
ORDER = ("success", "failure", "cancelled", "running", "submitted")


def fingerprint(root: Path) -> str:
    """Return a hash of all paths, and of contents and modification times of files."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        digest.update(str(path.relative_to(root)).encode())
        if path.is_file():
            digest.update(path.read_bytes())
            digest.update(str(path.stat().st_mtime_ns).encode())
    return digest.hexdigest()


def folders(root: Path) -> dict[str, Path]:
    """Return the task folders by id."""
    tasks = root / "hipercow" / "tasks"
    return {head.name + tail.name: tail for head in tasks.iterdir() for tail in head.iterdir()}


def status(folder: Path) -> str:
    """Return the status of a task; ``broken`` if it has no ``data``."""
    names = set(os.listdir(folder))
    for name in ORDER:
        if f"status-{name}" in names:
            return name
    return "created" if "data" in names else "broken"


def with_status(root: Path, wanted: str) -> dict[str, Path]:
    """Return the task folders of one status by id."""
    return {
        task_id: folder for task_id, folder in folders(root).items() if status(folder) == wanted
    }


def bundles(root: Path) -> dict[str, list[str]]:
    """Return the ids in each bundle."""
    return {
        path.name: path.read_text("ascii").splitlines()
        for path in (root / "hipercow" / "bundles").iterdir()
    }


def retries(root: Path) -> list[RetryLink]:
    """Return the lines of ``retry``."""
    lines = (root / "hipercow" / "retry").read_text("ascii").splitlines()
    return [RetryLink(*line.split(",")) for line in lines]
