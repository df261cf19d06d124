"""What the first frame does not need, imported behind it: before a key asks for it."""

from __future__ import annotations

from importlib import import_module

_SCREENS = (
    "plan",
    "confirm",
    "log",
    "inputs",
    "messages",
    "trash",
    "summary",
    "hand_over",
    "let_r",
    "help",
    "history",
    "name_filters",
    "problems",
    "question",
)


def warm_up() -> None:
    """Import every screen that a key may open, and what understands globs. Call it in a thread."""
    import_module("hipercow_tui.domain.bundle_globs")
    for name in _SCREENS:
        import_module(f"hipercow_tui.ui.screens.{name}")
