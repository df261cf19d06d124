"""Record what the real hipercow for R answers about stuck tasks, for tests without R.

usage: python -m tests.tools.record_reconcile
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

_TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(_TESTS / "support"))

from stuck_root import ask, copied_calls, make_stuck_root  # noqa: E402

RECORDING = _TESTS / "data" / "r" / "reconcile" / "answers.json"


def main() -> None:
    """Write the recording."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "project"
        made = make_stuck_root(root)
        calls = copied_calls(root, made)
        lines = [_neutral(line.decode(), root) for line in ask(root, made)]
    recording = {"ids": made, "lines": lines, "calls": calls}
    RECORDING.parent.mkdir(parents=True, exist_ok=True)
    RECORDING.write_text(json.dumps(recording, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _neutral(text: str, root: Path) -> str:
    """Return a line without the path of the temporary folder, and without names of hosts."""
    for path in (str(root), quote(str(root), safe="")):
        text = text.replace(path, "ROOT")
    return re.sub(r"(https(?:://|%3A%2F%2F))[a-z.-]+", r"\1HOST", text)


if __name__ == "__main__":
    main()
