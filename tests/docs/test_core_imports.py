"""Modules outside ``ui`` load no library of the user interface."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import hipercow_tui

PACKAGE = Path(hipercow_tui.__file__).parent
OF_ANOTHER_SYSTEM = (
    ("posix.py", "mounts.py")
    if sys.platform == "win32"
    else ("windows.py", "windows_changes.py", "nt.py", "windows_job.py", "windows_process.py")
)


def core_modules() -> list[str]:
    paths = (path.relative_to(PACKAGE.parent) for path in sorted(PACKAGE.rglob("*.py")))
    return [
        ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        for path in paths
        if "ui" not in path.parts and path.name not in ("__main__.py", *OF_ANOTHER_SYSTEM)
    ]


def test_core_modules_load_neither_textual_nor_rich() -> None:
    names = core_modules()
    assert "hipercow_tui.domain.plan" in names
    code = (
        "import importlib, sys\n"
        f"for name in {names!r}:\n"
        "    importlib.import_module(name)\n"
        "    loaded = sorted({m.split('.')[0] for m in sys.modules} & {'textual', 'rich'})\n"
        "    assert not loaded, f'{name} loads {loaded}'\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
