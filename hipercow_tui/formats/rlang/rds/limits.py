"""Limits of the work and memory that one RDS file may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of one file is accepted, and how much is kept in memory.

    The first four limits raise RdsError if a file exceeds them. Beyond the last two, a value is
    shortened.

    Attributes:
        max_bytes: Decompressed bytes. A gigabyte takes up to 6 s.
        max_examined: Decompressed bytes, without those that are skipped as one block.
        max_steps: Work of skipping items: 1 for an item, 3 for an item with data. A step takes
            about 0.2 µs.
        max_depth: Levels of nested values.
        max_elements: Elements of vectors and lists that are kept. A vector or list that would
            exceed the limit is skipped, and an ``ROpaque`` of its type takes its place.
        max_text: Bytes of one string that are kept. A longer string ends with a note of how many
            bytes are missing.
    """

    max_bytes: int = 256 << 20
    max_examined: int = 32 << 20
    max_steps: int = 4_000_000
    max_depth: int = 150  # each level takes up to four of Python's 1,000 stack frames
    max_elements: int = 1_000_000
    max_text: int = 1 << 20


DEFAULT = Limits()
