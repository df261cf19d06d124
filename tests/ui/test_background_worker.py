from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from queue import Empty, Queue

import pytest

from hipercow_tui.ui.workers.base import BackgroundWorker, LatestOnlyWorker

WAIT = 10.0  # seconds; a busy machine is no failure


class Recorder(BackgroundWorker):
    """Puts a number into ``steps`` at each step; ``delays`` are what the steps return."""

    def __init__(self, *delays: float | None, errors: Queue[Exception] | None = None) -> None:
        self.errors: Queue[Exception] = errors or Queue()
        super().__init__(self.errors.put)
        self.steps: Queue[int] = Queue()
        self.may_end = threading.Event()
        self.may_end.set()
        self._delays = iter(delays)
        self._count = 0

    def wake(self) -> None:
        self._wake()

    def _step(self) -> float | None:
        self._count += 1
        self.steps.put(self._count)
        self.may_end.wait(WAIT)
        return next(self._delays, None)


@pytest.fixture
def quiet() -> Iterator[Recorder]:
    worker = Recorder()
    yield worker
    worker.stop()


def no_more(steps: Queue[int]) -> bool:
    with pytest.raises(Empty):
        steps.get(timeout=0.1)
    return True


def test_a_worker_takes_no_step_until_it_is_woken(quiet: Recorder) -> None:
    assert no_more(quiet.steps)
    quiet.wake()
    assert quiet.steps.get(timeout=WAIT) == 1
    assert no_more(quiet.steps)


def test_a_worker_that_is_woken_during_a_step_takes_another_one(quiet: Recorder) -> None:
    quiet.may_end.clear()
    quiet.wake()
    assert quiet.steps.get(timeout=WAIT) == 1
    quiet.wake()
    quiet.wake()
    quiet.may_end.set()
    assert quiet.steps.get(timeout=WAIT) == 2
    assert no_more(quiet.steps)


def test_a_worker_takes_the_next_step_after_the_delay() -> None:
    worker = Recorder(0, 0.01, None)
    worker.wake()
    assert [worker.steps.get(timeout=WAIT) for _ in range(3)] == [1, 2, 3]
    assert no_more(worker.steps)
    worker.stop()


def test_a_stopped_worker_takes_no_further_step(quiet: Recorder) -> None:
    quiet.may_end.clear()
    quiet.wake()
    assert quiet.steps.get(timeout=WAIT) == 1
    quiet.wake()
    quiet.stop()
    quiet.may_end.set()
    assert no_more(quiet.steps)


def test_an_unexpected_error_ends_the_worker_and_is_passed_on() -> None:
    class Failing(Recorder):
        def _step(self) -> float | None:
            raise KeyError("x")

    worker = Failing()
    worker.wake()
    assert isinstance(worker.errors.get(timeout=WAIT), KeyError)


def fail(error: Exception) -> None:
    raise AssertionError from error


def test_submit_with_a_timeout_waits_for_the_answer() -> None:
    answers: list[int] = []
    worker: LatestOnlyWorker[int, int] = LatestOnlyWorker(lambda n: n * 2, answers.append, fail)
    worker.submit(21, timeout=5)
    worker.stop()
    assert answers == [42]


def test_submit_returns_after_its_timeout() -> None:
    go = threading.Event()
    worker: LatestOnlyWorker[None, bool] = LatestOnlyWorker(
        lambda _: go.wait(5), lambda _: None, fail
    )
    began = time.monotonic()
    worker.submit(None, timeout=0.05)
    assert time.monotonic() - began < 2
    worker.stop()
    go.set()


def test_only_the_latest_of_the_waiting_requests_is_answered() -> None:
    go, answers = threading.Event(), Queue[int]()
    begun = threading.Event()

    def answer(number: int) -> int:
        begun.set()
        go.wait(WAIT)
        return number

    worker: LatestOnlyWorker[int, int] = LatestOnlyWorker(answer, answers.put, fail)
    worker.submit(1)
    assert begun.wait(WAIT)
    worker.submit(2)
    worker.submit(3)
    go.set()
    assert [answers.get(timeout=WAIT), answers.get(timeout=WAIT)] == [1, 3]
    worker.stop()


def test_a_debounced_request_waits_for_a_pause() -> None:
    answers: Queue[int] = Queue()
    worker: LatestOnlyWorker[int, int] = LatestOnlyWorker(
        lambda number: number, answers.put, fail, debounce=0.2
    )
    for number in range(5):
        worker.submit(number)
        time.sleep(0.01)
    assert answers.get(timeout=WAIT) == 4
    worker.stop()
