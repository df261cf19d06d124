"""The key that pins and unpins, on the main screen and in the plan."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual.markup import escape

from hipercow_tui.domain.pins import Pin
from hipercow_tui.domain.record_requests import pins_on
from hipercow_tui.domain.records import RecordTarget, TargetKind
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.record_changes import RecordChanges, label

READ_ONLY = "Started with --read-only: pins can be viewed but not changed"
NOTHING_HERE = "Go to a task or a bundle to pin it"


class PinToggle(RecordChanges):
    """Pins chains and bundles after a question for a note, or removes their pins."""

    def toggle(self, targets: Sequence[RecordTarget], snapshot: Snapshot) -> None:
        """Pin those of the targets that no pin holds; if there are none, unpin all of them."""
        if self.read_only:
            self.notify(READ_ONLY, "warning")
            return
        free = [one for one in targets if _holder(one, snapshot) is None]
        pins = pins_on(snapshot, targets)
        if free:
            self._pin(free)
        elif pins:
            self.run(partial(self._remove, pins))
        elif targets:
            held = _holder(targets[0], snapshot)
            name = held.target if held else ""
            remedy = with_keys("go to the bundle (<switch=b>) to unpin it")
            self.notify(f"The pin of {name} holds this: {remedy}")
        else:
            self.notify(NOTHING_HERE)

    def _pin(self, targets: Sequence[RecordTarget]) -> None:
        from hipercow_tui.ui.dialogs.pin_note import PinNoteScreen

        def answered(note: str | None) -> None:
            if note is not None:
                self.run(partial(self._add, targets, note))

        self.screen.app.push_screen(PinNoteScreen(escape(label(targets))), answered)

    def _add(self, targets: Sequence[RecordTarget], note: str) -> str:
        from hipercow_tui.purging.record_files import add_pin

        for target in targets:
            add_pin(self.root, target, note)
        return f"Pinned {label(targets)}: " + with_keys("<pin=P> on it removes the pin")

    def _remove(self, pins: Sequence[Pin]) -> str:
        from hipercow_tui.purging.record_files import remove_pin

        for pin in pins:
            remove_pin(self.root, pin.target)
        done = f"Unpinned {label([pin.target for pin in pins])}"
        return f"{done}, which was {pins[0].text(self.clock())}" if len(pins) == 1 else done


def _holder(target: RecordTarget, snapshot: Snapshot) -> Pin | None:
    """Return a pin that holds a chain or a bundle."""
    if target.kind is TargetKind.BUNDLE:
        return snapshot.pin_of.get(target)
    return snapshot.of_lang(target.lang).held.get(target.name)
