"""README.md and hipercow_tui/docs agree with the code: keys, commands, options, messages, links."""

from __future__ import annotations

import argparse
import ast
import importlib.util
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from textual.keys import format_key

from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.cli.main import main
from hipercow_tui.support import exit_codes
from hipercow_tui.ui import run
from hipercow_tui.ui.key_catalog import groups

HERE = Path(__file__).parents[2]
PACKAGE = HERE / "hipercow_tui"
DOCS = PACKAGE / "docs"
PAGES = [HERE / "README.md", *sorted(DOCS.rglob("*.md"))]
TEXTS = {path: path.read_text("utf-8") for path in PAGES}
EVERYTHING = "\n".join(TEXTS.values())
README = TEXTS[HERE / "README.md"]
SOURCES = {path: path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
COMMANDS = (
    "",
    "purge",
    "list",
    "errors",
    "space",
    "apply",
    "wait",
    "trash",
    "pin",
    "unpin",
    "pins",
    "note",
    "notes",
    "report",
    "history",
    "keys",
)


def page(name: str) -> str:
    return TEXTS[DOCS / f"{name}.md"]


def section(text: str, title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def marked(text: str, name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", text, re.DOTALL)
    assert found is not None
    return found[1]


def first_cells(text: str) -> list[str]:
    """The first column of a table, without its head."""
    rows = re.findall(r"^\| (.*?) \|.*", text, re.MULTILINE)
    return [cell for cell, below in zip(rows, [*rows[1:], ""], strict=True) if below != "---"][1:]


MAIN_KEYS = ("Move", "Mark", "Filter", "Search", "View", "Purge")
KEYS_OF_GUIDE = (*MAIN_KEYS, "In the plan", "In the log", "In the trash", "App")


def keys_table() -> str:
    rows = ["| | key | what it does |", "| --- | --- | --- |"]
    for group in groups():
        title = group.title
        if title not in KEYS_OF_GUIDE:
            continue
        for binding in group.keys:
            shown = binding.key_display or " ".join(map(format_key, binding.key.split(",")))
            rows.append(f"| {title} | `{shown}` | {binding.tooltip} |")
            title = ""
    return "\n".join(rows)


def test_the_guide_lists_every_key() -> None:
    table = keys_table()
    assert marked(page("guide"), "keys") == table, f"put this between the marks:\n{table}"


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 160


# Links and pictures


def anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def links() -> list[tuple[Path, str]]:
    """Each link of a page, with the page."""
    return [(path, link) for path in PAGES for link in re.findall(r"\]\(([^)]+)\)", TEXTS[path])]


def test_every_link_has_a_target() -> None:
    found = links()
    assert len(found) > 50
    for path, link in found:
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.is_file(), f"{path.name}: {link}"
        assert not anchor or anchor in anchors(target.read_text("utf-8")), f"{path.name}: {link}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    targets = {path: set[Path]() for path in PAGES}
    for path, link in links():
        targets[path].add((path.parent / link.partition("#")[0]).resolve())
    reached, todo = set[Path](), {HERE / "README.md"}
    while todo:
        path = todo.pop()
        reached.add(path)
        todo |= targets.get(path, set()) - reached
    assert set(PAGES) <= reached


def test_every_picture_is_shown_and_described() -> None:
    shown = re.findall(r"!\[([^]]*)\]\((?:../../)?screenshots/([^)]+)\)", EVERYTHING)
    assert all(len(description) > 15 for description, _ in shown)
    assert {name for _, name in shown} == {path.name for path in (HERE / "screenshots").iterdir()}


def test_every_schema_is_linked() -> None:
    schemas = {path.name for path in (PACKAGE / "schemas").iterdir()}
    linked = re.findall(r"\.\./schemas/([\w-]+\.json)\)", section(page("cli"), "JSON"))
    assert schemas == set(linked)


# Commands


class Parsed(BaseException):
    """The arguments of a command were understood, and it goes no further."""


def blocks_of_code() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", EVERYTHING, re.DOTALL | re.MULTILINE)


def shown_commands() -> Iterator[list[str]]:
    """The words of each of our commands, in blocks of code and in the text."""
    blocks = blocks_of_code()
    lines = [part for block in blocks for line in block.splitlines() for part in line.split(" && ")]
    for line in [*lines, *re.findall(r"(?<!`)`([^`\n]+)`", EVERYTHING)]:
        words = re.split(r"(?:^|[A-Z_]+=\S+ )(?:\.venv/bin/)?hipercow-tui(?: |$)", line)
        if len(words) == 2:
            yield shlex.split(words[1], comments=True)
        elif re.match(rf"({'|'.join(COMMANDS[1:])}) ", line):
            yield shlex.split(line)


def test_commands_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    def only_parse(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
        parser.parse_args(words)
        raise Parsed

    monkeypatch.setattr(CommandParser, "parse_command", only_parse)
    commands = list(shown_commands())
    assert len(commands) > 40
    for words in commands:
        with pytest.raises(Parsed):
            main(words)


def test_programs_that_python_runs_exist() -> None:
    programs = set(re.findall(r"python3? -m ([\w.]+)", EVERYTHING))
    assert "tests.bench" in programs
    for program in programs:
        path = HERE.joinpath(*program.split("."))
        ours = path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()
        assert ours or importlib.util.find_spec(program), program


def options_of(command: str, capsys: pytest.CaptureFixture[str]) -> set[str]:
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    return options_in(capsys.readouterr().out) - {"--help"}


def app_help(capsys: pytest.CaptureFixture[str]) -> str:
    """The help of the app, without its list of commands."""
    with pytest.raises(SystemExit):
        main(["--help"])
    text, commands, _ = capsys.readouterr().out.partition("\ncommands (")
    assert commands
    return text


def options_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


def test_the_command_line_page_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    ours = set[str]().union(*(options_of(command, capsys) for command in COMMANDS))
    assert not ours - options_in(page("cli"))
    # Options of other programs: the benchmark, the pictures, pytest, hipercow for Python.
    others = {"--help", "--tasks", "--only", "--sights", "--snapshot-update", "--rebuild"}
    others |= {"--outer"}
    assert options_in(EVERYTHING) - ours == others


@pytest.mark.parametrize("command", COMMANDS)
def test_the_section_of_a_command_names_its_options(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = section(page("cli"), command or "The app") + section(page("cli"), "Every command")
    if command in ("purge", "errors", "wait"):  # they share the options that select tasks
        text += section(page("cli"), "list")
    shown = options_of(command, capsys) if command else options_in(app_help(capsys))
    assert not shown - options_in(text) - {"--help", "--json"}


def test_exit_statuses_are_listed() -> None:
    signals = (1, 2, 15, 21)  # SIGHUP, SIGINT, SIGTERM, and SIGBREAK of Windows
    known = {value for name, value in vars(exit_codes).items() if name.isupper()}
    known |= {128 + number for number in signals}
    listed = first_cells(section(page("cli"), "Exit statuses"))
    assert {int(cell) for cell in listed} == known


# Configuration and messages


def test_environment_variables_are_listed() -> None:
    named = re.compile(r'environ\w*(?:\.\w+)?[([]"([A-Z_]+)"|"([A-Z_]+)" (?:not )?in os\.environ')
    read = {name for text in SOURCES.values() for pair in named.findall(text) for name in pair}
    assert {"XDG_CONFIG_HOME", "NO_COLOR", "TEXTUAL_FPS"} <= read
    configuration = page("configuration")
    assert not [name for name in read if name not in configuration]


def test_the_default_of_textual_fps_is_the_one_in_the_code() -> None:
    default = re.search(r'setdefault\("TEXTUAL_FPS", "(\d+)"\)', SOURCES[Path(run.__file__)])
    assert default is not None
    row = next(line for line in page("configuration").splitlines() if "TEXTUAL_FPS" in line)
    assert f"{default[1]} by default" in row


def test_messages_are_quoted_literally() -> None:
    in_code = " ".join(" ".join(texts_of(text)) for text in SOURCES.values())
    quoted = [
        message
        for cell in first_cells(page("troubleshooting"))
        for message in re.findall(r"(?<!\*)\*([^*]+)\*", cell)
    ]
    assert len(quoted) > 8
    assert not [message for message in quoted if message not in in_code]


def texts_of(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


# The glossary


def test_the_glossary_is_short_and_each_term_is_used_elsewhere() -> None:
    terms = first_cells(page("glossary"))
    assert 10 < len(terms) <= 24
    others = "\n".join(text for path, text in TEXTS.items() if path.stem != "glossary").lower()
    assert not [term for term in terms if not re.search(rf"\b{term}", others)]


def test_the_workflow_tests_the_oldest_textual_that_is_allowed() -> None:
    lowest = re.search(r'"textual>=([\d.]+),<', (HERE / "pyproject.toml").read_text("utf-8"))
    assert lowest is not None
    workflow = (HERE / ".github" / "workflows" / "test.yml").read_text("utf-8")
    assert f"textual=={lowest[1]}\n" in workflow
