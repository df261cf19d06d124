"""A line with the progress of a purge, restore or emptying."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.purging import Phase
from hipercow_tui.support.text import format_duration
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.workers.purge_job import JobProgressed, JobRunner, JobSpec

_PHASE_TEXT = {
    Phase.WAITING: "Checking whether another process works in the batch",
    Phase.MOVING: "Moving",
    Phase.CHECKING: "Checking",
    Phase.PUTTING_BACK: "Putting back",
    Phase.ERASING: "Erasing",
}
_BAR = 12  # cells


class PurgeBar(Static):
    """Run a confirmed job while mounted; the screen removes the bar when it gets JobEnded."""

    DEFAULT_CSS = """
    PurgeBar { height: 1; padding: 0 1; background: $warning-muted; color: $text; }
    """

    def __init__(self, job: JobSpec, *, size_kind: SizeKind) -> None:
        super().__init__(markup=False)
        self._size_kind = size_kind
        self._job = job
        self.runner = JobRunner(job, self)

    def on_mount(self) -> None:
        """Start the job."""
        self.update(Text(f"{self._job.title}…"))
        self.runner.start()

    def stop(self) -> None:
        """Stop the job after the present task; a purge puts back all that is not erased yet."""
        if self._job.can_stop:
            self.runner.stop()
            self.update(Text("Stopping: everything that is not erased yet stays…"))

    def on_job_progressed(self, message: JobProgressed) -> None:
        """Show the progress."""
        message.stop()
        progress = message.progress
        part = progress.done / progress.total if progress.total else 1.0
        full = round(part * _BAR)
        text = Text(f"{_PHASE_TEXT[progress.phase]} ")
        text.append("█" * full).append("░" * (_BAR - full))
        facts = [f"{progress.done:,}/{progress.total:,}"]
        if progress.freed.files:
            facts.append(self._size_kind.text(progress.freed.of(self._size_kind)))
        if message.seconds_left is not None:
            facts.append(f"{format_duration(max(1.0, message.seconds_left))} left")
        if self._job.can_stop and not self.runner.stopping:
            facts.append(with_keys("<undo=U>: stop"))
        self.update(text.append(" " + " · ".join(facts)))
