"""Start the app, and see it through to its end.

What a person waits for is the first frame: Textual takes 0.2 s to import, so whatever the first
frame does not need is imported behind it (``warm_up``).
"""

from __future__ import annotations

import asyncio
import gc
import os
from contextlib import suppress

from hipercow_tui.config import ThemeFile
from hipercow_tui.errors import FilterError
from hipercow_tui.exits import DONE
from hipercow_tui.roots import Root
from hipercow_tui.saved_filters import FilterFile, SavedFilter
from hipercow_tui.signals import no_hurry, on_signals
from hipercow_tui.streams import print_output
from hipercow_tui.ui.memory import keep_little


def named_filters(name: str | None) -> SavedFilter | None:
    """The filters that were saved under this name; raises FilterError if there are none."""
    return None if name is None else FilterFile.of_user().named(name)


def run_app(
    root: Root, *, read_only: bool, indexed: bool, mouse: bool, first: SavedFilter | None
) -> int:
    """Run the app until it is left; returns the exit status. Without ``mouse``, that is left to the
    terminal."""
    os.environ.setdefault("TEXTUAL_FPS", "240")  # a key is painted by the next beat of Textual
    keep_little()
    gc.disable()  # until the root is read: next to nothing of what is made up to there is garbage
    from hipercow_tui.ui.app import HipercowApp
    from hipercow_tui.ui.screen_first import new_loop

    filters = None
    with suppress(FilterError):
        filters = FilterFile.of_user()
    app = HipercowApp(
        root,
        read_only=read_only,
        indexed=indexed,
        filters=filters,
        first=first,
        theme=ThemeFile.of_user(),
    )
    with on_signals(app.leave), asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(app.run_async(mouse=mouse))
    with on_signals(no_hurry):
        left = app.settle()
    if left is not None:
        from hipercow_tui.report import report_lines

        print_output(report_lines(left.report) if left.report else [left.error or ""])
    return app.return_code or DONE
