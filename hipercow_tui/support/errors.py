"""Every error that can reach a user: one sentence each, what happened, where, and what to do."""

from __future__ import annotations


class HipercowTuiError(Exception):
    """Anything this program refuses or fails at, said as a sentence for a person."""


class RootError(HipercowTuiError):
    """There is no usable hipercow root where one was looked for (SPEC section 1)."""


class FilterError(HipercowTuiError):
    """A filter can't be understood: a wrong moment, glob or status (SPEC section 4, 3 to 5)."""


class RdsError(HipercowTuiError):
    """A file is not the RDS it should be: cut off, damaged, or larger than what we accept."""


class PurgeError(HipercowTuiError):
    """A purge was refused or went wrong; nothing beyond the report's list was removed."""


class NoFilterError(PurgeError, FilterError):
    """``purge`` was called without any filter (SPEC section 4, rule 1)."""


class UnknownTasksError(PurgeError, FilterError):
    """Some of the ``task_ids`` do not exist (SPEC section 4, rule 2)."""


class BadFilterError(PurgeError, FilterError):
    """A filter given to ``purge`` can't be understood or matches no bundle at all."""


class BlockedError(PurgeError):
    """Something that would go is submitted, running, queued or unreadable (rule 9).

    ``blocked`` holds one entry a blocking task.
    """

    def __init__(self, message: str, blocked: tuple[object, ...] = ()) -> None:
        super().__init__(message)
        self.blocked = blocked


class PartlyFailedError(PurgeError):
    """Some of the plan could not be carried out; ``report`` says what went and what did not."""

    def __init__(self, message: str, report: object) -> None:
        super().__init__(message)
        self.report = report


class RscriptError(HipercowTuiError):
    """R can't be asked to do what only R can: it is not there, or has no hipercow."""


class LogError(HipercowTuiError):
    """A task's log can't be shown: there is none, or what is there is no ordinary file."""
