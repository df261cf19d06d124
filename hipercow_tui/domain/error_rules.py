"""Rules by which a user names groups of errors."""

from __future__ import annotations

from typing import NamedTuple


class ErrorRule(NamedTuple):
    """A failure is in the group ``name`` if the regular expression ``pattern`` is found in its
    message.

    ``place`` says where the rule is written, for messages.
    """

    pattern: str
    name: str
    place: str
