"""What a task runs, in the words of a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Gist:
    """What a task runs, in the words of a row: ``run_sir(beta, gamma)`` and ``beta = 0.91``.

    ``rest`` is what no row has room for, case-folded: the inputs that ``varies`` does not tell
    whole, and code that ``what`` does not. It is for searches alone.
    """

    what: str = ""
    varies: str = ""
    problem: str | None = None
    rest: tuple[str, ...] = ()

    def says(self, needle: str) -> bool:
        """Whether the needle, which is case-folded, stands in it."""
        if needle in self.what.casefold() or needle in self.varies.casefold():
            return True
        return any(needle in text for text in self.rest) if self.rest else False


Gists: TypeAlias = Mapping[str, Gist]
NO_GIST = Gist()
