"""What a task runs, as short texts for the rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from hipercow_tui.analysis.comparison import Comparison
from hipercow_tui.analysis.error_groups import Inputs, pack, unpack


@dataclass(frozen=True, slots=True)
class TaskSummary:
    """What a task runs: ``run_sir(beta, gamma)`` as ``code_text``, ``beta = 0.91`` as
    ``inputs_text``.

    ``problem`` says what could not be read. ``search_texts`` are used only by searches: code and
    inputs, case-folded, that the other texts do not show completely. ``packed_inputs`` holds the
    ``inputs`` in a third of the memory. ``environment`` is the name of the task's environment.
    """

    code_text: str = ""
    inputs_text: str = ""
    problem: str | None = None
    search_texts: tuple[str, ...] = ()
    packed_inputs: bytes = b""
    environment: str = ""

    @property
    def inputs(self) -> Inputs:
        """Names and values of the inputs, in the order of the task's ``data``; values are cut as
        by ``inputs_of``."""
        texts = unpack(self.packed_inputs) if self.packed_inputs else ()
        return tuple(zip(texts[::2], texts[1::2], strict=True))

    def matches(self, needle: str) -> bool:
        """Whether any of the texts contains ``needle``, which is case-folded."""
        if needle in self.code_text.casefold() or needle in self.inputs_text.casefold():
            return True
        return any(needle in text for text in self.search_texts) if self.search_texts else False

    def meets(self, comparison: Comparison) -> bool:
        """Whether an input or an argument of the code fulfils the comparison."""
        texts = (self.code_text, *self.search_texts)
        if not self.packed_inputs:
            return comparison.holds((), (self.inputs_text, *texts))
        return comparison.holds(self.inputs, texts)


def pack_inputs(inputs: Inputs) -> bytes:
    """The ``packed_inputs`` of a summary."""
    return pack([text for pair in inputs for text in pair]) if inputs else b""


Summaries: TypeAlias = Mapping[str, TaskSummary]
NO_SUMMARY = TaskSummary()
