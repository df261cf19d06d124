from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from demo_roots import NOW, bundles, fingerprint, folders, retries, status, with_status

from hipercow_tui import demo
from hipercow_tui.formats.rlang.rds import files
from hipercow_tui.formats.rlang.values import RVector, element


@pytest.fixture
def cluster(tmp_path: Path) -> demo.Cluster:
    """A cluster in a root of 300 tasks, the folder ``sir-model``."""
    where = tmp_path / "sir-model"
    return demo.Cluster(where, demo.write_root(where, tasks=300, seed=1, now=NOW), seed=1)


@pytest.fixture
def root(cluster: demo.Cluster, tmp_path: Path) -> Path:
    return tmp_path / "sir-model"


def take_steps(cluster: demo.Cluster, seconds: range) -> None:
    for second in seconds:
        cluster.step(NOW + second)


def write_and_run(root: Path, steps: int, *, seed: int) -> None:
    jobs = demo.write_root(root, tasks=150, seed=4, now=NOW)
    take_steps(demo.Cluster(root, jobs, seed=seed), range(steps))


def test_the_same_seed_and_times_give_the_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_and_run(tmp_path / name, 200, seed=4)
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "b")


def test_another_seed_gives_other_files(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        write_and_run(tmp_path / name, 40, seed=seed)
    assert fingerprint(tmp_path / "a") != fingerprint(tmp_path / "b")


def test_about_three_tasks_run_and_forty_wait_at_any_time(
    root: Path, cluster: demo.Cluster
) -> None:
    take_steps(cluster, range(60))
    for second in range(60, 400):
        cluster.step(NOW + second)
        if second % 20 == 0:
            assert len(with_status(root, "running")) in (2, 3)
            assert 25 <= len(with_status(root, "submitted")) <= 60


def test_new_tasks_bundles_and_retries_appear(root: Path, cluster: demo.Cluster) -> None:
    tasks, before, links = len(folders(root)), len(bundles(root)), len(retries(root))
    finished = len(with_status(root, "success")), len(with_status(root, "failure"))
    take_steps(cluster, range(400))
    assert len(folders(root)) > tasks
    assert len(bundles(root)) > before
    assert len(retries(root)) > links
    assert len(with_status(root, "success")) > finished[0]
    assert len(with_status(root, "failure")) > finished[1]
    assert {task_id for ids in bundles(root).values() for task_id in ids} <= set(folders(root))
    assert {link.id for link in retries(root)} <= set(folders(root))


def test_no_step_leaves_an_impossible_state(root: Path, cluster: demo.Cluster) -> None:
    known = set(folders(root))
    take_steps(cluster, range(500))
    assert len(set(folders(root)) - known) > 20
    for folder in folders(root).values():
        files_of_task = set(os.listdir(folder))
        if files_of_task & {"status-success", "status-failure"}:
            assert {"data", "Renviron", "info", "result", "status-running"} <= files_of_task
            assert (
                len(files_of_task & {"status-success", "status-failure", "status-cancelled"}) == 1
            )
        elif (
            files_of_task & {"status-running", "status-submitted"}
            and "status-cancelled" not in files_of_task
        ):
            assert {"data", "Renviron", "status-submitted", "dide_id", "resources"} <= files_of_task
            assert not files_of_task & {"info", "result"}


def test_a_finished_task_has_the_times_of_its_creation_and_start(
    root: Path, cluster: demo.Cluster
) -> None:
    waiting = {**with_status(root, "submitted"), **with_status(root, "running")}
    take_steps(cluster, range(200))
    done = [folder for folder in waiting.values() if status(folder) in ("success", "failure")]
    assert len(done) > 5
    for folder in done:
        times = element(files.read((folder / "info").read_bytes()), "times")
        assert isinstance(times, RVector)
        created, started, finished = times.values
        data = files.read((folder / "data").read_bytes())
        own = element(data, "time")
        assert isinstance(own, RVector)
        assert isinstance(created, float) and isinstance(started, float)
        if element(data, "parent") is None:
            assert created == own.values[0]
        assert created < started == pytest.approx((folder / "status-running").stat().st_mtime)
        assert isinstance(finished, float) and started < finished <= NOW + 200


def test_the_files_of_a_finished_task_are_written_in_the_order_of_hipercow(
    root: Path, cluster: demo.Cluster
) -> None:
    waiting = with_status(root, "submitted")
    take_steps(cluster, range(300))
    done = [folder for folder in waiting.values() if status(folder) == "success"]
    assert done
    for folder in done:
        changed = [
            (folder / name).stat().st_ctime_ns for name in ("info", "result", "status-success")
        ]
        assert changed == sorted(changed)


def test_a_cancelled_task_is_not_started(root: Path, cluster: demo.Cluster) -> None:
    for folder in with_status(root, "submitted").values():
        (folder / "status-cancelled").touch()
    cancelled = with_status(root, "cancelled").values()
    ran = {folder for folder in cancelled if (folder / "status-running").exists()}
    take_steps(cluster, range(200))
    assert {folder for folder in cancelled if (folder / "status-running").exists()} == ran


def test_a_running_task_that_was_cancelled_stays_cancelled(
    root: Path, cluster: demo.Cluster
) -> None:
    running = with_status(root, "running").values()
    for folder in running:
        (folder / "status-cancelled").touch()
    take_steps(cluster, range(200))
    assert [status(folder) for folder in running] == ["cancelled"] * len(running)


def remove(folder: Path) -> None:
    shutil.rmtree(folder)


def move_away(folder: Path) -> None:
    trash = folder.parents[2] / "tui"
    trash.mkdir(exist_ok=True)
    folder.rename(trash / (folder.parent.name + folder.name))


@pytest.mark.parametrize("purge", [remove, move_away])
def test_a_purged_task_does_not_come_back(
    root: Path, cluster: demo.Cluster, purge: Callable[[Path], None]
) -> None:
    take_steps(cluster, range(5))
    gone = [*with_status(root, "submitted").values(), *with_status(root, "running").values()]
    gone += with_status(root, "failure").values()
    for folder in gone:
        purge(folder)
    trash = fingerprint(root / "hipercow" / "tui")
    take_steps(cluster, range(5, 300))
    assert len(gone) > 40
    assert not any(folder.exists() for folder in gone)
    assert fingerprint(root / "hipercow" / "tui") == trash


def test_tasks_purged_before_the_first_step_do_not_come_back(
    root: Path, cluster: demo.Cluster
) -> None:
    bases = [root / "hipercow/tasks" / link.base[:2] / link.base[2:] for link in retries(root)]
    for folder in set(bases):
        remove(folder)
    take_steps(cluster, range(100))
    assert not any(folder.exists() for folder in bases)


def test_a_removed_root_does_not_come_back(root: Path, cluster: demo.Cluster) -> None:
    take_steps(cluster, range(5))
    shutil.rmtree(root)
    take_steps(cluster, range(5, 50))
    assert not root.exists()


def test_the_cluster_does_not_touch_other_tasks(sir_model: Path) -> None:
    before = {task_id: fingerprint(folder) for task_id, folder in folders(sir_model).items()}
    take_steps(demo.Cluster(sir_model, demo.OpenJobs()), range(60))
    after = folders(sir_model)
    assert {task_id: fingerprint(after[task_id]) for task_id in before} == before


def test_run_ends_when_stop_is_set(cluster: demo.Cluster) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=cluster.run, args=(stop,))
    thread.start()
    stop.set()
    thread.join(timeout=5)
    assert not thread.is_alive()
