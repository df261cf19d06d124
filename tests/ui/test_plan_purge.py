from __future__ import annotations

import tarfile
from pathlib import Path

from plan_hosts import (
    CANCELLED,
    FAILED,
    KEPT,
    RETRIED,
    Host,
    screen_on,
    settled,
    text_of,
    varied_root,
)
from small_root import NOW, task_id, tree, write_task
from textual import on
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from ui_driving import until

from hipercow_tui.domain.filters import FilterStack, FinishedBefore, WithStatus
from hipercow_tui.domain.plan import make_plan
from hipercow_tui.domain.task import Status
from hipercow_tui.formats.folder_size import Size, SizeKind
from hipercow_tui.formats.root import find_root
from hipercow_tui.purging import ItemResult, Phase, Progress, PurgeReport, RestoreReport
from hipercow_tui.purging.manifest import PurgeMode
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.ui.dialogs.confirm import ConfirmScreen
from hipercow_tui.ui.messages import JobEnded
from hipercow_tui.ui.widgets.job_result import JobResult
from hipercow_tui.ui.widgets.purge_bar import PurgeBar
from hipercow_tui.ui.workers.purge_job import JobProgressed, JobSpec, purge_job


class PurgeHost(App[None]):
    """An app that starts a purge when it is mounted."""

    def __init__(self, job: JobSpec) -> None:
        super().__init__()
        self.bar = PurgeBar(job, size_kind=SizeKind.APPARENT)
        self.ended: JobEnded | None = None

    def compose(self) -> ComposeResult:
        yield self.bar

    @on(JobEnded)
    def _ended(self, message: JobEnded) -> None:
        self.ended = message


def nothing_to_do() -> JobSpec:
    return JobSpec("Nothing", lambda on_progress, stop: RestoreReport("20261123T231205Z-3f2a"))


async def ended(pilot: Pilot[None], app: PurgeHost) -> JobEnded:
    await until(pilot, lambda: app.ended)
    assert app.ended is not None
    return app.ended


async def answered(where: Path, *answer: str, closes: bool = True) -> JobSpec | None:
    """Return the result of the plan screen after D and these keys."""
    screen = screen_on(where)
    async with (app := Host(screen)).run_test(size=(80, 24)) as pilot:
        await settled(pilot, screen)
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen) and app.focused)
        await pilot.press(*answer)
        if closes:
            await until(pilot, lambda: not isinstance(app.screen, ConfirmScreen))
        else:
            await pilot.pause(0.2)
            assert isinstance(app.screen, ConfirmScreen)
        jobs = [job for job in app.answers if job is not None]
    return jobs[0] if jobs else None


async def test_a_cancelled_purge_changes_nothing(tmp_path: Path) -> None:
    before = tree(varied_root(tmp_path, blocked=False))
    for answer in ("n", "escape", "enter"):
        assert await answered(tmp_path, answer) is None
    # A task of the plan goes only with its chain, so the number must be typed.
    assert await answered(tmp_path, "y", closes=False) is None
    assert tree(tmp_path) == before


async def test_a_purge_removes_only_the_confirmed_tasks(tmp_path: Path) -> None:
    before = tree(varied_root(tmp_path, blocked=False))
    job = await answered(tmp_path, "3", "y")
    assert job is not None
    async with (app := PurgeHost(job)).run_test(size=(80, 24)) as pilot:
        end = await ended(pilot, app)
        assert end.error is None
        assert isinstance(end.report, PurgeReport)
        assert end.report.complete
        assert set(end.report.removed) == {FAILED, RETRIED, CANCELLED}
        await app.mount(JobResult(end.report))
        await pilot.pause()
        assert "Erased 3 tasks and 1 bundle" in text_of(app)
    gone = {f"hipercow/tasks/{i[:2]}/{i[2:]}" for i in (FAILED, RETRIED, CANCELLED)}
    left = {
        path: raw
        for path, raw in before.items()
        if path != "hipercow/bundles/sweep_01"
        and not any(path == one or path.startswith(f"{one}/") for one in gone)
    }
    after = tree(tmp_path)
    assert {path: after.get(path) for path in left} == left
    assert not any(path.startswith("hipercow/tasks") for path in after.keys() - left.keys())
    assert find_root(tmp_path).tasks.joinpath(KEPT[:2], KEPT[2:], "data").exists()


async def test_purges_of_recorded_roots_are_as_expected(tmp_path: Path) -> None:
    archive = Path(__file__).parent.parent / "data" / "purge_cases" / "roots.tar.gz"
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    where = sorted(tmp_path.rglob("hipercow"))[0].parent
    snapshot = read_root(find_root(where))
    failures = FilterStack(with_status=WithStatus(frozenset({Status.FAILURE})))
    plan = make_plan(snapshot, failures, now=NOW, skip_blocked=True)
    assert plan.tasks
    async with (app := PurgeHost(purge_job(plan, find_root(where), PurgeMode.PURGE))).run_test(
        size=(80, 24)
    ) as pilot:
        await ended(pilot, app)
    after = read_root(find_root(where))
    assert set(after.tasks) == set(snapshot.tasks) - set(plan.ids)
    gone = {one.bundle.name for one in plan.bundles}
    assert {one.name for one in after.bundles} == {one.name for one in snapshot.bundles} - gone


async def test_a_stopped_purge_puts_back_all_that_is_not_erased(tmp_path: Path) -> None:
    for number in range(60):
        write_task(tmp_path, task_id(number), "failure")
    before = tree(tmp_path / "hipercow" / "tasks")
    snapshot = read_root(find_root(tmp_path))
    everything = FilterStack(finished_before=FinishedBefore(NOW, "now"))
    plan = make_plan(snapshot, everything, now=NOW)
    app = PurgeHost(purge_job(plan, find_root(tmp_path), PurgeMode.PURGE))
    app.bar.runner.stop()
    async with app.run_test(size=(80, 24)) as pilot:
        end = await ended(pilot, app)
        assert isinstance(end.report, PurgeReport)
        assert end.report.stopped
        await app.mount(JobResult(end.report))
        await pilot.pause()
        assert "Purge stopped" in text_of(app)
        assert f"{len(end.report.removed)} tasks" in text_of(app)
    left = tree(tmp_path / "hipercow" / "tasks")
    kept = set(plan.ids) - set(end.report.removed)
    assert all(left[f"{i[:2]}/{i[2:]}/data"] == before[f"{i[:2]}/{i[2:]}/data"] for i in kept)


async def test_a_purge_that_can_not_start_shows_the_reason(tmp_path: Path) -> None:
    plan = make_plan(
        read_root(find_root(varied_root(tmp_path))),
        FilterStack(with_status=WithStatus(frozenset({Status.FAILURE}), follow=False)),
        now=NOW,
    )
    assert plan.refused
    before = tree(tmp_path)
    async with (
        app := PurgeHost(purge_job(plan, find_root(tmp_path), PurgeMode.PURGE))
    ).run_test() as pilot:
        end = await ended(pilot, app)
        assert end.report is None
        assert end.error
    assert tree(tmp_path) == before


async def test_the_bar_shows_the_progress(tmp_path: Path) -> None:
    write_task(tmp_path, task_id(1), "failure")
    plan = make_plan(read_root(find_root(tmp_path)), FilterStack(), now=NOW)
    async with (app := PurgeHost(purge_job(plan, find_root(tmp_path), PurgeMode.PURGE))).run_test(
        size=(80, 24)
    ) as pilot:
        await ended(pilot, app)
        progress = Progress(Phase.ERASING, 412, 648, Size(1_200_000_000, 4000))
        app.bar.post_message(JobProgressed(progress, 3.2))
        await pilot.pause()
        assert "Erasing ████████░░░░ 412/648 · 1.2 GB · 3 seconds left · U: stop" in text_of(app)


async def test_a_long_report_scrolls_and_escapes_control_characters(tmp_path: Path) -> None:
    write_task(tmp_path, task_id(1), "failure")
    plan = make_plan(read_root(find_root(tmp_path)), FilterStack(), now=NOW)
    report = PurgeReport(
        plan,
        removed=(task_id(1),),
        failed=tuple(ItemResult(task_id(n), "[b]still open\x1b[2J") for n in range(2000)),
        put_back=(ItemResult("sweep_01", "it was rewritten meanwhile", is_bundle=True),),
        quarantine_path=tmp_path,
    )
    async with (app := PurgeHost(nothing_to_do())).run_test(size=(80, 24)) as pilot:
        await app.mount(JobResult(report))
        await until(pilot, lambda: "Purged, but not all" in text_of(app))
        shown = text_of(app)
        assert "Failed, 2,000: [b]still open␛[2J" in shown
        assert app.focused is None
        await pilot.press("tab", "G")
        await until(pilot, lambda: "bundle sweep_01" in text_of(app))
        put_back = "Put back, or left in its place, 1: it was rewritten meanwhile"
        assert put_back in text_of(app)
