from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess

import pytest
from click.testing import CliRunner
from hipercow.cli import cli
from hypothesis import given, settings
from hypothesis import strategies as st
from small_root import task_id

from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.output.py_commands import bundle_command, log_command, status_command

TASK = Task(task_id(1), Status.FAILURE, lang=Lang.PY)


def help_of(*words: str) -> str:
    result = CliRunner().invoke(cli, [*words, "--help"])
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize(
    ("command", "takes"),
    [
        (log_command(TASK), "TASK_ID"),
        (status_command(TASK), "TASK_ID"),
        (bundle_command("sweep"), "NAME"),
    ],
)
def test_the_help_of_hipercow_lists_these_commands(command: str, takes: str) -> None:
    program, *words, argument = shlex.split(command)
    assert program == "hipercow" and argument in (TASK.id, "sweep")
    for depth, word in enumerate(words):
        assert re.search(rf"^  {word} ", help_of(*words[:depth]), re.MULTILINE)
    assert re.search(rf"{' '.join(words)} \[OPTIONS\] {takes}$", help_of(*words), re.MULTILINE)


def test_hipercow_has_the_commands_that_our_messages_name() -> None:
    assert "--rebuild" in help_of("task", "recent")


@pytest.mark.parametrize("name", ["plain", "a b/c", "it's", "$(rm -rf)", "-x", "--help", ".hid"])
def test_any_name_is_quoted_as_one_word(name: str) -> None:
    words = shlex.split(bundle_command(name))
    assert words[:3] == ["hipercow", "bundle", "status"] and words[-1] == name
    assert ("--" in words[:-1]) == name.startswith("-")


@given(st.text(min_size=1) | st.binary(min_size=1).map(os.fsdecode))
@settings(max_examples=60, deadline=None)
def test_a_shell_reads_the_name_and_no_control_character_is_pasted(name: str) -> None:
    name = name.replace("\0", "")
    if not name or not _is_of_a_file(name):
        return
    command = bundle_command(name)
    assert command.isprintable()
    bash = shutil.which("bash")
    if bash is None:
        return
    script = f"hipercow() {{ printf '%s\\0' \"$@\"; }}; {command}"
    done = subprocess.run(
        [bash, "-c", script], capture_output=True, check=True, env={"LC_ALL": "C"}
    )
    assert done.stdout.split(b"\0")[-2] == os.fsencode(name)


def _is_of_a_file(name: str) -> bool:
    try:
        return os.fsdecode(os.fsencode(name)) == name
    except UnicodeEncodeError:
        return False
