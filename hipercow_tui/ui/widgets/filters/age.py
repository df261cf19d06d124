"""The filter by age: a slider, and an input for exact ages."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from hipercow_tui.domain.age_scale import label
from hipercow_tui.domain.filter_counts import FilterCounts
from hipercow_tui.domain.filters import FinishedBefore
from hipercow_tui.support.text import format_duration
from hipercow_tui.ui.widgets.filters.age_slider import AgeSlider
from hipercow_tui.ui.widgets.filters.line import FilterLine, heading
from hipercow_tui.ui.widgets.filters.validated_input import ValidatedInput


class AgeFilter(Vertical):
    """The filter by age: the text of an input. The slider sets that text, and follows it.

    ``clock`` gives the time in seconds since the epoch.
    """

    DEFAULT_CSS = """
    AgeFilter { height: auto; }
    """

    class Changed(Message):
        """The age has changed."""

    def __init__(self, clock: Callable[[], float], *, id: str, classes: str) -> None:
        super().__init__(id=id, classes=classes)
        self._clock = clock
        self._counts = FilterCounts()
        self._heading = FilterLine()
        self.slider = AgeSlider()
        self.entry: ValidatedInput[str] = ValidatedInput(
            self._parse, hint="any, or: 9 days", id="age-entry"
        )

    def compose(self) -> ComposeResult:
        """Yield the heading, the slider and the input."""
        yield self._heading
        yield self.slider
        yield self.entry

    @property
    def value(self) -> FinishedBefore | None:
        """The filter at the present time: "1 week" is relative to it."""
        text = self.entry.value
        return None if text is None else FinishedBefore.of(text, self._clock())

    def on_mount(self) -> None:
        """Show the present filter."""
        self._update()

    def show(self, counts: FilterCounts) -> None:
        """Show other counts."""
        self._counts = counts
        self.slider.bars = counts.ages
        self._update()

    @on(AgeSlider.Moved)
    def _moved(self, event: AgeSlider.Moved) -> None:
        event.stop()
        self.entry.write(format_duration(event.age) if event.age else "")

    @on(ValidatedInput.Changed)
    def _value_changed(self, event: ValidatedInput.Changed) -> None:
        event.stop()
        self._update()
        self.post_message(self.Changed())

    def _update(self) -> None:
        filter_ = self.value
        age = None if filter_ is None else self._clock() - filter_.cutoff
        self.slider.age = age
        self._heading.content = heading("Finished before", "any" if age is None else label(age))
        counts = self._counts
        if age is None:
            self.entry.note(f"{counts.finished:,} finished")
        else:
            self.entry.note("older: …" if counts.older is None else f"older: {counts.older:,}")

    def _parse(self, text: str) -> str:
        FinishedBefore.of(text, self._clock())
        return text.strip()
