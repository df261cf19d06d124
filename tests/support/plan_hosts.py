"""Apps that show one screen, and roots to plan on, for tests of the plan and what follows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from small_root import DAY, NOW, task_id, write_bundle, write_retries, write_task
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen
from ui_driving import until

from hipercow_tui import ui
from hipercow_tui.analysis.plan_arrangement import Arrangement
from hipercow_tui.domain.filters import FilterStack, FinishedBefore, WithStatus
from hipercow_tui.domain.plan import make_plan
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.ui.screens.plan import PlanScreen
from hipercow_tui.ui.workers.summary_loader import SummaryLoader

FAILED, RETRIED, STUCK, RUNNING, CANCELLED, KEPT = map(task_id, range(1, 7))
FAILURES = FilterStack(
    with_status=WithStatus(frozenset({Status.FAILURE, Status.CANCELLED}), follow=False),
    finished_before=FinishedBefore(NOW - 7 * DAY, "1 week"),
)


class Host(App[None]):
    """An app whose one screen it shows; ``answers`` holds what that was dismissed with."""

    CSS_PATH = Path(ui.__file__).with_name("app.tcss")

    def __init__(self, screen: Screen[Any]) -> None:
        super().__init__()
        self._first = screen
        self.answers: list[Any] = []

    def on_mount(self) -> None:
        self.push_screen(self._first, self.answers.append)


def varied_root(where: Path, *, blocked: bool = True) -> Path:
    """A failure that was retried with success, a cancelled task, one that stays in the same bundle;
    and a failure whose retry is running."""
    write_task(where, FAILED, "failure")
    write_task(where, RETRIED, "success", retry_of=(FAILED, FAILED), finished=NOW - DAY)
    write_task(where, CANCELLED, "cancelled")
    write_task(where, KEPT, "success")
    links = [(RETRIED, FAILED, FAILED)]
    if blocked:
        write_task(where, STUCK, "failure")
        write_task(where, RUNNING, "running", retry_of=(STUCK, STUCK))
        links.append((RUNNING, STUCK, STUCK))
    write_retries(where, links)
    write_bundle(where, "sweep_01", [FAILED, CANCELLED, KEPT])
    return where


def screen_for(
    snapshot: Snapshot, root: Root, filters: FilterStack = FAILURES, *, read_only: bool = False
) -> PlanScreen:
    plan = make_plan(snapshot, filters, now=NOW)
    loader = SummaryLoader(root, {}, on_error=print)
    loader.update(snapshot)
    return PlanScreen(
        plan,
        snapshot,
        root,
        loader,
        {},
        arrangement=Arrangement(),
        read_only=read_only,
        clock=lambda: NOW,
        reread=lambda then: then(read_root(root)),
    )


def screen_on(
    where: Path, filters: FilterStack = FAILURES, *, read_only: bool = False
) -> PlanScreen:
    root = find_root(where)
    return screen_for(read_root(root), root, filters, read_only=read_only)


async def settled(pilot: Pilot[Any], screen: PlanScreen) -> None:
    """Waits until all is measured and read."""

    def known() -> bool:
        if not screen.settled:
            return False
        summaries = screen.lines.known.summaries
        return screen.measured and all(t.id in summaries for t in screen.lines.visible_tasks())

    await pilot.pause()
    await until(pilot, known)
    await pilot.pause(0.05)


def lines_of(screen: PlanScreen) -> list[str]:
    """Every line of the list, as text."""
    return [screen.lines.line(y).plain.rstrip() for y in range(screen.lines.count)]


def text_of(app: App[Any]) -> str:
    """What the whole screen shows, as text."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.crop(0, width).text for strip in strips[:height])
