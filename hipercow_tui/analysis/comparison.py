"""A search that compares an input as a number: ``beta > 0.9``, ``seed = 3``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from hipercow_tui.analysis.error_groups import Inputs, parse_number

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_QUERY = re.compile(r"([^<>=!]*[^<>=!\s])\s*(<=|>=|!=|==|[=<>])\s*([^<>=!\s]+)")


@dataclass(frozen=True)
class Comparison:
    """An input, how it is compared, and the number; ``name`` is case-folded."""

    name: str
    operator: str
    number: float

    def value_in(self, inputs: Inputs) -> str | None:
        """Return the value of the first input that fulfils the comparison, as it is written."""
        for name, value in inputs:
            if name.casefold() == self.name and self._is_met_by(value):
                return value
        return None

    def holds(self, inputs: Inputs, texts: Iterable[str] = ()) -> bool:
        """Return whether an input, or an argument in a call or command, fulfils the comparison.

        Arguments in ``texts`` look like ``beta = 0.91`` or ``--beta 0.91``.
        """
        return self.value_in(inputs) is not None or any(map(self._holds_in, texts))

    def _holds_in(self, text: str) -> bool:
        if "=" not in text and "--" not in text:  # as most code: it saves half of the time
            return False
        return any(map(self._is_met_by, self._arguments.findall(text)))

    def _is_met_by(self, value: str) -> bool:
        found = parse_number(value)
        return found is not None and _OPERATORS[self.operator](found, self.number)

    @cached_property
    def _arguments(self) -> re.Pattern[str]:
        name = re.escape(self.name)
        return re.compile(rf"(?<![\w.])(?:{name}\s*=|--{name}\s)\s*([^\s,()=]+)", re.IGNORECASE)


@lru_cache(maxsize=16)
def parse_comparison(query: str) -> Comparison | None:
    """Return the comparison that a query describes; None if it is a text to search for."""
    found = _QUERY.fullmatch(query.strip())
    number = parse_number(found[3]) if found else None
    if found is None or number is None:
        return None
    return Comparison(found[1].strip().casefold(), found[2], number)
