"""A frame with titles that change often."""

from __future__ import annotations

from typing import Self

from textual.containers import Vertical
from textual.geometry import Region


class TitledFrame(Vertical):
    """Where its title changes, that line is drawn again: Textual would draw all that stands in the
    frame, 20 kB over a slow line."""

    def __init__(self, *, id: str | None = None) -> None:
        self._changed_lines: tuple[Region, ...] = ()
        self._titles: dict[str, str] = {}
        super().__init__(id=id)

    def entitle(self, title: str, subtitle: str) -> None:
        """Show these, in Textual's markup, above and below."""
        width, height = self.outer_size
        # Counted from the corner of what stands in the frame.
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
        """Draw again, of a title that changes its line alone."""
        regions = regions or self._changed_lines
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
