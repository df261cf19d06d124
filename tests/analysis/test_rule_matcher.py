from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import pytest

from hipercow_tui.analysis import rule_matcher
from hipercow_tui.analysis.error_groups import Failure
from hipercow_tui.analysis.rule_matcher import RuleMatcher
from hipercow_tui.domain.error_rules import ErrorRule

MEMORY = ErrorRule("cannot allocate|bad_alloc", "out of memory", "errors.toml, rule 1")
EVIL = ErrorRule("(a+)+$", "evil", "errors.toml, rule 2")
ANY = ErrorRule("(?s).", "any", "errors.toml, rule 3")


@pytest.fixture
def matcher() -> Iterator[RuleMatcher]:
    matcher = RuleMatcher([MEMORY, EVIL, ANY])
    yield matcher
    matcher.close()


def test_the_first_rule_that_matches_is_found(matcher: RuleMatcher) -> None:
    messages = ["cannot allocate vector of size 3 Gb", "no\nbad_alloc", "xa", "\udc80 ✖", ""]
    assert matcher.find(messages) == [MEMORY, MEMORY, EVIL, ANY, None]
    assert matcher.problems == []


def test_apply_names_failures_by_message_or_problem_and_drops_old_names(
    matcher: RuleMatcher,
) -> None:
    failures = [Failure("bad_alloc"), Failure("", problem="cannot allocate"), Failure("x")]
    named = matcher.apply(failures)
    assert [one.rule for one in named] == ["out of memory", "out of memory", "any"]
    assert [one._replace(rule="") for one in named] == failures
    assert RuleMatcher([]).apply(named) == failures


def test_pattern_that_takes_too_long_is_not_used_and_the_others_work(
    matcher: RuleMatcher, monkeypatch: pytest.MonkeyPatch, programs: list[subprocess.Popen[bytes]]
) -> None:
    monkeypatch.setattr(rule_matcher, "TIME_LIMIT", 0.3)
    began = time.monotonic()
    assert matcher.find(["a" * 60 + "b", "bad_alloc"]) == [ANY, MEMORY]
    assert time.monotonic() - began < 10
    (problem,) = matcher.problems
    assert problem.startswith("errors.toml, rule 2 ('evil') is not used: its pattern takes more")
    assert matcher.find(["a" * 60 + "b"]) == [ANY]
    matcher.close()
    assert all(program.wait(10) is not None for program in programs)


def test_without_rules_or_messages_no_process_is_started(
    matcher: RuleMatcher, programs: list[subprocess.Popen[bytes]]
) -> None:
    assert RuleMatcher([]).find(["x"]) == [None]
    assert matcher.find([]) == []
    assert not programs


@pytest.mark.parametrize("program", ["/does/not/exist", "/bin/true"])
def test_rules_are_not_used_if_no_process_can_be_started(
    matcher: RuleMatcher, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr("sys.executable", program)
    assert matcher.find(["bad_alloc"]) == [None]
    assert len(matcher.problems) == 3
    assert "Python can't be started" in matcher.problems[0]
