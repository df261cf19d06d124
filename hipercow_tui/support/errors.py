"""The errors that a user can see. Each message says what happened, where, and what to do."""

from __future__ import annotations

import errno
import os

from hipercow_tui.support.text import escape_controls


class HipercowTuiError(Exception):
    """The base class: the message is a sentence for the user."""


class RootError(HipercowTuiError):
    """There is no usable hipercow root at or above a folder (docs/spec.md, section 1)."""


class FilterError(HipercowTuiError):
    """A filter is invalid: a wrong time, glob or status (docs/spec.md, rules 3 to 5)."""


class RdsError(HipercowTuiError):
    """A file is not valid RDS: truncated, damaged, or over the size limit."""


class PurgeError(HipercowTuiError):
    """A purge was refused or failed. Nothing was removed, unless the message or report lists it."""


class NoFilterError(PurgeError, FilterError):
    """``purge`` was called without a filter (docs/spec.md, rule 1)."""


class UnknownTasksError(PurgeError, FilterError):
    """Some of the ``task_ids`` do not exist (docs/spec.md, rule 2)."""


class BadFilterError(PurgeError, FilterError):
    """A filter of ``purge`` is invalid, or its globs match no bundle."""


class GoalError(PurgeError):
    """A purge can't free as much space as requested. Nothing was removed."""


class WaitError(HipercowTuiError):
    """Waiting for tasks was refused, or took longer than allowed."""


class UnsubmittedError(WaitError):
    """Some of the tasks to wait for were never submitted, so they may never end."""


class RscriptError(HipercowTuiError):
    """Rscript can't be run: it is not on the PATH, or R has no hipercow."""


class LogError(HipercowTuiError):
    """The log of a task can't be shown: it does not exist or is not a regular file."""


class ExportError(HipercowTuiError):
    """An export of inputs or a report can't be written to a file."""


class ExistingFileError(ExportError):
    """The file exists already."""


def os_error_text(error: OSError) -> str:
    """Return the reason of a failed system call, without control characters."""
    if error.strerror == os.strerror(errno.EXDEV):  # "Invalid cross-device link"
        return "its folder is a mount point, and nothing can be moved into or out of it"
    return escape_controls(error.strerror or str(error))
