"""Record what the real package hipercow for R prints for each generated retry call.

    python -m tests.tools.record_retry

writes tests/data/r/retry/calls.json again. It needs R with the package (tests/support/real_r.py).
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from real_r import run_r
from retry_cases import create_tasks, recorded_groups

from hipercow_tui.output.r_retry import retry_call, retry_lines

OUT = Path(__file__).parents[1] / "data" / "r" / "retry" / "calls.json"


def main() -> None:
    """Retry each task by its call, and store the call, its lines and what R printed."""
    calls = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ids = create_tasks(folder)
        for case, group in recorded_groups(folder, ids).items():
            call = retry_call([group])
            # Cancelled, so that it can be retried again.
            cancel = "cancelled <- suppressMessages(hipercow::task_cancel(id))"
            printed = run_r(f"print(id <- {call}); {cancel}", folder)
            old, new = ids[case.partition(":")[0]], printed.split('"')[1]

            def plain(text: str, old: str = old, new: str = new) -> str:
                return text.replace(old, "1" * 32).replace(new, "2" * 32)

            calls[case] = {
                "call": plain(call),
                "lines": [plain(line) for line in retry_lines([group])],
                "printed": plain(printed).splitlines(),
            }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(calls, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
