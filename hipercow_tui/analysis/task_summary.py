"""What a task runs, in the words of a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class TaskSummary:
    """What a task runs, in the words of a row: ``run_sir(beta, gamma)`` and ``beta = 0.91``.

    ``rest`` is what no row has room for, case-folded: the inputs that ``inputs_text`` does not tell
    whole, and code that ``code_text`` does not. It is for searches alone.
    """

    code_text: str = ""
    inputs_text: str = ""
    problem: str | None = None
    rest: tuple[str, ...] = ()

    def matches(self, needle: str) -> bool:
        """Whether the needle, which is case-folded, stands in it."""
        if needle in self.code_text.casefold() or needle in self.inputs_text.casefold():
            return True
        return any(needle in text for text in self.rest) if self.rest else False


Summaries: TypeAlias = Mapping[str, TaskSummary]
NO_SUMMARY = TaskSummary()
