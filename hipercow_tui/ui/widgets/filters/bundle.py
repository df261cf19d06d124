"""The filter by bundle: globs that are parsed while they are typed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from hipercow_tui.domain.filter_counts import FilterCounts
from hipercow_tui.domain.filters import InBundle
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.widgets.filters.line import WIDTH, FilterLine, heading
from hipercow_tui.ui.widgets.filters.validated_input import ValidatedInput

_PATTERN = re.compile(r"(?:\\.|\S)+")
_NOT_TYPEABLE = re.compile(r"\\.|[^!-~]", re.DOTALL)


def split_globs(text: str) -> tuple[str, ...]:
    r"""Split a line into globs, at spaces that are not escaped as ``\ ``."""
    return tuple(_PATTERN.findall(text))


def join_globs(globs: Iterable[str]) -> str:
    """Return the line for these globs; characters that can't be typed become ``?``."""
    return " ".join(_NOT_TYPEABLE.sub(_typeable, glob) for glob in globs)


def _typeable(found: re.Match[str]) -> str:
    char = found[0][-1]
    if not char.isprintable():
        return "?"
    return f"\\{char}" if char.isspace() else found[0]


class BundleFilter(Vertical):
    """An input for globs, with the number of bundles and tasks that they match."""

    DEFAULT_CSS = """
    BundleFilter { height: auto; }
    """

    class Changed(Message):
        """The globs have changed."""

    def __init__(self, *, id: str, classes: str) -> None:
        super().__init__(id=id, classes=classes)
        self._counts = FilterCounts()
        self._heading = FilterLine()
        self.entry: ValidatedInput[InBundle] = ValidatedInput(
            lambda text: InBundle.of(split_globs(text)), hint="any, or: fit_* !fit_9", id="globs"
        )

    def compose(self) -> ComposeResult:
        """Yield the heading and the input."""
        yield self._heading
        yield self.entry

    @property
    def value(self) -> InBundle | None:
        """The filter."""
        return self.entry.value

    def on_mount(self) -> None:
        """Show the present filter."""
        self._update()

    def show(self, counts: FilterCounts) -> None:
        """Show other counts."""
        self._counts = counts
        self._update()

    @on(ValidatedInput.Changed)
    def _value_changed(self, event: ValidatedInput.Changed) -> None:
        event.stop()
        self._update()
        self.post_message(self.Changed())

    def _update(self) -> None:
        given = self.value is not None
        self._heading.content = heading("Bundles", "" if given else "any")
        if given and self._counts.matching_bundles == 0:
            self.entry.note("! no bundle matches", warn=True)
        else:
            self.entry.note(self._note())

    def _note(self) -> str:
        counts = self._counts
        if self.value is None:
            return pluralize(counts.bundles, "bundle")
        if counts.matching_bundles is None or counts.in_bundles is None:
            return "…"
        tasks = pluralize(counts.in_bundles, "task")
        note = f"{pluralize(counts.matching_bundles, 'bundle')}, {tasks}"
        return note if len(note) <= WIDTH else f"{tasks} in {counts.matching_bundles:,}"
