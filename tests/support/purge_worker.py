"""Purge a root in this process, as an ordinary user if possible, and print the result as JSON.

python purge_worker.py ROOT [FOLDER MODE]: set the permissions of FOLDER after the plan is made.
python purge_worker.py ROOT status: purge by the command line, and print its exit status.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module

from purge_stage import plan_of

import hipercow_tui.cli.purge  # noqa: F401 - an ordinary user may not read this Python
from hipercow_tui.cli.main import main
from hipercow_tui.formats.folder_size import measure_many
from hipercow_tui.formats.root import find_root
from hipercow_tui.purging import execute

NOBODY = 65534

if __name__ == "__main__":
    where, *change = sys.argv[1:]
    root = find_root(where)
    plan = plan_of(root)
    if len(change) == 2:
        os.chmod(change[0], int(change[1], 8))
    if change == ["status"]:  # what it imports late may lie where an ordinary user can't read
        import_module("hipercow_tui.cli.purge")
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    if change == ["status"]:
        status = main(["purge", where, "--with-status", "failure", "--yes"])
        sys.stdout.write(f"status {status}")
        sys.exit()
    measured = measure_many(root, plan.ids)
    report = execute(plan, root)
    kept = str(report.quarantine_path) if report.quarantine_path else None
    said: dict[str, object] = {"removed": report.removed, "measured": list(measured), "kept": kept}
    for key in ("put_back", "vanished", "failed"):
        said[key] = {one.name: one.reason for one in getattr(report, key)}
    sys.stdout.write(json.dumps(said))
