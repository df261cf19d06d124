"""Remove from tests of screens what only a terminal needs, most of the time that they take."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any
from weakref import WeakSet

import pytest
from textual import _wait
from textual.css import parse, stylesheet
from textual.css.model import RuleSet
from textual.css.tokenizer import Token
from textual.css.types import CSSLocation
from textual.screen import Screen

# After each key the Pilot checks at least twice whether nothing has been computed for this long.
# The screen is updated sixty times a second, so two checks are longer than an update.
_wait.SLEEP_GRANULARITY = 0.01  # seconds; theirs is twice that
_wait.SLEEP_IDLE = _wait.SLEEP_GRANULARITY / 20

FRAME = 0.1  # seconds between two drawings of a screen

_draw_now = Screen._compositor_refresh
_parse_css = parse.parse
_to_draw: WeakSet[Screen[Any]] = WeakSet()
_parsed_css: dict[object, list[RuleSet]] = {}


def draw_later(screen: Screen[Any]) -> None:
    """Draw a screen ten times a second instead of after each change of the layout."""
    if screen not in _to_draw:
        _to_draw.add(screen)
        asyncio.get_running_loop().call_later(FRAME, draw, screen)


def draw(screen: Screen[Any]) -> None:
    """Draw what has changed; an error ends the app, as it does with a terminal."""
    _to_draw.discard(screen)
    if not screen.is_attached:
        return
    try:
        screen._compositor.update_widgets(screen._dirty_widgets)
        _draw_now(screen)
    except Exception as error:
        screen.app._handle_exception(error)


def parse_css(
    scope: str,
    css: str,
    read_from: CSSLocation,
    variables: dict[str, str] | None = None,
    variable_tokens: dict[str, list[Token]] | None = None,
    is_default_rules: bool = False,
    tie_breaker: int = 0,
) -> Iterable[RuleSet]:
    """Parse each style sheet once for all apps that have the same theme."""
    tokens = variable_tokens or {}
    theme = tuple((name, *(token.value for token in tokens[name])) for name in tokens)
    more = (read_from, variables, tokens, is_default_rules, tie_breaker)
    key = (scope, css, read_from, theme, is_default_rules, tie_breaker)
    if key not in _parsed_css:
        _parsed_css[key] = list(_parse_css(scope, css, *more))
    return _parsed_css[key]


@pytest.fixture
def draw_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw after each change, as with a terminal."""
    monkeypatch.setattr(Screen, "_compositor_refresh", _draw_now)


Screen._compositor_refresh = draw_later  # type: ignore[assignment,method-assign]
stylesheet.parse = parse_css  # type: ignore[attr-defined]
