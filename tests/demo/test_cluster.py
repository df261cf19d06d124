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
def root(tmp_path: Path) -> Path:
    demo.write_root(tmp_path / "sir-model", tasks=300, seed=1, now=NOW)
    return tmp_path / "sir-model"


def steps(root: Path, count: int, seed: int = 1) -> demo.Cluster:
    cluster = demo.Cluster(root, seed=seed)
    for second in range(count):
        cluster.step(NOW + second)
    return cluster


def test_the_same_seed_and_moments_give_the_same_life(tmp_path: Path) -> None:
    for name in ("a", "b"):
        demo.write_root(tmp_path / name, tasks=150, seed=4, now=NOW)
        steps(tmp_path / name, 200, seed=4)
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "b")


def test_another_seed_gives_another_life(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        demo.write_root(tmp_path / name, tasks=150, seed=4, now=NOW)
        steps(tmp_path / name, 40, seed=seed)
    assert fingerprint(tmp_path / "a") != fingerprint(tmp_path / "b")


def test_about_three_run_and_forty_wait_at_any_time(root: Path) -> None:
    cluster = steps(root, 60)
    for second in range(60, 400):
        cluster.step(NOW + second)
        if second % 20 == 0:
            assert len(with_status(root, "running")) in (2, 3)
            assert 25 <= len(with_status(root, "submitted")) <= 60


def test_tasks_bundles_and_retries_appear(root: Path) -> None:
    tasks, held, links = len(folders(root)), len(bundles(root)), len(retries(root))
    finished = len(with_status(root, "success")), len(with_status(root, "failure"))
    steps(root, 400)
    assert len(folders(root)) > tasks
    assert len(bundles(root)) > held
    assert len(retries(root)) > links
    assert len(with_status(root, "success")) > finished[0]
    assert len(with_status(root, "failure")) > finished[1]
    assert {task_id for ids in bundles(root).values() for task_id in ids} <= set(folders(root))
    assert {link.id for link in retries(root)} <= set(folders(root))


def test_no_step_leaves_an_impossible_state(root: Path) -> None:
    cluster = steps(root, 1)
    known = set(folders(root))
    for second in range(1, 500):
        cluster.step(NOW + second)
    assert len(set(folders(root)) - known) > 20
    for folder in folders(root).values():
        held = set(os.listdir(folder))
        if held & {"status-success", "status-failure"}:
            assert {"data", "Renviron", "info", "result", "status-running"} <= held
            assert len(held & {"status-success", "status-failure", "status-cancelled"}) == 1
        elif held & {"status-running", "status-submitted"} and "status-cancelled" not in held:
            assert {"data", "Renviron", "status-submitted", "dide_id", "resources"} <= held
            assert not held & {"info", "result"}


def test_what_it_finishes_has_the_times_of_its_own_creation_and_start(root: Path) -> None:
    waiting = {**with_status(root, "submitted"), **with_status(root, "running")}
    steps(root, 200)
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


def test_the_files_of_a_finished_task_come_in_hipercows_order(root: Path) -> None:
    cluster = steps(root, 1)
    waiting = with_status(root, "submitted")
    for second in range(1, 300):
        cluster.step(NOW + second)
    done = [folder for folder in waiting.values() if status(folder) == "success"]
    assert done
    for folder in done:
        changed = [
            (folder / name).stat().st_ctime_ns for name in ("info", "result", "status-success")
        ]
        assert changed == sorted(changed)


def test_a_cancelled_task_is_not_started(root: Path) -> None:
    for folder in with_status(root, "submitted").values():
        (folder / "status-cancelled").touch()
    cancelled = with_status(root, "cancelled").values()
    ran = {folder for folder in cancelled if (folder / "status-running").exists()}
    steps(root, 200)
    assert {folder for folder in cancelled if (folder / "status-running").exists()} == ran


def test_a_running_task_that_was_cancelled_stays_so(root: Path) -> None:
    running = with_status(root, "running").values()
    for folder in running:
        (folder / "status-cancelled").touch()
    steps(root, 200)
    assert [status(folder) for folder in running] == ["cancelled"] * len(running)


def remove(folder: Path) -> None:
    shutil.rmtree(folder)


def move_away(folder: Path) -> None:
    trash = folder.parents[2] / "tui"
    trash.mkdir(exist_ok=True)
    folder.rename(trash / (folder.parent.name + folder.name))


@pytest.mark.parametrize("purge", [remove, move_away])
def test_a_purged_task_does_not_come_back(root: Path, purge: Callable[[Path], None]) -> None:
    cluster = steps(root, 5)
    gone = [*with_status(root, "submitted").values(), *with_status(root, "running").values()]
    gone += with_status(root, "failure").values()
    for folder in gone:
        purge(folder)
    trash = fingerprint(root / "hipercow" / "tui")
    for second in range(5, 300):
        cluster.step(NOW + second)
    assert len(gone) > 40
    assert not any(folder.exists() for folder in gone)
    assert fingerprint(root / "hipercow" / "tui") == trash


def test_tasks_purged_before_it_first_looks_are_no_trouble(root: Path) -> None:
    bases = [root / "hipercow/tasks" / link.base[:2] / link.base[2:] for link in retries(root)]
    for folder in set(bases):
        remove(folder)
    steps(root, 100)
    assert not any(folder.exists() for folder in bases)


def test_a_root_that_vanished_is_not_made_again(root: Path) -> None:
    cluster = steps(root, 5)
    shutil.rmtree(root)
    for second in range(5, 50):
        cluster.step(NOW + second)
    assert not root.exists()


def test_it_does_not_touch_tasks_that_are_not_of_the_demo(sir_model: Path) -> None:
    before = {task_id: fingerprint(folder) for task_id, folder in folders(sir_model).items()}
    steps(sir_model, 60)
    after = folders(sir_model)
    assert {task_id: fingerprint(after[task_id]) for task_id in before} == before


def test_run_stops_when_told(root: Path) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=demo.Cluster(root, seed=1).run, args=(stop,))
    thread.start()
    stop.set()
    thread.join(timeout=5)
    assert not thread.is_alive()
