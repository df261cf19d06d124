"""The output of ``--json`` and saved plans match the schemas, and the schemas have no other
keys."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from jsonschema import Draft202012Validator
from purge_stage import BASE, CHAIN, FREE, LONE, OTHER, Meanwhile, folder_of, make_root
from small_root import task_id, write_bundle, write_task

from hipercow_tui.api import pin, scan, unpin
from hipercow_tui.cli.main import main
from hipercow_tui.demo import write_root
from hipercow_tui.demo.py_root import write_python_root
from hipercow_tui.domain.filters import FilterStack, WithStatus
from hipercow_tui.domain.plan import make_plan
from hipercow_tui.formats.root import Root
from hipercow_tui.purging.plan_file import save_plan

HERE = Path(__file__).parents[2]
FAILED = ("--with-status", "failure")
UNFINISHED = ("--with-status", "submitted", "--with-status", "running")
Outputs: TypeAlias = list[tuple[str, Any]]  # the name of a schema, and a value that must match it
SCHEMAS: dict[str, Any] = {
    path.name.removesuffix(".json"): json.loads(path.read_text("utf-8"))
    for path in (files("hipercow_tui") / "schemas").iterdir()
}
# Keys that are not always there; every other is required.
USAGE = {"cores", "cpu", "used_cores", "memory", "used_memory", "efficiency"}
OPTIONAL = {
    "list": USAGE,
    "list-details": {"error", "problem", *USAGE},
    "list-inputs": {"error", "problem"},
    "space": {"tasks", "purgeable", "statuses", "runs"},
    "purge": {"put_back", "vanished", "failed", "trash"},
    "plan": {"kept", "goal", "task_ids", "finished_before", "in_bundle", "with_status", "lang"},
}


def run(*words: str | Path, status: int = 0) -> list[Any]:
    """Return the JSON values that a command prints, one for each line."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        assert main([*map(str, words), "--json"]) == status, err.getvalue()
    return [json.loads(line) for line in out.getvalue().splitlines()]


def check(outputs: Outputs) -> None:
    for name, value in outputs:
        problems = list(Draft202012Validator(SCHEMAS[name]).iter_errors(value))
        assert not problems, f"{name}: {problems[0]}"


def of(name: str, values: list[Any]) -> Outputs:
    assert values, f"{name}: nothing was printed"
    return [(name, value) for value in values]


def one(name: str, values: list[Any]) -> Outputs:
    assert len(values) == 1, f"{name}: {len(values)} objects"
    return of(name, values)


def purge_and_restore(root: Path) -> Iterator[Outputs]:
    """A purge of all that failed, planned, refused, carried out, undone and erased, in a root that
    holds failures and tasks under way."""
    yield of("keys", run("keys"))
    yield of("list", run("list", root))
    yield of("list", run("list", root, "--usage"))
    yield of("list-details", run("list", root, "--usage", "--details"))
    yield of("list-details", run("list", root, "--details"))
    yield of("list-inputs", run("list", root, "--inputs"))
    for by in ("bundle", "age", "environment", "kind", "task"):
        yield one("space", run("space", root, "--by", by, "--limit", "3"))
    for by in ("message", "frame", "node"):
        yield one("errors", run("errors", root, "--by", by, "--limit", "3"))
    yield one("wait", run("wait", root, *FAILED))
    yield one("wait", run("wait", root, "--lang", "r", *UNFINISHED, "--timeout", "0s", status=124))
    yield one("purge", run("purge", root, *FAILED, "--skip-blocked", "--dry-run"))
    busy = run("list", root, "--with-status", "running")[0]["id"]
    yield one("purge", run("purge", root, "--task-id", busy, status=1))
    yield one("reconcile", run("reconcile", root, "--task-id", busy, "--dry-run"))
    plan = root / "plan.json"
    words = ("--finished-before", "1 h", "--in-bundle", "*", "--lang", "r", "--skip-blocked")
    yield one("purge", run("purge", root, *FAILED, *words, "--save-plan", plan))
    yield [("plan", json.loads(plan.read_bytes()))]
    moved = run("apply", plan, "--trash", "--yes")
    yield one("purge", moved)
    yield one("apply-refused", run("apply", plan, "--yes", status=1))
    yield one("trash", run("trash", root))
    yield one("trash-restore", run("trash", root, "--restore", moved[0]["trash"]))
    yield one("purge", run("apply", plan, "--trash", "--yes"))
    yield one("trash-empty", run("trash", root, "--empty", "--yes"))
    yield one("purge", run("purge", root, *FAILED, "--free", "1 B", "--save-plan", root / "goal"))
    yield [("plan", json.loads((root / "goal").read_bytes()))]
    yield one("purge", run("apply", root / "goal", "--yes"))
    yield one("purge", run("purge", root, *FAILED, "--free", "1 TB", "--yes", status=1))
    yield one("purge", run("purge", root, *FAILED, "--skip-blocked", "--yes"))
    yield from purge_with_a_kept_chain(root)
    yield from pins_and_a_purge(root)
    yield from notes(root)
    yield of("history", run("history", root))


def pins_and_a_purge(root: Path) -> Iterator[Outputs]:
    """A pinned chain is held back, and so is one of a damaged pin."""
    held = run("list", root, "--with-status", "success")[0]["id"]
    pin(held, note="for the paper", root=root)
    yield one("purge", run("purge", root, "--task-id", held, "--dry-run"))
    yield one("pins", run("pins", root))
    (file,) = (root / "hipercow" / "tui" / "pins").iterdir()
    good = file.read_bytes()
    file.write_bytes(b"damaged")
    yield one("pins", run("pins", root, status=1))
    file.write_bytes(good)
    assert [one.note for one in unpin(held, root=root)] == ["for the paper"]


def notes(root: Path) -> Iterator[Outputs]:
    """A chain has a note, and there is a damaged one."""
    noted = run("list", root, "--with-status", "success")[0]["id"]
    with redirect_stdout(io.StringIO()):
        assert main(["note", str(root), "--task-id", noted, "--text", "wrong data"]) == 0
    yield one("notes", run("notes", root))
    (root / "hipercow" / "tui" / "notes" / "x.json").write_bytes(b"damaged")
    yield one("notes", run("notes", root, status=1))
    for words, name in ((["list"], "list"), (["list", "--details"], "list-details")):
        yield one(name, run(words[0], root, "--task-id", noted, *words[1:]))


def purge_with_a_kept_chain(root: Path) -> Iterator[Outputs]:
    """The app saves such plans."""
    snapshot = scan(root)
    filters = FilterStack(with_status=WithStatus.for_purge(["success"]))
    whole = make_plan(snapshot, filters, now=time.time(), skip_blocked=True)
    kept_ids = frozenset(whole.ids[:1])
    plan = make_plan(snapshot, filters, now=time.time(), skip_blocked=True, kept_ids=kept_ids)
    file = root / "kept.json"
    save_plan(plan, file)
    yield [("plan", json.loads(file.read_bytes()))]
    yield one("purge", run("apply", file, "--yes"))


def test_the_demo_of_both_languages_matches_the_schemas(tmp_path: Path) -> None:
    write_root(tmp_path, tasks=200, seed=1, now=1_795_500_000.0)
    write_python_root(tmp_path, seed=1, now=1_795_500_000.0)
    for outputs in purge_and_restore(tmp_path):
        check(outputs)


def purges_with_errors(root: Root, patch: pytest.MonkeyPatch) -> Iterator[Outputs]:
    """Purges and restores with errors, to fill the lists that are otherwise empty."""
    stray = write_task(root.path, task_id(99), "failure")
    (stray / "data").write_bytes(b"no RDS")
    yield of("list-details", run("list", root.path, "--details"))
    yield of("list-inputs", run("list", root.path, "--inputs"))
    stray.rename(root.path / "stray")

    plan = root.path / "plan.json"
    run("purge", root.path, "--task-id", FREE, "--save-plan", plan)
    yield [("plan", json.loads(plan.read_bytes()))]

    def disturb() -> None:
        (folder_of(root, BASE) / "status-success").touch()
        shutil.rmtree(folder_of(root, LONE))
        folder_of(root, OTHER).rename(root.path / "elsewhere")

    Meanwhile(patch).before("rename", BASE[2:], disturb)
    yield one("purge", run("purge", root.path, *FAILED, "--yes", status=1))
    (root.path / "elsewhere").rename(folder_of(root, OTHER))

    (moved,) = run("purge", root.path, "--task-id", OTHER, "--trash", "--yes")
    write_bundle(root.path, "solo", [CHAIN[0]])
    batch_id = moved["trash"]
    yield one("trash-restore", run("trash", root.path, "--restore", batch_id, status=1))
    yield one("trash", run("trash", root.path))
    yield of("history", run("history", root.path))

    run("purge", root.path, "--task-id", BASE, "--trash", "--yes")
    real = os.unlink

    def broken(path: Any, **kwargs: Any) -> None:
        if path == "info":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(path, **kwargs)

    patch.setattr(os, "unlink", broken)
    yield one("trash-empty", run("trash", root.path, "--empty", "--yes", status=1))


def test_every_key_of_the_schemas_is_printed(
    sir_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that is never printed would pass the other tests."""
    outputs = [pair for part in purge_and_restore(sir_model) for pair in part]
    parts = purges_with_errors(make_root(tmp_path / "disturbed"), monkeypatch)
    outputs += [pair for part in parts for pair in part]
    check(outputs)
    for name, schema in SCHEMAS.items():
        met: set[str] = set()
        for value in (value for which, value in outputs if which == name):
            met |= set(keys_in(value))
        promised = {key for part in objects_in(schema) for key in part["properties"]}
        assert promised <= met, f"{name}: {promised - met} never met"


def keys_in(value: Any) -> Iterator[str]:
    """The keys of objects in it, however deep."""
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict):
        yield from value
    if isinstance(value, dict | list):
        for part in inner:
            yield from keys_in(part)


def objects_in(schema: Any) -> Iterator[dict[str, Any]]:
    """The parts of a schema that describe an object with named keys."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield schema
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from objects_in(part)


def test_a_manifest_has_the_keys_of_a_saved_plan(tmp_path: Path) -> None:
    root = make_root(tmp_path)
    run("purge", root.path, *FAILED, "--trash", "--yes")
    (path,) = (root.hipercow / "tui").glob("*/manifest.json")
    manifest = json.loads(path.read_bytes())
    for key in ("aim", "when", "who", "confirmed"):
        del manifest[key]
    assert "task_folders" not in manifest
    check([("plan", manifest | {"task_folders": []})])


def test_an_empty_plan_matches_the_schemas(tmp_path: Path) -> None:
    root = make_root(tmp_path).path
    plan = tmp_path / "plan.json"
    words = ("--with-status", "cancelled")
    check(one("purge", run("purge", root, *words, "--save-plan", plan)))
    check(one("purge", run("apply", plan)))
    check([("plan", json.loads(plan.read_bytes()))])


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_strict(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["title"].startswith("hipercow-tui ") and SCHEMAS[name]["description"]
    for part in objects_in(SCHEMAS[name]):
        assert part["type"] == "object" and part["additionalProperties"] is False
        assert set(part["properties"]) - set(part["required"]) <= OPTIONAL.get(name, set())


def test_schemas_refuse_other_objects() -> None:
    line: dict[str, Any] = {"root": "/home/you/project", "changed": ["task is gone"]}
    valid = Draft202012Validator(SCHEMAS["apply-refused"]).is_valid
    assert valid(line)
    assert not valid(line | {"more": 1}) and not valid({"root": "/home/you/project"})


def test_the_wheel_contains_schemas_and_documents(tmp_path: Path) -> None:
    code = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, tmp_path], cwd=HERE, check=True, text=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    wanted = {f"hipercow_tui/schemas/{name}.json" for name in SCHEMAS}
    wanted |= {"hipercow_tui/CHANGELOG.md", "hipercow_tui/ui/app.tcss", "hipercow_tui/py.typed"}
    docs = {path.relative_to(HERE).as_posix() for path in HERE.glob("hipercow_tui/docs/**/*.md")}
    assert "hipercow_tui/docs/spec.md" in docs
    wanted |= docs
    assert SCHEMAS and wanted <= names
    assert not [name for name in names if name.startswith(("tests", "screenshots"))]
