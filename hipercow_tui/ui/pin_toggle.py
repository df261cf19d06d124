"""The key that pins and unpins, on the main screen and in the plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from textual.markup import escape
from textual.screen import Screen

from hipercow_tui.domain.pin_requests import pins_on
from hipercow_tui.domain.pins import Pin, PinKind, PinTarget
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.formats.root import Root
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import escape_controls, pluralize, short_id
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.messages import WorkerFailed
from hipercow_tui.ui.workers.base import start_thread

READ_ONLY = "Started with --read-only: pins can be viewed but not changed"
NOTHING_HERE = "Go to a task or a bundle to pin it"


class PinToggle:
    """Pins chains and bundles after a question for a note, or removes their pins.

    The files are changed in a thread. ``changed`` is called in the UI thread after a change.
    """

    def __init__(
        self,
        screen: Screen[Any],
        root: Root,
        changed: Callable[[], object],
        *,
        read_only: bool,
        clock: Callable[[], float],
    ) -> None:
        self._screen = screen
        self._root = root
        self._changed = changed
        self._read_only = read_only
        self._clock = clock

    def toggle(self, targets: Sequence[PinTarget], snapshot: Snapshot) -> None:
        """Pin those of the targets that no pin holds; if there are none, unpin all of them."""
        if self._read_only:
            self._notify(READ_ONLY, "warning")
            return
        free = [one for one in targets if _holder(one, snapshot) is None]
        pins = pins_on(snapshot, targets)
        if free:
            self._pin(free)
        elif pins:
            self._run(partial(self._remove, pins))
        elif targets:
            held = _holder(targets[0], snapshot)
            name = held.target if held else ""
            remedy = with_keys("go to the bundle (<switch=b>) to unpin it")
            self._notify(f"The pin of {name} holds this: {remedy}")
        else:
            self._notify(NOTHING_HERE)

    def _pin(self, targets: Sequence[PinTarget]) -> None:
        from hipercow_tui.ui.dialogs.pin_note import PinNoteScreen

        def answered(note: str | None) -> None:
            if note is not None:
                self._run(partial(self._add, targets, note))

        self._screen.app.push_screen(PinNoteScreen(escape(label(targets))), answered)

    def _add(self, targets: Sequence[PinTarget], note: str) -> str:
        from hipercow_tui.purging.record_files import add_pin

        for target in targets:
            add_pin(self._root, target, note)
        return f"Pinned {label(targets)}: " + with_keys("<pin=P> on it removes the pin")

    def _remove(self, pins: Sequence[Pin]) -> str:
        from hipercow_tui.purging.record_files import remove_pin

        for pin in pins:
            remove_pin(self._root, pin.target)
        done = f"Unpinned {label([pin.target for pin in pins])}"
        return f"{done}, which was {pins[0].text(self._clock())}" if len(pins) == 1 else done

    def _run(self, change: Callable[[], str]) -> None:
        """Run a change of files in a thread, then say what it did."""

        def work() -> None:
            try:
                done, severity = change(), "information"
            except PurgeError as error:
                done, severity = str(error), "error"
            self._screen.call_later(self._ended, done, severity)

        start_thread(work, lambda error: self._screen.app.post_message(WorkerFailed(error)))

    def _ended(self, done: str, severity: Any) -> None:
        self._notify(done, severity)
        self._changed()

    def _notify(self, text: str, severity: Any = "information") -> None:
        self._screen.notify(text, severity=severity, markup=False)


def _holder(target: PinTarget, snapshot: Snapshot) -> Pin | None:
    """Return a pin that holds a chain or a bundle."""
    if target.kind is PinKind.BUNDLE:
        return snapshot.pin_of.get(target)
    return snapshot.of_lang(target.lang).held.get(target.name)


def label(targets: Sequence[PinTarget]) -> str:
    """Return ``chain 3f2a9c…71e0``, ``bundle sweep_01`` or ``3 chains and 1 bundle``."""
    if len(targets) == 1:
        (one,) = targets
        is_chain = one.kind is PinKind.CHAIN
        return f"{one.kind} {short_id(one.name) if is_chain else escape_controls(one.name)}"
    counts = [(kind, sum(1 for one in targets if one.kind is kind)) for kind in PinKind]
    return " and ".join(pluralize(number, kind) for kind, number in counts if number)
