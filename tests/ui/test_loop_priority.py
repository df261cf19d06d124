from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator

import pytest

from hipercow_tui.ui.workers.loop_priority import (
    MAX_YIELD,
    foreground_work,
    new_loop,
    ui_waiting,
    yield_to_ui,
)

pytestmark = pytest.mark.skipif(
    os.name != "posix", reason="on other systems the loop is a plain one"
)


@pytest.fixture(autouse=True)
def restored_switch_interval() -> Iterator[None]:
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


def run(loop: asyncio.AbstractEventLoop, work: Callable[[], Coroutine[None, None, None]]) -> None:
    try:
        loop.run_until_complete(work())
    finally:
        loop.close()


async def busy_turns() -> None:
    """Take twenty turns of 3 ms, between which the loop checks for input."""
    for _ in range(20):
        end = time.thread_time() + 0.003
        while time.thread_time() < end:
            pass
        await asyncio.sleep(0)


def test_input_is_received_while_the_loop_has_work() -> None:
    reading, writing = os.pipe()
    received: list[bytes] = []

    async def work() -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(reading, lambda: received.append(os.read(reading, 10)))
        os.write(writing, b"x")
        end = time.monotonic() + 5
        while not received and time.monotonic() < end:
            await asyncio.sleep(0)
        loop.remove_reader(reading)

    run(new_loop(), work)
    os.close(reading)
    os.close(writing)
    assert received == [b"x"]


def test_another_thread_wakes_the_loop() -> None:
    async def work() -> None:
        event = asyncio.Event()
        loop = asyncio.get_running_loop()
        threading.Timer(0.01, loop.call_soon_threadsafe, [event.set]).start()
        await asyncio.wait_for(event.wait(), 5)

    run(new_loop(), work)


def yield_seconds(*, to_foreground: bool = True) -> float:
    began = time.monotonic()
    yield_to_ui(to_foreground=to_foreground)
    return time.monotonic() - began


def test_workers_yield_while_the_loop_is_busy_but_not_forever() -> None:
    """A thread that starts at the moment at which the loop checks for input does not wait."""
    while_busy: list[float] = []
    while_idle: list[float] = []

    async def work() -> None:
        while len(while_busy) < 20 and max(while_busy, default=0.0) < MAX_YIELD * 0.9:
            thread = threading.Thread(target=lambda: while_busy.append(yield_seconds()))
            thread.start()
            while thread.is_alive():
                await asyncio.sleep(0)
        thread = threading.Thread(target=lambda: while_idle.append(yield_seconds()))
        thread.start()
        await asyncio.sleep(2 * MAX_YIELD)
        thread.join()

    run(new_loop(), work)
    assert max(while_busy) >= MAX_YIELD * 0.9
    assert while_idle[0] < max(while_busy)


def test_workers_do_not_yield_to_a_closed_loop() -> None:
    run(new_loop(), busy_turns)
    assert yield_seconds() < MAX_YIELD / 2


def test_workers_yield_to_a_foreground_worker() -> None:
    with foreground_work():
        assert yield_seconds(to_foreground=False) < MAX_YIELD / 2
        assert yield_seconds() >= MAX_YIELD * 0.9
    assert yield_seconds() < MAX_YIELD / 2


def test_workers_do_not_yield_to_a_loop_that_waits_for_them() -> None:
    waited: list[float] = []

    async def work() -> None:
        await asyncio.sleep(0.001)
        with ui_waiting():
            waited.append(yield_seconds())
        waited.append(yield_seconds())

    run(new_loop(), work)
    assert waited[0] < MAX_YIELD / 2 < waited[1]
