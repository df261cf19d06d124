"""The names of keys: in the user's file of keys, in Textual, and on the screen."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from textual.binding import Binding
from textual.keys import (
    KEY_NAME_REPLACEMENTS,
    REPLACED_KEYS,
    Keys,
    format_key,
    key_to_character,
)

_MODIFIERS = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
_NAMED = frozenset(key.value for key in Keys if "+" not in key.value and "<" not in key.value)


def textual_key(name: str) -> str | None:
    """Return Textual's name of a key such as ``p``, ``]``, ``ctrl+x`` or ``pagedown``; None if
    there is no such key."""
    if len(name) == 1:
        return _name_of_character(name)
    *modifiers, last = name.split("+")
    if not _MODIFIERS.issuperset(modifiers) or len(modifiers) != len(set(modifiers)):
        return None
    if len(last) == 1:
        key = _name_of_character(last)
    else:
        is_known = last in _NAMED or last in REPLACED_KEYS or key_to_character(last) is not None
        key = last if is_known else None
    return None if key is None else "+".join((*modifiers, key))


def _name_of_character(character: str) -> str | None:
    if character.isalnum():
        return character
    if not character.isprintable():
        return None
    name = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name) or None


def character_of(key: str) -> str | None:
    """Return the character that a key types, None if it types none.

    Textual's ``key_to_character`` does not know ``slash`` and other keys that it renames.
    """
    character = key_to_character(REPLACED_KEYS.get(key, key))
    return character if character is not None and character.isprintable() else None


def user_key(key: str) -> str:
    """Return a key as a user writes it: ``]`` and not ``right_square_bracket``."""
    *modifiers, last = key.split("+")
    character = character_of(last)
    return "+".join((*modifiers, last if character in (None, " ") else character or last))


def keys_of(binding: Binding, keymap: Mapping[str, str]) -> tuple[str, ...]:
    """Return the keys of a binding in Textual's names, as the user chose them."""
    chosen = keymap.get(binding.id or "", binding.key)
    return tuple(filter(None, (textual_key(key.strip()) for key in chosen.split(","))))


def shown_keys(binding: Binding, keymap: Mapping[str, str]) -> str:
    """Return the keys of a binding for people: ``j ↓``."""
    if binding.key_display and binding.id not in keymap:
        return binding.key_display
    return " ".join(map(format_key, keys_of(binding, keymap)))
