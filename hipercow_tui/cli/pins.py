"""The commands ``pin``, ``unpin`` and ``pins``: hold chains and bundles back from every purge."""

from __future__ import annotations

import time
from collections.abc import Sequence

from hipercow_tui.cli.record_options import (
    list_parser,
    print_records,
    read_target_root,
    target_parser,
)
from hipercow_tui.domain.pins import Pins
from hipercow_tui.domain.record_requests import (
    named_targets,
    pinned_items,
    pins_to_remove,
    still_held,
)
from hipercow_tui.formats.root import find_root
from hipercow_tui.purging.record_files import add_pin, remove_pin
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support.exit_codes import DONE, REFUSED
from hipercow_tui.support.signals import end_on_interrupt
from hipercow_tui.support.streams import print_message, print_output
from hipercow_tui.support.text import escape_controls, pluralize

_PIN = """
No purge takes a pinned chain or bundle: not with a filter, not by its id. The tasks of a pinned
bundle stay, with their whole retry chains. All users of the root see its pins:
'hipercow-tui pins' lists them. Pinning again replaces the note.

examples:
  hipercow-tui pin --bundle sweep_01 --note 'figure 3 of the paper'
  hipercow-tui pin ~/project --task-id 5d5f8875c27aa1bf6be6fa469682930c
"""
_UNPIN = """
Removes the pins of the retry chains of these tasks, and of these bundles, also pins of other users.
Chains and bundles that do not exist any more can be unpinned too.

example:
  hipercow-tui unpin --bundle sweep_01
"""
_PINS = """
Each line is a pin: what it holds, the number of tasks, the user, machine, time and note.
'gone' is a chain or bundle that does not exist any more; 'hipercow-tui unpin' removes its pin.
"""


@end_on_interrupt()
def run_pin(words: Sequence[str]) -> int:
    """Run ``pin`` with its arguments and return the exit status."""
    parser = target_parser("pin", "Hold retry chains and bundles back from every purge.", _PIN)
    parser.add_argument("--note", metavar="TEXT", default="", help="why it is pinned")
    options = parser.parse_command(words)
    root, snapshot = read_target_root(options)
    targets = named_targets(snapshot, options.task_id, options.bundle)
    for target in targets:
        pin = add_pin(root, target, options.note)
        part = snapshot.of_lang(target.lang)
        held = part.existing(Pins((pin,)).held(part.chains, part.bundles))
        print_output([f"Pinned {target}: no purge takes its {_tasks(sum(1 for _ in held))}"])
    return DONE


@end_on_interrupt()
def run_unpin(words: Sequence[str]) -> int:
    """Run ``unpin`` with its arguments and return the exit status."""
    options = target_parser("unpin", "Remove pins.", _UNPIN).parse_command(words)
    root, snapshot = read_target_root(options)
    pins, now = pins_to_remove(snapshot, options.task_id, options.bundle), time.time()
    for pin in pins:
        remove_pin(root, pin.target)
        print_output([f"Unpinned {pin.target}, which was {pin.text(now)}"])
    for task_id, pin in still_held(snapshot, options.task_id, pins).items():
        name = escape_controls(pin.target.name)
        print_message(
            f"task {task_id} is still held by the pin of {pin.target}: unpin that with"
            f" --bundle '{name}'"
        )
    if still_held(snapshot, options.task_id, pins):
        return REFUSED
    if not pins:
        print_message("none of this is pinned: 'hipercow-tui pins' lists the pins")
    return DONE


@end_on_interrupt()
def run_pins(words: Sequence[str]) -> int:
    """Run ``pins`` with its arguments and return the exit status."""
    options = list_parser("pins", "List the pins of a root.", _PINS).parse_command(words)
    snapshot = read_root(find_root(options.root))
    unread = [part.pins.unread for part in snapshot.language_parts if part.pins.unread]
    items = pinned_items(snapshot)
    print_records(options, snapshot, items, unread, key="pins", nothing="Nothing is pinned")
    for problem in unread:
        print_message(f"{problem}. Nothing can be purged before you repair or remove it")
    return REFUSED if unread else DONE


def _tasks(number: int) -> str:
    return "task" if number == 1 else pluralize(number, "task")
