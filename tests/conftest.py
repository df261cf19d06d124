"""Fixtures that several rooms share: the recorded roots, unpacked where a test may change them."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parent / "data"


def unpack(archive: Path, into: Path) -> None:
    # Python 3.11 before 3.11.4 has no filters; what we recorded ourselves needs none.
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extractall(into, filter="data")
        else:
            tar.extractall(into)


@pytest.fixture
def sir_model(tmp_path: Path) -> Path:
    """The root that the real hipercow wrote: every task type and status, chains, bundles."""
    unpack(DATA / "sir-model.tar.gz", tmp_path)
    return tmp_path / "sir-model"


@pytest.fixture(scope="session")
def sir_model_expected() -> dict[str, Any]:
    """What the real hipercow says of each task of ``sir_model``."""
    loaded: dict[str, Any] = json.loads((DATA / "sir-model.expected.json").read_text("utf-8"))
    return loaded
