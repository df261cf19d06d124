"""Find a cause of failures and purge its tasks, in a real terminal."""

from __future__ import annotations

from pathlib import Path

from real_terminal import Terminal
from small_root import task_id, write_task
from triage_journey import MOST_KEYS, take_journey

from hipercow_tui.domain.task import Status
from hipercow_tui.settings.saved_filters import FilterFile, SavedFilter


def test_one_cause_is_found_and_purged_with_at_most_twelve_keys(
    env: dict[str, str], started: list[Terminal]
) -> None:
    """The same with 20,000 tasks: ``python -m tests.bench --only triage``."""
    terminal = Terminal("--demo", "--demo-tasks", "1500", env=env, columns=118, rows=36)
    started.append(terminal)
    journey = take_journey(terminal)
    assert len(journey.keys) <= MOST_KEYS, journey.keys
    assert journey.purged >= 0.9 * journey.broken[0]


def test_saved_filter_applies_from_the_start(
    tmp_path: Path, env: dict[str, str], started: list[Terminal]
) -> None:
    for number, status in enumerate(("failure", "success", "success")):
        write_task(tmp_path / "project", task_id(number), status)
    config = tmp_path / "config"
    FilterFile(config / "hipercow-tui" / "filters.toml").save(
        "what failed", SavedFilter(frozenset({Status.FAILURE}))
    )
    terminal = Terminal(
        str(tmp_path / "project"),
        *("--filter", "what failed"),
        env={**env, "XDG_CONFIG_HOME": str(config)},
    )
    started.append(terminal)
    terminal.wait(r"matched 1\b")
    terminal.press("q")
    assert terminal.leave() == 0
    terminal.assert_left_as_it_was()
