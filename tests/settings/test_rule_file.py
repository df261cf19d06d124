from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipercow_tui.domain.error_rules import ErrorRule
from hipercow_tui.settings.rule_file import ErrorRules, RuleFile

GOOD = '[[rule]]\npattern = "bad_alloc|^Killed"\nname = "out of memory"\n'


def read(folder: Path, text: str | bytes) -> ErrorRules:
    path = folder / "errors.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return RuleFile(path).read()


def test_rules_are_read_in_their_order(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD + '[[rule]]\npattern = "\\\\d"\nname = " a number "\n')
    place = f"{tmp_path}/errors.toml, rule"
    assert found.problems == ()
    assert found.rules == (
        ErrorRule("bad_alloc|^Killed", "out of memory", f"{place} 1"),
        ErrorRule("\\d", "a number", f"{place} 2"),
    )


def test_a_missing_file_has_no_rules_and_no_problems(tmp_path: Path) -> None:
    assert RuleFile(tmp_path / "errors.toml").read() == ErrorRules()


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ('[[rule]]\npattern = "("\nname = "x"', "rule 2: its pattern is not a regular expression"),
        ('[[rule]]\npattern = "a{2,1}"\nname = "x"', "regular expression: min repeat"),
        ('[[rule]]\npattern = "a"', "rule 2: it needs a pattern and a name, such as pattern ="),
        ('[[rule]]\npattern = ""\nname = "x"', "rule 2: it needs a pattern"),
        ('[[rule]]\npattern = 3\nname = "x"', "rule 2: it needs a pattern"),
        ('[[rule]]\npattern = "a"\nname = "x\\ny"', "rule 2: its name must be one line"),
        (f'[[rule]]\npattern = "a"\nname = "{"x" * 61}"', "at most 60 visible"),
        (f'[[rule]]\npattern = "{"a" * 1001}"\nname = "x"', "at most 1,000 characters"),
        ('[[rule]]\npattern = "a"\nname = "x"\ncolour = 1', "rule 2: 'colour' is not known"),
        ('[[rule]]\npattern = "(?:a{9999999999999})"\nname = "x"', "rule 2: its pattern is too"),
    ],
)
def test_a_bad_rule_gives_a_sentence_and_the_others_work(
    tmp_path: Path, bad: str, problem: str
) -> None:
    found = read(tmp_path, f"{GOOD}{bad}\n{GOOD}")
    assert [rule.place[-1] for rule in found.rules] == ["1", "3"]
    assert len(found.problems) == 1 and problem in found.problems[0]
    assert str(tmp_path / "errors.toml") in found.problems[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[rule]]\npattern = oops\n", "not valid TOML: Invalid value (at line 2"),
        (b"name = '\xff'", "not in UTF-8"),
        ('[rule]\npattern = "a"\nname = "x"\n', "in double brackets"),
        ("rule = [1]\n", "rule 1: it is not a table"),
        ("rules = 1\n", "'rules' is not known"),
        (GOOD * 101, "only the first 100 of 101 rules"),
    ],
)
def test_a_bad_file_gives_a_sentence(tmp_path: Path, text: str | bytes, problem: str) -> None:
    (found,) = read(tmp_path, text).problems
    assert problem in found and "errors.toml" in found


@given(st.binary(max_size=200) | st.text(max_size=60).map(lambda t: f"{GOOD}x = {t!r}".encode()))
def test_any_content_raises_nothing(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    found = read(tmp_path_factory.getbasetemp(), raw)
    assert all(isinstance(problem, str) for problem in found.problems)
