"""Start the app, run it, and finish a job that is still running when it ends.

The first frame should come quickly: the import of Textual takes 0.2 s, so everything that the first
frame does not need is imported after it (``warm_up``). It does not wait for a file server either:
the root is searched for in a thread, and a screen is shown if that takes long.
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
from hipercow_tui.settings.column_store import ColumnFile
from hipercow_tui.settings.key_file import KeyFile
from hipercow_tui.settings.rule_file import RuleFile
from hipercow_tui.settings.saved_filters import FilterFile, SavedFilter
from hipercow_tui.settings.theme_store import ThemeFile
from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.exit_codes import DONE
from hipercow_tui.support.malloc_tuning import limit_heap_growth
from hipercow_tui.support.signals import ignore_signal, on_signals, restore_job_control
from hipercow_tui.support.streams import print_message, print_output

if TYPE_CHECKING:
    from hipercow_tui.ui.keymap import Keymap
    from hipercow_tui.ui.messages import JobEnded
    from hipercow_tui.ui.terminal_app import TerminalApp
    from hipercow_tui.ui.workers.purge_job import JobRunner

WAIT_BEFORE_SCREEN = 0.3  # seconds until the waiting screen is shown
WAIT_BEFORE_MESSAGE = 1.0  # seconds until a message says that a job is being stopped


def load_filters(name: str | None) -> SavedFilter | None:
    """Return the filters that were saved under a name, None without a name. Raises FilterError if
    there are none."""
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
    """Run the app on the root that ``find`` returns, until the user quits; return the exit status.

    ``where`` is the folder that is searched, for messages. Without ``mouse``, the terminal handles
    the mouse. Raises what ``find`` raises.
    """
    os.environ.setdefault("TEXTUAL_FPS", "240")  # the result of a key is drawn at the next frame
    limit_heap_growth()
    gc.disable()  # until the root is read: almost nothing that is created before is garbage
    from hipercow_tui.ui.workers.base import run_in_thread

    root = run_in_thread(find)
    from hipercow_tui.ui.app import HipercowApp

    theme = ThemeFile.of_user()
    wait([root], timeout=WAIT_BEFORE_SCREEN)
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
        columns=ColumnFile.of_user(),
        rules=RuleFile.of_user(),
        first=first,
        theme=theme,
        keymap=_load_keymap(),
    )
    _run(app, mouse=mouse)
    job = app.job_at_end or app.browser.purge.job
    if job is not None:
        with on_signals(ignore_signal):
            _print_result(_stop_job(job))
    return app.return_code or DONE


def _load_keymap() -> Keymap | None:
    """Return the keys that the user chose, None if there are none."""
    file = KeyFile.of_user()
    if file is None or not os.path.lexists(file.path):
        return None
    from hipercow_tui.ui.key_catalog import load_keymap  # imports every screen

    return load_keymap(file)


def _run(app: TerminalApp, *, mouse: bool) -> None:
    from hipercow_tui.ui.workers.base import DaemonExecutor
    from hipercow_tui.ui.workers.loop_priority import new_loop

    with (
        restore_job_control(),
        on_signals(app.leave),
        asyncio.Runner(loop_factory=new_loop) as runner,
    ):
        runner.get_loop().set_default_executor(DaemonExecutor())
        runner.run(app.run_async(mouse=mouse))


def _stop_job(job: JobRunner) -> JobEnded:
    """Stop a job and wait for its end without a limit, so that no retry chain is left half purged;
    print a message if it takes long."""
    job.stop()
    if not job.wait(WAIT_BEFORE_MESSAGE):
        print_message(job.status_text)
    return job.stop_and_wait()


def _print_result(ended: JobEnded) -> None:
    from hipercow_tui.output.report import report_lines

    print_output(report_lines(ended.report) if ended.report else [ended.error or ""])
