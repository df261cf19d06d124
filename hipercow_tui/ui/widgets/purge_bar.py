"""One line that says how far a purge, or an undo, is, while the rest of the app stays usable."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from hipercow_tui.purging import Phase
from hipercow_tui.support.text import format_duration, format_size
from hipercow_tui.ui.workers.purge_job import JobProgressed, JobRunner, JobSpec

_PHASE_TEXT = {
    Phase.WAITING: "Watching whether another process still works here",
    Phase.MOVING: "Moving aside",
    Phase.CHECKING: "Checking",
    Phase.PUTTING_BACK: "Putting back",
    Phase.ERASING: "Erasing",
}
_BAR = 12  # cells


class PurgeBar(Static):
    """Mounted, it begins a job that was confirmed. The screen gets its JobEnded,
    which bubbles, and then removes it."""

    DEFAULT_CSS = """
    PurgeBar { height: 1; padding: 0 1; background: $warning-muted; color: $text; }
    """

    def __init__(self, job: JobSpec, *, id: str | None = None) -> None:
        super().__init__(markup=False, id=id)
        self._job = job
        self.run = JobRunner(job, self)

    def on_mount(self) -> None:
        """Begin."""
        self.update(Text(f"{self._job.title}…"))
        self.run.start()

    def stop(self) -> None:
        """Stop between two tasks; a purge puts back what is not erased yet."""
        if self._job.can_stop:
            self.run.stop()
            self.update(Text("Stopping: what is not erased yet is kept…"))

    def on_job_progressed(self, message: JobProgressed) -> None:
        """Show how far it is."""
        message.stop()
        progress = message.progress
        part = progress.done / progress.total if progress.total else 1.0
        full = round(part * _BAR)
        text = Text(f"{_PHASE_TEXT[progress.phase]} ")
        text.append("█" * full).append("░" * (_BAR - full))
        said = [f"{progress.done:,}/{progress.total:,}"]
        if progress.bytes:
            said.append(format_size(progress.bytes))
        if message.seconds_left is not None:
            said.append(f"{format_duration(max(1.0, message.seconds_left))} left")
        if self._job.can_stop and not self.run.stopping:
            said.append("U stop")
        self.update(text.append(" " + " · ".join(said)))
