"""The outer log of a task: what the job on the cluster printed around the task itself.

The batch scripts of the dide drivers (``task_run.sh`` and ``task_run.bat``), of R and of Python,
print the same lines. The log of the task itself does not name its node.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from hipercow_tui.formats.log_patterns import COLOUR, Severity, severity_of

_HEADER_LINES = 100  # the node is in the fifth line
# What bash prints about a program that a signal ended: a process id, the signal, the command.
_SIGNAL = re.compile(r"\S+: line \d+: +\d+ ([A-Z][A-Za-z0-9 ]*?(?: \(core dumped\))?)(?: {2,}.*)?")
_STATUS = re.compile(r"\s*ERRORLEVEL was -?0*[1-9][0-9]*\s*")
_NODE = re.compile(r"\s*running on: ?([A-Za-z0-9][A-Za-z0-9._-]{0,254})\s*")


def node_of(outer_log_lines: Iterable[str]) -> str | None:
    """Return the name of the node that ran the job, from the first lines of its outer log.

    None if the log does not name it; an example driver's log doesn't. ``generated on host`` is not
    the node: it is the computer that submitted the task.
    """
    found = map(_NODE.fullmatch, islice(outer_log_lines, _HEADER_LINES))
    return next((match[1] for match in found if match), None)


def outer_error(lines: Sequence[str]) -> str | None:
    """Return why the job failed, from the last lines of its outer log.

    That is the last line that is an error, of a program that was killed only ``Killed``. Without
    one it is the exit status of the task, as the batch script prints it; None if that is 0 too.
    """
    texts = [COLOUR.sub("", line).strip() for line in lines]
    errors = (text for text in reversed(texts) if severity_of(text) is Severity.ERROR)
    found = next(errors, None) or next(filter(_STATUS.fullmatch, reversed(texts)), None)
    signal = _SIGNAL.fullmatch(found) if found else None
    return signal[1] if signal else found
