"""What the README says is so: keys, commands, options, exit statuses, messages, files, rooms."""

from __future__ import annotations

import argparse
import ast
import re
import shlex
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from textual.keys import format_key

from hipercow_tui import exits
from hipercow_tui.cli import main
from hipercow_tui.ui.keys import GROUPS

HERE = Path(__file__).parent.parent
PACKAGE = HERE / "hipercow_tui"
README = (HERE / "README.md").read_text("utf-8")
SOURCES = {path: path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
COMMANDS = ("", "purge", "list", "apply", "trash", "history")


def section(title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", README, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def marked(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", README, re.DOTALL)
    assert found is not None
    return found[1]


def first_cells(text: str) -> list[str]:
    """What stands in the first column of its tables, without their heads."""
    rows = re.findall(r"^\| (.*?) \|.*", text, re.MULTILINE)
    return [cell for cell, below in zip(rows, [*rows[1:], ""], strict=True) if below != "---"][1:]


def keys_table() -> str:
    rows = ["| | key | what it does |", "| --- | --- | --- |"]
    for group in GROUPS:
        title = group.title
        for binding in group.keys:
            shown = binding.key_display or " ".join(map(format_key, binding.key.split(",")))
            rows.append(f"| {title} | `{shown}` | {binding.tooltip} |")
            title = ""
    return "\n".join(rows)


def test_every_key_is_in_the_readme() -> None:
    assert marked("keys") == keys_table(), f"put this between the marks:\n{keys_table()}"


# Links and pictures


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README)
    titles = re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    places = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    assert len(links) > 20
    for link in links:
        if link.startswith("#"):
            assert link[1:] in places, link
        elif not link.startswith("https://"):
            assert (HERE / link).is_file(), link


def test_every_picture_is_shown_and_described() -> None:
    shown = re.findall(r"!\[([^]]*)\]\(screenshots/([^)]+)\)", README)
    assert all(len(told) > 15 for told, _ in shown)
    assert {name for _, name in shown} == {path.name for path in (HERE / "screenshots").iterdir()}


def test_every_schema_is_linked() -> None:
    schemas = {f"hipercow_tui/schemas/{path.name}" for path in (PACKAGE / "schemas").iterdir()}
    assert schemas == set(re.findall(r"hipercow_tui/schemas/[\w-]+\.json", section("JSON")))


# Commands


class Parsed(Exception):
    """A command's arguments were understood, and it goes no further."""


def shown_commands() -> Iterator[list[str]]:
    """The words of each command of ours, in blocks of code and in the text."""
    blocks = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    lines = [part for block in blocks for line in block.splitlines() for part in line.split(" && ")]
    for line in [*lines, *re.findall(r"(?<!`)`([^`\n]+)`", README)]:
        words = re.split(r"(?:^|[A-Z_]+=\S+ )(?:\.venv/bin/)?hipercow-tui(?: |$)", line)
        if len(words) == 2:
            yield shlex.split(words[1], comments=True)
        elif re.match(rf"({'|'.join(COMMANDS[1:])}) ", line):
            yield shlex.split(line)


def test_commands_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    parse = argparse.ArgumentParser.parse_args

    def only_parse(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
        parse(parser, words)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", only_parse)
    commands = list(shown_commands())
    assert len(commands) > 25
    for words in commands:
        with pytest.raises(Parsed):
            main(words)


def options_of(command: str, capsys: pytest.CaptureFixture[str]) -> set[str]:
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help"}


def test_options_are_all_there_and_exist(capsys: pytest.CaptureFixture[str]) -> None:
    ours = set[str]().union(*(options_of(command, capsys) for command in COMMANDS))
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README))
    assert ours <= named, f"not in the README: {ours - named}"
    # Those of other programs: the benchmark, the pictures, hipercow for Python.
    assert named - ours == {"--help", "--tasks", "--only", "--sights", "--rebuild"}


def test_exit_statuses_are_named() -> None:
    signals = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
    known = {value for name, value in vars(exits).items() if name.isupper()}
    known |= {128 + number for number in signals}
    assert {int(cell) for cell in first_cells(section("Exit statuses"))} == known


# What is set, and what is said


def test_variables_that_are_read_are_named() -> None:
    named = re.compile(r'environ\w*(?:\.\w+)?[([]"([A-Z_]+)"|"([A-Z_]+)" (?:not )?in os\.environ')
    read = {name for text in SOURCES.values() for pair in named.findall(text) for name in pair}
    assert {"XDG_CONFIG_HOME", "NO_COLOR", "TEXTUAL_FPS"} <= read
    told = section("Configuration")
    assert not [name for name in read if name not in told]


def test_messages_are_quoted_as_they_are() -> None:
    said = " ".join(" ".join(texts_of(text)) for text in SOURCES.values())
    quoted = [
        message
        for cell in first_cells(section("Troubleshooting"))
        for message in re.findall(r"(?<!\*)\*([^*]+)\*", cell)
    ]
    assert len(quoted) > 8
    assert not [message for message in quoted if message not in said]


def texts_of(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


# The drawing of the house


def floors() -> list[set[str]]:
    """The rooms in each box of the drawing, from the top."""
    boxes = re.split(r"└.*", marked("house"))
    rooms = [" ".join(re.findall(r"│ [a-z][\w ,']*: +([a-z_ ]+?) +[│├◄]", box)) for box in boxes]
    return [set(names.split()) for names in rooms if names]


def test_the_drawing_names_every_room_once() -> None:
    named = [name for floor in floors() for name in floor]
    modules = {path.stem for path in PACKAGE.glob("*.py")}
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert sorted(named) == sorted(modules | packages)


def test_rooms_know_none_above_them() -> None:
    floor = {name: number for number, names in enumerate(floors()) for name in names}
    for path, source in SOURCES.items():
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for known in rooms_imported(source):
            # Who made it, and its version, may be asked anywhere.
            above = floor[known] < floor[room] and known != "__init__"
            assert not above, f"{room} imports {known}, which stands above it in the drawing"


def rooms_imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            package, _, rest = node.module.partition(".")
            if package == "hipercow_tui" and rest:
                yield rest.split(".")[0]
            elif package == "hipercow_tui":
                names = [alias.name for alias in node.names]
                yield from (name for name in names if (PACKAGE / f"{name}.py").is_file())
