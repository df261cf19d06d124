"""The filter by language, for roots of both R and Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from hipercow_tui.domain.filters import OfLang
from hipercow_tui.domain.task import Lang
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.widgets.filters.line import BAR, NO_BAR, heading

_NEXT = {None: Lang.R, Lang.R: Lang.PY, Lang.PY: None}


class LanguageFilter(Widget, can_focus=True):
    """A line that selects R, Python or both languages.

    It is hidden in a root of one language, unless a language is selected.
    """

    DEFAULT_CSS = """
    LanguageFilter { height: 1; display: none; }
    LanguageFilter.-both { display: block; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter,right", "next", "Next language", show=False, id="lang.next"),
    ]

    lang: reactive[Lang | None] = reactive(None)
    counts: reactive[Mapping[Lang, int]] = reactive(dict)

    class Changed(Message):
        """Another language is selected."""

    @property
    def value(self) -> OfLang | None:
        """The filter."""
        return None if self.lang is None else OfLang(self.lang)

    def watch_lang(self) -> None:
        """Show the language and post Changed; a saved filter can select one in any root."""
        self._show()
        self.post_message(self.Changed())

    def watch_counts(self) -> None:
        """Deselect the language if the root has only one."""
        if not self.counts:
            self.lang = None
        self._show()

    def _show(self) -> None:
        self.set_class(bool(self.counts) or self.lang is not None, "-both")

    def action_next(self) -> None:
        """Select the next choice: both languages, R, Python."""
        self.lang = _NEXT[self.lang]

    def on_click(self) -> None:
        """Select the next language."""
        self.action_next()

    def render(self) -> Content:
        """Return the line."""
        value = "both"
        if self.lang is not None:
            value = f"{self.lang.shown}, {pluralize(self.counts.get(self.lang, 0), 'task')}"
        return Content.assemble(
            (BAR if self.has_focus else NO_BAR, "$accent"), heading("Lang", value)
        )
