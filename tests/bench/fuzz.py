"""Damaged files: only an error of our own, in bounded time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .table import Figure

FILES = 100_000
SEED = 20261124
PROGRAM = """
import itertools, json, resource, sys, time, traceback
from tests.bench.mutants import mutants, read_all
from hipercow_tui.errors import RdsError

def resident():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

seed, number = map(int, sys.argv[1:])
said = {"refused": 0, "foreign": [], "longest": 0.0}
files = mutants(seed)
for raw in itertools.islice(files, 1000):  # all modules are imported, all originals read
    try:
        read_all(raw)
    except RdsError:
        pass
before = resident()
for raw in itertools.islice(mutants(seed), number):
    began = time.perf_counter()
    try:
        read_all(raw)
    except RdsError:
        said["refused"] += 1
    except BaseException:
        said["foreign"].append(traceback.format_exc())
    said["longest"] = max(said["longest"], time.perf_counter() - began)
said["memory"] = (resident() - before) * 1024
print(json.dumps(said))
"""


def fuzz_figures() -> Iterator[Figure]:
    """Cut and overwritten files by the seed, half of them for each of two processes."""
    halves = [_start(SEED + half, FILES // 2) for half in range(2)]
    said = [json.loads(half.communicate()[0]) for half in halves]
    foreign = [error for one in said for error in one["foreign"]]
    for error in foreign[:3]:
        sys.stderr.write(error)
    refused = sum(one["refused"] for one in said)
    read = f"{FILES - refused:,} of {FILES:,} read as something"
    name = "damaged files: errors other than ours"
    yield Figure(name, str(len(foreign)), read, len(foreign), 0, "")
    longest = max(one["longest"] for one in said)
    yield Figure("damaged files: the longest", f"{longest * 1e3:.0f} ms", "", longest, 1, "s")
    memory = max(one["memory"] for one in said) / 1e6
    yield Figure("damaged files: memory at the peak", f"{memory:.0f} MB", "", memory, 50, "MB")


def _start(seed: int, number: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", PROGRAM, str(seed), str(number)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
