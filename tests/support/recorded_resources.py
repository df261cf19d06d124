"""Files ``resources`` and ``info`` of the real package for R, made by
tests/tools/record_resources.py."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "data" / "r" / "resources"


def resources_file(name: str) -> bytes:
    return (_FOLDER / f"{name}.resources").read_bytes()


def info_file(name: str) -> bytes:
    return (_FOLDER / f"{name}.info").read_bytes()
