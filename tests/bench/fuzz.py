"""Damaged files of every format give a value or an expected error, in limited time and memory."""

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
from tests.bench.formats import FORMATS, open_reader
from tests.bench.mutants import mutants

def resident():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

name, seed, number = sys.argv[1], *map(int, sys.argv[2:])
format = FORMATS[name]
found = {"read": 0, "unexpected": [], "longest": 0.0}
with ExitStack() as stack:
    read = open_reader(format, stack)
    originals = format.originals()
    files = mutants(seed, originals, text=format.is_text)
    for raw in islice(files, 1000):  # so that all modules are imported
        read(raw)
    before = resident()
    for raw in islice(mutants(seed, originals, text=format.is_text), number):
        began = time.perf_counter()
        try:
            found["read"] += read(raw)
        except BaseException:
            found["unexpected"].append(f"{raw[:300]}\\n{traceback.format_exc()}")
        found["longest"] = max(found["longest"], time.perf_counter() - began)
found["memory"] = (resident() - before) * 1024
print(json.dumps(found))
"""


def fuzz_figures() -> Iterator[Figure]:
    """Read damaged files of each format in two processes."""
    for name, files in FILES.items():
        halves = [_start(name, SEED + half, files // 2) for half in range(2)]
        results = [json.loads(half.communicate()[0]) for half in halves]
        unexpected = [error for result in results for error in result["unexpected"]]
        for error in unexpected[:3]:
            sys.stderr.write(error)
        read = sum(result["read"] for result in results)
        shown = f"{read:,} of {files:,} valid"
        yield Figure(
            f"damaged {name}: unexpected errors",
            str(len(unexpected)),
            shown,
            len(unexpected),
            0,
            "",
        )
        longest = max(result["longest"] for result in results)
        yield Figure(f"damaged {name}: longest", f"{longest * 1e3:.0f} ms", "", longest, 1, "s")
        memory = max(result["memory"] for result in results) / 1e6
        yield Figure(f"damaged {name}: memory", f"{memory:.0f} MB", "", memory, 50, "MB")


def _start(name: str, seed: int, number: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", PROGRAM, name, str(seed), str(number)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
