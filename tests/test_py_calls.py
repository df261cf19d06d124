from __future__ import annotations

import shlex

import pytest
from click.testing import CliRunner
from hipercow.cli import cli
from small_root import task_id

from hipercow_tui.model import Lang, Status, Task
from hipercow_tui.py_calls import bundle_command, log_command, status_command

TASK = Task(task_id(1), Status.FAILURE, lang=Lang.PY)


@pytest.mark.parametrize(
    "command", [log_command(TASK), status_command(TASK), bundle_command("sweep")]
)
def test_the_real_command_line_knows_these(command: str) -> None:
    program, *words, argument = shlex.split(command)
    assert program == "hipercow" and argument in (TASK.id, "sweep")
    assert CliRunner().invoke(cli, [*words, "--help"]).exit_code == 0


@pytest.mark.parametrize("name", ["plain", "a b/c", "it's", "$(rm -rf)", "-x", "--help", ".hid"])
def test_any_name_is_one_word_to_a_shell(name: str) -> None:
    words = shlex.split(bundle_command(name))
    assert words[:3] == ["hipercow", "bundle", "status"] and words[-1] == name
    assert ("--" in words[:-1]) == name.startswith("-")
