"""Filters under names of their own: ``filters.toml`` in the user's config folder.

A table a filter, written by the app or by hand::

    ["old failures"]
    status = ["failure", "cancelled"]
    finished_before = "9 days"
    in_bundle = ["sweep_*", "!sweep_09"]

One that can't be understood is a sentence, and the others hold. What the app changes in the file
leaves all else in it as it was, comments too.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

from hipercow_tui.domain.filters import FilterStack, FinishedBefore, InBundle, OfLang, WithStatus
from hipercow_tui.domain.task import Lang, Status
from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.settings.theme_store import config_folder, replace_file
from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.text import escape_controls

NAME_LIMIT = 60  # characters
_LIMIT = 1 << 20  # bytes
_HEAD = (
    "# Filters of hipercow-tui: ctrl+p calls one up, and so does 'hipercow-tui --filter NAME'.\n"
)
_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
_KEYS = "status, finished_before, in_bundle or lang"

_Table: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """What a filter stack means at any time: a relative age stays relative, and marks are left
    out. What is empty or None is not given. Statuses follow retries (SPEC section 4, rule 6)."""

    status: frozenset[Status] = frozenset()
    finished_before: str | None = None
    in_bundle: tuple[str, ...] = ()
    lang: Lang | None = None

    @classmethod
    def of(cls, stack: FilterStack) -> SavedFilter:
        """That of a stack."""
        return cls(
            stack.with_status.statuses if stack.with_status else frozenset(),
            stack.finished_before.text if stack.finished_before else None,
            stack.in_bundle.patterns if stack.in_bundle else (),
            stack.lang.lang if stack.lang else None,
        )

    def stack(self, now: float) -> FilterStack:
        """The filters as of ``now``, in seconds since the epoch."""
        text = self.finished_before
        return FilterStack(
            finished_before=None if text is None else FinishedBefore.of(text, now),
            in_bundle=InBundle.of(self.in_bundle) if self.in_bundle else None,
            with_status=WithStatus(self.status) if self.status else None,
            lang=OfLang(self.lang) if self.lang else None,
        )

    @property
    def given(self) -> bool:
        """Whether there is any filter in it."""
        return self != SavedFilter()

    def __str__(self) -> str:
        return str(self.stack(0.0))


@dataclass(frozen=True, slots=True)
class SavedFilters:
    """What a file says: ``filters`` by name, ``problems`` by the name of what can't be understood;
    ``file_error`` is why nothing of it can be read, if so."""

    filters: Mapping[str, SavedFilter] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    file_error: str = ""


@dataclass(frozen=True, slots=True)
class FilterFile:
    """The file of saved filters, whether there is one yet or not."""

    path: Path

    @classmethod
    def of_user(cls) -> FilterFile:
        """The one in the user's config folder. Raises FilterError where there is no such folder."""
        try:
            return cls(config_folder() / "filters.toml")
        except RuntimeError:
            raise FilterError(
                "There is no folder for saved filters: set HOME or XDG_CONFIG_HOME"
            ) from None

    def read(self) -> SavedFilters:
        """What stands in it; raises nothing."""
        try:
            document = self._document(self._text())
        except FilterError as error:
            return SavedFilters(file_error=str(error))
        filters, problems = {}, {}
        for name, table in document.items():
            try:
                check_name(name)
                filters[name] = _understood(table)
            except FilterError as error:
                problems[name] = f"{self}, filter '{escape_controls(name)}': {error}"
        return SavedFilters(filters, problems)

    def get(self, name: str) -> SavedFilter:
        """The filter of that name. Raises FilterError where there is none, or a wrong one."""
        saved = self.read()
        if name in saved.filters:
            return saved.filters[name]
        wrong = saved.problems.get(name) or saved.file_error
        if wrong:
            raise FilterError(wrong)
        near = difflib.get_close_matches(name, saved.filters, n=1)
        known = near or list(saved.filters)[:5]
        there = f"there is {', '.join(map(repr, known))}" if known else "f in the app saves one"
        raise FilterError(f"No filter '{escape_controls(name)}' in {self}: {there}")

    def save(self, name: str, saved: SavedFilter) -> None:
        """Write it under this name, in place of what had it. Raises FilterError."""
        check_name(name)
        text = self._text()
        document = self._document(text)
        table = _table(saved)
        before = _without(text, name).rstrip("\n") or _HEAD.rstrip("\n")
        lines = [f"{key} = {_written(value)}\n" for key, value in table.items()]
        wanted = {**document, name: table}
        self._change(f"{before}\n\n[{_key(name)}]\n{''.join(lines)}", wanted)

    def forget(self, name: str) -> None:
        """Take out what has this name. Raises FilterError."""
        text = self._text()
        document = self._document(text)
        document.pop(name, None)
        self._change(_without(text, name), document)

    def __str__(self) -> str:
        return escape_controls(str(self.path))

    def _text(self) -> str:
        try:
            # A link is the user's own, to where such files are kept together.
            return read_file(os.path.realpath(self.path), limit=_LIMIT).decode()
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError:
            raise FilterError(f"{self} is not in UTF-8: save it so, or remove it") from None
        except OSError as error:
            raise FilterError(f"{self} can't be read: {error.strerror}") from None

    def _document(self, text: str) -> _Table:
        try:
            return tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise FilterError(
                f"{self} is no TOML: {escape_controls(str(error))}: mend it, or remove it"
            ) from None

    def _change(self, text: str, wanted: _Table) -> None:
        """Write a text that was put together line by line, if it says just what it should."""
        try:
            if tomllib.loads(text) != wanted:
                raise ValueError
            raw = text.encode()
        except ValueError:
            raise FilterError(f"{self} can't be changed safely: do it by hand") from None
        try:
            replace_file(self.path, raw)
        except OSError as error:
            raise FilterError(f"{self} can't be written: {error.strerror}") from None


def check_name(name: str) -> None:
    """Raises FilterError if nothing can have this name."""
    if not name.strip():
        raise FilterError("A filter needs a name")
    if escape_controls(name) != name or not name.isprintable():
        raise FilterError("A name is one line of letters that can be seen")
    if len(name) > NAME_LIMIT:
        raise FilterError(f"A name has at most {NAME_LIMIT} letters")


# From TOML


def _understood(table: object) -> SavedFilter:
    if not isinstance(table, dict):
        raise FilterError("it is no table: put a line [NAME] above its filters")
    unknown = [key for key in table if key not in _READERS]
    if unknown:
        raise FilterError(f"'{escape_controls(unknown[0])}' is no filter: use {_KEYS}")
    if not table:
        raise FilterError(f"it has no filters: give it {_KEYS}, or remove it")
    return SavedFilter(**{key: _READERS[key](value) for key, value in table.items()})


def _words(key: str, value: object) -> tuple[str, ...]:
    words = value if isinstance(value, list) else [value]
    if not words or not all(isinstance(word, str) and word.strip() for word in words):
        raise FilterError(f'{key} is a word or a list of words, such as ["{_SUCH[key]}"]')
    return tuple(words)


_SUCH = {"status": "failure", "in_bundle": "sweep_*"}


def _status(value: object) -> frozenset[Status]:
    return WithStatus.for_list(_words("status", value)).statuses


def _in_bundle(value: object) -> tuple[str, ...]:
    return InBundle.of(_words("in_bundle", value)).patterns


def _finished_before(value: object) -> str:
    if not isinstance(value, str | date):  # TOML has dates too
        raise FilterError('finished_before is a text, such as "9 days"')
    text = " ".join(str(value).split())
    FinishedBefore.of(text, 0.0)
    return text


def _lang(value: object) -> Lang:
    for lang in Lang:
        if value == lang:
            return lang
    raise FilterError('lang is "r" or "py"')


_READERS: Mapping[str, Callable[[object], Any]] = {
    "status": _status,
    "finished_before": _finished_before,
    "in_bundle": _in_bundle,
    "lang": _lang,
}


# To TOML


def _table(saved: SavedFilter) -> _Table:
    every = {
        "status": [status.value for status in Status if status in saved.status],
        "finished_before": saved.finished_before,
        "in_bundle": list(saved.in_bundle),
        "lang": saved.lang and saved.lang.value,
    }
    return {key: value for key, value in every.items() if value}


def _written(value: str | list[str]) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    # What JSON escapes, TOML writes alike; of what TOML forbids only DEL is left.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if _BARE.match(name) else _written(name)


def _without(text: str, name: str) -> str:
    """The text without the table of that name; comments above the next one stay."""
    return "\n".join(_other_lines(text.split("\n"), name))


def _other_lines(lines: list[str], name: str) -> Iterator[str]:
    dropping = False
    below: list[str] = []  # blank lines and comments since the last line that was dropped
    for line in lines:
        header = _header(line)
        if header is not None:
            dropping = header == name
        if dropping and line.strip() and not line.lstrip().startswith("#"):
            below.clear()
        elif dropping:
            below.append(line)
        else:
            yield from below
            below.clear()
            yield line
    yield from below


def _header(line: str) -> str | None:
    """The name in a line ``[name]``."""
    if not line.lstrip().startswith("["):
        return None
    try:
        return next(iter(tomllib.loads(line)), None)
    except tomllib.TOMLDecodeError:
        return None
