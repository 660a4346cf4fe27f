"""KOCs who turn after KOCs they have ties to, against chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from listener.signals.contagions import contagions, dealt, first_ties, links_of
from storage.records import PostKey, Signal, Tie, Turned

START = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE = {f"K{n:02d}": "weibo" for n in range(40)}


def at(day: float) -> datetime:
    return START + timedelta(days=day)


def turn(n: int, day: float, fired: float | None = None) -> Turned:
    return Turned(f"K{n:02d}", at(day), at(day + 10 if fired is None else fired), PostKey("weibo", f"p{n}"))


def tie(critic: int, follower: int, day: float = 0.0) -> Tie:
    return Tie("answer", f"K{critic:02d}", f"K{follower:02d}", at(day))


CHAIN = [turn(0, 100), turn(1, 110), turn(2, 118), turn(3, 125)]
TIES = [tie(0, 1), tie(0, 2), tie(1, 3)]


def found(
    turns: Sequence[Turned], ties: Sequence[Tie], heard: datetime | None = None, promised: float = 0.05
) -> tuple[Signal, ...]:
    return contagions("星澜", turns, ties, PEOPLE, heard, promised=promised)


def test_a_chain_is_told_at_the_turn_that_makes_it_more_than_chance_and_grows() -> None:
    (signal,) = found(CHAIN, TIES)
    assert signal.at == CHAIN[2].fired_at
    assert [(link["critic"], link["follower"]) for link in signal.evidence["chain"]] == [
        ("K00", "K01"),
        ("K00", "K02"),
        ("K01", "K03"),
    ]
    assert signal.evidence["followers"] == 2
    assert signal.evidence["p"] <= 0.025
    assert signal.ended_at is None
    assert signal.tipped_by == PostKey("weibo", "p2")


def test_it_is_over_when_nobody_has_followed_for_the_window() -> None:
    (signal,) = found(CHAIN, TIES, at(135 + 45))
    assert signal.ended_at == at(135 + 45)
    (still,) = found(CHAIN, TIES, at(135 + 44))
    assert still.ended_at is None


def test_the_order_in_which_turns_and_ties_are_given_changes_nothing() -> None:
    assert found(CHAIN[::-1], TIES[::-1]) == found(CHAIN, TIES)


def test_turns_without_ties_before_them_or_too_far_apart_are_no_chain() -> None:
    assert found(CHAIN, []) == ()
    assert links_of(CHAIN, first_ties([tie(0, 1, 111), tie(0, 2, 200)])) == []
    assert links_of([turn(0, 10), turn(1, 56)], first_ties(TIES)) == []
    assert links_of([turn(0, 10), turn(1, 10)], first_ties(TIES)) == []


def test_one_follower_alone_is_never_told() -> None:
    assert found(CHAIN[:2], TIES) == ()


def test_where_everybody_is_tied_to_everybody_a_chain_says_nothing() -> None:
    every = [tie(a, b) for a in range(40) for b in range(40) if a != b]
    assert found(CHAIN, every) == ()
    assert dealt(CHAIN, every, PEOPLE, links_of(CHAIN, first_ties(every))).p == 1.0


def test_a_week_in_which_a_third_of_all_turn_says_nothing_of_a_few_ties() -> None:
    crisis = [turn(n, 100 + n / 2, 115 + n / 2) for n in range(14)]
    few = [tie(a, (a * 7 + 3) % 40) for a in range(40)] + [tie(a, (a * 11 + 5) % 40) for a in range(40)]
    assert found(crisis, few) == ()


def test_turns_are_dealt_out_within_their_community() -> None:
    split = {koc: "weibo" if n < 4 else "xhs" for n, koc in enumerate(sorted(PEOPLE))}
    links = links_of(CHAIN, first_ties(TIES))
    assert dealt(CHAIN, TIES, split, links).p > 5 * dealt(CHAIN, TIES, PEOPLE, links).p


def test_later_turns_do_not_take_back_what_was_told_and_other_people_are_left_out() -> None:
    more = [*CHAIN, *(turn(n, 150 + n) for n in range(20, 30))]
    assert found(more, TIES)[0].at == CHAIN[2].fired_at
    assert found([replace(one, koc_id="gone") for one in CHAIN], TIES) == ()


def test_no_promise_no_signal() -> None:
    assert found(CHAIN, TIES, promised=0.0) == ()
