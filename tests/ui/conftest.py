"""How long the Pilot of Textual looks whether the app has come to rest."""

from __future__ import annotations

from textual import _wait

# After each key it looks twice, at least, whether nothing has been computed for this long, which
# is most of the time that tests of screens take. The screen is drawn sixty times a second, so two
# looks are longer than it takes to be drawn.
_wait.SLEEP_GRANULARITY = 0.01  # seconds; theirs is twice that
_wait.SLEEP_IDLE = _wait.SLEEP_GRANULARITY / 20
