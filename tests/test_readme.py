"""What the README says is so: its keys are those of the app, its commands those of the program."""

from __future__ import annotations

import re
from pathlib import Path

from textual.keys import format_key

from hipercow_tui.ui.keys import GROUPS

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")


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
    found = re.search(r"<!-- keys -->\n(.*?)\n<!-- /keys -->", README, re.DOTALL)
    assert found is not None
    assert found[1] == keys_table(), f"put this between the marks:\n{keys_table()}"


def test_pictures_are_there() -> None:
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert pictures
    for picture in pictures:
        assert (Path(__file__).parent.parent / picture).is_file()
