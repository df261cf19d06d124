"""One line that says how far a purge is, while the rest of the app stays usable."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from hipercow_tui.plan import PurgePlan
from hipercow_tui.purging import Phase
from hipercow_tui.roots import Root
from hipercow_tui.text import size, span
from hipercow_tui.ui.purging import PurgeProgressed, PurgeRun

_WORDS = {
    Phase.MOVING: "Moving aside",
    Phase.CHECKING: "Checking",
    Phase.PUTTING_BACK: "Putting back",
    Phase.ERASING: "Erasing",
}
_BAR = 12  # cells


class PurgeBar(Static):
    """Mounted, it begins the purge of a plan that was confirmed. The screen gets its PurgeEnded,
    which bubbles, and then removes it."""

    DEFAULT_CSS = """
    PurgeBar { height: 1; padding: 0 1; background: $warning-muted; color: $text; }
    """

    def __init__(self, plan: PurgePlan, root: Root, *, id: str | None = None) -> None:
        super().__init__(markup=False, id=id)
        self.run = PurgeRun(plan, root, self)

    def on_mount(self) -> None:
        """Begin."""
        self.update(Text("Purging…"))
        self.run.start()

    def stop(self) -> None:
        """Stop the purge and put back what is not erased yet."""
        self.run.stop()
        self.update(Text("Stopping: what is not erased yet is put back…"))

    def on_purge_progressed(self, message: PurgeProgressed) -> None:
        """Show how far it is."""
        message.stop()
        progress = message.progress
        part = progress.done / progress.total if progress.total else 1.0
        full = round(part * _BAR)
        text = Text(f"{_WORDS[progress.phase]} ")
        text.append("█" * full).append("░" * (_BAR - full))
        said = [f"{progress.done:,}/{progress.total:,}"]
        if progress.bytes:
            said.append(size(progress.bytes))
        if message.seconds_left is not None:
            said.append(f"{span(max(1.0, message.seconds_left))} left")
        if not self.run.stopping:
            said.append("U stop")
        self.update(text.append(" " + " · ".join(said)))
