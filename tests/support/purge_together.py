"""Run two processes at once on one root, repeatedly: they purge, or move to the trash.

python purge_together.py FOLDER ROUNDS: the roots are FOLDER/0, FOLDER/1, …. A file N.json beside
each has the ids that the two processes reported as removed, in the order of their modes.
python purge_together.py FOLDER first|second: be one of two processes in roots that exist, on a
system without ``fork``. For each pair of ``SOME_PAIRS``, it prints a line, waits for one, and
prints what it removed.
"""

from __future__ import annotations

import json
import os
import sys
from itertools import cycle, islice
from pathlib import Path

from purge_stage import ALL, CHAIN, FREE, LONE, OTHER, make_root, plan_of
from small_root import task_id, write_bundle, write_task

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import execute, move_to_trash

MORE = tuple(task_id(number) for number in range(20, 50))
PLANS = [
    ((), ()),  # both purge everything
    ((), (LONE, *MORE[:15])),
    ((*CHAIN, *MORE[:20]), (LONE, *MORE[10:])),
    ((*CHAIN, LONE), (OTHER, FREE, *MORE)),  # nothing in common
]
MODES = [("purge", "purge"), ("purge", "trash"), ("trash", "trash")]
PAIRS = [(ids, modes) for ids in PLANS for modes in MODES]
SOME_PAIRS = PAIRS[::2]


def prepared(where: Path) -> Root:
    for identity in MORE:
        write_task(where, identity, "failure")
    write_bundle(where, "more", MORE[8:12])
    return make_root(where)


def act(plan: PurgePlan, root: Root, mode: str) -> str:
    report = (execute if mode == "purge" else move_to_trash)(plan, root)
    return json.dumps([mode, [*report.removed], [*report.removed_bundles]])


def together(where: Path, ids: tuple[tuple[str, ...], ...], modes: tuple[str, ...]) -> list[object]:
    root = prepared(where)
    plans = [plan_of(root, some) for some in ids]
    start, go = os.pipe()
    children = []
    for plan, mode in zip(plans, modes, strict=True):
        heard, said = os.pipe()
        child = os.fork()
        if child == 0:
            os.read(start, 1)
            os.write(said, act(plan, root, mode).encode())
            os._exit(0)
        os.close(said)
        children.append((child, heard))
    os.write(go, b"12")
    reports: list[object] = []
    for child, heard in children:
        with open(heard, "rb") as pipe:
            reports.append(json.loads(pipe.read()))
        assert os.waitpid(child, 0)[1] == 0
    os.close(start)
    os.close(go)
    return reports


def be_one_of_two(where: Path, which: int) -> None:
    for number, (ids, modes) in enumerate(SOME_PAIRS):
        root = find_root(where / str(number))
        plan = plan_of(root, ids[which])
        write_line("ready")
        sys.stdin.readline()
        write_line(act(plan, root, modes[which]))


def write_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    folder, how = Path(sys.argv[1]), sys.argv[2]
    if how in ("first", "second"):
        be_one_of_two(folder, ("first", "second").index(how))
        sys.exit()
    folder.mkdir()
    for number, (ids, modes) in enumerate(islice(cycle(PAIRS), int(how))):
        reports = together(folder / str(number), ids, modes)
        (folder / f"{number}.json").write_text(json.dumps(reports))
    assert set(ALL).isdisjoint(MORE)
