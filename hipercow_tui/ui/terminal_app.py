"""What the apps of this program have in common: theme, driver, and how they end."""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial

from rich.text import Text
from textual.app import App
from textual.driver import Driver

from hipercow_tui.settings.theme_store import ThemeFile
from hipercow_tui.support.signals import exit_for_signal

# On dark and on light terminals. The first two use nothing but the sixteen colours of the terminal,
# and so look as it does.
SIXTEEN_COLOURS = ("ansi-dark", "ansi-light")
MANY_COLOURS = ("textual-dark", "textual-light")


class TerminalApp(App[None]):
    """An app with the theme that was chosen the last time; ``theme_file`` remembers it, None where
    there is no such file."""

    TITLE = "hipercow-tui"

    def __init__(self, theme_file: ThemeFile | None) -> None:
        # Without colours Textual would still paint in shades of grey, on a ground of its own.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        if "TEXTUAL_ANIMATIONS" not in os.environ:
            self.animation_level = "none"  # nothing here is clearer for moving
        self.first_theme = self._first_theme(theme_file)

    def on_mount(self) -> None:
        """Take the theme."""
        self.theme = self.first_theme

    def _first_theme(self, file: ThemeFile | None) -> str:
        """The one that was chosen the last time, else one for this terminal. Where there are but
        sixteen colours, or none, only a theme of these: blends would all be the same grey."""
        chosen = file.read() if file else ""
        few = self.console.color_system == "standard" or self.no_color
        if chosen in self.available_themes and (self.available_themes[chosen].ansi or not few):
            return chosen
        light = light_terminal(os.environ.get("COLORFGBG", ""))
        return (SIXTEEN_COLOURS if few else MANY_COLOURS)[light]

    def get_driver_class(self) -> type[Driver]:
        """The driver of this platform, one that survives its terminal where there is such."""
        driver = super().get_driver_class()
        if driver.__name__ != "LinuxDriver":
            return driver
        from hipercow_tui.ui.resilient_driver import ResilientDriver

        return ResilientDriver

    def _fatal_error(self) -> None:
        """Write a crash report, and name it. Textual would print a traceback with everything in it
        that was read from disk."""
        error = sys.exception()
        if error is not None:
            from hipercow_tui.support.crash_report import what_happened, write_report

            self.panic(Text(what_happened(error, write_report(error))))

    def leave(self, number: int) -> None:
        """End with the status of the signal of that number. May be called at any moment in the main
        thread."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            exit_for_signal(number)
        loop.call_soon_threadsafe(partial(self.exit, return_code=128 + number))


def light_terminal(colours: str) -> bool:
    """Whether ``COLORFGBG``, which terminals such as Konsole and rxvt set, tells of a light ground:
    ``0;15``, or ``0;default;15``."""
    return colours.rpartition(";")[2] in ("7", "15")
