"""Saved filters: ``filters.toml`` in the user's config folder.

The file has one table for each saved filter, written by the app or by hand::

    ["old failures"]
    status = ["failure", "cancelled"]
    finished_before = "9 days"
    in_bundle = ["sweep_*", "!sweep_09"]

An invalid table gives a message; the others work. A change by the app keeps the order, the comments
and the layout of everything else.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from hipercow_tui.domain.filters import FilterStack, FinishedBefore, InBundle, OfLang, WithStatus
from hipercow_tui.domain.task import Lang, Status
from hipercow_tui.settings.config_file import ConfigFile
from hipercow_tui.support.errors import FilterError, os_error_text
from hipercow_tui.support.text import escape_controls

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import InlineTable, Item, Key, Table

NAME_LIMIT = 60  # characters
_FIRST_LINE = "# Filters of hipercow-tui: select one with ctrl+p or 'hipercow-tui --filter NAME'.\n"
_KEYS = "status, finished_before, in_bundle or lang"

_Table: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """The filters of a stack in a form that holds at any time: an age stays relative.

    Marks are not saved. An empty or None field is not a filter. ``status`` always follows retries
    (docs/spec.md, rule 6).
    """

    status: frozenset[Status] = frozenset()
    finished_before: str | None = None
    in_bundle: tuple[str, ...] = ()
    lang: Lang | None = None

    @classmethod
    def of(cls, stack: FilterStack) -> SavedFilter:
        """Return the filters of a stack, without its marks."""
        return cls(
            stack.with_status.statuses if stack.with_status else frozenset(),
            stack.finished_before.text if stack.finished_before else None,
            stack.in_bundle.patterns if stack.in_bundle else (),
            stack.lang.lang if stack.lang else None,
        )

    def stack(self, now: float) -> FilterStack:
        """Return the filters as a stack; ``now`` is in seconds since the epoch."""
        text = self.finished_before
        return FilterStack(
            finished_before=None if text is None else FinishedBefore.of(text, now),
            in_bundle=InBundle.of(self.in_bundle) if self.in_bundle else None,
            with_status=WithStatus(self.status) if self.status else None,
            lang=OfLang(self.lang) if self.lang else None,
        )

    @property
    def given(self) -> bool:
        """Whether at least one filter is set."""
        return self != SavedFilter()

    def __str__(self) -> str:
        return str(self.stack(0.0))


@dataclass(frozen=True, slots=True)
class SavedFilters:
    """The content of the file.

    ``filters`` are by name, ``problems`` are sentences by the name of an invalid filter.
    ``file_error`` says why the whole file can't be read, or is empty.
    """

    filters: Mapping[str, SavedFilter] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    file_error: str = ""


class FilterFile(ConfigFile):
    """The file of saved filters."""

    __slots__ = ()
    NAME = "filters.toml"

    @classmethod
    def of_user(cls) -> Self:
        """Return the file in the user's config folder. Raises FilterError if there is no such
        folder."""
        file = super().of_user()
        if file is None:
            raise FilterError("There is no folder for saved filters: set HOME or XDG_CONFIG_HOME")
        return file

    def read(self) -> SavedFilters:
        """Read the file; errors are part of the result."""
        try:
            document = self._parse(self._text())
        except FilterError as error:
            return SavedFilters(file_error=str(error))
        filters, problems = {}, {}
        for name, table in document.items():
            try:
                check_name(name)
                filters[name] = _from_table(table)
            except FilterError as error:
                problems[name] = f"{self}, filter '{escape_controls(name)}': {error}"
        return SavedFilters(filters, problems)

    def get(self, name: str) -> SavedFilter:
        """Return the filter of that name. Raises FilterError if there is none or it is invalid."""
        saved = self.read()
        if name in saved.filters:
            return saved.filters[name]
        problem = saved.problems.get(name) or saved.file_error
        if problem:
            raise FilterError(problem)
        near = difflib.get_close_matches(name, saved.filters, n=1)
        known = near or list(saved.filters)[:5]
        there = f"there is {', '.join(map(repr, known))}" if known else "f in the app saves one"
        raise FilterError(f"No filter '{escape_controls(name)}' in {self}: {there}")

    def save(self, name: str, saved: SavedFilter) -> None:
        """Save a filter under a name, in place of the one that has it. Raises FilterError."""
        check_name(name)
        text, table = self._text(), _to_table(saved)
        tables = self._parse(text) | {name: table}
        self._change(text, tables, lambda document: _set(document, name, table))

    def forget(self, name: str) -> None:
        """Remove the filter of that name. Raises FilterError."""
        text = self._text()
        tables = self._parse(text)
        if tables.pop(name, None) is not None:
            self._change(text, tables, lambda document: _remove(document, name))

    def _text(self) -> str:
        try:
            return self.read_text()
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError:
            raise FilterError(f"{self} is not in UTF-8: save it so, or remove it") from None
        except OSError as error:
            raise FilterError(f"{self} can't be read: {os_error_text(error)}") from None

    def _parse(self, text: str) -> _Table:
        try:
            return tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise FilterError(
                f"{self} is not valid TOML: {escape_controls(str(error))}: correct it, or remove it"
            ) from None

    def _change(self, text: str, tables: _Table, change: Callable[[TOMLDocument], None]) -> None:
        """Change the text of the file, and write it if it then has exactly these tables."""
        import tomlkit  # imported late: reading does not need it

        try:
            document = tomlkit.parse(text or _FIRST_LINE)
            change(document)
            changed = tomlkit.dumps(document)
            if tomllib.loads(changed) != tables:
                raise ValueError
        except (ValueError, LookupError, TypeError):  # tomlkit's errors are ValueErrors
            raise FilterError(f"{self} can't be changed safely: edit it yourself") from None
        try:
            self.write_text(changed)
        except OSError as error:
            raise FilterError(f"{self} can't be written: {os_error_text(error)}") from None


def check_name(name: str) -> None:
    """Raise FilterError if a filter can't have this name."""
    if not name.strip():
        raise FilterError("A filter needs a name")
    if escape_controls(name) != name or not name.isprintable():
        raise FilterError("The name of a filter is one line of visible characters")
    if len(name) > NAME_LIMIT:
        raise FilterError(f"The name of a filter has at most {NAME_LIMIT} characters")


# From TOML


def _from_table(table: object) -> SavedFilter:
    if not isinstance(table, dict):
        raise FilterError("it is not a table: put a line [NAME] above its filters")
    unknown = [key for key in table if key not in _READERS]
    if unknown:
        raise FilterError(f"'{escape_controls(unknown[0])}' is not a filter: use {_KEYS}")
    if not table:
        raise FilterError(f"it has no filters: give it {_KEYS}, or remove it")
    return SavedFilter(**{key: _READERS[key](value) for key, value in table.items()})


def _strings(key: str, value: object) -> tuple[str, ...]:
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        raise FilterError(f'{key} takes a text or a list of texts, such as ["{_EXAMPLES[key]}"]')
    return tuple(texts)


_EXAMPLES = {"status": "failure", "in_bundle": "sweep_*"}


def _status(value: object) -> frozenset[Status]:
    return WithStatus.for_list(_strings("status", value)).statuses


def _in_bundle(value: object) -> tuple[str, ...]:
    return InBundle.of(_strings("in_bundle", value)).patterns


def _finished_before(value: object) -> str:
    if not isinstance(value, str | date):  # TOML has dates
        raise FilterError('finished_before takes a text, such as "9 days"')
    text = " ".join(str(value).split())
    FinishedBefore.of(text, 0.0)
    return text


def _lang(value: object) -> Lang:
    for lang in Lang:
        if value == lang:
            return lang
    raise FilterError('lang takes "r" or "py"')


_READERS: Mapping[str, Callable[[object], Any]] = {
    "status": _status,
    "finished_before": _finished_before,
    "in_bundle": _in_bundle,
    "lang": _lang,
}


# To TOML


def _to_table(saved: SavedFilter) -> _Table:
    every = {
        "status": [status.value for status in Status if status in saved.status],
        "finished_before": saved.finished_before,
        "in_bundle": list(saved.in_bundle),
        "lang": saved.lang and saved.lang.value,
    }
    return {key: value for key, value in every.items() if value}


def _set(document: TOMLDocument, name: str, values: _Table) -> None:
    """Set the table of that name; an existing one keeps its place and comments."""
    from tomlkit.items import InlineTable, Table

    table = document.get(name)
    if not isinstance(table, Table | InlineTable):
        document[name] = values
        return
    comments = _cut_comments(table)
    for key in [key for key in table if key not in values]:
        table.remove(key)
    table.update(values)
    table.value.body.extend(comments)


def _remove(document: TOMLDocument, name: str) -> None:
    """Remove the table of that name, but not the comments above the next table."""
    from tomlkit.items import Table, Whitespace

    table = document[name]
    comments = _cut_comments(table) if isinstance(table, Table) else []
    place = [key and key.key for key, _ in document.body].index(name)
    document.remove(name)
    text = "".join(item.as_string() for _, item in comments)
    document.body[place] = (None, Whitespace(text if text.strip() else ""))


def _cut_comments(table: Table | InlineTable) -> list[tuple[Key | None, Item]]:
    """Remove the comments and empty lines at the end of a table, and return them: to a reader
    they belong to what follows."""
    body = table.value.body
    end = len(body)
    while end and body[end - 1][0] is None:
        end -= 1
    cut = body[end:]
    del body[end:]
    return cut
