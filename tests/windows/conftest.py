from __future__ import annotations

import pytest
from windows_rig import FOLDER_VARIABLE, Windows, find_windows


@pytest.fixture(scope="session")
def windows() -> Windows:
    """Windows itself, or Wine; without it the test is skipped."""
    found = find_windows()
    if found is None:
        pytest.skip(f"needs Windows, or Wine in {FOLDER_VARIABLE}: run '.ci/run windows'")
    found.boot()
    return found
