"""Shell globs of the filter ``in_bundle`` (docs/spec.md, section 4, rule 4), matched by wcmatch.

Importing wcmatch takes 6 ms, so this module is imported only when a glob is given.
"""

from __future__ import annotations

import re
import sys
import unicodedata
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from wcmatch import fnmatch

from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.text import escape_controls

# Patterns. {1..9999}{1..9999} would expand to millions; a glob that expands to more is refused.
BRACE_LIMIT = 1000
# macOS can list a name in another form than the one that a keyboard gives: an accent apart from its
# letter. There, names that differ only by that are the same.
_COMPOSES_NAMES = sys.platform == "darwin"
_GLOB = fnmatch.CASE | fnmatch.FORCEUNIX | fnmatch.BRACE | fnmatch.DOTMATCH


@dataclass(frozen=True, slots=True)
class Globs:
    """Several globs as one set of names: included by some glob, and excluded by none."""

    _matcher: fnmatch.WcMatcher[str]

    @classmethod
    def of(cls, globs: Sequence[str]) -> Globs:
        """Compile globs; one that begins with ``!`` excludes.

        Raises FilterError if a bracket is not closed, if braces expand to more than BRACE_LIMIT
        patterns, or if all globs exclude.
        """
        for glob in globs:
            _check_brackets_closed(glob)
        globs = [*map(_composed, globs)]
        includes = [glob for glob in globs if not glob.startswith("!")]
        excludes = [glob[1:] for glob in globs if glob.startswith("!")]
        if not includes:
            shown = escape_controls(" ".join(globs))
            raise FilterError(f"'{shown}' only excludes: add a pattern that includes, such as '*'")
        return cls(_compile(includes, excludes))

    def match(self, name: str) -> bool:
        """Return whether the name is in the set; case matters."""
        return self._matcher.match(_composed(name))


def escape_glob(name: str) -> str:
    """Return the glob that matches this name and no other."""
    glob = re.sub(r"[\\*?\[\]{}]", r"\\\g<0>", name)
    return f"\\{glob}" if glob.startswith("!") else glob


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text) if _COMPOSES_NAMES else text


def _check_brackets_closed(glob: str) -> None:
    """Raise FilterError if a ``{`` or ``[`` is not closed: the glob is still being typed."""
    bare = re.sub(r"\\.", "", glob)
    bare = re.sub(r"\[[!^]?\]?[^]]*\]", "", bare)
    for opening, closing in ("{}", "[]"):
        if bare.count(opening) > bare.count(closing):
            raise FilterError(f"'{escape_controls(glob)}' has a {opening} that is not closed")


def _compile(includes: Sequence[str], excludes: Sequence[str]) -> fnmatch.WcMatcher[str]:
    shown = escape_controls(" ".join([*includes, *(f"!{glob}" for glob in excludes)]))
    try:
        with warnings.catch_warnings():
            # For a class such as [[a], re warns on the terminal that its meaning may change.
            warnings.simplefilter("ignore", FutureWarning)
            return fnmatch.compile(
                includes, flags=_GLOB, limit=BRACE_LIMIT, exclude=excludes or None
            )
    except (ValueError, RecursionError, re.error, OverflowError) as error:
        raise FilterError(
            f"'{shown}' is not a valid pattern: {escape_controls(str(error))}"
        ) from None
    except Exception as error:  # wcmatch does not export the class of this exception
        if "Limit" not in type(error).__name__:
            raise
        raise FilterError(
            f"'{shown}' expands to more than {BRACE_LIMIT:,} patterns: use * instead"
        ) from None
