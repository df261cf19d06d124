"""Find the rule of the user that matches a message, in another process.

A regular expression can take years for a short text, and no thread can end it. Python runs nothing
else meanwhile. So the process that matches is killed after some seconds, and the rule that took so
long is not used any more.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

from hipercow_tui.analysis.error_groups import Failure
from hipercow_tui.domain.error_rules import ErrorRule
from hipercow_tui.support.worker_process import WorkerProcess, read_value, write_value

TIME_LIMIT = 5.0  # seconds for some messages, which take milliseconds
_NICE = 10  # a lower priority than the app
_NO_RULE = -1


class RuleMatcher:
    """Names failures by rules, the first that matches. Use it from one thread at a time.

    ``problems`` are sentences on rules that are not used any more.
    """

    def __init__(self, rules: Sequence[ErrorRule]) -> None:
        self.problems: list[str] = []
        self._rules = list(rules)
        self._process: WorkerProcess | None = None

    def apply(self, failures: Sequence[Failure]) -> list[Failure]:
        """Return the failures with the names of their rules."""
        named = []
        rules = self.find([failure.problem or failure.message for failure in failures])
        for failure, rule in zip(failures, rules, strict=True):
            name = "" if rule is None else rule.name
            named.append(failure if failure.rule == name else failure._replace(rule=name))
        return named

    def find(self, messages: Sequence[str]) -> list[ErrorRule | None]:
        """Return the first rule that matches each message, or None."""
        if not (self._rules and messages):
            return [None] * len(messages)
        places = self._search(self._rules, messages)
        if places is None:
            self._rules = [rule for rule in self._rules if self._is_fast(rule, messages)]
            places = self._search(self._rules, messages) or [_NO_RULE] * len(messages)
        return [None if place == _NO_RULE else self._rules[place] for place in places]

    def close(self) -> None:
        """End the process, if there is one; it is started again for the next messages."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def _is_fast(self, rule: ErrorRule, messages: Sequence[str]) -> bool:
        """Return whether a rule can be used for some messages; if not, add a problem."""
        if self._search([rule], messages) is not None:
            return True
        reason = (
            f"its pattern takes more than {TIME_LIMIT:.0f} s for a message. Leave out repetitions"
            " within repetitions, such as (a+)+"
            if self._start()
            else "Python can't be started to match its pattern"
        )
        self.problems.append(f"{rule.place} ('{rule.name}') is not used: {reason}")
        return False

    def _search(self, rules: Sequence[ErrorRule], messages: Sequence[str]) -> list[int] | None:
        """Return the number of the rule for each message; None if it takes too long, or if there
        is no process."""
        process = self._start()
        if process is None:
            return None
        timer = threading.Timer(TIME_LIMIT, process.kill)
        timer.daemon = True
        process.send(([rule.pattern for rule in rules], list(messages)))
        timer.start()
        places: list[int] | None = process.receive()
        timer.cancel()
        if places is None:
            self.close()
        return places

    def _start(self) -> WorkerProcess | None:
        """Return the process, which is ready to match; None if it can't be started."""
        if self._process is None:
            with suppress(OSError):
                self._process = process = WorkerProcess(__name__, "", os.sep)
                process.send(([], []))
                if process.receive() is None:  # its start does not count
                    self.close()
        return self._process


def serve(requests: IO[bytes], answers: IO[bytes], _argument: str) -> None:
    """Run in the process: answer patterns and messages with the number of the first pattern that is
    found in each message, -1 for none."""
    if sys.platform != "win32":
        os.nice(_NICE)
    warnings.simplefilter("ignore")
    while (request := read_value(requests)) is not None:
        patterns, messages = request
        compiled = [re.compile(pattern) for pattern in patterns]
        write_value(answers, [_first_match(compiled, message) for message in messages])


def _first_match(patterns: Sequence[re.Pattern[str]], message: str) -> int:
    found = (number for number, one in enumerate(patterns) if one.search(message))
    return next(found, _NO_RULE)
