"""What pins hold: whole chains, and all chains of a pinned bundle."""

from __future__ import annotations

from small_root import task_id

from hipercow_tui.domain.pins import Pin, PinKind, Pins, PinTarget
from hipercow_tui.domain.retry_chains import RetryChains, RetryLink
from hipercow_tui.domain.task import Bundle, Lang

A, B, C, D = map(task_id, range(4))


def pin(kind: PinKind, name: str) -> Pin:
    return Pin(PinTarget(kind, Lang.R, name), "", "ada", "node1", 0.0)


def test_a_pinned_task_holds_its_whole_chain() -> None:
    chains = RetryChains((RetryLink(B, A, A), RetryLink(C, B, A)))
    held = Pins((pin(PinKind.CHAIN, B),)).held(chains, ())
    assert held.keys() == {A, B, C}


def test_a_pinned_task_without_a_chain_holds_itself() -> None:
    assert Pins((pin(PinKind.CHAIN, D),)).held(RetryChains(), ()).keys() == {D}


def test_a_pinned_bundle_holds_the_chains_of_its_tasks() -> None:
    chains = RetryChains((RetryLink(B, A, A),))
    bundles = (Bundle("sweep", (A, D)), Bundle("other", (C,)))
    held = Pins((pin(PinKind.BUNDLE, "sweep"),)).held(chains, bundles)
    assert held.keys() == {A, B, D}


def test_a_pinned_bundle_that_is_gone_holds_nothing() -> None:
    assert Pins((pin(PinKind.BUNDLE, "gone"),)).held(RetryChains(), ()) == {}
