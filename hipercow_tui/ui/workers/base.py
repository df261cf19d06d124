"""Threads that work for the screen, so that it never waits for a disk.

They are daemons: leaving the app does not wait for a file server that hangs, or not for long.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as _wait
from functools import partial
from typing import Any, Generic, TypeVar

from hipercow_tui.ui.workers.loop_priority import ui_waiting

GRACE = 2.0  # seconds that leaving the app waits for calls under way, such as saving a plan

T = TypeVar("T")
Request = TypeVar("Request")
Result = TypeVar("Result")


def start_thread(work: Callable[[], None], broke: Callable[[Exception], object]) -> None:
    """Do the work in a thread of its own; an error that nothing foresaw goes to ``broke``, for a
    thread that ends unheard would leave a screen that looks alive."""

    def guarded() -> None:
        try:
            work()
        except Exception as error:
            broke(error)

    threading.Thread(target=guarded, name=work.__qualname__, daemon=True).start()


def run_in_thread(work: Callable[[], T]) -> Future[T]:
    """Do the work in a daemon thread; the future will hold its result or its error."""
    future: Future[T] = Future()

    def done() -> None:
        try:
            result = work()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)

    future.set_running_or_notify_cancel()
    threading.Thread(target=done, name="promised", daemon=True).start()
    return future


class DaemonExecutor(ThreadPoolExecutor):
    """Runs each call in a daemon thread. Python's own executors are waited for at exit, as long as
    it takes; this one for ``GRACE`` seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._promised: list[Future[Any]] = []

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Begin the call now."""
        self._promised = [future for future in self._promised if not future.done()]
        future = run_in_thread(partial(fn, *args, **kwargs))
        self._promised.append(future)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for the calls under way, but no longer than ``GRACE`` seconds."""
        if wait:
            _wait(self._promised, timeout=GRACE)


class LatestOnlyWorker(Generic[Request, Result]):
    """A thread that answers requests one at a time, and of those that wait only the newest.

    ``answer`` and ``deliver`` are called in that thread; after ``rest`` seconds in which a newer
    request may come.
    """

    def __init__(
        self,
        answer: Callable[[Request], Result],
        deliver: Callable[[Result], object],
        broke: Callable[[Exception], object],
        *,
        rest: float = 0.0,
    ) -> None:
        self._answer = answer
        self._deliver = deliver
        self._rest = rest
        self._waiting: list[Request] = []
        self._asked = threading.Event()
        self._answered = threading.Event()
        self._stopped = False
        start_thread(self._run, broke)

    def ask(self, request: Request, *, patience: float = 0.0) -> None:
        """Answer this one next, in place of any that still waits; who asks waits for the answer for
        so many seconds at most."""
        self._answered.clear()
        self._waiting = [request]
        self._asked.set()
        if patience:
            with ui_waiting():
                self._answered.wait(patience)

    def stop(self) -> None:
        """Deliver nothing more."""
        self._stopped = True
        self._asked.set()

    def _run(self) -> None:
        while True:
            self._asked.wait()
            while self._rest and not self._stopped:
                self._asked.clear()
                if not self._asked.wait(self._rest):
                    break
            self._asked.clear()
            if self._stopped:
                return
            for request in self._waiting:
                result = self._answer(request)
                if not self._stopped:
                    self._deliver(result)
            self._answered.set()
