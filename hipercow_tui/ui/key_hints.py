"""The keys that sentences on the screen name: those that the user chose, or else the defaults.

A process shows one app, so its keys are kept here, for texts that are made without a widget.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from textual.keys import format_key

from hipercow_tui.ui.key_names import textual_key

_KEY = re.compile(r"<([a-z_]+(?:\.[a-z_]+)*)=([^<>]+)>")

_chosen: dict[str, str] = {}


def use_keys(keymap: Mapping[str, str]) -> None:
    """Name these keys, by id as in ``Keymap.keys``, instead of the defaults."""
    _chosen.clear()
    _chosen.update(keymap)


def with_keys(text: str) -> str:
    """Return a sentence with the present keys: ``<plan.skip=x>`` stands for the first key with the
    id ``plan.skip``, whose default is ``x``."""
    return _KEY.sub(lambda found: _key_of(found[1], found[2]), text)


def _key_of(name: str, default: str) -> str:
    chosen = _chosen.get(name)
    first = None if chosen is None else textual_key(chosen.split(",")[0].strip())
    return default if first is None else format_key(first)


def filter_keys() -> str:
    """Return the keys that set a filter: ``1 to 6, tab``."""
    return with_keys("<status_failure=1> to <status_running=6>, <pane=tab>")
