"""Replace the values in messages by placeholders, so that messages of one cause are equal.

``cannot open 'a.rds' at step 12`` and ``cannot open 'b.rds' at step 9`` are both
``cannot open '…' at step <n>``.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

_MAX_MESSAGE = 4000  # characters used of a message

_COLOURS = re.compile(r"\x1b\[[0-9;:]*[A-Za-z]")
# R quotes with ‘’ if the locale has them, else with ''.
_QUOTES = str.maketrans("‘’“”", "''\"\"")
_PLACEHOLDER = re.compile("<n>|<path>|<id>|<time>|'…'|\"…\"")

# A quote between letters belongs to a word: `can't`. The digits in a name are a number: `chain2`
# and `chain10` differ only in a number.
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
_LIST_SUFFIX = ", …"  # of the placeholder for a list of values


class MessageTemplate(NamedTuple):
    """A parsed message.

    Attributes:
        template: The text around the values, for the operator ``%``.
        placeholders: A placeholder for each value.
        values: The values, which may differ between tasks.
    """

    template: str
    placeholders: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def pattern(self) -> str:
        """The message with a placeholder for each value: equal for messages of one cause.

        It is on one line, because R breaks lines by their length.
        """
        return " ".join((self.template % self.placeholders).split())

    def shown(self, differing: Collection[int]) -> str:
        """Return the message with placeholders for the values at the places ``differing``."""
        pairs = enumerate(zip(self.placeholders, self.values, strict=True))
        return self.template % tuple(
            [placeholder if place in differing else value for place, (placeholder, value) in pairs]
        )


def parse_message(message: str) -> MessageTemplate:
    """Parse the first 4,000 characters of a message."""
    text = _COLOURS.sub("", message[:_MAX_MESSAGE]).translate(_QUOTES)
    texts = [""]  # between the values
    placeholders: list[str] = []
    values: list[str] = []
    # The text between two values is parsed again on its own, so that a pattern gives no other
    # values than the message.
    lines = (" ".join(line.split()) for line in text.splitlines())
    pending: list[str | tuple[str, str]] = ["\n".join(line for line in lines if line)]
    while pending:
        piece = pending.pop()
        if isinstance(piece, tuple):
            placeholder, value = piece
            repeated = placeholders and placeholders[-1].removesuffix(_LIST_SUFFIX) == placeholder
            if repeated and _LIST_SEPARATOR.match(texts[-1]):
                placeholders[-1] = placeholder + _LIST_SUFFIX
                values[-1] += texts[-1] + value
                texts[-1] = ""
            else:
                placeholders.append(placeholder)
                values.append(value)
                texts.append("")
            continue
        match = _PLACEHOLDER.search(piece) or _VALUE.search(piece)
        if match is None:
            texts[-1] += piece
        else:
            found = (_PLACEHOLDERS.get(match.lastgroup or "", match[0]), match[0])
            pending += [piece[match.end() :], found, piece[: match.start()]]
    template = "%s".join([text.replace("%", "%%") for text in texts])
    return MessageTemplate(template, tuple(placeholders), tuple(values))
