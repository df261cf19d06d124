"""Shell globs as ``in_bundle`` takes them (SPEC section 4, rule 4), by wcmatch: it takes 6 ms to
import, which nobody waits for who has typed none."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from wcmatch import fnmatch

from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.text import escape_controls

# A brace pattern such as {1..9999}{1..9999} may stand for millions; more than this is refused.
BRACE_LIMIT = 1000
_GLOB = fnmatch.CASE | fnmatch.FORCEUNIX | fnmatch.BRACE | fnmatch.DOTMATCH


@dataclass(frozen=True, slots=True)
class Globs:
    """Several globs that are one set: what some pattern takes and no exclusion drops."""

    _matcher: fnmatch.WcMatcher[str]

    @classmethod
    def of(cls, globs: Sequence[str]) -> Globs:
        """Raises FilterError for globs that are unfinished, explode by their braces, or are
        exclusions alone."""
        for glob in globs:
            _check_brackets_closed(glob)
        takes = [glob for glob in globs if not glob.startswith("!")]
        drops = [glob[1:] for glob in globs if glob.startswith("!")]
        if not takes:
            raise FilterError(
                f"'{escape_controls(' '.join(globs))}' only excludes: add what to take, such as '*'"
            )
        return cls(_compile(takes, drops))

    def match(self, name: str) -> bool:
        """Whether the name is in the set; case matters."""
        return self._matcher.match(name)


def _check_brackets_closed(glob: str) -> None:
    """A ``{`` or ``[`` that is still open is being typed, not meant."""
    bare = re.sub(r"\\.", "", glob)
    bare = re.sub(r"\[[!^]?\]?[^]]*\]", "", bare)
    for opening, closing in ("{}", "[]"):
        if bare.count(opening) > bare.count(closing):
            raise FilterError(f"'{escape_controls(glob)}' has a {opening} that is not closed")


def _compile(takes: Sequence[str], drops: Sequence[str]) -> fnmatch.WcMatcher[str]:
    shown = escape_controls(" ".join([*takes, *(f"!{drop}" for drop in drops)]))
    try:
        with warnings.catch_warnings():
            # A class such as [[a] makes re warn of what it may mean one day, on the terminal.
            warnings.simplefilter("ignore", FutureWarning)
            return fnmatch.compile(takes, flags=_GLOB, limit=BRACE_LIMIT, exclude=drops or None)
    except (ValueError, RecursionError, re.error, OverflowError) as error:
        raise FilterError(
            f"'{shown}' is no usable pattern: {escape_controls(str(error))}"
        ) from None
    except Exception as error:  # wcmatch keeps the name of its exception to itself
        if "Limit" not in type(error).__name__:
            raise
        raise FilterError(
            f"'{shown}' stands for more than {BRACE_LIMIT:,} patterns: use * instead"
        ) from None
