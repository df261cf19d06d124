"""Messages made alike across inputs: what differs between tasks of one cause becomes a placeholder.

``cannot open 'a.rds' at step 12`` and ``cannot open 'b.rds' at step 9`` are both
``cannot open '…' at step <n>``.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

_MAX_MESSAGE = 4000  # characters of a message that are looked at

_COLOURS = re.compile(r"\x1b\[[0-9;:]*[A-Za-z]")
# R quotes by ‘’ where the locale has them, else by ''.
_QUOTES = str.maketrans("‘’“”", "''\"\"")
_PLACEHOLDER = re.compile("<n>|<path>|<id>|<time>|'…'|\"…\"")

# A quote belongs to a word where letters touch it: `can't`. A name with digits is no number, but
# its digits are: `chain2` and `chain10` differ in a number only.
_LETTER = r"[^\W\d]"
_STEP = r"[\w@%+=~.-]"
_VALUE = re.compile(
    rf"""
      (?P<single> (?<!{_LETTER}) ' (?:[^'] | (?<={_LETTER})'(?={_LETTER}))*+ ' (?!{_LETTER}) )
    | (?P<double> "[^"]*" )
    | (?P<path>
          [A-Za-z][A-Za-z0-9+.-]*+ :// [^\s'"<>)\]]+
        | (?<!\w) (?: [A-Za-z]: [\\/] | \\\\ ) [^\s'"<>|,;()]+
        | (?<![\w.~]) ~?//? {_STEP}+ (?: /{_STEP}+ )+ /? (?<!\.)
        | (?<!{_STEP}) (?: {_STEP}++/ )+ {_STEP}* \.[A-Za-z]\w*
      )
    | (?P<id>
          0x[0-9a-fA-F]+
        | (?<![0-9A-Za-z]) [0-9a-f]{{8}} (?: -[0-9a-f]{{4}} ){{3}} -[0-9a-f]{{12}} (?![0-9A-Za-z])
        | (?<![0-9A-Za-z]) (?=[a-f]*\d) (?=\d*[a-f]) [0-9a-f]{{7,}}+ (?![0-9A-Za-z])
      )
    | (?P<time>
          (?<!\d) \d{{4}}-\d\d-\d\d (?: [T\s]\d\d:\d\d (?: :\d\d(?:\.\d+)? )? Z? )? (?!\d)
        | (?<!\d) \d\d:\d\d:\d\d (?:\.\d+)? (?!\d)
      )
    | (?P<n>
          (?: (?<![\w.)\]>'"%-]) [-+] )?
          (?: \d{{1,3}} (?:,\d{{3}})+ (?!\d) (?:\.\d+)? | \d+ (?:\.\d+)* | (?<!\w)\.\d+ )
          (?: [eE][-+]?\d+ )? (?: L(?!\w) )?
      )
    """,
    re.VERBOSE,
)
_PLACEHOLDERS = {
    "single": "'…'", "double": '"…"', "path": "<path>", "id": "<id>", "time": "<time>", "n": "<n>",
}  # fmt: skip
_LIST_SEPARATOR = re.compile(r"(?:,\s|,?\s(?:and|or)\s)\Z")
_LIST_SUFFIX = ", …"  # of a list


class MessageTemplate(NamedTuple):
    """A message taken apart: ``values`` are what differs between tasks, ``placeholders`` the placeholders
    for these, ``template`` what stands around them, for the operator ``%``."""

    template: str
    placeholders: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def pattern(self) -> str:
        """The message with a placeholder for each value, on one line, since R breaks lines by
        length: what messages of one cause share."""
        return " ".join((self.template % self.placeholders).split())

    def shown(self, differing: Collection[int]) -> str:
        """The message in its lines, with placeholders in these places, and its own values in all
        others."""
        both = enumerate(zip(self.placeholders, self.values, strict=True))
        return self.template % tuple(
            [sign if place in differing else value for place, (sign, value) in both]
        )


def parse_message(message: str) -> MessageTemplate:
    """The message, as far as its first 4,000 characters, taken apart."""
    text = _COLOURS.sub("", message[:_MAX_MESSAGE]).translate(_QUOTES)
    texts = [""]
    signs: list[str] = []
    values: list[str] = []
    # The text between two values is looked at again by itself: so that nothing is found in a
    # pattern that was not found in the message.
    lines = (" ".join(line.split()) for line in text.splitlines())
    todo: list[str | tuple[str, str]] = ["\n".join(line for line in lines if line)]
    while todo:
        piece = todo.pop()
        if isinstance(piece, tuple):
            if (
                signs
                and signs[-1].removesuffix(_LIST_SUFFIX) == piece[0]
                and _LIST_SEPARATOR.match(texts[-1])
            ):
                signs[-1] = piece[0] + _LIST_SUFFIX
                values[-1] += texts[-1] + piece[1]
                texts[-1] = ""
            else:
                signs.append(piece[0])
                values.append(piece[1])
                texts.append("")
            continue
        match = _PLACEHOLDER.search(piece) or _VALUE.search(piece)
        if match is None:
            texts[-1] += piece
        else:
            found = (_PLACEHOLDERS.get(match.lastgroup or "", match[0]), match[0])
            todo += [piece[match.end() :], found, piece[: match.start()]]
    template = "%s".join([text.replace("%", "%%") for text in texts])
    return MessageTemplate(template, tuple(signs), tuple(values))
