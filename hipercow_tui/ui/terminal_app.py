"""The base class of the apps of this program: theme, driver, exit."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from functools import cache, partial

from rich.text import Text
from textual import events
from textual.app import App
from textual.driver import Driver
from textual.filter import LineFilter
from textual.notifications import Notification, SeverityLevel

from hipercow_tui.settings.theme_store import ThemeFile
from hipercow_tui.support.signals import exit_for_signal
from hipercow_tui.ui.attention import NAME, Attention
from hipercow_tui.ui.contrast import ReadableText

# For dark and for light terminals. The first two use only the sixteen colours of the terminal, as
# its user configured them.
SIXTEEN_COLOURS = ("ansi-dark", "ansi-light")
FULL_COLOURS = ("textual-dark", "textual-light")

# A hint with such a timeout is for an absent user: a key removes it only after some time,
# because the key may have been on its way when the hint appeared. Both in seconds.
LASTING = 600.0
SEEN_AFTER = 2.0


class TerminalApp(App[None]):
    """An app with the theme that the user chose last; ``theme_file`` stores it, None if it is not
    stored."""

    TITLE = NAME

    def __init__(self, theme_file: ThemeFile | None) -> None:
        # Without colours, Textual would still draw shades of grey on its own background.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        if "TEXTUAL_ANIMATIONS" not in os.environ:
            self.animation_level = "none"  # animations make nothing clearer here
        self._readable = cache(ReadableText)
        self.first_theme = self._choose_theme(theme_file)
        self.attention = Attention(self._write, os.environ)

    def _write(self, sequence: str) -> None:
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)

    def on_mount(self) -> None:
        """Set the theme."""
        self.theme = self.first_theme

    def on_unmount(self) -> None:
        """Show the title of the window from before."""
        self.attention.set_title("")

    def _choose_theme(self, file: ThemeFile | None) -> str:
        """Return the theme that the user chose last, else one for this terminal. With at most
        sixteen colours, only themes made of them are used: mixed ones would all be one grey."""
        chosen = file.read() if file else ""
        few = self.console.color_system == "standard" or self.no_color
        if chosen in self.available_themes and (self.available_themes[chosen].ansi or not few):
            return chosen
        light = is_light_terminal(os.environ.get("COLORFGBG", ""))
        return (SIXTEEN_COLOURS if few else FULL_COLOURS)[light]

    async def on_event(self, event: events.Event) -> None:
        """Remove hints with the next key, before it does anything."""
        if isinstance(event, events.Key):
            self._drop_toasts("information", seen=True)
        await super().on_event(event)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Show a message instead of the last one of this severity."""
        self._drop_toasts(severity)
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    def _drop_toasts(self, severity: SeverityLevel, *, seen: bool = False) -> None:
        """Remove the messages of a severity; with ``seen`` not those that have just appeared."""
        shown = [one for one in self._notifications if one.severity == severity]
        dropped = [one for one in shown if not (seen and _must_stay(one))]
        for notification in dropped:
            self._unnotify(notification, refresh=False)
        if dropped:
            self._refresh_notifications()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what changes drawn lines. Colours of the terminal itself are not changed."""
        filters = super().get_line_filters()
        return filters if self.native_ansi_color else [self._readable(self.ansi_theme), *filters]

    def get_driver_class(self) -> type[Driver]:
        """Return the driver of this platform; on POSIX one that survives a closed terminal."""
        driver = super().get_driver_class()
        if driver.__name__ != "LinuxDriver":
            return driver
        from hipercow_tui.ui.resilient_driver import ResilientDriver

        return ResilientDriver

    def _fatal_error(self) -> None:
        """Write a crash report, and print its name: the traceback of Textual would contain data
        from the disk."""
        error = sys.exception()
        if error is not None:
            from hipercow_tui.support.crash_report import what_happened, write_report

            self.panic(Text(what_happened(error, write_report(error))))

    def leave(self, number: int) -> None:
        """Exit with the status of the signal ``number``. May be called at any moment in the main
        thread."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            exit_for_signal(number)
        loop.call_soon_threadsafe(partial(self.exit, return_code=128 + number))


def _must_stay(toast: Notification) -> bool:
    """Return whether a lasting hint has just appeared."""
    return toast.timeout >= LASTING and time.time() - toast.raised_at < SEEN_AFTER


def is_light_terminal(colours: str) -> bool:
    """Return whether the background is light by ``COLORFGBG``, which terminals such as Konsole and
    rxvt set: ``0;15``, or ``0;default;15``."""
    return colours.rpartition(";")[2] in ("7", "15")
