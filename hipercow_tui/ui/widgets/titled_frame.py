"""A frame whose titles change often."""

from __future__ import annotations

from typing import Self

from textual.containers import Vertical
from textual.geometry import Region


class TitledFrame(Vertical):
    """A frame that redraws only the line of a title that changes.

    Textual redraws the whole contents of the frame, 20 kB over a slow connection.
    """

    def __init__(self, *, id: str | None = None) -> None:
        self._changed_lines: tuple[Region, ...] = ()
        self._titles: dict[str, str] = {}
        super().__init__(id=id)

    def set_titles(self, title: str, subtitle: str) -> None:
        """Set the upper and the lower title, in Textual's markup."""
        width, height = self.outer_size
        # Lines are counted from the first line inside the frame.
        for line, name, text in (
            (-1, "border_title", title),
            (height - 2, "border_subtitle", subtitle),
        ):
            if self._titles.get(name) != text:
                self._titles[name] = text
                self._changed_lines = (Region(-1, line, width, 1),)
                setattr(self, name, text)
        self._changed_lines = ()

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """Redraw; while a title changes, only its line."""
        regions = regions or self._changed_lines
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
