"""The commands ``note`` and ``notes``: a line of text on chains and bundles, for all users."""

from __future__ import annotations

import time
from collections.abc import Sequence

from hipercow_tui.cli.record_options import (
    list_parser,
    print_records,
    read_target_root,
    target_parser,
)
from hipercow_tui.domain.record_requests import (
    named_targets,
    note_targets,
    noted_items,
    notes_to_remove,
)
from hipercow_tui.formats.root import find_root
from hipercow_tui.purging.record_files import write_note
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support.exit_codes import DONE, REFUSED
from hipercow_tui.support.signals import end_on_interrupt
from hipercow_tui.support.streams import print_message, print_output
from hipercow_tui.support.text import escape_controls

_NOTE = """
All users of the root see the note, in the app, in 'hipercow-tui list' and in 'hipercow-tui notes'.
It has no effect on a purge, and stays when its chain or bundle is purged. A new text replaces the
note, and an empty one removes it, also where the chain or bundle does not exist any more.

examples:
  hipercow-tui note --bundle sweep_01 --text 'wrong population sizes'
  hipercow-tui note ~/project --task-id 5d5f8875c27aa1bf6be6fa469682930c --text ''
"""
_NOTES = """
Each line is a note: its chain or bundle, the number of tasks, the text, the user, machine and time.
'gone' is a chain or bundle that does not exist any more: 'hipercow-tui note' with an empty text
removes its note.
"""


@end_on_interrupt()
def run_note(words: Sequence[str]) -> int:
    """Run ``note`` with its arguments and return the exit status."""
    parser = target_parser("note", "Write a note on retry chains and bundles.", _NOTE)
    parser.add_argument(
        "--text", metavar="TEXT", required=True, help="the note; an empty text removes it"
    )
    options = parser.parse_command(words)
    root, snapshot = read_target_root(options)
    if options.text.strip():
        targets = named_targets(snapshot, options.task_id, options.bundle)
        for target in note_targets(snapshot, targets):
            note = write_note(root, target, options.text)
            print_output([f"Noted on {target}: {escape_controls(note.note if note else '')}"])
        return DONE
    notes, now = notes_to_remove(snapshot, options.task_id, options.bundle), time.time()
    for note in notes:
        write_note(root, note.target, "")
        print_output([f"Removed from {note.target}: {note.text(now)}"])
    if not notes:
        print_message("there is no note on any of this: 'hipercow-tui notes' lists the notes")
    return DONE


@end_on_interrupt()
def run_notes(words: Sequence[str]) -> int:
    """Run ``notes`` with its arguments and return the exit status."""
    options = list_parser("notes", "List the notes of a root.", _NOTES).parse_command(words)
    snapshot = read_root(find_root(options.root))
    unread = [part.notes.unread for part in snapshot.language_parts if part.notes.unread]
    items = noted_items(snapshot)
    print_records(options, snapshot, items, unread, key="notes", nothing="There are no notes")
    for problem in unread:
        print_message(problem)
    return REFUSED if unread else DONE
