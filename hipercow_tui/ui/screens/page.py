"""The frame of a screen that covers the main screen."""

from __future__ import annotations

from textual.screen import Screen, ScreenResultType


class Page(Screen[ScreenResultType]):
    """A screen with a line ``#head`` above a list or a table, and ``#in-full`` below it.

    ``#in-full`` shows the row under the cursor without cuts. ``#nothing`` replaces an empty list.
    """

    DEFAULT_CSS = """
    Page #head {
        height: 1; padding: 0 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis;
    }
    Page #in-full { height: 2; padding: 0 1; background: $panel; }
    Page #nothing { height: 1fr; content-align: center middle; text-align: center; }
    """

    def why_disabled(self, action: str) -> str:
        """Return why an action that ``check_action`` disables does nothing now; may be empty."""
        return ""

    def action_back(self) -> None:
        """Go back without a result."""
        self.dismiss(None)
