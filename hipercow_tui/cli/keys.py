"""The command ``keys``: list the keys of the app, and check the user's file of keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.settings.key_file import KeyFile
from hipercow_tui.support.exit_codes import DONE, REFUSED
from hipercow_tui.support.signals import end_on_interrupt
from hipercow_tui.support.streams import print_messages, print_output

_EPILOG = """
To choose other keys, write keys.toml in the config folder, with lines such as
plan = "P" or next_hit = ["n", "f3"]. Messages name the errors in the file.
"""
_ID, _KEYS = 24, 22  # cells


@end_on_interrupt()
def run(words: Sequence[str]) -> int:
    """Run the command with its arguments and return the exit status."""
    parser = CommandParser("keys", "List the keys of the app with their ids.", _EPILOG)
    parser.add_argument("--json", action="store_true", help="print JSON, one line for each id")
    options = parser.parse_command(words)
    from hipercow_tui.ui.key_catalog import load_keymap

    keymap = load_keymap(KeyFile.of_user())
    print_messages(keymap.problems)
    entries = list(_entries(keymap.keys))
    print_output(map(json.dumps, entries) if options.json else _lines(entries))
    return REFUSED if keymap.problems else DONE


def _entries(chosen: Any) -> Iterator[dict[str, Any]]:
    from hipercow_tui.ui.key_catalog import groups, help_text
    from hipercow_tui.ui.key_names import keys_of, user_key

    for group in groups():
        for key in group.keys:
            yield {
                "format": 1,
                "group": group.title,
                "id": key.id,
                "keys": list(map(user_key, keys_of(key, chosen))),
                "default": list(map(user_key, keys_of(key, {}))),
                "help": help_text(key),
            }


def _lines(entries: Sequence[dict[str, Any]]) -> Iterator[str]:
    group = ""
    for entry in entries:
        if entry["group"] != group:
            yield from ("", entry["group"]) if group else (entry["group"],)
            group = entry["group"]
        default = entry["default"]
        note = f" (default: {' '.join(default)})" if entry["keys"] != default else ""
        keys = " ".join(entry["keys"])
        yield f"  {entry['id']:<{_ID}}{keys:<{_KEYS}}{entry['help']}{note}"
