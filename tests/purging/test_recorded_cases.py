"""Ten random roots that the real ``hipercow_purge()`` purged: this app takes the same tasks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import unpack
from recorded_purges import CASES, DATA, check_case

NAMES = sorted({case["root"] for case in CASES})


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("recorded")
    unpack(DATA / "roots.tar.gz", where)
    return where / "roots"


def test_recorded_cases_exist() -> None:
    assert len(CASES) == 240


@pytest.mark.parametrize("name", NAMES)
def test_a_purge_removes_the_recorded_tasks_and_bundles(
    name: str, recorded: Path, tmp_path: Path
) -> None:
    for number, case in enumerate(case for case in CASES if case["root"] == name):
        root = tmp_path / f"{number}"
        shutil.copytree(recorded / name, root, copy_function=shutil.copy2)
        check_case(case, root)
        shutil.rmtree(root)
