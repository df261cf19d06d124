"""Scan a root until tasks have ended, without a screen."""

from __future__ import annotations

import math
import os
import queue
import threading
import time
from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import NamedTuple

from hipercow_tui.domain.filters import FilterStack, matched_tasks
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status
from hipercow_tui.domain.waits import WaitProgress, WaitTimeoutError
from hipercow_tui.formats.root import Root
from hipercow_tui.scanning.combined_scanner import CombinedScanner
from hipercow_tui.scanning.scan_pace import ScanPace
from hipercow_tui.scanning.scanner import without_garbage_collection
from hipercow_tui.support.errors import RootError, UnsubmittedError
from hipercow_tui.support.text import escape_controls, pluralize

_SIGNAL_CHECK = 0.5  # seconds; on Windows, ctrl+c does not interrupt a wait for a thread


@dataclass(frozen=True, slots=True)
class WaitRequest:
    """What to wait for.

    Attributes:
        filters: They select the tasks in the first scan; without a filter, all tasks.
        lang: Only tasks of this language.
        follow: Whether a retried task counts by its latest attempt.
        any_task: Whether the wait is over when the first of the unfinished tasks has ended.
        timeout: Seconds after the first scan; None is without a limit.
    """

    filters: FilterStack
    lang: str | None = None
    follow: bool = True
    any_task: bool = False
    timeout: float | None = None


class WaitStep(NamedTuple):
    """A scan during a wait; ``over`` says whether the wait is over because tasks have ended."""

    snapshot: Snapshot
    progress: WaitProgress
    over: bool


def wait_for(root: Root, request: WaitRequest) -> Generator[WaitStep, None, None]:
    """Yield a step after each scan, until the wait is over or its time is.

    New tasks that pass the filters are not waited for, but new retries of the tasks are. Raises
    what ``FilterStack.check`` raises, UnsubmittedError, and RootError if the root disappears.
    """
    ids: list[str] | None = None
    unfinished: tuple[str, ...] = ()
    with closing(_scans(root, request.timeout)) as scans:
        for scanned in scans:
            snapshot = scanned.of_lang(request.lang)
            first = ids is None
            if ids is None:
                request.filters.check(snapshot)
                ids = matched_tasks(snapshot, request.filters)
            progress = WaitProgress.of(snapshot, ids, follow=request.follow)
            if first:
                _check_submitted(progress)
                unfinished = progress.unfinished
            left = len(progress.unfinished)
            ended_one = any(progress.attempts[i].ended for i in unfinished)
            over = not left or (request.any_task and ended_one)
            yield WaitStep(snapshot, progress, over)
            if over:
                return


def wait_until_over(root: Root, request: WaitRequest) -> WaitProgress:
    """Wait, and return the last progress. Raises WaitTimeoutError, and what ``wait_for`` raises."""
    for step in wait_for(root, request):
        last = step
    if not last.over:
        raise WaitTimeoutError(last.progress)
    return last.progress


def _check_submitted(progress: WaitProgress) -> None:
    """Raise UnsubmittedError if a task was not submitted, as ``hipercow_bundle_wait()`` does."""
    created = [i for i, one in progress.attempts.items() if one.status is Status.CREATED]
    if created:
        were = "was" if len(created) == 1 else "were"
        raise UnsubmittedError(
            f"{pluralize(len(created), 'task')} of {len(progress.attempts):,} {were} not submitted"
            f" (first {created[0]}), so waiting might never end. Submit them, or wait only for"
            " tasks with the status submitted or running"
        )


def _scans(root: Root, timeout: float | None) -> Generator[Snapshot, None, None]:
    """Yield the snapshot of each scan, until ``timeout`` seconds after the first.

    A daemon thread scans, so that signals and the timeout work while a file server hangs. It waits
    until its last snapshot was taken, because this thread may wait for a paused terminal.
    """
    answers: queue.Queue[Snapshot | Exception] = queue.Queue(maxsize=1)
    stop = threading.Event()
    scan = threading.Thread(target=_scan_repeatedly, args=(root, answers, stop), daemon=True)
    scan.start()
    end = math.inf
    try:
        while (left := end - time.monotonic()) > 0:
            try:
                answer = answers.get(timeout=min(left, _SIGNAL_CHECK))
            except queue.Empty:
                continue
            if isinstance(answer, Exception):
                raise answer
            if end == math.inf and timeout is not None:
                end = time.monotonic() + timeout
            yield answer
    finally:
        stop.set()
        with suppress(queue.Empty):  # the thread can put its last answer, and ends
            answers.get_nowait()


def _scan_repeatedly(
    root: Root, answers: queue.Queue[Snapshot | Exception], stop: threading.Event
) -> None:
    """Put the snapshot of each scan into ``answers``, or the error that ends this."""
    scanner, pace, pause = CombinedScanner(root), ScanPace(), 0.0
    try:
        while not stop.wait(pause):
            began = time.monotonic()
            with without_garbage_collection():
                for state in scanner.scan():
                    snapshot = state.snapshot
                    if stop.is_set():
                        return
            if not os.path.isdir(root.hipercow):
                raise RootError(
                    f"The root '{escape_controls(str(root.path))}' has disappeared: the state of"
                    " its tasks is not known. Is its file system still mounted?"
                )
            pause = pace.pause_after(time.monotonic() - began)
            answers.put(snapshot)
    except Exception as error:
        answers.put(error)
