"""The only rooms that change a root: a plan is carried out by moving, checking, then erasing."""

from __future__ import annotations

from hipercow_tui.purging.carrying_out import carry_out
from hipercow_tui.purging.outcome import Outcome, Phase, Progress, PurgeReport

__all__ = ["Outcome", "Phase", "Progress", "PurgeReport", "carry_out"]
