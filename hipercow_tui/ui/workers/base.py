"""Background threads for the screens, so that the UI thread never waits for a disk.

They are daemons: leaving the app waits at most ``GRACE`` seconds for a file server that hangs.
"""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as _wait
from contextlib import suppress
from functools import partial
from typing import Any, Generic, TypeVar

from textual._context import NoActiveAppError
from textual.message_pump import MessagePump

_LOGGER = logging.getLogger(__name__)

GRACE = 2.0  # seconds that leaving the app waits for running calls, such as saving a plan

T = TypeVar("T")
Request = TypeVar("Request")
Result = TypeVar("Result")


def start_thread(
    work: Callable[[], None],
    on_error: Callable[[Exception], object],
    *,
    name: str | None = None,
    daemon: bool = True,
) -> None:
    """Run ``work`` in a daemon thread, and pass an unexpected error to ``on_error``. Without a
    report, the screen would show old data and look up to date. Leaving the app waits for a thread
    that is not a daemon."""

    def guarded() -> None:
        try:
            work()
        except Exception as error:
            _LOGGER.error("thread %s ended: %s", name, type(error).__name__)
            on_error(error)

    threading.Thread(target=guarded, name=name or work.__qualname__, daemon=daemon).start()


def call_in_app(pump: MessagePump, callback: Callable[..., object], *arguments: Any) -> None:
    """Call ``callback`` in the UI thread, from a thread that may outlive the app; do nothing if the
    app has ended."""
    with suppress(NoActiveAppError):
        pump.call_later(callback, *arguments)


def run_in_thread(work: Callable[[], T]) -> Future[T]:
    """Run ``work`` in a daemon thread; return a future with its result or its error."""
    future: Future[T] = Future()

    def done() -> None:
        try:
            result = work()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)

    future.set_running_or_notify_cancel()
    threading.Thread(target=done, name="future", daemon=True).start()
    return future


class DaemonExecutor(ThreadPoolExecutor):
    """Runs each call in a daemon thread. At exit, Python waits for its own executors without a
    limit, and for this one at most ``GRACE`` seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._futures: list[Future[Any]] = []

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Start the call immediately."""
        self._futures = [future for future in self._futures if not future.done()]
        future = run_in_thread(partial(fn, *args, **kwargs))
        self._futures.append(future)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for the running calls, at most ``GRACE`` seconds."""
        if wait:
            _wait(self._futures, timeout=GRACE)


class BackgroundWorker(ABC):
    """A daemon thread that sleeps until it is woken, then runs one step, until it is stopped.

    A subclass implements ``_step``, and its public methods store a request and call ``_wake``. The
    first step runs after the first ``_wake``, so a subclass may set its fields after
    ``super().__init__``. An unexpected error ends the thread and is passed to ``on_error``.
    """

    def __init__(self, on_error: Callable[[Exception], object]) -> None:
        self._woken = threading.Event()
        self._stopped = False
        self._last_due = 0.0
        start_thread(self._run, on_error, name=type(self).__name__)

    def stop(self) -> None:
        """Take no further step. Does not wait for the current step."""
        self._stopped = True
        self._woken.set()

    @abstractmethod
    def _step(self) -> float | None:
        """Do the work. Return the seconds until the next step, or None to sleep until woken."""

    def _wake(self) -> None:
        """Run a step now, or another one after the current step."""
        self._woken.set()

    def _sleep(self, seconds: float | None) -> bool:
        """Sleep until woken, at most ``seconds``; return whether it was woken."""
        woken = self._woken.wait(seconds)
        self._woken.clear()
        return woken

    def _is_due(self, every: float) -> bool:
        """Return True at most once in ``every`` seconds, counted from the start of the step; for
        progress reports."""
        now = time.monotonic()
        due = now >= self._last_due + every
        if due:
            self._last_due = now
        return due

    def _run(self) -> None:
        self._sleep(None)
        while not self._stopped:
            self._last_due = time.monotonic()
            self._sleep(self._step())


class LatestOnlyWorker(BackgroundWorker, Generic[Request, Result]):
    """Answers one request at a time, and of the waiting requests only the latest.

    ``answer`` and ``deliver`` are called in the thread. With ``debounce``, a request is answered
    after that many seconds without a newer one.
    """

    def __init__(
        self,
        answer: Callable[[Request], Result],
        deliver: Callable[[Result], object],
        on_error: Callable[[Exception], object],
        *,
        debounce: float = 0.0,
    ) -> None:
        super().__init__(on_error)
        self._answer = answer
        self._deliver = deliver
        self._debounce = debounce
        self._request: Request
        self._answered = threading.Event()

    def submit(self, request: Request, *, timeout: float = 0.0) -> None:
        """Replace the waiting request. Wait up to ``timeout`` seconds for the answer."""
        self._answered.clear()
        self._request = request
        self._wake()
        if timeout:
            self._answered.wait(timeout)

    def _step(self) -> None:
        while self._debounce and not self._stopped and self._sleep(self._debounce):
            pass
        if self._stopped:
            return
        result = self._answer(self._request)
        if not self._stopped:
            self._deliver(result)
        self._answered.set()
