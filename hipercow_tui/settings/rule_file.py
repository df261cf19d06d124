"""The user's own groups of errors: ``errors.toml`` in the config folder, written by hand::

    [[rule]]
    pattern = "cannot allocate|std::bad_alloc|^Killed"
    name = "out of memory"

A pattern is a regular expression of Python. It is searched in the message of a failure, and the
first rule that matches names the group. A rule that can't be used gives a message; the others work.
"""

from __future__ import annotations

import re
import tomllib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from hipercow_tui.domain.error_rules import ErrorRule
from hipercow_tui.settings.config_file import ConfigFile
from hipercow_tui.support.errors import FilterError, os_error_text
from hipercow_tui.support.text import escape_controls

MAX_RULES = 100
NAME_LIMIT = 60  # characters
PATTERN_LIMIT = 1000  # characters
_EXAMPLE = 'pattern = "cannot allocate" and name = "out of memory"'


@dataclass(frozen=True, slots=True)
class ErrorRules:
    """The content of the file: the rules in their order, and sentences on what can't be used."""

    rules: tuple[ErrorRule, ...] = ()
    problems: tuple[str, ...] = ()


class RuleFile(ConfigFile):
    """The file of the rules."""

    __slots__ = ()
    NAME = "errors.toml"

    def read(self) -> ErrorRules:
        """Read the file; errors are part of the result."""
        try:
            document = tomllib.loads(self.read_text())
        except FileNotFoundError:
            return ErrorRules()
        except UnicodeDecodeError:
            return ErrorRules(problems=(f"{self} is not in UTF-8: save it so, or remove it",))
        except OSError as error:
            return ErrorRules(problems=(f"{self} can't be read: {os_error_text(error)}",))
        except (ValueError, RecursionError) as error:
            reason = escape_controls(str(error))
            return ErrorRules(problems=(f"{self} is not valid TOML: {reason}: correct it",))
        rules, problems = [], []
        for found in self._rules(document):
            if isinstance(found, ErrorRule):
                rules.append(found)
            else:
                problems.append(found)
        return ErrorRules(tuple(rules), tuple(problems))

    def _rules(self, document: dict[str, object]) -> Iterator[ErrorRule | str]:
        """Yield each rule, or a sentence on why it can't be used."""
        for key in document.keys() - {"rule"}:
            yield f"{self}: '{escape_controls(key)}' is not known: a rule begins with [[rule]]"
        tables = document.get("rule", [])
        if not isinstance(tables, list):
            yield f"{self}: a rule begins with [[rule]], in double brackets"
            return
        for number, table in enumerate(tables[:MAX_RULES], 1):
            place = f"{self}, rule {number}"
            try:
                yield _parse_rule(table, place)
            except FilterError as error:
                yield f"{place}: {error}"
        if len(tables) > MAX_RULES:
            yield f"{self}: only the first {MAX_RULES} of {len(tables):,} rules are used"


def _parse_rule(table: object, place: str) -> ErrorRule:
    """Return the rule in a table. Raises FilterError."""
    if not isinstance(table, dict):
        raise FilterError(f"it is not a table: write [[rule]], and below it {_EXAMPLE}")
    unknown = [key for key in table if key not in ("pattern", "name")]
    if unknown:
        raise FilterError(f"'{escape_controls(unknown[0])}' is not known: write {_EXAMPLE}")
    pattern, name = table.get("pattern"), table.get("name")
    if not (isinstance(pattern, str) and pattern and isinstance(name, str) and name.strip()):
        raise FilterError(f"it needs a pattern and a name, such as {_EXAMPLE}")
    if len(name) > NAME_LIMIT or not name.isprintable():
        raise FilterError(f"its name must be one line of at most {NAME_LIMIT} visible characters")
    if len(pattern) > PATTERN_LIMIT:
        raise FilterError(f"its pattern must have at most {PATTERN_LIMIT:,} characters")
    _check_pattern(pattern)
    return ErrorRule(pattern, name.strip(), place)


def _check_pattern(pattern: str) -> None:
    """Raise FilterError if a text is not a regular expression."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of expressions that may change their meaning
            re.compile(pattern)
    except re.error as error:
        where = "" if error.colno is None else f" at character {error.colno:,}"
        raise FilterError(
            f"its pattern is not a regular expression: {escape_controls(error.msg)}{where}."
            " A backslash before a character such as ( or [ takes it literally"
        ) from None
    except (OverflowError, RecursionError, MemoryError):
        raise FilterError("its pattern is too large: make its repetitions smaller") from None
