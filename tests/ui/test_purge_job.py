"""The progress of a job that changes a root on a slow share, as the app shows it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from purge_stage import has_no_batches, plan_of, root_contents
from share_mount import mounted_share
from small_root import NOW, task_id, write_bundle, write_task
from textual.message import Message
from textual.message_pump import MessagePump

from hipercow_tui.formats.root import find_root
from hipercow_tui.purging import Phase
from hipercow_tui.purging.manifest import PurgeMode
from hipercow_tui.purging.results import PurgeReport
from hipercow_tui.ui.messages import JobEnded
from hipercow_tui.ui.workers.purge_job import JobProgressed, JobRunner, purge_job

TASKS = 80
DELAY = 0.01  # seconds for each rename


class StoppingReceiver(MessagePump):
    """Keeps the messages of a job with their times, and stops it after a third of the renames."""

    def __init__(self) -> None:
        super().__init__()
        self.progress: list[tuple[float, JobProgressed]] = []
        self.end: JobEnded | None = None
        self.runner: JobRunner | None = None

    def post_message(self, message: Message) -> bool:
        if isinstance(message, JobProgressed):
            self.progress.append((time.monotonic(), message))
            if message.progress.done > TASKS // 3 and self.runner:
                self.runner.stop()
        elif isinstance(message, JobEnded):
            self.end = message
        return True


@pytest.mark.parametrize("mode", list(PurgeMode))
def test_a_long_purge_on_a_slow_share_is_stopped_and_put_back(
    tmp_path: Path, mode: PurgeMode
) -> None:
    server, where = tmp_path / "server", tmp_path / "mounted"
    for number in range(TASKS):
        write_task(server, task_id(number), "failure", finished=NOW)
    write_bundle(server, "every", map(task_id, range(TASKS)))
    before = root_contents(find_root(server))
    with mounted_share(server, {where: 0.0}, lasting_inodes=True, delay=DELAY) as allowed:
        if not allowed:
            pytest.skip("FUSE is not allowed here")
        root = find_root(where)
        receiver = StoppingReceiver()
        receiver.runner = JobRunner(purge_job(plan_of(root), root, mode), receiver)
        receiver.runner.start()
        assert receiver.runner.wait(60)
    assert receiver.end is not None and isinstance(receiver.end.report, PurgeReport)
    assert receiver.end.report.stopped and not receiver.end.report.removed
    assert root_contents(find_root(server)) == before and has_no_batches(find_root(server))

    moving = [one for one in receiver.progress if one[1].progress.phase is Phase.MOVING]
    putting_back = [one for one in receiver.progress if one[1].progress.phase is Phase.PUTTING_BACK]
    assert len(moving) >= 4 and len(putting_back) >= 4
    for shown in (moving, putting_back):
        done = [message.progress.done for _, message in shown]
        assert done == sorted(done) and done[0] == 0 and shown[0][1].seconds_left is None
    assert {message.progress.total for _, message in moving} == {TASKS}
    for _, message in moving:
        if message.progress.done >= 5:
            left = message.seconds_left
            assert left is not None
            least = (TASKS - message.progress.done) * DELAY
            # FUSE and a loaded machine add to the delay of the renames.
            assert least * 0.9 <= left < least * 100
