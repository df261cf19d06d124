"""The waiting screen before a root is found, and threads that do not delay the exit."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from hipercow_tui.formats.root import Root
from hipercow_tui.support.errors import RootError
from hipercow_tui.ui.waiting import WaitingApp
from hipercow_tui.ui.workers.base import DaemonExecutor, run_in_thread


@pytest.mark.parametrize(
    ("keys", "status"), [(["q"], 0), (["escape"], 0), (["ctrl+c"], 130), (["x", "ctrl+c"], 130)]
)
async def test_a_key_ends_the_search_for_a_root(keys: list[str], status: int) -> None:
    app = WaitingApp(Future(), "/srv/\x1b[2Jproject", None)
    async with app.run_test() as pilot:
        shown = str(app.query_one("#waiting").render())
        assert "Looking for a hipercow root at /srv/␛[2Jproject …" in shown
        assert "has not answered for 1 second" in shown
        await pilot.press(*keys)
    assert app.left and app.return_code == status


@pytest.mark.parametrize("found", [True, False])
async def test_the_waiting_screen_ends_with_the_search(found: bool) -> None:
    root: Future[Root] = Future()
    app = WaitingApp(root, "/srv", None)
    async with app.run_test() as pilot:
        await pilot.pause(0.1)
        assert app.is_running
        if found:
            root.set_result(Root(Path("/srv"), Path("/srv/hipercow")))
        else:
            root.set_exception(RootError("Couldn't find hipercow root"))
        while app.is_running:
            await pilot.pause(0.01)
    assert not app.left and app.return_code == 0


def test_run_in_thread_returns_the_result_or_raises_the_error() -> None:
    assert run_in_thread(lambda: 7).result(10) == 7
    with pytest.raises(ZeroDivisionError):
        run_in_thread(lambda: 1 // 0).result(10)


def test_shutdown_does_not_wait_for_a_hanging_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hipercow_tui.ui.workers.base.GRACE", 0.05)
    never, done = threading.Event(), threading.Event()
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        loop.set_default_executor(DaemonExecutor())

        async def begin() -> None:
            loop.run_in_executor(None, never.wait)
            await loop.run_in_executor(None, done.set)

        runner.run(begin())
    assert done.is_set() and not never.is_set()
    never.set()


def test_shutdown_waits_for_a_short_call() -> None:
    executor, begun, go_on, done = DaemonExecutor(), *(threading.Event() for _ in range(3))

    def work() -> None:
        begun.set()
        go_on.wait()
        done.set()

    executor.submit(work)
    begun.wait()
    threading.Timer(0.05, go_on.set).start()
    executor.shutdown()
    assert done.is_set()
