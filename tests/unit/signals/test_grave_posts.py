"""One post that must be answered today."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from listener.signals.grave_posts import grave_posts
from storage.records import HeldBack, History, KocMention, Signal
from tests.unit.drift.conftest import START, history_of, mention_of


def written(letter: str = "a", day: float = 60, *cues: str, **more: Any) -> KocMention:
    return mention_of(int(day * 10), letter, START + timedelta(days=day), cues=cues or ("complaint",), **more)


def told(*posts: KocMention, before: str = "ffffff") -> tuple[tuple[Signal, ...], tuple[HeldBack, ...]]:
    history = history_of(before)
    return grave_posts(History("K1", "星澜", (*history.mentions, *posts)))


def test_one_post_is_enough_at_once_and_quotes_its_words() -> None:
    ((one,), held) = told(written())
    assert (one.kind, one.at, one.tipped_by.post_id, one.ended_at) == (
        "grave-post",
        START + timedelta(days=60),
        "K1-0600",
        None,
    )
    assert one.evidence == {"cue": "complaint", "words": "…", "against": 0.9, "before_n": 6, "before_mean": 0.87}
    assert one.posts == (one.tipped_by,)
    assert held == ()


def test_no_past_is_needed_and_an_expose_goes_before_a_complaint() -> None:
    ((one,), _) = told(written("a", 60, "complaint", "expose"), before="")
    assert (one.evidence["cue"], one.evidence["before_n"]) == ("expose", 0)


def test_a_calm_long_critique_and_words_that_are_not_against_the_brand_are_recorded() -> None:
    (none, held) = told(written(constructive=True), written("f", 70), written("n", 80))
    assert none == ()
    assert [one.reason for one in held] == ["mild-criticism", "not-against", "not-against"]


def test_reposts_unread_posts_and_hard_words_without_such_a_cue_are_none() -> None:
    assert told(written("r"), written("u", 70), mention_of(9, "a", START + timedelta(days=80), cues=("defection",))) == ((), ())


def test_the_same_post_elsewhere_or_reworded_is_told_once_within_thirty_days() -> None:
    first = written(fingerprint=0)
    again, reworded = written("a", 61, fingerprint=0, platform="weibo"), written("a", 89, fingerprint=0b1111111111)
    other, late = written("a", 90, fingerprint=-1), written("a", 150, fingerprint=0)
    found, held = told(first, again, reworded, other, late)
    assert [one.tipped_by for one in found] == [first.mention.key, other.mention.key, late.mention.key]
    assert [(one.reason, one.key) for one in held] == [("copy", again.mention.key), ("copy", reworded.mention.key)]


def test_it_is_over_when_the_koc_speaks_well_again() -> None:
    praise = [mention_of(900 + n, "f", START + timedelta(days=70 + n)) for n in range(3)]
    ((one,), _) = told(written(), *praise)
    assert one.ended_at == START + timedelta(days=72)
    ((one,), _) = told(written(), *praise[:2])
    assert one.ended_at is None


def test_what_is_told_does_not_change_with_what_comes_later() -> None:
    (early, _), (late, _) = (
        told(written()),
        told(written(), *(mention_of(900 + n, "a", START + timedelta(days=70 + n)) for n in range(9))),
    )
    assert replace(late[0], ended_at=None) == early[0]
