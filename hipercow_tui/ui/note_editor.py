"""The key that writes a note on chains and bundles, or removes it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual.markup import escape

from hipercow_tui.domain.record_requests import note_targets, notes_on
from hipercow_tui.domain.records import RecordTarget
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.record_changes import RecordChanges, label

READ_ONLY = "Started with --read-only: notes can be viewed but not changed"
NOTHING_HERE = "Go to a task or a bundle to write a note on it"


class NoteEditor(RecordChanges):
    """Asks for a note, with the present one to edit; an empty note is removed."""

    def edit(self, targets: Sequence[RecordTarget], snapshot: Snapshot) -> None:
        """Ask for one note on all of the targets."""
        from hipercow_tui.ui.dialogs.note import NoteScreen

        if self.read_only:
            self.notify(READ_ONLY, "warning")
            return
        if not targets:
            self.notify(NOTHING_HERE)
            return
        notes = notes_on(snapshot, targets)
        texts = {note.note for note in notes}
        same = texts.pop() if len(texts) == 1 else ""
        own = note_targets(snapshot, targets)
        # Two notes of a chain that were written at once: one is replaced, and the others removed.
        others = [note.target for note in notes if note.target not in own]

        def answered(text: str | None) -> None:
            if text is not None and (text or notes):
                self.run(partial(self._write, own, others, text))

        replaced = len(notes) if notes and not same else 0
        self.screen.app.push_screen(NoteScreen(escape(label(own)), same, replaced), answered)

    def _write(
        self, targets: Sequence[RecordTarget], others: Sequence[RecordTarget], text: str
    ) -> str:
        from hipercow_tui.purging.record_files import write_note

        for target in targets:
            write_note(self.root, target, text)
        for target in others:
            write_note(self.root, target, "")
        if not text:
            return f"Removed the note on {label(targets)}"
        return f"Noted on {label(targets)}: " + with_keys("<note=A> on it changes the note")
