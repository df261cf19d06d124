from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator

import pytest

from hipercow_tui.ui.workers.loop_priority import new_loop

pytestmark = pytest.mark.skipif(os.name != "posix", reason="other systems use the default loop")


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
