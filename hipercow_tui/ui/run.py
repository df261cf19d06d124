"""Start the app, and see it through to its end.

What a person waits for is the first frame: Textual takes 0.2 s to import, so whatever the first
frame does not need is imported behind it (``warm_up``). Nor does it wait for a file server: the
root is looked for in a thread, and if that takes long, a screen says so.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable
from concurrent.futures import wait
from contextlib import suppress
from typing import TYPE_CHECKING

from hipercow_tui.formats.root import Root
from hipercow_tui.settings.saved_filters import FilterFile, SavedFilter
from hipercow_tui.settings.theme_store import ThemeFile
from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.exit_codes import DONE
from hipercow_tui.support.malloc_tuning import keep_little
from hipercow_tui.support.signals import ignore_signal, on_signals
from hipercow_tui.support.streams import print_message, print_output

if TYPE_CHECKING:
    from hipercow_tui.ui.messages import JobEnded
    from hipercow_tui.ui.terminal_app import TerminalApp
    from hipercow_tui.ui.workers.purge_job import JobRunner

QUICK = 0.3  # seconds; if the root is not found by then, a screen says so
PATIENCE = 1.0  # seconds; if a job has not stopped by then, a message says so


def filters_by_name(name: str | None) -> SavedFilter | None:
    """The filters that were saved under this name; raises FilterError if there are none."""
    return None if name is None else FilterFile.of_user().get(name)


def run_app(
    find: Callable[[], Root],
    where: str,
    *,
    read_only: bool,
    indexed: bool,
    mouse: bool,
    first: SavedFilter | None,
) -> int:
    """Run the app on the root that ``find`` finds, until it is left; returns the exit status.

    ``where`` is the place that is searched, for people. Without ``mouse``, that is left to the
    terminal. Raises what ``find`` raises.
    """
    os.environ.setdefault("TEXTUAL_FPS", "240")  # a key is painted by the next beat of Textual
    keep_little()
    gc.disable()  # until the root is read: next to nothing of what is made up to there is garbage
    from hipercow_tui.ui.workers.base import run_in_thread

    root = run_in_thread(find)
    from hipercow_tui.ui.app import HipercowApp

    theme = ThemeFile.of_user()
    wait([root], timeout=QUICK)
    if not root.done():
        from hipercow_tui.ui.waiting import WaitingApp

        waiting = WaitingApp(root, where, theme)
        _run(waiting, mouse=mouse)
        if waiting.left or not root.done():
            return waiting.return_code or DONE
    filters = None
    with suppress(FilterError):
        filters = FilterFile.of_user()
    app = HipercowApp(
        root.result(),
        read_only=read_only,
        indexed=indexed,
        filters=filters,
        first=first,
        theme=theme,
    )
    _run(app, mouse=mouse)
    job = app.browser.purge.job
    if job is not None:
        with on_signals(ignore_signal):
            _print_end(_stopped(job))
    return app.return_code or DONE


def _run(app: TerminalApp, *, mouse: bool) -> None:
    from hipercow_tui.ui.workers.base import DaemonExecutor
    from hipercow_tui.ui.workers.loop_priority import new_loop

    with on_signals(app.leave), asyncio.Runner(loop_factory=new_loop) as runner:
        runner.get_loop().set_default_executor(DaemonExecutor())
        runner.run(app.run_async(mouse=mouse))


def _stopped(job: JobRunner) -> JobEnded:
    """Stop the job and wait, however long that takes: half of a chain must not stay behind. If it
    takes long, say so."""
    job.stop()
    if not job.wait(PATIENCE):
        print_message(job.waited_for)
    return job.stop_and_wait()


def _print_end(ended: JobEnded) -> None:
    from hipercow_tui.output.report import report_lines

    print_output(report_lines(ended.report) if ended.report else [ended.error or ""])
