"""Record outer logs, and what R prints when the app fetches them.

    python tests/tools/record_outer_logs.py TEMPLATES

TEMPLATES is the folder ``drivers/dide/inst/templates`` of the sources of hipercow for R. Its batch
script is run with bash; ``module``, ``hostname`` and ``Rscript`` of the node are replaced by small
programs. The answers are those of R with the package hipercow, where ``cluster.R`` in the folder of
the logs replaces the cluster.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from hipercow_tui.output.r_programs import OUTER_LOGS

LOGS = Path(__file__).parents[1] / "data" / "r" / "outer_logs"
TASK = "0123456789abcdef" * 2
_VALUES = {
    "hostname": "laptop-7",
    "date": "2026-03-01 12:34:56.789",
    "hipercow_version": "1.1.8",
    "hipercow_dide_version": "1.1.8",
    "r_version": "4.4.2",
    "r_make": "/modules/R",
    "hipercow_root_path": "project",
    "task_id": TASK,
    "task_id_1": TASK[:2],
    "task_id_2": TASK[2:],
}
# How Rscript ends: by itself, by an error outside of R, and killed by the kernel.
_ENDS = {"success": "touch status-success", "missing": "exit 127", "killed": "kill -9 $$"}

_PROFILE = """
setHook(packageEvent("hipercow", "onLoad"), function(...) {{
  source("{cluster}", local = TRUE)
  assignInNamespace("example_log", cluster, "hipercow")
}})
"""


def main(templates: Path) -> None:
    """Write a log for each way in which the job can end."""
    script = (templates / "task_run.sh").read_text(encoding="utf-8")
    script = re.sub(r"\{\{(\w+)\}\}", lambda match: _VALUES.get(match[1], ""), script)
    LOGS.mkdir(parents=True, exist_ok=True)
    for name, end in _ENDS.items():
        (LOGS / f"linux-{name}.txt").write_bytes(_run(script, end))
    (LOGS / "answers.txt").write_bytes(_answers())


def _run(script: str, end: str) -> bytes:
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        task = folder / "project" / "hipercow" / "tasks" / TASK[:2] / TASK[2:]
        task.mkdir(parents=True)
        (folder / "task_run.sh").write_text(script, encoding="utf-8")
        (folder / "Rscript").write_text(f"#!/bin/bash\ncd '{task}'\n{end}\n", encoding="utf-8")
        (folder / "Rscript").chmod(0o755)
        functions = (
            f"module() {{ PATH='{where}':/usr/bin:/bin; }}\n"
            "hostname() { echo node042.cluster.example; }\nexport -f module hostname\n"
        )
        done = subprocess.run(
            ["bash", "-c", f"{functions}bash task_run.sh"],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": where},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return done.stdout.replace(os.fsencode(where), b"/mnt/homes/me")


def _answers() -> bytes:
    ids = [f"{number:02x}" + f"{number:030x}" for number in range(6)]
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        init = "suppressMessages(hipercow::hipercow_init('.', driver = 'example'))"
        subprocess.run(["Rscript", "-e", init], cwd=folder, check=True)
        for each in ids:
            task = folder / "hipercow" / "tasks" / each[:2] / each[2:]
            task.mkdir(parents=True)
            (task / "status-submitted").write_text("example\n")
        (folder / ".Rprofile").write_text(_PROFILE.format(cluster=LOGS / "cluster.R"))
        done = subprocess.run(
            ["Rscript", "-e", OUTER_LOGS],
            cwd=folder,
            input="".join(f"{each}\n" for each in ids).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=True,
        )
        return done.stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]))
