"""What others say of a KOC's praise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from listener.signals.accusations import accusations
from storage.records import Answer, HeldBack, History, PostKey, Signal
from tests.unit.drift.conftest import START, mention_of


def voice(day: float, who: str, *, to: str = "p1", cue: str = "accusation", kind: Any = "comment") -> Answer:
    one = mention_of(int(day * 10), "n", START + timedelta(days=day), koc=who, cues=(cue,))
    return Answer(replace(one, kind=kind), PostKey("forum", to))


def told(*answers: Answer) -> tuple[tuple[Signal, ...], tuple[HeldBack, ...]]:
    return accusations(History("K1", "星澜", (), accusations=answers))


def test_two_voices_within_a_month_are_told_with_their_words() -> None:
    ((one,), held) = told(voice(1, "x"), voice(20, "y", cue="accusation-paid"))
    assert (one.kind, one.koc_id, one.at) == ("accusation", "K1", START + timedelta(days=20))
    assert one.evidence == {"authors_n": 2, "voices_n": 2, "posts_n": 1, "paid": True, "words": ["…"]}
    assert [key.post_id for key in one.posts] == ["x-0010", "y-0200"]
    assert [(each.reason, each.key.post_id) for each in held] == [("single-voice", "x-0010")]


def test_a_single_voice_is_recorded_and_not_told() -> None:
    assert told(voice(1, "x"), voice(2, "x"))[0] == (), "who repeats it under one post is one voice"
    assert told(voice(1, "x"), voice(40, "y"))[0] == ()
    assert told(voice(1, "x", kind="repost"))[0] == ()


def test_a_voice_with_weight_is_told_alone() -> None:
    ((one,), _) = told(voice(1, "x"), voice(2, "x", to="p2"))
    assert (one.evidence["authors_n"], one.evidence["posts_n"]) == (1, 2)
    assert len(told(voice(1, "x", cue="accusation-paid", kind="repost"))[0]) == 1


def test_further_voices_are_the_same_matter_until_a_month_without_any() -> None:
    wave = [voice(day, f"u{day}") for day in (1, 2, 20, 45, 70)]
    assert len(told(*wave)[0]) == 1
    found, _ = told(*wave, voice(110, "v"), voice(111, "w"))
    assert [one.at for one in found] == [START + timedelta(days=2), START + timedelta(days=111)]


def test_whoever_says_both_is_quoted_once() -> None:
    both = voice(1, "x", cue="accusation")
    mention = replace(
        both.said.mention, cues=(*both.said.mention.cues, *voice(1, "x", cue="accusation-paid").said.mention.cues)
    )
    ((one,), _) = told(replace(both, said=replace(both.said, mention=mention)), voice(2, "y"))
    assert one.evidence["paid"]
    assert len(one.posts) == 2
