from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from demo_roots import NOW, bundles, fingerprint, folders, retries, status, with_status

from hipercow_tui import demo
from hipercow_tui.demo.studies import SINGLES, STUDIES
from hipercow_tui.domain.retry_chains import RetryChains
from hipercow_tui.formats.rlang.deparse import deparse
from hipercow_tui.formats.rlang.rds import files
from hipercow_tui.formats.rlang.values import RList, RNull, RValue, RVector, element, names
from hipercow_tui.support.errors import RdsError

DRIVERS_OWN = {"run.bat", "dide_id", "log", "log.outer", "status-submitted", "resources"}


def readable(path: Path) -> RValue | None:
    try:
        return files.read(path.read_bytes())
    except (RdsError, FileNotFoundError):
        return None


def shape(value: RValue | None, depth: int = 3) -> object:
    """Return types, names and attributes without the contents, for ``depth`` levels of lists."""
    kind = getattr(value, "kind", type(value).__name__)
    marks = tuple(
        (name, found.values if name == "class" and isinstance(found, RVector) else None)
        for name, found in getattr(value, "attributes", ())
        if name != "names"
    )
    if isinstance(value, RList) and depth:
        return kind, marks, names(value), tuple(shape(found, depth - 1) for found in value.values)
    return kind, marks, names(value) if value is not None else ()


def data_shape(data: RValue | None) -> object:
    """Return the shape of a ``data``, without its code and values."""
    free = {"expr", "variables", "args", "fn"}
    assert isinstance(data, RList)
    fixed = [
        (name, shape(found))
        for name, found in zip(names(data), data.values, strict=True)
        if name not in free
    ]
    fn, variables = element(data, "fn"), element(data, "variables")
    return (
        names(data),
        tuple(fixed),
        names(fn) if fn else None,
        (type(variables).__name__, names(variables)) if variables else None,
        element(data, "type"),
    )


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("demo") / "sir-model"
    demo.write_root(where, tasks=2000, seed=1, now=NOW)
    return where


def test_the_same_seed_and_time_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        demo.write_root(tmp_path / name, tasks=300, seed=3, now=NOW)
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "b")


def test_another_seed_or_time_gives_another_root(tmp_path: Path) -> None:
    demo.write_root(tmp_path / "a", tasks=100, seed=1, now=NOW)
    demo.write_root(tmp_path / "b", tasks=100, seed=2, now=NOW)
    demo.write_root(tmp_path / "c", tasks=100, seed=1, now=NOW + 1)
    assert len({fingerprint(tmp_path / name) for name in "abc"}) == 3


@pytest.mark.parametrize("count", [0, 1, 2, 19, 20, 45, 99, 100, 101, 200, 201, 333, 450])
def test_the_root_has_the_requested_number_of_tasks(tmp_path: Path, count: int) -> None:
    demo.write_root(tmp_path, tasks=count, seed=2, now=NOW)
    assert len(folders(tmp_path)) == count


def test_a_root_is_not_written_over_another(tmp_path: Path) -> None:
    demo.write_root(tmp_path, tasks=1, now=NOW)
    with pytest.raises(FileExistsError):
        demo.write_root(tmp_path, tasks=1, now=NOW)


def test_write_root_returns_the_tasks_that_a_cluster_can_continue(tmp_path: Path) -> None:
    jobs = demo.write_root(tmp_path, tasks=400, seed=1, now=NOW)
    for wanted, returned in (
        ("submitted", jobs.submitted),
        ("running", [job for job, _ in jobs.running]),
    ):
        assert sorted(job.id for job in returned) == sorted(with_status(tmp_path, wanted))
    retried = {link.parent for link in retries(tmp_path)}
    assert {job.id for job in jobs.failed} == set(with_status(tmp_path, "failure")) - retried


def test_ids_have_the_form_of_hipercow(root: Path) -> None:
    assert all(re.fullmatch("[0-9a-f]{32}", task_id) for task_id in folders(root))


def test_the_statuses_have_realistic_shares(root: Path) -> None:
    counts = Counter(status(folder) for folder in folders(root).values())
    assert counts["running"] == 3
    assert counts["submitted"] == 41
    assert counts["broken"] == 1
    assert 0.74 < counts["success"] / 2000 < 0.84
    assert 0.12 < counts["failure"] / 2000 < 0.20
    assert 8 <= counts["cancelled"] <= 40
    assert 30 <= counts["created"] <= 100


def test_a_task_has_the_files_of_a_recorded_one(root: Path, sir_model: Path) -> None:
    real: dict[str, set[frozenset[str]]] = {}
    for folder in folders(sir_model).values():
        real.setdefault(status(folder), set()).add(frozenset(os.listdir(folder)) - DRIVERS_OWN)
    unlike = []
    for folder in folders(root).values():
        own, found = status(folder), frozenset(os.listdir(folder)) - DRIVERS_OWN
        if own == "cancelled":
            found -= {"status-running"}
        if found not in real.get(own, ()):
            unlike.append(sorted(found))
    expected = [["Renviron"], ["Renviron", "data", "status-cancelled"], ["data"]]
    assert sorted(unlike) == expected


def test_a_submitted_task_has_the_files_of_the_driver(root: Path) -> None:
    for folder in folders(root).values():
        found = set(os.listdir(folder))
        submitted = "status-submitted" in found
        assert {"run.bat", "dide_id", "resources"} <= found if submitted else "run.bat" not in found
        assert ("log" in found) == (submitted and "status-running" in found)


def test_the_rds_files_have_the_structure_of_recorded_ones(root: Path, sir_model: Path) -> None:
    for name, shaped in (("data", data_shape), ("info", shape), ("resources", shape)):
        real = {
            shaped(files.read(path.read_bytes())) for path in sir_model.rglob(f"tasks/*/*/{name}")
        }
        for path in root.rglob(f"tasks/*/*/{name}"):
            value = readable(path)
            if value is None or "cipher" in str(element(value, "envvars")):
                continue
            hidden = element(element(value, "envvars"), "secret")
            if isinstance(hidden, RVector) and any(hidden.values):
                continue
            assert shaped(value) in real, path


def test_errors_have_the_structure_of_recorded_ones(root: Path, sir_model: Path) -> None:
    def errors(where: Path) -> list[RValue]:
        marked = (path.parent / "result" for path in where.rglob("tasks/*/*/status-failure"))
        return [files.read(path.read_bytes()) for path in marked]

    recorded = {shape(error, 2) for error in errors(sir_model)}
    shapes = {shape(error, 2) for error in errors(root)}
    assert len(shapes & recorded) >= 2
    for error in errors(root):
        message, trace = element(error, "message"), element(error, "trace")
        assert isinstance(message, RVector)
        if trace is None:
            assert message.values == ("task reported as lost",)
            continue
        assert names(trace)[:5] == ("call", "parent", "visible", "namespace", "scope")
        if names(error)[0:2] == ("message", "trace"):
            assert names(error) == ("message", "trace", "parent", "body", "call", "use_cli_format")
        else:
            assert shape(error, 2) in recorded


def test_a_task_is_created_then_started_then_finished_before_now(root: Path) -> None:
    for path in root.rglob("tasks/*/*/info"):
        times = element(files.read(path.read_bytes()), "times")
        assert isinstance(times, RVector)
        times_of_task = [seconds for seconds in times.values if isinstance(seconds, float)]
        assert times_of_task == sorted(times_of_task)
        assert times_of_task[-1] <= NOW


def test_no_file_is_newer_than_now(root: Path) -> None:
    assert all(path.stat().st_mtime <= NOW for path in root.rglob("*") if path.is_file())


def test_ages_range_from_minutes_to_two_years(root: Path) -> None:
    ages = sorted(NOW - path.stat().st_mtime for path in root.rglob("tasks/*/*/data"))
    assert ages[0] < 3600
    assert ages[-1] > 300 * 86_400


def test_bundles_overlap_and_some_tasks_have_no_bundle(root: Path) -> None:
    found = bundles(root)
    listed = [task_id for ids in found.values() for task_id in ids]
    assert max(map(len, found.values())) == 400
    assert min(map(len, found.values())) < 12
    assert all(re.fullmatch("[a-zA-Z0-9_-]+", name) for name in found)
    assert len(set(listed)) < len(listed)
    assert set(listed) < set(folders(root))


def test_retry_chains_have_every_form(root: Path) -> None:
    links, where = retries(root), folders(root)
    chains = RetryChains(tuple(links))
    forks = Counter(link.parent for link in links)
    lines = {chains.chain(link.base) for link in links if forks[link.parent] == 1}
    tips = {status(where[chains.latest_attempt(link.base) or ""]) for link in links}
    assert max(forks.values()) == 2
    assert {2, 3} <= {len(line) for line in lines}
    assert {"success", "failure", "running", "submitted"} <= tips


def test_the_data_of_a_retry_agrees_with_its_line(root: Path) -> None:
    where = folders(root)
    for link in retries(root):
        data = files.read((where[link.id] / "data").read_bytes())
        assert element(data, "parent") == RVector("character", (link.parent,))
        assert element(data, "base") == RVector("character", (link.base,))
        assert isinstance(element(data, "path"), RNull)


def test_secrets_are_only_in_data_and_encrypted(root: Path) -> None:
    secrets = 0
    for folder in folders(root).values():
        envvars = element(readable(folder / "data"), "envvars")
        hidden, values = element(envvars, "secret"), element(envvars, "value")
        if not isinstance(hidden, RVector) or not isinstance(values, RVector):
            continue
        for secret, value in zip(hidden.values, values.values, strict=True):
            if secret:
                secrets += 1
                others = [path for path in folder.iterdir() if path.name in ("Renviron", "log")]
                assert all(str(value) not in path.read_text("utf-8") for path in others)
    assert secrets > 5


def test_one_data_is_truncated_and_one_folder_has_none(root: Path) -> None:
    where = folders(root).values()
    assert sum(readable(folder / "data") is None for folder in where) == 2
    assert sum(not (folder / "data").exists() for folder in where) == 1


def test_a_demo_of_2000_tasks_is_small(root: Path) -> None:
    assert sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) < 30_000_000


def test_the_text_of_a_study_is_its_deparsed_code() -> None:
    for study in (*STUDIES, *SINGLES):
        values = study.vary(Random(1), 0, 5)
        elements = dict(study.data_elements(values, bulk=True))
        if study.type == "expression":
            assert "\n".join(deparse(elements["expr"])) == study.runs
        if values and study.type == "expression":
            variables = element(elements["variables"], "locals")
            assert variables is not None and names(variables) == tuple(values)
