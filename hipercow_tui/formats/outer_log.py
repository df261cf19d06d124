"""The outer log of a task: what the job on the cluster printed around the task itself.

The batch scripts of the dide drivers (``task_run.sh`` and ``task_run.bat``), of R and of Python,
print the same lines. The log of the task itself does not name its node.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

_HEADER_LINES = 100  # the node is in the fifth line
_NODE = re.compile(r"\s*running on: ?([A-Za-z0-9][A-Za-z0-9._-]{0,254})\s*")


def node_of(outer_log_lines: Iterable[str]) -> str | None:
    """Return the name of the node that ran the job, from the first lines of its outer log.

    None if the log does not name it; an example driver's log doesn't. ``generated on host`` is not
    the node: it is the computer that submitted the task.
    """
    found = map(_NODE.fullmatch, islice(outer_log_lines, _HEADER_LINES))
    return next((match[1] for match in found if match), None)
