"""The part of the reader that ALTREP vectors and bytecode use.

``reader`` imports ``altrep`` and ``bytecode``. They import this protocol, and not ``reader``, so
that there is no import cycle.
"""

from __future__ import annotations

from typing import Protocol

from hipercow_tui.formats.rlang.values import Attributes, RValue
from hipercow_tui.support.errors import RdsError


class ItemReader(Protocol):
    """Reads the items of one file, in their order. ``reader.Reader`` is its implementation."""

    def error(self, message: str) -> RdsError:
        """Return an error with this message and the present position."""

    def integer(self) -> int:
        """Read four bytes as a signed integer."""

    def length(self) -> int:
        """Read the length of a vector."""

    def item(self) -> RValue:
        """Read the next item."""

    def attributes(self) -> Attributes:
        """Read the next item as attributes."""

    def tag(self) -> str | None:
        """Read the tag of a cell; None if it is not a symbol."""

    def reserve(self, elements: int) -> bool:
        """Count elements that will be kept; return False if they would exceed the limit."""

    def descend(self) -> None:
        """Enter a nested value; raises RdsError if it is too deep."""

    def ascend(self) -> None:
        """Leave a nested value."""

    def skip_instructions(self) -> None:
        """Skip the instructions of bytecode, which precede its constants."""

    def skip_constants(self, number: int) -> None:
        """Skip constants of bytecode."""
