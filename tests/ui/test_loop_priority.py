from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator

import pytest

from hipercow_tui.ui.workers.base import LatestOnlyWorker
from hipercow_tui.ui.workers.loop_priority import new_loop

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there the loop is a plain one")


@pytest.fixture(autouse=True)
def same_switching() -> Iterator[None]:
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


def run(loop: asyncio.AbstractEventLoop, work: Callable[[], Coroutine[None, None, None]]) -> None:
    try:
        loop.run_until_complete(work())
    finally:
        loop.close()


async def turns() -> None:
    """Twenty turns of 3 ms, between which the loop looks for input."""
    for _ in range(20):
        end = time.thread_time() + 0.003
        while time.thread_time() < end:
            pass
        await asyncio.sleep(0)


def test_input_comes_through_while_there_is_work() -> None:
    reading, writing = os.pipe()
    came: list[bytes] = []

    async def work() -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(reading, lambda: came.append(os.read(reading, 10)))
        os.write(writing, b"x")
        end = time.monotonic() + 5
        while not came and time.monotonic() < end:
            await asyncio.sleep(0)
        loop.remove_reader(reading)

    run(new_loop(), work)
    os.close(reading)
    os.close(writing)
    assert came == [b"x"]


def test_a_word_from_another_thread_wakes_the_screen() -> None:
    async def work() -> None:
        heard = asyncio.Event()
        loop = asyncio.get_running_loop()
        threading.Timer(0.01, loop.call_soon_threadsafe, [heard.set]).start()
        await asyncio.wait_for(heard.wait(), 5)

    run(new_loop(), work)


def never(error: Exception) -> None:
    raise AssertionError from error


def test_who_is_patient_has_the_answer() -> None:
    got: list[int] = []
    newest: LatestOnlyWorker[int, int] = LatestOnlyWorker(
        lambda number: number * 2, got.append, never
    )
    newest.submit(21, timeout=5)
    newest.stop()
    assert got == [42]


def test_patience_ends() -> None:
    go = threading.Event()
    newest: LatestOnlyWorker[None, bool] = LatestOnlyWorker(
        lambda _: go.wait(5), lambda _: None, never
    )
    began = time.monotonic()
    newest.submit(None, timeout=0.05)
    assert time.monotonic() - began < 2
    newest.stop()
    go.set()
