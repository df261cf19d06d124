"""Imports what the first frame does not need, before a key needs it."""

from __future__ import annotations

from importlib import import_module

_MODULES = (
    "domain.bundle_globs",
    "ui.screens.plan",
    "ui.dialogs.confirm",
    "ui.screens.log",
    "ui.screens.sweep",
    "ui.screens.error_messages",
    "ui.screens.trash",
    "ui.widgets.job_result",
    "ui.dialogs.copy_menu",
    "ui.dialogs.reconcile",
    "ui.dialogs.cancel",
    "ui.dialogs.retry",
    "ui.dialogs.export_inputs",
    "ui.dialogs.help",
    "ui.screens.history",
    "ui.screens.contents",
    "ui.dialogs.save_filter",
    "ui.dialogs.problems",
    "ui.dialogs.choice",
    "ui.dialogs.sort_menu",
    "ui.dialogs.columns",
    "ui.key_catalog",
)


def warm_up() -> None:
    """Import every screen that a key may open, and the matcher of globs. For a thread."""
    for name in _MODULES:
        import_module(f"hipercow_tui.{name}")
