"""Secrets are hidden in text for others, and other text stays."""

from __future__ import annotations

import time

import pytest

from hipercow_tui.formats.details import EnvVar
from hipercow_tui.output.masking import Masker

VARIABLES = (
    EnvVar("MY_TOKEN", 'it\'s "so" $ecret', secret=False),
    EnvVar("PIN_SECRET", "12", secret=False),
    EnvVar("USE_AUTH", "TRUE", secret=False),
    EnvVar("FLAGGED", "c2VjcmV0", secret=True),
    EnvVar("LEVEL", "debugging", secret=False),
)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("curl ghp_a1B2c3D4e5 x", "curl ******** x"),
        ("github_pat_11AA_bb", "********"),
        ("id AKIAIOSFODNN7EXAMPLE.", "id ********."),
        ("password=hunter2, next", "password=********, next"),
        ('list(db_password = "a b", n = 3)', "list(db_password = ********, n = 3)"),
        ('{"api_key": "abc"}', '{"api_key": ********}'),
        (r'f(password = "a\"b", n = 3)', "f(password = ********, n = 3)"),
        ('f(password = "cut of', "f(password = ********"),
        ("f(token = 'cut, b\\\n next)", "f(token = ********\\\n next)"),
        ("run --token abc --n 3", "run --token ******** --n 3"),
        ("https://ada:pw@host/x", "https://********@host/x"),
        ("https://ada:p@w@host/x@y", "https://********@host/x@y"),
        ("curl -u ada:pw https://x", "curl -u ******** https://x"),
        ("'Authorization': 'token abcd1234'", "'Authorization': 'token ********'"),
        ('Sys.setenv(DB_PASS = "a")', "Sys.setenv(DB_PASS = ********)"),
        ('pwd <- c("a", "b")', "pwd <- ********"),
        ('set(password("a"), api.key = b)', "set(password(********), api.key = ********)"),
        ("bypass = 1, compass: 2, pass", "bypass = 1, compass: 2, pass"),
        ("Authorization: Bearer abcdefgh.ij", "Authorization: Bearer ********"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nx", "********\nx"),
        ("a\n" + "MIIabc+/09" * 6 + "MII=\nb", "a\n********\nb"),
        ("=" * 70, "=" * 70),
        ("0123456789abcdef" * 4, "0123456789abcdef" * 4),
        ("open /home/ada/x and /home/ada", "open ~/x and ~"),
        ("/home/adam /srv/home/ada", "/home/adam /srv/home/ada"),
        (
            "f(token_count, key = 3): unexpected symbol",
            "f(token_count, key = 3): unexpected symbol",
        ),
        ("https://host:8080/a", "https://host:8080/a"),
        # Values of variables, as R, shells and JSON write them, and by the name of the variable.
        ('x it\'s "so" $ecret x', "x ******** x"),
        ("x <- 'it\\'s \"so\" $ecret'", "x <- '********'"),
        ('x <- "it\'s \\"so\\" $ecret"', 'x <- "********"'),
        ("'it'\"'\"'s \"so\" $ecret'", "********"),
        ("12 TRUE debugging", "12 TRUE debugging"),
        ("PIN_SECRET: 12, USE_AUTH=TRUE", "PIN_SECRET: ********, USE_AUTH=********"),
        ("FLAGGED is c2VjcmV0", "FLAGGED is ********"),
    ],
)
def test_secrets_are_hidden_and_other_text_stays(text: str, masked: str) -> None:
    assert Masker(VARIABLES, "/home/ada/").mask(text) == masked


def test_a_long_value_is_hidden_where_it_was_cut() -> None:
    value = "abcdefghijklmnop-0123456789-qrstuvwxyz-ABCDEF"
    masker = Masker([EnvVar("MY_KEY", value, secret=False)])
    assert masker.mask(f'"{value[:25]}…{value[-20:]}"') == '"********…********"'
    assert masker.mask(f'f("{value[:30]}[...]') == 'f("********[...]'


@pytest.mark.parametrize("end", [False, True])
def test_a_part_of_a_text_has_no_part_of_a_secret(end: bool) -> None:
    masker = Masker([EnvVar("MY_KEY", "abcdefgh", secret=False)])
    text = "abcdefgh" * 100
    for size in range(20, 36):
        part = masker.mask_part(text, size, end=end)
        assert set(part) <= {"*", "…"} and len(part) <= size + 1


def test_a_long_secret_is_hidden_where_a_part_ends() -> None:
    secret = "-".join(map(str, range(500)))
    masker = Masker([EnvVar("MY_KEY", secret, secret=False)])
    for text in (secret, f'password = "{secret[:1000]}{secret}"'):
        part = masker.mask_part(f"the beginning {text} {'x' * 20_000}", 300)
        assert part.startswith("the beginning ")
        assert "0-1-2" not in part
        assert len(part) == 301


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "eyJ-",
        "://",
        "a.",
        "token",
        "-----BEGIN ",
        " ",
        "sk-",
        "-u ",
        "-u a:",
        "authorization: ",
        "pass(",
        "pass=a(",
        'password"',
        "password='\\",
        "=",
        "a:",
        "\n",
        "aA0",
        " a",
    ],
)
def test_hostile_text_takes_a_bounded_time(text: str) -> None:
    long = text * (40_000 // len(text))
    began = time.process_time()
    Masker(VARIABLES, "/home/ada").mask(long)
    assert time.process_time() - began < 2
