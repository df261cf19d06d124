"""Damaged files of every format: a value or an error of our own, in bounded time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .formats import FORMATS
from .table import Figure

FILES = {name: 60_000 if name == "RDS" else 5000 for name in FORMATS}
SEED = 20261124
PROGRAM = """
import json, resource, sys, time, traceback
from contextlib import ExitStack
from itertools import islice
from tests.bench.formats import FORMATS, reader_of
from tests.bench.mutants import mutants

def resident():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

name, seed, number = sys.argv[1], *map(int, sys.argv[2:])
format = FORMATS[name]
said = {"read": 0, "foreign": [], "longest": 0.0}
with ExitStack() as stack:
    read = reader_of(format, stack)
    originals = format.originals()
    files = mutants(seed, originals, text=format.is_text)
    for raw in islice(files, 1000):  # all modules are imported, all originals read
        read(raw)
    before = resident()
    for raw in islice(mutants(seed, originals, text=format.is_text), number):
        began = time.perf_counter()
        try:
            said["read"] += read(raw)
        except BaseException:
            said["foreign"].append(f"{raw[:300]}\\n{traceback.format_exc()}")
        said["longest"] = max(said["longest"], time.perf_counter() - began)
said["memory"] = (resident() - before) * 1024
print(json.dumps(said))
"""


def fuzz_figures() -> Iterator[Figure]:
    """Damaged files by the seed, half of them for each of two processes."""
    for name, files in FILES.items():
        halves = [_start(name, SEED + half, files // 2) for half in range(2)]
        said = [json.loads(half.communicate()[0]) for half in halves]
        foreign = [error for one in said for error in one["foreign"]]
        for error in foreign[:3]:
            sys.stderr.write(error)
        shown = f"{sum(one['read'] for one in said):,} of {files:,} read as something"
        yield Figure(
            f"damaged {name}: errors not ours", str(len(foreign)), shown, len(foreign), 0, ""
        )
        longest = max(one["longest"] for one in said)
        yield Figure(f"damaged {name}: the longest", f"{longest * 1e3:.0f} ms", "", longest, 1, "s")
        memory = max(one["memory"] for one in said) / 1e6
        yield Figure(f"damaged {name}: memory", f"{memory:.0f} MB", "", memory, 50, "MB")


def _start(name: str, seed: int, number: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", PROGRAM, name, str(seed), str(number)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
