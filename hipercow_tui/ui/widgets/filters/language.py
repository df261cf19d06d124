"""One line where a root is of R and of Python: which of them passes."""

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
    """Both, R alone or Python alone, with how many tasks pass; not there where there is but one,
    unless that was chosen."""

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
        """Another language than before."""

    @property
    def value(self) -> OfLang | None:
        """The filter."""
        return None if self.lang is None else OfLang(self.lang)

    def watch_lang(self) -> None:
        """Say so; a choice that a saved filter made is seen even where there is but one."""
        self._show()
        self.post_message(self.Changed())

    def watch_counts(self) -> None:
        """Where there is but one language left, there is nothing to choose."""
        if not self.counts:
            self.lang = None
        self._show()

    def _show(self) -> None:
        self.set_class(bool(self.counts) or self.lang is not None, "-both")

    def action_next(self) -> None:
        """From both to R, to Python, to both."""
        self.lang = _NEXT[self.lang]

    def on_click(self) -> None:
        """The same with a mouse."""
        self.action_next()

    def render(self) -> Content:
        """The line."""
        told = "both"
        if self.lang is not None:
            told = f"{self.lang.shown}, {pluralize(self.counts.get(self.lang, 0), 'task')}"
        return Content.assemble(
            (BAR if self.has_focus else NO_BAR, "$accent"), heading("Lang", told)
        )
